//! HTTP handlers of sessions: sign in, refresh, sign out.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
    limits::Tries,
    log::Outcome,
    token::ACCESS_TTL_S,
    vault::Subject,
};
use schema::{
    Actor, Problem, SessionId, Slug, UserId,
    body::{
        Empty,
        account::{BEARER, Refresh, SignIn, Tokens},
    },
    sealed::Personal as _,
    session::State,
    value::{Email, Password, PasswordHash},
};
use uuid::Uuid;

use super::{Command, Refusal, Session, Standing, standing};
use crate::{
    author::unkeyed_author,
    floor::Floor,
    user::{User, handler::clear, password},
};

/// The account that is read when no account has the address, so that the answer takes as long.
const NO_ACCOUNT: UserId = UserId(Uuid::nil());

pub(crate) async fn sign_in(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let (email, password) = call.body::<SignIn>()?.parse()?;
    backend.limits.count_from(Tries::SignInAddress, call.address()).await?;
    backend.limits.count(Tries::SignInAccount, &email.normalised()).await?;
    let floor = Floor::from_now(); // the time of a refusal does not reveal whether the account exists
    let Some((user, standing)) = recognise(backend, &email, &password).await? else {
        floor.reached().await;
        return Err(Problem::new(
            Slug::InvalidCredentials,
            "There is no account with this e-mail and password.",
        )
        .into());
    };
    let session = SessionId(backend.clock.id(backend.clock.now()));
    let outcome = run(backend, call, user, session, Command::Start(user, standing)).await?;
    tokens(backend, 201, session, outcome).await
}

/// The account with this e-mail address and password. The work is the same when there is none.
async fn recognise(
    backend: &Backend,
    email: &Email,
    password: &Password,
) -> Result<Option<(UserId, Standing)>, Failure> {
    let holder = backend.vault.holder(&backend.claims.of_email(email)?).await?;
    let id = holder.unwrap_or(NO_ACCOUNT);
    let found = backend.log.read::<User>(id.into()).await?;
    let key = backend.vault.key(Subject::Account(id)).await?;
    let account = found.as_ref().and_then(|found| found.state.kept()).zip(key.as_ref());
    let hash = account.map(|(account, key)| clear(id, key, &account.password)).transpose()?;
    let fits =
        password::fits(password, hash.as_ref().unwrap_or(&PasswordHash::from_clear(password::DECOY.into())))
            .await?;
    let seq = found.as_ref().map_or(0, |found| found.seq);
    Ok(account.filter(|_| fits).map(|(account, _)| (id, Standing { seq, operator: account.operator })))
}

pub(crate) async fn refresh(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let Refresh { refresh_token } = call.body()?;
    let (session, number) = backend.secrets.read_refresh_token(&refresh_token).await?.ok_or_else(void)?;
    let Session::Live(state) = latest(backend, session).await? else { return Err(void()) };
    let since = backend.log.load_after(state.user.into(), state.user_seq).await?;
    let standing = standing(&state, &since)?.ok_or_else(void)?;
    let outcome = run(backend, call, state.user, session, Command::Refresh(number, standing)).await?;
    tokens(backend, 200, session, outcome).await
}

pub(crate) async fn sign_out(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    call.body::<Empty>()?;
    let session = call
        .session
        .ok_or_else(|| Problem::new(Slug::NotFound, "This token came of no session; it ends by itself."))?;
    run(backend, call, call.owner, session, Command::Revoke).await?;
    Ok(Reply::empty(204))
}

/// A session as it is now: one item, strongly consistent, however often it was refreshed.
pub(crate) async fn latest(backend: &Backend, session: SessionId) -> Result<Session, Failure> {
    Ok(backend.log.read::<Session>(session.into()).await?.map_or(Session::None, |found| found.state))
}

async fn run(
    backend: &Backend,
    call: &Call<'_>,
    user: UserId,
    session: SessionId,
    command: Command,
) -> Result<Outcome<Session>, Failure> {
    let author = unkeyed_author(call, Actor::User(user), user);
    backend.log.execute(session.into(), &author, None, &command).await
}

/// The tokens of a live session. A session that has ended, be it by this request, gets none.
async fn tokens(
    backend: &Backend,
    status: u16,
    session: SessionId,
    outcome: Outcome<Session>,
) -> Result<Reply, Failure> {
    let Session::Live(State { user, number, expires_at, .. }) = outcome.state else { return Err(void()) };
    let tokens = Tokens {
        access_token: backend.tokens.issue(user, session, backend.clock.now()).await?,
        token_type: BEARER,
        expires_in: ACCESS_TTL_S,
        refresh_token: backend.secrets.links().await?.refresh_token(session, number),
        refresh_expires_at: expires_at,
    };
    Reply::plain(status, &tokens)
}

fn void() -> Failure {
    Problem::from(Refusal::Void).into()
}
