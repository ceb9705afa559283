//! The table of routes, from which the router, the lambdas' wiring, the OpenAPI document and the authorization
//! tests derive.

mod path;

pub use self::path::{Parameters, find};

/// A route, by the lambda that serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// Registration, sign-in and the commands on an account.
    Accounts(Accounts),
    /// Commands of hosts.
    Hosts(Hosts),
    /// Commands of guests.
    Guests(Guests),
    Reads(Reads),
    /// Reads that are recorded before they happen.
    Exports(Exports),
    /// Of operators: rebuilds of projections, and dead letters.
    Operations(Operations),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Accounts {
    Register,
    ConfirmEmail,
    AskConfirmation,
    AskPasswordReset,
    ResetPassword,
    Rename,
    ChangePassword,
    Erase,
    SignIn,
    Refresh,
    SignOut,
    Jwks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hosts {
    CreateWaitlist,
    ChangeWaitlist,
    DeleteWaitlist,
    OpenWaitlist,
    CloseWaitlist,
    AddWaitee,
    ChangeWaitee,
    CallWaitee,
    ConfirmWaitee,
    SeatWaitee,
    NoShowWaitee,
    LeaveWaitee,
    RemoveWaitee,
    RestoreWaitee,
    MoveWaitee,
    EraseWaitee,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guests {
    Join,
    Confirm,
    Leave,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reads {
    Me,
    MyHistory,
    Waitlists,
    Waitlist,
    WaitlistHistory,
    Board,
    Waitee,
    WaiteeHistory,
    Audit,
    PublicWaitlist,
    Visit,
    Verify,
    OpenApi,
    Health,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exports {
    History,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operations {
    Projections,
    Rebuilds,
    StartRebuild,
    Rebuild,
    PromoteRebuild,
    CancelRebuild,
    RollBack,
    Retire,
    DeadLetters,
    Redrive,
}

/// The lambda that serves a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Accounts,
    Hosts,
    Guests,
    Reads,
    Exports,
    Operations,
}

/// The callers that may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    Public,
    /// An account, for its own data.
    Owner,
    /// An account that may perform system-wide operations.
    Operator,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub method: &'static str,
    /// The path; `{id}` stands for one UUID, `{name}` for a projection, `{token}` for a guest's visit token.
    pub path: &'static str,
    pub route: Route,
    pub access: Access,
    /// The status of a successful answer.
    pub success: u16,
}

/// The use that caches may make of a successful answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caching {
    /// No cache may store it.
    Never,
    /// The client may keep it and asks each time whether it is current. Shared caches keep nothing.
    Revalidated,
    /// All caches may use it for this time.
    Seconds(u32),
}

impl Entry {
    #[must_use]
    pub fn caching(&self) -> Caching {
        if self.method != "GET" {
            return Caching::Never; // the answer to a write may hold tokens
        }
        match self.route {
            Route::Reads(Reads::PublicWaitlist) => Caching::Seconds(1),
            Route::Reads(Reads::OpenApi) | Route::Accounts(Accounts::Jwks) => Caching::Seconds(60),
            Route::Reads(Reads::Visit | Reads::Health) => Caching::Never,
            Route::Reads(
                Reads::Me
                | Reads::MyHistory
                | Reads::Waitlists
                | Reads::Waitlist
                | Reads::WaitlistHistory
                | Reads::Board
                | Reads::Waitee
                | Reads::WaiteeHistory
                | Reads::Audit
                | Reads::Verify,
            )
            | Route::Exports(_)
            | Route::Operations(_) => Caching::Revalidated,
            Route::Accounts(_) | Route::Hosts(_) | Route::Guests(_) => Caching::Never,
        }
    }

    #[must_use]
    pub fn role(&self) -> Role {
        match self.route {
            Route::Accounts(_) => Role::Accounts,
            Route::Hosts(_) => Role::Hosts,
            Route::Guests(_) => Role::Guests,
            Route::Reads(_) => Role::Reads,
            Route::Exports(_) => Role::Exports,
            Route::Operations(_) => Role::Operations,
        }
    }
}

const fn owner(method: &'static str, path: &'static str, route: Route, success: u16) -> Entry {
    Entry { method, path, route, access: Access::Owner, success }
}

const fn public(method: &'static str, path: &'static str, route: Route, success: u16) -> Entry {
    Entry { method, path, route, access: Access::Public, success }
}

const fn operator(method: &'static str, path: &'static str, route: Operations, success: u16) -> Entry {
    Entry { method, path, route: Route::Operations(route), access: Access::Operator, success }
}

pub const ROUTES: &[Entry] = &[
    public("POST", "/v1/users", Route::Accounts(Accounts::Register), 201),
    public("POST", "/v1/users/confirm", Route::Accounts(Accounts::ConfirmEmail), 204),
    public("POST", "/v1/password-resets", Route::Accounts(Accounts::AskPasswordReset), 202),
    public("POST", "/v1/password-resets/confirm", Route::Accounts(Accounts::ResetPassword), 204),
    owner("GET", "/v1/me", Route::Reads(Reads::Me), 200),
    owner("PATCH", "/v1/me", Route::Accounts(Accounts::Rename), 200),
    owner("POST", "/v1/me/confirmation", Route::Accounts(Accounts::AskConfirmation), 202),
    owner("PUT", "/v1/me/password", Route::Accounts(Accounts::ChangePassword), 204),
    owner("POST", "/v1/me/erase", Route::Accounts(Accounts::Erase), 202),
    owner("GET", "/v1/me/history", Route::Reads(Reads::MyHistory), 200),
    public("POST", "/v1/sessions", Route::Accounts(Accounts::SignIn), 201),
    public("POST", "/v1/sessions/refresh", Route::Accounts(Accounts::Refresh), 200),
    owner("DELETE", "/v1/sessions/current", Route::Accounts(Accounts::SignOut), 204),
    owner("POST", "/v1/waitlists", Route::Hosts(Hosts::CreateWaitlist), 201),
    owner("GET", "/v1/waitlists", Route::Reads(Reads::Waitlists), 200),
    owner("GET", "/v1/waitlists/{id}", Route::Reads(Reads::Waitlist), 200),
    owner("PATCH", "/v1/waitlists/{id}", Route::Hosts(Hosts::ChangeWaitlist), 200),
    owner("DELETE", "/v1/waitlists/{id}", Route::Hosts(Hosts::DeleteWaitlist), 204),
    owner("POST", "/v1/waitlists/{id}/open", Route::Hosts(Hosts::OpenWaitlist), 200),
    owner("POST", "/v1/waitlists/{id}/close", Route::Hosts(Hosts::CloseWaitlist), 200),
    owner("GET", "/v1/waitlists/{id}/history", Route::Reads(Reads::WaitlistHistory), 200),
    owner("POST", "/v1/waitlists/{id}/waitees", Route::Hosts(Hosts::AddWaitee), 201),
    owner("GET", "/v1/waitlists/{id}/waitees", Route::Reads(Reads::Board), 200),
    owner("GET", "/v1/waitees/{id}", Route::Reads(Reads::Waitee), 200),
    owner("PATCH", "/v1/waitees/{id}", Route::Hosts(Hosts::ChangeWaitee), 200),
    owner("POST", "/v1/waitees/{id}/call", Route::Hosts(Hosts::CallWaitee), 202),
    owner("POST", "/v1/waitees/{id}/confirm", Route::Hosts(Hosts::ConfirmWaitee), 200),
    owner("POST", "/v1/waitees/{id}/seat", Route::Hosts(Hosts::SeatWaitee), 200),
    owner("POST", "/v1/waitees/{id}/no-show", Route::Hosts(Hosts::NoShowWaitee), 200),
    owner("POST", "/v1/waitees/{id}/leave", Route::Hosts(Hosts::LeaveWaitee), 200),
    owner("POST", "/v1/waitees/{id}/remove", Route::Hosts(Hosts::RemoveWaitee), 200),
    owner("POST", "/v1/waitees/{id}/restore", Route::Hosts(Hosts::RestoreWaitee), 200),
    owner("POST", "/v1/waitees/{id}/move", Route::Hosts(Hosts::MoveWaitee), 200),
    owner("POST", "/v1/waitees/{id}/erase", Route::Hosts(Hosts::EraseWaitee), 202),
    owner("GET", "/v1/waitees/{id}/history", Route::Reads(Reads::WaiteeHistory), 200),
    owner("GET", "/v1/audit", Route::Reads(Reads::Audit), 200),
    owner("GET", "/v1/audit/verify", Route::Reads(Reads::Verify), 200),
    owner("GET", "/v1/audit/export", Route::Exports(Exports::History), 200),
    operator("GET", "/v1/projections", Operations::Projections, 200),
    operator("GET", "/v1/projections/{name}/rebuilds", Operations::Rebuilds, 200),
    operator("POST", "/v1/projections/{name}/rebuilds", Operations::StartRebuild, 202),
    operator("GET", "/v1/projections/{name}/rebuilds/{id}", Operations::Rebuild, 200),
    operator("POST", "/v1/projections/{name}/rebuilds/{id}/promote", Operations::PromoteRebuild, 202),
    operator("POST", "/v1/projections/{name}/rebuilds/{id}/cancel", Operations::CancelRebuild, 202),
    operator("POST", "/v1/projections/{name}/rollback", Operations::RollBack, 200),
    operator("POST", "/v1/projections/{name}/retire", Operations::Retire, 200),
    operator("GET", "/v1/dead-letters", Operations::DeadLetters, 200),
    operator("POST", "/v1/dead-letters/{id}/redrive", Operations::Redrive, 202),
    public("GET", "/v1/public/waitlists/{id}", Route::Reads(Reads::PublicWaitlist), 200),
    public("POST", "/v1/public/waitlists/{id}/waitees", Route::Guests(Guests::Join), 201),
    public("GET", "/v1/public/visits/{token}", Route::Reads(Reads::Visit), 200),
    public("POST", "/v1/public/visits/{token}/confirm", Route::Guests(Guests::Confirm), 200),
    public("POST", "/v1/public/visits/{token}/leave", Route::Guests(Guests::Leave), 200),
    public("GET", "/v1/openapi.json", Route::Reads(Reads::OpenApi), 200),
    public("GET", "/.well-known/jwks.json", Route::Accounts(Accounts::Jwks), 200),
    public("GET", "/healthz", Route::Reads(Reads::Health), 200),
];
