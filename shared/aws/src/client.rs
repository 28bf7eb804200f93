//! The clients of AWS services: one HTTP client a process, Amazon's five embedded roots, credentials from the
//! environment that Lambda hands out. Built once, at start; nothing is connected before it is used.
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>

use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_sqs::config::{BehaviorVersion, Region, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::time::Duration;
use tack_app::{Limits, Settings, SetupError};

/// Amazon Root CA 1 to 4 and Starfield Services Root CA G2, from <https://www.amazontrust.com/repository/>.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// Makes clients of AWS services.
pub struct AwsClients {
    http: SharedHttpClient,
    credentials: SharedCredentialsProvider,
    region: Region,
    endpoint: Option<String>,
    sqs_endpoint: Option<String>,
    dynamodb_endpoint: Option<String>,
    extra_roots: Option<Vec<u8>>,
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
            None => Ok(None),
            Some(Ok(pem)) => Ok(Some(pem)),
            Some(Err(error)) => Err(settings.problem(format!("AWS_CA_BUNDLE cannot be read: {error}"))),
        };
        let extra_roots = extra_roots?;
        let http = https(extra_roots.as_deref()).map_err(|error| settings.problem(error))?;
        let credentials = Credentials::new(key?, secret?, settings.optional("AWS_SESSION_TOKEN"), None, "environment");
        Ok(Self {
            http,
            credentials: SharedCredentialsProvider::new(credentials),
            region: Region::new(region?),
            endpoint: settings.optional("AWS_ENDPOINT_URL"),
            sqs_endpoint: settings.optional("AWS_ENDPOINT_URL_SQS"),
            dynamodb_endpoint: settings.optional("AWS_ENDPOINT_URL_DYNAMODB"),
            extra_roots,
        })
    }

    /// Clients over another HTTP client, which decides where requests go: for simulations without sockets.
    pub fn over(http: SharedHttpClient, credentials: Credentials, region: &str, endpoint: &str) -> Self {
        Self {
            http,
            credentials: SharedCredentialsProvider::new(credentials),
            region: Region::new(region.to_owned()),
            endpoint: Some(endpoint.to_owned()),
            sqs_endpoint: None,
            dynamodb_endpoint: None,
            extra_roots: None,
        }
    }

    /// SQS for the ingress: it must fail in time for Slack to be told.
    pub fn sqs_for_ingress(&self, limits: &Limits) -> aws_sdk_sqs::Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_millis(limits.queue_connect_ms))
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
            .credentials_provider(self.credentials.clone())
            .http_client(self.http.clone())
            .timeout_config(timeouts)
            .retry_config(retries);
        if let Some(url) = self.sqs_endpoint.as_ref().or(self.endpoint.as_ref()) {
            config = config.endpoint_url(url);
        }
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    /// DynamoDB for the worker.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .credentials_provider(self.credentials.clone())
            .http_client(self.http.clone())
            .timeout_config(patient())
            .retry_config(RetryConfig::standard().with_max_attempts(3));
        if let Some(url) = self.dynamodb_endpoint.as_ref().or(self.endpoint.as_ref()) {
            config = config.endpoint_url(url);
        }
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// The certificates that `AWS_CA_BUNDLE` adds, for other clients of this process.
    ///
    /// # Errors
    /// A sentence, when the file holds no certificates.
    pub fn extra_roots(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let Some(pem) = &self.extra_roots else { return Ok(Vec::new()) };
        let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        roots.map_err(|error| format!("AWS_CA_BUNDLE is not a list of certificates: {error}"))
    }
}

fn patient() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(8))
        .build()
}

fn https(extra_roots: Option<&[u8]>) -> Result<SharedHttpClient, String> {
    let mut roots = tls::TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    if let Some(pem) = extra_roots {
        roots.add_pem_certificate(pem);
    }
    let context = tls::TlsContext::builder()
        .with_trust_store(roots)
        .build()
        .map_err(|error| format!("the trusted roots cannot be used: {error}"))?;
    Ok(Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .tls_context(context)
        .build_https())
}
