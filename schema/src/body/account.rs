//! Bodies about accounts and sessions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::rust::double_option;
use uuid::Uuid;

use crate::{
    Problem, Time,
    check::Check,
    message::Status,
    value::{Email, Name, Password},
};

/// The body of POST /v1/users.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    #[schemars(with = "Email")]
    pub email: String,
    #[schemars(with = "Password")]
    pub password: String,
    #[schemars(with = "Name")]
    pub name: String,
}

/// A parsed registration in clear. It is never stored.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub email: Email,
    pub password: Password,
    pub name: Name,
}

impl Register {
    pub fn parse(self) -> Result<NewAccount, Problem> {
        let mut check = Check::default();
        let email = check.value("/email", Email::parse(&self.email));
        let password = check.value("/password", Password::parse(&self.password));
        let name = check.value("/name", Name::parse(&self.name));
        check.done((|| Some(NewAccount { email: email?, password: password?, name: name? }))())
    }
}

/// The body of PATCH /v1/me: an absent field stays unchanged.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeMe {
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Name")]
    pub name: Option<Option<String>>,
}

impl ChangeMe {
    pub fn parse(self) -> Result<Option<Name>, Problem> {
        let mut check = Check::default();
        let name = check.replace("/name", self.name, |raw| Name::parse(&raw));
        check.done(Some(name))
    }
}

/// The body of POST /v1/users/confirm.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmEmail {
    pub token: String,
}

/// The body of POST /v1/password-resets.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPasswordReset {
    #[schemars(with = "Email")]
    pub email: String,
}

impl AskPasswordReset {
    pub fn parse(self) -> Result<Email, Problem> {
        let mut check = Check::default();
        let email = check.value("/email", Email::parse(&self.email));
        check.done(email)
    }
}

/// The body of POST /v1/password-resets/confirm.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    pub token: String,
    #[schemars(with = "Password")]
    pub new_password: String,
}

impl ResetPassword {
    pub fn parse(self) -> Result<(String, Password), Problem> {
        let mut check = Check::default();
        let password = check.value("/new_password", Password::parse(&self.new_password));
        check.done(password.map(|password| (self.token, password)))
    }
}

/// The body of PUT /v1/me/password.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    #[schemars(with = "Password")]
    pub current_password: String,
    #[schemars(with = "Password")]
    pub new_password: String,
}

/// A parsed change of the password.
#[derive(Clone, Debug)]
pub struct NewPassword {
    pub current: Password,
    pub new: Password,
}

impl ChangePassword {
    pub fn parse(self) -> Result<NewPassword, Problem> {
        let mut check = Check::default();
        let current = check.value("/current_password", Password::parse(&self.current_password));
        let new = check.value("/new_password", Password::parse(&self.new_password));
        check.done(current.zip(new).map(|(current, new)| NewPassword { current, new }))
    }
}

/// The body of POST /v1/me/erase.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseMe {
    #[schemars(with = "Password")]
    pub current_password: String,
}

impl EraseMe {
    pub fn parse(self) -> Result<Password, Problem> {
        let mut check = Check::default();
        let current = check.value("/current_password", Password::parse(&self.current_password));
        check.done(current)
    }
}

/// The body of POST /v1/sessions.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    #[schemars(with = "Email")]
    pub email: String,
    #[schemars(with = "Password")]
    pub password: String,
}

impl SignIn {
    pub fn parse(self) -> Result<(Email, Password), Problem> {
        let mut check = Check::default();
        let email = check.value("/email", Email::parse(&self.email));
        let password = check.value("/password", Password::parse(&self.password));
        check.done(email.zip(password))
    }
}

/// The body of POST /v1/sessions/refresh.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    pub refresh_token: String,
}

/// The kind of the tokens (RFC 6750).
pub const BEARER: &str = "Bearer";

/// The tokens of a session.
#[derive(Clone, Serialize, JsonSchema)]
pub struct Tokens {
    pub access_token: String,
    #[schemars(extend("const" = BEARER))]
    pub token_type: &'static str,
    pub expires_in: u32,
    pub refresh_token: String,
    pub refresh_expires_at: Time,
}

/// An account in answers to its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct User {
    pub id: Uuid,
    #[schemars(with = "Option<Email>")]
    pub email: Option<String>,
    #[schemars(with = "Option<Name>")]
    pub name: Option<String>,
    pub email_confirmed: bool,
    pub operator: bool,
    pub registered_at: Time,
    pub welcome: Status,
    pub seq: u64,
}
