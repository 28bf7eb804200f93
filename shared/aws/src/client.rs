//! The clients of AWS services: one HTTP client a process, Amazon's five embedded roots, credentials from the
//! environment that Lambda hands out. Built once, at start; nothing is connected before it is used.
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>

use crate::connector::Connector;
use crate::parameter_store::ParameterStore;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_sqs::config::{
    BehaviorVersion, Region, SharedCredentialsProvider, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, SharedHttpConnector};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::time::Duration;
use tack_app::{Limits, Settings, SetupError};

/// Amazon Root CA 1 to 4 and Starfield Services Root CA G2, from <https://www.amazontrust.com/repository/>.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// How long opening a connection may take, for all services: the ingress has 2.5 s for everything.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Where services are, if not where AWS has them: one for all, and one for each that is elsewhere.
#[derive(Default)]
struct Endpoints {
    all: Option<String>,
    sqs: Option<String>,
    dynamodb: Option<String>,
    kms: Option<String>,
    ssm: Option<String>,
}

/// Makes clients of AWS services.
pub struct AwsClients {
    http: SharedHttpClient,
    wire: SharedHttpConnector,
    credentials: Credentials,
    region: Region,
    endpoints: Endpoints,
    extra_roots: Vec<CertificateDer<'static>>,
}

impl AwsClients {
    /// Reads region, credentials, endpoints and extra roots.
    ///
    /// # Errors
    /// [`SetupError`]; what is missing is remembered in `settings`.
    pub fn from_settings(settings: &Settings) -> Result<Self, SetupError> {
        let region = settings.required("AWS_REGION");
        let key = settings.required("AWS_ACCESS_KEY_ID");
        let secret = settings.required("AWS_SECRET_ACCESS_KEY");
        let extra_roots = match settings.optional("AWS_CA_BUNDLE").map(std::fs::read) {
            None => Ok(Vec::new()),
            Some(Ok(pem)) => certificates(&pem).map_err(|error| settings.problem(error)),
            Some(Err(error)) => Err(settings.problem(format!("AWS_CA_BUNDLE cannot be read: {error}"))),
        };
        let extra_roots = extra_roots?;
        let connector = roots(&extra_roots)
            .and_then(|roots| Connector::new(roots, CONNECT_TIMEOUT))
            .map_err(|error| settings.problem(error))?;
        let credentials = Credentials::new(key?, secret?, settings.optional("AWS_SESSION_TOKEN"), None, "environment");
        Ok(Self {
            http: SharedHttpClient::new(connector.clone()),
            wire: SharedHttpConnector::new(connector),
            credentials,
            region: Region::new(region?),
            endpoints: Endpoints {
                all: settings.optional("AWS_ENDPOINT_URL"),
                sqs: settings.optional("AWS_ENDPOINT_URL_SQS"),
                dynamodb: settings.optional("AWS_ENDPOINT_URL_DYNAMODB"),
                kms: settings.optional("AWS_ENDPOINT_URL_KMS"),
                ssm: settings.optional("AWS_ENDPOINT_URL_SSM"),
            },
            extra_roots,
        })
    }

    /// Clients over another HTTP client, which decides where requests go: for simulations without sockets.
    pub fn over(
        http: impl HttpClient + HttpConnector + Clone + 'static,
        credentials: Credentials,
        region: &str,
        endpoint: &str,
    ) -> Self {
        Self {
            http: SharedHttpClient::new(http.clone()),
            wire: SharedHttpConnector::new(http),
            credentials,
            region: Region::new(region.to_owned()),
            endpoints: Endpoints { all: Some(endpoint.to_owned()), ..Endpoints::default() },
            extra_roots: Vec::new(),
        }
    }

    /// SQS for the ingress: it must fail in time for Slack to be told.
    pub fn sqs_for_ingress(&self, limits: &Limits) -> aws_sdk_sqs::Client {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_millis(limits.queue_attempt_ms))
            .operation_timeout(Duration::from_millis(limits.queue_total_ms))
            .build();
        let retries = RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(50));
        self.sqs(timeouts, retries)
    }

    /// SQS for the worker: dead letters, own work and visibility, which may take a little longer.
    pub fn sqs_for_worker(&self) -> aws_sdk_sqs::Client {
        self.sqs(patient(), RetryConfig::standard().with_max_attempts(3))
    }

    fn sqs(&self, timeouts: TimeoutConfig, retries: RetryConfig) -> aws_sdk_sqs::Client {
        let mut config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .credentials_provider(SharedCredentialsProvider::new(self.credentials.clone()))
            .http_client(self.http.clone())
            .timeout_config(timeouts)
            // Each attempt has a time-out of its own, which is shorter than this protection's grace.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(retries);
        if let Some(url) = self.endpoints.of(&self.endpoints.sqs) {
            config = config.endpoint_url(url);
        }
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    /// DynamoDB for the worker and the OAuth flow.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .credentials_provider(SharedCredentialsProvider::new(self.credentials.clone()))
            .http_client(self.http.clone())
            .timeout_config(patient())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(RetryConfig::standard().with_max_attempts(3));
        if let Some(url) = self.endpoints.of(&self.endpoints.dynamodb) {
            config = config.endpoint_url(url);
        }
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// KMS for the worker and the OAuth flow.
    pub fn kms(&self) -> aws_sdk_kms::Client {
        let mut config = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .credentials_provider(SharedCredentialsProvider::new(self.credentials.clone()))
            .http_client(self.http.clone())
            .timeout_config(patient())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(RetryConfig::standard().with_max_attempts(3));
        if let Some(url) = self.endpoints.of(&self.endpoints.kms) {
            config = config.endpoint_url(url);
        }
        aws_sdk_kms::Client::from_conf(config.build())
    }

    /// Systems Manager's parameters.
    pub(crate) fn parameters(&self) -> ParameterStore {
        let endpoint = self.endpoints.of(&self.endpoints.ssm);
        ParameterStore::new(self.wire.clone(), self.credentials.clone(), self.region.to_string(), endpoint)
    }

    /// The certificates that `AWS_CA_BUNDLE` adds, for other clients of this process.
    pub fn extra_roots(&self) -> Vec<CertificateDer<'static>> {
        self.extra_roots.clone()
    }
}

impl Endpoints {
    fn of<'e>(&'e self, own: &'e Option<String>) -> Option<&'e str> {
        own.as_deref().or(self.all.as_deref())
    }
}

fn patient() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(8))
        .build()
}

/// Amazon's roots and those that were added.
fn roots(extra: &[CertificateDer<'static>]) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(AMAZON_ROOTS) {
        store.add(root.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    for root in extra {
        store.add(root.clone()).map_err(|error| format!("a certificate of AWS_CA_BUNDLE: {error}"))?;
    }
    Ok(store)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    certificates.map_err(|error| format!("AWS_CA_BUNDLE is not a list of certificates: {error}"))
}
