//! The account whose history an operator reads, and the operator's name.

use std::{collections::BTreeMap, env};

use clap::Args;
use infra::function::Need;
use projections::reading;
use schema::{Problem, UserId, problem::Place, projection::Name, reading::HistoryRead, value::Email};

use super::super::{Failed, Misuse, deployment::Deployment};

const NAME_CHARS_MAX: usize = 100;

#[derive(Debug, Args)]
pub(super) struct Reader {
    /// Id of the account whose history is read. It may be left out when the local backend has one account alone.
    #[arg(long, value_name = "UUID", env = "WAITLIST_ACCOUNT")]
    account: Option<UserId>,

    /// E-mail address of the account, in place of its id. With --aws it needs WAITLIST_CLAIMS_SECRET and the policy
    /// for operators.
    #[arg(long, value_name = "ADDRESS", value_parser = Email::parse)]
    email: Option<Email>,

    /// Your name, as the account's owner sees it in the history; the name of the system's user by default.
    #[arg(long, value_name = "NAME", value_parser = name)]
    by: Option<String>,
}

impl Reader {
    /// The needs of a command on AWS; `None` without `--aws`. Opening values needs the key that wraps the account's,
    /// and an e-mail address is looked up by its keyed hash.
    ///
    /// # Errors
    /// No account is named, which only the local backend allows.
    pub(super) fn needs(&self, aws: bool) -> Result<Option<&'static [Need]>, Misuse> {
        match (aws, &self.email, self.account) {
            (false, _, _) => Ok(None),
            (true, Some(_), _) => Ok(Some(&[Need::MasterKey, Need::Claims])),
            (true, None, Some(_)) => Ok(Some(&[Need::MasterKey])),
            (true, None, None) => Err(unnamed("with --aws,")),
        }
    }

    /// Finds the account, and records the reading of its history.
    pub(super) async fn record(
        &self,
        deployment: &Deployment,
        command: &str,
        arguments: BTreeMap<String, String>,
    ) -> Result<UserId, Failed> {
        let account = self.account(deployment).await?;
        let by = self.by.clone().or_else(system_user).unwrap_or_else(|| "unknown".to_owned());
        let reading = HistoryRead { by, command: command.to_owned(), arguments };
        reading::record(&deployment.backend, account, reading)
            .await?
            .ok_or_else(|| format!("there is no account {account}"))?;
        Ok(account)
    }

    async fn account(&self, deployment: &Deployment) -> Result<UserId, Failed> {
        let backend = &deployment.backend;
        if let Some(email) = &self.email {
            let holder = backend.vault.holder(&backend.claims.of_email(email)?).await?;
            return Ok(holder.ok_or("no account has this e-mail address")?);
        }
        if let Some(account) = self.account {
            return Ok(account);
        }
        let live = backend.rows.generations().current().await?.roles(Name::Users).live;
        let (accounts, _) = backend.rows.scan(Name::Users, live, None).await?;
        match accounts.as_slice() {
            [only] => Ok(UserId(only.id)),
            [] => Err("there is no account yet".into()),
            [..] => Err(unnamed("there are several accounts;").into()),
        }
    }
}

fn unnamed(why: &str) -> Misuse {
    Misuse(format!("{why} name the account with --email ADDRESS or --account UUID"))
}

/// The options that were given, by name.
pub(super) fn arguments<const N: usize>(
    names: [&'static str; N],
    values: [Option<String>; N],
) -> BTreeMap<String, String> {
    let given = names.into_iter().zip(values);
    given.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The option that does not parse, and what it must be.
pub(super) fn wrong(problem: &Problem) -> Misuse {
    let fault = problem.errors.first().map(|fault| match &fault.at {
        Place::Parameter(name) | Place::Pointer(name) | Place::Header(name) => {
            format!("--{name} {}", fault.detail)
        }
    });
    Misuse(fault.unwrap_or_else(|| problem.detail.clone()))
}

fn name(text: &str) -> Result<String, String> {
    let is_name = (1..=NAME_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_name { Ok(text.to_owned()) } else { Err(format!("must have 1 to {NAME_CHARS_MAX} characters")) }
}

fn system_user() -> Option<String> {
    env::var("USER").ok().and_then(|user| name(&user).ok())
}
