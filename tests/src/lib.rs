//! AWS without sockets: the product's own AWS clients in front of the embedded AWS, in one process.
//! Under paused tokio time everything here is repeatable, retries and time-outs of the SDK included.

#![warn(missing_docs)]

use aws_sdk_sqs::config::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use std::fmt;
use std::time::Duration;
use tack_app::Limits;
use tack_app::protocol::AppId;
use tack_aws::config::QueueUrls;
use tack_aws::{AwsClients, DynamoIdempotencyStore, DynamoInstallationStore, DynamoStateStore, SqsQueue};
use tack_local_aws::sqs::{QueueSettings, SqsError};
use tack_local_aws::{Clock, LocalAws, REGION, Table};

/// The table of idempotency records and OAuth states.
pub const STATE_TABLE: &str = "state";
/// The table of installations.
pub const INSTALLATIONS_TABLE: &str = "installations";
/// The key that tokens are encrypted with.
pub const TOKEN_KEY: &str = "alias/tack-tokens";
/// The app that they are encrypted for.
pub const APP: &str = "A0TACK001";
/// The queue of interactions; its dead letters are in `interactions-dead`.
pub const INTERACTIONS: &str = "interactions";
/// The queue of events; its dead letters are in `events-dead`.
pub const EVENTS: &str = "events";

/// What all queues start from: hidden for three minutes once received, as the template has it for interactions.
const VISIBILITY: Duration = Duration::from_secs(180);

/// The embedded AWS with Tack's queues, tables and key.
#[derive(Clone)]
pub struct Aws {
    local: LocalAws,
    queues: QueueUrls,
    dead_letters: QueueUrls,
}

/// The stack could not be made.
#[derive(Debug)]
pub struct SetupFailed(String);

impl fmt::Display for SetupFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stack cannot be made: {}", self.0)
    }
}

impl std::error::Error for SetupFailed {}

impl From<SqsError> for SetupFailed {
    fn from(error: SqsError) -> Self {
        Self(error.to_string())
    }
}

impl Aws {
    /// A fresh account at this time, which then goes on with tokio's clock. Make it inside a runtime.
    ///
    /// # Errors
    /// [`SetupFailed`] with what the embedded AWS said.
    pub fn new(epoch_ms: u64) -> Result<Self, SetupFailed> {
        let local = LocalAws::new(Clock::virtual_from(epoch_ms));
        let queue = |name: &str| {
            let settings = QueueSettings { visibility_timeout: VISIBILITY, ..QueueSettings::default() };
            local.sqs().create_queue(name, settings)
        };
        let queues = QueueUrls { interactions: queue(INTERACTIONS)?, events: queue(EVENTS)? };
        let dead_letters = QueueUrls { interactions: queue("interactions-dead")?, events: queue("events-dead")? };
        local.dynamodb().create_table(STATE_TABLE, "pk", Some("exp")).map_err(SetupFailed)?;
        let installations = Table { name: INSTALLATIONS_TABLE, partition_key: "pk", sort_key: Some("sk"), ttl: None };
        local.dynamodb().create(&installations).map_err(SetupFailed)?;
        let key = local.kms().create_key("tokens at rest").map_err(|error| SetupFailed(error.to_string()))?;
        local.kms().create_alias(TOKEN_KEY, &key).map_err(|error| SetupFailed(error.to_string()))?;
        Ok(Self { local, queues, dead_letters })
    }

    /// The account itself: its faults, its record of calls, what lies in its queues.
    pub fn local(&self) -> &LocalAws {
        &self.local
    }

    /// The clients that a function would build, over this account.
    pub fn clients(&self) -> AwsClients {
        let credentials = Credentials::new("AKIATEST", "secret", None, None, "test");
        AwsClients::over(InProcess(self.local.clone()), credentials, REGION, &self.local.endpoint_url())
    }

    /// The worker's records.
    pub fn store(&self) -> DynamoIdempotencyStore {
        DynamoIdempotencyStore::new(self.clients().dynamodb(), STATE_TABLE)
    }

    /// The installations of the app.
    pub fn installations(&self) -> DynamoInstallationStore {
        self.installations_of(Some(APP), TOKEN_KEY)
    }

    /// Installations as another app or with another key would read them.
    pub fn installations_of(&self, app: Option<&str>, key_id: &str) -> DynamoInstallationStore {
        let clients = self.clients();
        let app = app.map(AppId::from);
        DynamoInstallationStore::new(clients.dynamodb(), clients.kms(), INSTALLATIONS_TABLE, key_id, app)
    }

    /// The OAuth states.
    pub fn states(&self) -> DynamoStateStore {
        DynamoStateStore::new(self.clients().dynamodb(), STATE_TABLE)
    }

    /// The queues as a worker has them.
    pub fn worker_queue(&self) -> SqsQueue {
        SqsQueue::consumer(self.clients().sqs_for_worker(), self.queues.clone(), self.dead_letters.clone())
    }

    /// The queues as the ingress has them.
    pub fn ingress_queue(&self, limits: &Limits) -> SqsQueue {
        SqsQueue::sender(self.clients().sqs_for_ingress(limits), self.queues.clone())
    }
}

/// Hands the SDK's requests to the account as they are.
#[derive(Clone)]
struct InProcess(LocalAws);

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let local = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let whole = |body: SdkBody| Bytes::copy_from_slice(body.bytes().unwrap_or_default());
            let answer = local.handle(request.map(whole)).await;
            HttpResponse::try_from(answer.map(SdkBody::from)).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
