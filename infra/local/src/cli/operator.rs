//! `waitlist operator`: grants and revokes system-wide operations, and sets how many texts an account may
//! send.

use clap::Subcommand;
use commands::user::{cap_texts, set_operator};
use infra::function::Need;
use schema::value::Email;
use serde_json::json;

use super::{Failed, deployment::Deployment, print};

#[derive(Debug, Subcommand)]
pub(super) enum Operator {
    /// Allow an account system-wide operations.
    Grant {
        /// E-mail address of the account.
        #[arg(value_parser = Email::parse)]
        email: Email,
    },
    /// Revoke that permission.
    Revoke {
        /// E-mail address of the account.
        #[arg(value_parser = Email::parse)]
        email: Email,
    },
    /// Set how many texts an account may send a day.
    Cap {
        /// E-mail address of the account.
        #[arg(value_parser = Email::parse)]
        email: Email,
        /// Texts per day, 0 to 1000000.
        #[arg(value_name = "N", value_parser = texts_per_day)]
        texts_per_day: u32,
    },
}

/// The bound of WAITLIST_TEXTS_PER_DAY as well.
const TEXTS_PER_DAY_MAX: u32 = 1_000_000;

fn texts_per_day(text: &str) -> Result<u32, String> {
    let texts = text.parse().ok().filter(|texts| *texts <= TEXTS_PER_DAY_MAX);
    texts.ok_or_else(|| format!("must be a whole number from 0 to {TEXTS_PER_DAY_MAX}"))
}

/// The e-mail address of an account is looked up by its keyed hash.
pub(super) const NEEDS: &[Need] = &[Need::Claims];

/// Changes the account, and prints its id and its new setting. A repeated command changes nothing.
pub(super) async fn run(deployment: &Deployment, operator: &Operator, json: bool) -> Result<(), Failed> {
    let backend = &deployment.backend;
    let unknown = "no account has this e-mail address";
    let (account, text, field, value) = match operator {
        Operator::Grant { email } => {
            (set_operator(backend, email, true).await?, "is an operator".to_owned(), "operator", json!(true))
        }
        Operator::Revoke { email } => (
            set_operator(backend, email, false).await?,
            "is not an operator".to_owned(),
            "operator",
            json!(false),
        ),
        Operator::Cap { email, texts_per_day } => {
            let text = format!("may send {texts_per_day} texts a day");
            (cap_texts(backend, email, *texts_per_day).await?, text, "texts_per_day", json!(texts_per_day))
        }
    };
    let account = account.ok_or(unknown)?;
    let shown = json!({ "id": account.id, field: value, "seq": account.seq });
    Ok(print(json, &format!("{} {text}", account.id), &shown)?)
}
