//! Commands on accounts, as they come over HTTP.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
};

pub(crate) async fn register(_: &Backend, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::broken("serve an account", "not built yet"))
}

pub(crate) async fn confirm(_: &Backend, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::broken("serve an account", "not built yet"))
}

pub(crate) async fn ask_confirmation(_: &Backend, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::broken("serve an account", "not built yet"))
}

pub(crate) async fn ask_reset(_: &Backend, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::broken("serve an account", "not built yet"))
}

pub(crate) async fn reset(_: &Backend, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::broken("serve an account", "not built yet"))
}

pub(crate) async fn rename(_: &Backend, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::broken("serve an account", "not built yet"))
}

pub(crate) async fn change_password(_: &Backend, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::broken("serve an account", "not built yet"))
}

pub(crate) async fn erase(_: &Backend, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::broken("serve an account", "not built yet"))
}
