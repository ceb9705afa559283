//! `waitlist operator`: who may do what is system-wide, and how many texts an account may send.

use clap::Subcommand;
use commands::user::{cap_texts, set_operator};
use schema::value::Email;
use serde_json::json;

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
    /// Let an account send so many texts a day.
    Cap {
        /// The e-mail address it signs in by.
        #[arg(value_parser = Email::parse)]
        email: Email,
        /// How many, up to 1000000; 0 for none.
        #[arg(value_name = "N", value_parser = texts_per_day)]
        texts_per_day: u32,
    },
}

/// As many as WAITLIST_TEXTS_PER_DAY takes.
const TEXTS_PER_DAY_MAX: u32 = 1_000_000;

fn texts_per_day(text: &str) -> Result<u32, String> {
    let texts = text.parse().ok().filter(|texts| *texts <= TEXTS_PER_DAY_MAX);
    texts.ok_or_else(|| format!("must be a whole number from 0 to {TEXTS_PER_DAY_MAX}"))
}

/// Prints the account's id and what it is now. To say what is so already changes nothing.
pub(super) async fn set(deployment: &Deployment, operator: &Operator, json: bool) -> Result<(), Failed> {
    let backend = &deployment.backend;
    let nobody = "no account has this e-mail address";
    let (account, text, field, value) = match operator {
        Operator::Grant { email } => {
            (set_operator(backend, email, true).await?, "is an operator".to_owned(), "operator", json!(true))
        }
        Operator::Revoke { email } => (
            set_operator(backend, email, false).await?,
            "is no operator".to_owned(),
            "operator",
            json!(false),
        ),
        Operator::Cap { email, texts_per_day } => {
            let text = format!("may send so many texts a day: {texts_per_day}");
            (cap_texts(backend, email, *texts_per_day).await?, text, "texts_per_day", json!(texts_per_day))
        }
    };
    let account = account.ok_or(nobody)?;
    say(
        json,
        &format!("{} {text}", account.id),
        &json!({ "id": account.id, field: value, "seq": account.seq }),
    )
}
