//! Accounts that send requests.

use infra::{http::Principal, log::Appended, vault::Subject};
use schema::{
    Actor, Commit, SessionId, StreamId, UserId,
    commit::{Author, Tail},
    mail::Kind,
    sealed::Personal,
    user::{Event, Registered},
    value::{Email, Name, PasswordHash},
};
use serde_json::Value;

use super::{Answer, Stage, send};

/// An account whose requests go to the handlers as from API Gateway.
#[derive(Clone, Copy)]
pub struct Owner<'s> {
    pub(crate) stage: &'s Stage,
    pub id: UserId,
    /// The session of its token, if any.
    pub session: Option<SessionId>,
    /// Whether it may perform system-wide operations.
    pub operator: bool,
}

impl Owner<'_> {
    /// Sends a request with this account's principal.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let exp = self.stage.backend.clock.now().millis() / 1000 + 900;
        let principal = Principal::User { id: self.id, exp, session: self.session, operator: self.operator };
        send(&self.stage.backend, Some(principal), method, path, body, headers).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, &[]).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(&body), &[]).await
    }

    /// Creates an open list. Returns its id.
    pub async fn list(&self, name: &str) -> String {
        self.list_with(serde_json::json!({ "name": name })).await
    }

    /// Creates a list with these settings. Returns its id.
    pub async fn list_with(&self, settings: Value) -> String {
        let mut body =
            serde_json::json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let made = self.post("/v1/waitlists", body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.id()
    }

    /// Adds a party to a list and returns its id. The clock moves on by a second, so that parties are ordered
    /// by joining.
    pub async fn join(&self, list: &str, name: &str) -> String {
        let joined = self
            .post(
                &format!("/v1/waitlists/{list}/waitees"),
                serde_json::json!({ "name": name, "party_size": 2 }),
            )
            .await;
        assert_eq!(joined.status, 201, "{joined:?}");
        self.stage.backend.clock.advance_millis(1_000);
        joined.id()
    }
}

/// Appends events of the account without the handlers.
impl Owner<'_> {
    /// Registers the account with this name and address and an invalid password hash. Its welcome mail is
    /// asked for.
    pub async fn registered(&self, name: &str, email: &str) {
        let (vault, account, stream) =
            (&self.stage.backend.vault, Subject::Account(self.id), StreamId::from(self.id));
        let key = match vault.key(account).await.unwrap() {
            Some(key) => key,
            None => vault.create(account).await.unwrap(),
        };
        let registered = Registered {
            name: key.seal(stream, &Name::parse(name).unwrap()),
            email: key.seal(stream, &Email::parse(email).unwrap()),
            password: key.seal(stream, &PasswordHash::from_clear("$argon2id$v=19$unusable".into())),
        };
        self.happened(Event::Registered(registered)).await;
        self.asked(Kind::Welcome).await;
    }

    /// The account as the author of commits that no handler writes.
    pub(crate) fn author(&self) -> Author {
        Author {
            tenant: self.id,
            actor: Actor::User(self.id),
            command: None,
            correlation: "stage".into(),
            causation: None,
        }
    }

    /// Appends an event of the account. Returns its Sync-Token.
    pub async fn happened(&self, event: Event) -> String {
        let (stream, clock) = (StreamId::from(self.id), &self.stage.backend.clock);
        let tail = self.stage.commits(stream).await.last().map_or(Tail::EMPTY, Commit::tail);
        let at = tail.now(clock.now());
        let commit = Commit::new(stream, &tail, at, clock.id(at), &self.author(), &[event]).unwrap();
        let log = self.stage.log_over(self.stage.dynamodb.clone());
        assert_eq!(log.append(std::slice::from_ref(&commit), Vec::new()).await.unwrap(), Appended::Landed);
        format!("{stream}@{}", commit.last)
    }
}
