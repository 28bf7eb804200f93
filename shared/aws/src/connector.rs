//! The AWS SDK's requests over our own HTTP/1.1 client, beneath the SDK's signing, retries and time-outs.
//!
//! The SDK's own client also links HTTP/2, the system's certificates and a proxy: a fifth of the ingress, which a cold
//! start reads and never runs. What is left to do is small: hand a request over, and say whether a failure was the wire's.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::RootCertStore;
use std::time::Duration;

/// Shorter than the idle time of AWS's front ends, so that a thawed process does not write into a dead connection.
const IDLE: Duration = Duration::from_secs(15);

/// One pool of connections for all AWS services of a process.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    client: Client<HttpsConnector<Tcp>, SdkBody>,
}

impl Connector {
    /// Connects to hosts whose certificates chain to one of `roots`.
    pub(crate) fn new(roots: RootCertStore, connect_timeout: Duration) -> Result<Self, String> {
        let https = tack_app::tls_connector(roots, connect_timeout)?;
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build(https);
        Ok(Self { client })
    }
}

impl HttpClient for Connector {
    /// The SDK's own time-outs stay above: the connect time-out is this pool's, and a read has no limit but its attempt's.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.client.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let answer = client.request(request).await.map_err(|error| {
                // Whatever the wire did, the SDK may try again: every operation here bears being repeated.
                let never_connected = error.is_connect();
                let error = ConnectorError::io(error.into());
                if never_connected { error.never_connected() } else { error }
            })?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
