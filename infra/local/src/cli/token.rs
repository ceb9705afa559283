//! `waitlist token`: prints an access token without a session.

use std::path::Path;

use clap::Args;
use infra::token::TokenKey;
use schema::UserId;

use super::{Failed, deployment, print};
use crate::data_dir::DataDir;

const TTL_MAX_S: u32 = 24 * 3_600;

#[derive(Debug, Args)]
pub(super) struct Token {
    /// Id of the account that the token is for.
    #[arg(long, value_name = "UUID")]
    owner: UserId,

    /// Allow system-wide operations.
    #[arg(long)]
    operator: bool,

    /// How long the token is valid, up to a day: 90s, 15m, 8h.
    #[arg(long, default_value = "15m", value_parser = parse_ttl, value_name = "TTL")]
    ttl: u32,
}

/// Prints a token that is valid from now on by the running server's clock.
pub(super) async fn mint(data_dir: &Path, token: &Token, json: bool) -> Result<(), Failed> {
    let data_dir = DataDir::existing(data_dir)?;
    let now = deployment::clock(data_dir.running()?.as_ref()).await?.now();
    let text =
        TokenKey::load_or_create(&data_dir.keys())?.mint_for(token.owner, token.operator, now, token.ttl)?;
    let shown = serde_json::json!({ "access_token": text, "token_type": "Bearer", "expires_in": token.ttl });
    Ok(print(json, &text, &shown)?)
}

fn parse_ttl(text: &str) -> Result<u32, String> {
    let seconds = super::duration(text)?.as_secs();
    let ttl = u32::try_from(seconds).ok().filter(|seconds| (1..=TTL_MAX_S).contains(seconds));
    ttl.ok_or_else(|| format!("{text:?} is not between 1s and 24h"))
}
