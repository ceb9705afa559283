//! Runs handlers as lambdas; the building blocks of every `main`.

use aws_lambda_events::{
    apigw::{ApiGatewayV2CustomAuthorizerV2Request, ApiGatewayV2httpRequest},
    http::header::AUTHORIZATION,
};
use bytes::Bytes;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use tracing::{Instrument as _, error, info_span};

use crate::{
    backend::Backend,
    config,
    failure::Failure,
    function::Function,
    http::{Principal, Request, authorizer_answer, from_gateway, to_gateway},
    telemetry::{self, correlated, metrics},
};

pub use lambda_runtime::Error;

/// Sets up logging and metrics. Every lambda calls it first.
pub fn start() {
    telemetry::init(telemetry::Style::Json);
    metrics::embed(&config::prefix());
}

/// Builds the adapters that a function needs.
///
/// # Errors
/// As [`Backend::from_env`].
pub async fn backend(function: &Function) -> Result<Backend, Error> {
    Backend::from_env(function.needs).await.map_err(fatal)
}

/// An error that ends `main`, which prints it: the failure with all its causes.
#[must_use]
pub fn fatal(failure: Failure) -> Error {
    failure.chain().into()
}

/// Serves requests of API Gateway's HTTP API until the runtime ends.
///
/// # Errors
/// The lambda runtime API fails.
pub async fn http(handler: impl AsyncFn(Request) -> ::http::Response<Bytes>) -> Result<(), Error> {
    events(async |event: ApiGatewayV2httpRequest| Ok(to_gateway(handler(from_gateway(event)).await))).await
}

/// Serves API Gateway's authorizer requests until the runtime ends.
///
/// # Errors
/// The lambda runtime API fails.
pub async fn authorizer(
    handler: impl AsyncFn(Option<&str>) -> Result<Principal, Failure>,
) -> Result<(), Error> {
    events(async |event: ApiGatewayV2CustomAuthorizerV2Request| {
        let header = event.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let request_id = event.request_context.request_id.as_deref().unwrap_or_default();
        let answered = async {
            handler(header).await.inspect_err(|failure| {
                error!(cause = failure.chain(), "could not check an Authorization header")
            })
        };
        // API Gateway caches an answer but not an error, so a failure must be returned as an error.
        let principal = answered.instrument(correlated(request_id)).await?;
        Ok(authorizer_answer(&principal))
    })
    .await
}

/// Serves events of any type until the runtime ends. The log lines of an invocation carry its id; its metrics are
/// written before it is answered, because the process is frozen afterwards.
///
/// # Errors
/// The lambda runtime API fails.
pub async fn events<E, A>(handler: impl AsyncFn(E) -> Result<A, Error>) -> Result<(), Error>
where
    E: DeserializeOwned,
    A: Serialize,
{
    let handler = &handler;
    // Boxed, because the nested future of a handler would overflow the type limits of `main`.
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| {
        let id = event.context.request_id;
        let span = info_span!("invocation", invocation = id);
        let answered = async move {
            let answer = handler(event.payload).await;
            metrics::flush(&id);
            answer
        };
        Box::pin(answered.instrument(span))
    }))
    .await
}
