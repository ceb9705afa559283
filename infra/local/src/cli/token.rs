//! `waitlist token`: an access token without a session.

use std::path::Path;

use clap::Args;
use infra::token::TokenKey;
use schema::UserId;

use super::{Failed, deployment, duration, say};
use crate::data_dir::DataDir;

const TTL_MAX_S: u32 = 24 * 3_600;

#[derive(Debug, Args)]
pub(super) struct Token {
    /// The account it is for.
    #[arg(long, value_name = "UUID")]
    owner: UserId,

    /// Let it do what is system-wide.
    #[arg(long)]
    operator: bool,

    /// How long it is good for: a number and s, m, h or d, up to a day.
    #[arg(long, default_value = "15m", value_parser = parse_ttl, value_name = "TTL")]
    ttl: u32,
}

/// Prints a token. It is good from now on by the clock that will judge it: the running server's, when that was moved.
pub(super) async fn mint(data_dir: &Path, token: &Token, json: bool) -> Result<(), Failed> {
    let data_dir = DataDir::existing(data_dir)?;
    let now = deployment::clock(data_dir.running()?.as_ref()).await?.now();
    let text =
        TokenKey::load_or_create(&data_dir.keys())?.mint_for(token.owner, token.operator, now, token.ttl)?;
    say(
        json,
        &text,
        &serde_json::json!({ "access_token": text, "token_type": "Bearer", "expires_in": token.ttl }),
    )
}

fn parse_ttl(text: &str) -> Result<u32, String> {
    let seconds = duration::parse(text)?.as_secs();
    let ttl = u32::try_from(seconds).ok().filter(|seconds| (1..=TTL_MAX_S).contains(seconds));
    ttl.ok_or_else(|| format!("{text:?} is not from 1s to 24h"))
}
