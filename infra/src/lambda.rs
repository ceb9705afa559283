//! Handlers as lambdas: what a `main` is made of.

use aws_lambda_events::{
    apigw::{ApiGatewayV2CustomAuthorizerV2Request, ApiGatewayV2httpRequest},
    http::header::AUTHORIZATION,
};
use bytes::Bytes;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};

use tracing::error;

use crate::{
    failure::Failure,
    http::{Principal, Request, authorizer_answer, from_gateway, to_gateway},
    telemetry,
};

pub use lambda_runtime::Error;

/// What comes first in every lambda.
pub fn start() {
    telemetry::init(telemetry::Style::Json);
}

/// Serves requests of API Gateway's HTTP API until the runtime ends.
///
/// # Errors
/// The runtime's interface breaks.
pub async fn http(handler: impl AsyncFn(Request) -> ::http::Response<Bytes>) -> Result<(), Error> {
    events(async |event: ApiGatewayV2httpRequest| Ok(to_gateway(handler(from_gateway(event)).await))).await
}

/// Serves API Gateway's questions about `Authorization` headers until the runtime ends.
///
/// # Errors
/// The runtime's interface breaks.
pub async fn authorizer(
    handler: impl AsyncFn(Option<&str>) -> Result<Principal, Failure>,
) -> Result<(), Error> {
    events(async |event: ApiGatewayV2CustomAuthorizerV2Request| {
        let header = event.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        // An answer is cached; a failure is not, so it is none.
        let principal = handler(header)
            .await
            .inspect_err(|failure| error!(cause = failure.chain(), "nobody could say who asks"))?;
        Ok(authorizer_answer(&principal))
    })
    .await
}

/// Serves events of any other kind until the runtime ends.
///
/// # Errors
/// The runtime's interface breaks.
pub async fn events<E, A>(handler: impl AsyncFn(E) -> Result<A, Error>) -> Result<(), Error>
where
    E: DeserializeOwned,
    A: Serialize,
{
    let handler = &handler;
    // Boxed: a handler's future is deep, and `main` should not have to know.
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| Box::pin(handler(event.payload)))).await
}
