//! The account whose history an operator reads, and the operator's name.

use std::{collections::BTreeMap, env};

use clap::Args;
use infra::function::Need;
use projections::reading;
use schema::{
    Problem, UserId,
    problem::Place,
    projection::Name,
    reading::HistoryRead,
    value::{self, Email, Invalid},
};

use super::super::{Failed, Misuse, deployment::Deployment};

const NAME_CHARS_MAX: usize = 100;
const ACCOUNT: &str = "WAITLIST_ACCOUNT";
const UNREGISTERED: &str = "no account is registered yet, and `audit` reads only registered ones; the account of the token \
                            that `serve` prints is not registered";

#[derive(Debug, Args)]
pub(super) struct Reader {
    /// Id of the account whose history is read; by default WAITLIST_ACCOUNT of the environment. It may be left out
    /// when the local backend has one account alone.
    #[arg(long, value_name = "UUID")]
    account: Option<UserId>,

    /// E-mail address of the account, in place of its id. With --aws it needs WAITLIST_CLAIMS_SECRET and the policy
    /// for operators.
    #[arg(long, value_name = "ADDRESS", value_parser = Email::parse, conflicts_with = "account")]
    email: Option<Email>,

    /// Your name, as the account's owner sees it in the history; the name of the system's user by default.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(super) by: Option<String>,
}

impl Reader {
    /// The needs of a command on AWS; `None` without `--aws`. Opening values needs the key that wraps the account's,
    /// and an e-mail address is looked up by its keyed hash.
    ///
    /// # Errors
    /// No account is named, which only the local backend allows; or WAITLIST_ACCOUNT is no id.
    pub(super) fn needs(&self, aws: bool) -> Result<Option<&'static [Need]>, Misuse> {
        match (aws, &self.email, self.id()?) {
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

    /// The id that the options name, or else the environment.
    fn id(&self) -> Result<Option<UserId>, Misuse> {
        if self.account.is_some() || self.email.is_some() {
            return Ok(self.account);
        }
        let named = env::var(ACCOUNT).ok().filter(|id| !id.is_empty());
        let parsed = named.map(|id| id.parse().map_err(|_| Misuse(format!("{ACCOUNT} must be a UUID"))));
        parsed.transpose()
    }

    async fn account(&self, deployment: &Deployment) -> Result<UserId, Failed> {
        let backend = &deployment.backend;
        if let Some(email) = &self.email {
            let holder = backend.vault.holder(&backend.claims.of_email(email)?).await?;
            return Ok(holder.ok_or("no account has this e-mail address")?);
        }
        if let Some(account) = self.id()? {
            return Ok(account);
        }
        let live = backend.rows.generations().current().await?.roles(Name::Users).live;
        let (accounts, _) = backend.rows.scan(Name::Users, live, None).await?;
        match accounts.as_slice() {
            [only] => Ok(UserId(only.id)),
            [] => Err(UNREGISTERED.into()),
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

fn name(text: &str) -> Result<String, Invalid> {
    value::label(text, NAME_CHARS_MAX)
}

fn system_user() -> Option<String> {
    env::var("USER").ok().and_then(|user| name(&user).ok())
}
