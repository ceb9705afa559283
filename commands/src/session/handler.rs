//! Commands on sessions, as they come over HTTP.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
};

pub(crate) async fn sign_in(_: &Backend, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::broken("serve an account", "not built yet"))
}

pub(crate) async fn refresh(_: &Backend, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::broken("serve an account", "not built yet"))
}

pub(crate) async fn sign_out(_: &Backend, _: &Call<'_>) -> Result<Reply, Failure> {
    Err(Failure::broken("serve an account", "not built yet"))
}
