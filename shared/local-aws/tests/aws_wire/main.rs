//! The endpoint through the real AWS SDK, over a socket.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its queue has failed")]

mod dynamodb;
mod dynamodb_installs;
mod faults;
mod kms;
mod sqs_errors;
mod sqs_messages;
mod sqs_queues;
mod ssm;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use tack_local_aws::{Clock, LocalAws};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running endpoint; it ends with the test.
pub(crate) struct Endpoint {
    pub(crate) aws: LocalAws,
    pub(crate) url: String,
    server: JoinHandle<std::io::Result<()>>,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let aws = LocalAws::new(Clock::system()).with_endpoint(&url);
        aws.name_caller("AKIAWORKER", "worker");
        let server = tokio::spawn(aws.clone().serve(listener));
        Self { aws, url, server }
    }

    /// A client that tries once, so that a test sees every refusal.
    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.url)
            .credentials_provider(credentials())
            .retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        aws_sdk_sqs::Client::from_conf(config)
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.url)
            .credentials_provider(credentials())
            .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    pub(crate) fn kms(&self) -> aws_sdk_kms::Client {
        let config = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.url)
            .credentials_provider(credentials())
            .retry_config(aws_sdk_kms::config::retry::RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        aws_sdk_kms::Client::from_conf(config)
    }
}

fn credentials() -> Credentials {
    Credentials::new("AKIAWORKER", "secret", None, None, "test")
}
