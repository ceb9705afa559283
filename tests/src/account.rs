//! Accounts that registered and signed in, as people do.

use infra::{http::Principal, vault::Subject};
use schema::{UserId, user::Event, value::Email};
use serde_json::{Value, json};

use crate::stage::{Answer, Owner, Stage, send};

/// What everybody in these tests signs in by.
pub const PASSWORD: &str = "correct horse battery staple";

/// An account, signed in.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// What it registered with.
    pub email: String,
    /// The token it asks with.
    pub access: String,
    /// The token it stays signed in by.
    pub refresh: String,
}

impl Stage {
    /// Registers with an address of its own, and signs in.
    pub async fn account(&self) -> Account {
        let email = format!("{}@example.com", data_encoding::HEXLOWER.encode(&infra::clock::random::<8>()));
        let made = self
            .anyone("POST", "/v1/users", json!({ "email": email, "password": PASSWORD, "name": "Ana" }))
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        let signed_in = self.sign_in(&email, PASSWORD).await;
        assert_eq!(signed_in.status, 201, "{signed_in:?}");
        let text = |name: &str| signed_in.body[name].as_str().unwrap().to_owned();
        Account {
            id: UserId(made.id().parse().unwrap()),
            email,
            access: text("access_token"),
            refresh: text("refresh_token"),
        }
    }

    /// A request without a token.
    pub async fn anyone(&self, method: &str, path: &str, body: Value) -> Answer {
        send(&self.backend, None, method, path, Some(&body), &[]).await
    }

    /// Tries to sign in.
    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.anyone("POST", "/v1/sessions", json!({ "email": email, "password": password })).await
    }

    /// Tries to exchange a refresh token.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.anyone("POST", "/v1/sessions/refresh", json!({ "refresh_token": token })).await
    }

    /// Who the authorizer says has this token.
    pub async fn principal(&self, access: &str) -> Principal {
        commands::authorizer::authorize(&self.backend, Some(&format!("Bearer {access}"))).await.unwrap()
    }

    /// A request with a token, by way of the authorizer.
    pub async fn with(&self, access: &str, method: &str, path: &str, body: Value) -> Answer {
        send(&self.backend, Some(self.principal(access).await), method, path, Some(&body), &[]).await
    }

    /// The address that an account registered with.
    pub async fn open_email(&self, id: UserId) -> Email {
        let key = self.backend.vault.key(Subject::Account(id)).await.unwrap().unwrap();
        let facts = self.commits(id).await[0].facts::<Event>().unwrap();
        let Event::Registered(registered) = &facts[0].event else {
            panic!("an account begins by registering")
        };
        key.open(id.into(), &registered.email).clear().unwrap()
    }

    /// The same, and its address is confirmed: it may send texts.
    pub async fn confirmed(&self) -> Owner<'_> {
        let owner = self.registered().await;
        owner.happened(Event::EmailConfirmed {}).await;
        owner
    }

    /// An account that registered and signed in, talking to the handlers as API Gateway would.
    pub async fn registered(&self) -> Owner<'_> {
        let account = self.account().await;
        match self.principal(&account.access).await {
            Principal::User { id, session, .. } => self.owner_with(id, session),
            Principal::Nobody | Principal::Unknown => panic!("a fresh token is good"),
        }
    }
}
