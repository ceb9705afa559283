//! Accounts that register and sign in through the handlers.

use infra::{http::Principal, vault::Subject};
use schema::{UserId, user::Event, value::Email};
use serde_json::{Value, json};

use crate::stage::{Answer, Owner, Stage, send};

/// The password of all accounts in tests.
pub const PASSWORD: &str = "correct horse battery staple";

/// An account that is signed in.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: UserId,
    /// The e-mail address as it was registered.
    pub email: String,
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

impl Stage {
    /// Registers an account with a random address, and signs in.
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

    /// Sends a request without a token.
    pub async fn anyone(&self, method: &str, path: &str, body: Value) -> Answer {
        send(&self.backend, None, method, path, Some(&body), &[]).await
    }

    /// Sends a sign-in.
    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.anyone("POST", "/v1/sessions", json!({ "email": email, "password": password })).await
    }

    /// Exchanges a refresh token.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.anyone("POST", "/v1/sessions/refresh", json!({ "refresh_token": token })).await
    }

    /// Returns the authorizer's answer to an access token.
    pub async fn principal(&self, access: &str) -> Principal {
        commands::authorizer::authorize(&self.backend, Some(&format!("Bearer {access}"))).await.unwrap()
    }

    /// Sends a request with an access token, which the authorizer checks.
    pub async fn with(&self, access: &str, method: &str, path: &str, body: Value) -> Answer {
        send(&self.backend, Some(self.principal(access).await), method, path, Some(&body), &[]).await
    }

    /// Returns the e-mail address in an account's first event.
    pub async fn open_email(&self, id: UserId) -> Email {
        let key = self.backend.vault.key(Subject::Account(id)).await.unwrap().unwrap();
        let facts = self.commits(id).await[0].facts::<Event>().unwrap();
        let Event::Registered(registered) = &facts[0].event else {
            panic!("an account's first event is its registration")
        };
        key.open(id.into(), &registered.email).clear().unwrap()
    }

    /// Registers an account whose e-mail address is confirmed, so that it may send texts.
    pub async fn confirmed(&self) -> Owner<'_> {
        let owner = self.registered().await;
        owner.happened(Event::EmailConfirmed {}).await;
        owner
    }

    /// Registers an account and signs in. Its requests go to the handlers as from API Gateway.
    pub async fn registered(&self) -> Owner<'_> {
        let account = self.account().await;
        match self.principal(&account.access).await {
            Principal::User { id, session, .. } => self.owner_with(id, session),
            Principal::Anonymous | Principal::Unknown => panic!("a new token is accepted"),
        }
    }
}
