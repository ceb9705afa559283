//! `waitlist operator`: who may do what is system-wide.

use clap::Subcommand;
use commands::user::set_operator;
use schema::value::Email;

use super::{Failed, deployment::Deployment, say};

#[derive(Debug, Subcommand)]
pub(super) enum Operator {
    /// Let an account do what is system-wide.
    Grant {
        /// The e-mail address it signs in by.
        #[arg(value_parser = Email::parse)]
        email: Email,
    },
    /// Let it no longer.
    Revoke {
        /// The e-mail address it signs in by.
        #[arg(value_parser = Email::parse)]
        email: Email,
    },
}

/// Prints the account's id and what it is now. To grant or revoke what is so already changes nothing.
pub(super) async fn set(deployment: &Deployment, operator: &Operator, json: bool) -> Result<(), Failed> {
    let (email, granted) = match operator {
        Operator::Grant { email } => (email, true),
        Operator::Revoke { email } => (email, false),
    };
    let account = set_operator(&deployment.backend, email, granted).await?.ok_or("no account has this e-mail address")?;
    let id = account.id;
    let text = if granted { format!("{id} is an operator") } else { format!("{id} is no operator") };
    say(json, &text, &serde_json::json!({ "id": id, "operator": granted, "seq": account.seq }))
}
