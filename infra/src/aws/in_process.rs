//! SDK clients whose calls are answered within the process, without a socket.

use std::{fmt, sync::Arc};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures::future::BoxFuture;

/// A call in the JSON protocol of AWS.
pub struct Call {
    /// Service and operation, such as `DynamoDB_20120810.PutItem`.
    pub target: String,
    pub body: Bytes,
}

/// The answer to a call: an HTTP status and JSON.
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// Returns settings of clients whose calls are passed to `answer`.
pub async fn in_process<A>(answer: impl Fn(Call) -> A + Send + Sync + 'static) -> SdkConfig
where
    A: Future<Output = Answer> + Send + 'static,
{
    let connector = Connector(Arc::new(move |call| Box::pin(answer(call))));
    // The SDK needs credentials and an address to sign and send calls; neither is checked.
    let config = super::with_access_key("in-process").endpoint_url("http://in-process.invalid");
    config.http_client(connector).load().await
}

#[derive(Clone)]
struct Connector(Arc<dyn Fn(Call) -> BoxFuture<'static, Answer> + Send + Sync>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let body = request.body().bytes().map(Bytes::copy_from_slice).unwrap_or_default();
        let answering = (self.0)(Call { target, body });
        HttpConnectorFuture::new(async move {
            let Answer { status, body } = answering.await;
            let status =
                StatusCode::try_from(status).map_err(|cause| ConnectorError::other(cause.into(), None))?;
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector(..)")
    }
}
