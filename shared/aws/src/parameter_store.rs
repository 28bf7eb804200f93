//! One call of Systems Manager: GetParameter, decrypted. The whole SDK for it would be a quarter of the ingress, which a cold
//! start reads and never runs; what is left to do is a signed POST, a time-out and a second attempt.
//! Source: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>

use crate::world::SystemClock;
use aws_sdk_sqs::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use lambda_http::http::{HeaderValue, Request};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use std::time::{Duration, UNIX_EPOCH};
use tack_app::ports::Clock;

/// One attempt, from the connection to the last byte.
const ATTEMPT: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 2;
const PAUSE: Duration = Duration::from_millis(50);

const TARGET: &str = "AmazonSSM.GetParameter";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Parameters of one account and region.
#[derive(Clone)]
pub(crate) struct ParameterStore {
    wire: SharedHttpConnector,
    credentials: Credentials,
    region: String,
    url: String,
}

/// Why there is no value, without it.
pub(crate) enum ParameterError {
    /// The service said no, with its code and message.
    Refused { code: String, message: String },
    /// The way to it broke, or it was overloaded or too slow, twice.
    Trouble(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    parameter: Parameter,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: SecretString,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    #[serde(rename = "__type")]
    kind: String,
    #[serde(alias = "Message")]
    message: String,
}

impl ParameterStore {
    /// At this endpoint, or at AWS's own for the region.
    pub(crate) fn new(
        wire: SharedHttpConnector,
        credentials: Credentials,
        region: String,
        endpoint: Option<&str>,
    ) -> Self {
        let own = || {
            let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            format!("https://ssm.{region}.{domain}/")
        };
        let url = endpoint.map_or_else(own, |endpoint| format!("{}/", endpoint.trim_end_matches('/')));
        Self { wire, credentials, region, url }
    }

    /// A parameter's value, in clear.
    pub(crate) async fn get(&self, name: &str) -> Result<SecretString, ParameterError> {
        let mut attempt = 1;
        loop {
            let tried = tokio::time::timeout(ATTEMPT, self.attempt(name)).await;
            match tried.unwrap_or_else(|_| Err(ParameterError::Trouble("no answer within 2 s".to_owned()))) {
                Err(ParameterError::Trouble(_)) if attempt < ATTEMPTS => attempt += 1,
                done => return done,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn attempt(&self, name: &str) -> Result<SecretString, ParameterError> {
        let request = self.request(name).map_err(ParameterError::Trouble)?;
        let answer = self.wire.call(request).await;
        let answer = answer.map_err(|error| ParameterError::Trouble(tack_app::error_chain(&error)))?;
        let status = answer.status().as_u16();
        let body = ByteStream::new(answer.into_body()).collect().await;
        let body = body.map_err(|error| ParameterError::Trouble(tack_app::error_chain(&error)))?.into_bytes();
        if status == 200 {
            // The error of serde would repeat what it stumbled over.
            let answer: Answer = serde_json::from_slice(&body)
                .map_err(|_| ParameterError::Trouble("the answer holds no parameter".to_owned()))?;
            return Ok(answer.parameter.value);
        }
        let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
        let code = refusal.kind.rsplit('#').next().unwrap_or_default().to_owned();
        if status >= 500 || code == "ThrottlingException" {
            return Err(ParameterError::Trouble(format!("{status} {code}")));
        }
        Err(ParameterError::Refused { code, message: refusal.message })
    }

    fn request(&self, name: &str) -> Result<HttpRequest, String> {
        let body = json!({ "Name": name, "WithDecryption": true }).to_string();
        let headers = [("content-type", CONTENT_TYPE), ("x-amz-target", TARGET)];
        let identity = Identity::from(self.credentials.clone());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("ssm")
            .time(UNIX_EPOCH + Duration::from_millis(SystemClock.now().0))
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let signable =
            SignableRequest::new("POST", &*self.url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))
                .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &params).map_err(|error| error.to_string())?.into_parts();
        let mut request = Request::post(&self.url).body(SdkBody::from(body)).map_err(|error| error.to_string())?;
        for (name, value) in headers {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        instructions.apply_to_request_http1x(&mut request);
        HttpRequest::try_from(request).map_err(|error| error.to_string())
    }
}
