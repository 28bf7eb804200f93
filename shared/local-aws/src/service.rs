//! Which service a request is for and who signed it, read from its headers; and the services' own ways to refuse.
//! Not here: what the services do. Signatures are read but not checked: any key is good, and names its caller.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html>

use crate::answer::Answer;
use crate::{dynamodb, kms, sqs, ssm};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;

pub(crate) const JSON_1_0: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
const JSON_1_1: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

/// A service this endpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Sqs,
    DynamoDb,
    Kms,
    Ssm,
}

impl Service {
    fn from_scope(name: &str) -> Option<Self> {
        match name {
            "sqs" => Some(Self::Sqs),
            "dynamodb" => Some(Self::DynamoDb),
            "kms" => Some(Self::Kms),
            "ssm" => Some(Self::Ssm),
            _ => None,
        }
    }

    fn from_target(prefix: &str) -> Option<Self> {
        match prefix {
            "AmazonSQS" => Some(Self::Sqs),
            "DynamoDB_20120810" => Some(Self::DynamoDb),
            "TrentService" => Some(Self::Kms),
            "AmazonSSM" => Some(Self::Ssm),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqs => "sqs",
            Self::DynamoDb => "dynamodb",
            Self::Kms => "kms",
            Self::Ssm => "ssm",
        }
    }

    /// The media type of its answers, which tells the version of its protocol.
    pub(crate) fn content_type(self) -> HeaderValue {
        match self {
            Self::Sqs | Self::DynamoDb => JSON_1_0,
            Self::Kms | Self::Ssm => JSON_1_1,
        }
    }

    pub(crate) fn resource_of(self, request: &Value) -> Option<String> {
        match self {
            Self::Sqs => sqs::wire::queue_of(request),
            Self::DynamoDb => dynamodb::table_of(request),
            Self::Kms => kms::wire::key_of(request),
            Self::Ssm => ssm::wire::parameter_of(request),
        }
    }

    pub(crate) fn error(self, status: u16, code: &str, message: &str) -> Answer {
        match self {
            Self::Sqs => {
                let fault = if status < 500 { "Sender" } else { "Receiver" };
                let query_error = Some(format!("{code};{fault}"));
                Answer { query_error, ..Answer::error(status, "com.amazonaws.sqs", code, message) }
            }
            Self::DynamoDb => Answer::error(status, "com.amazonaws.dynamodb.v20120810", code, message),
            Self::Kms | Self::Ssm => Answer::bare_error(status, code, message),
        }
    }

    /// How the service says that it is called too often.
    pub(crate) fn throttle(self) -> Answer {
        let message = "The rate of requests exceeds what is allowed (a fault that was asked for).";
        match self {
            Self::Sqs => self.error(400, "RequestThrottled", message),
            Self::DynamoDb => self.error(400, "ProvisionedThroughputExceededException", message),
            Self::Kms | Self::Ssm => self.error(400, "ThrottlingException", message),
        }
    }
}

/// What the headers say of a request.
pub(crate) struct Head {
    pub(crate) access_key: Option<String>,
    scope_service: Option<String>,
    pub(crate) target: Option<(String, String)>,
}

impl Head {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let credential = authorization.and_then(credential);
        let target =
            headers.get("x-amz-target").and_then(|value| value.to_str().ok()).and_then(|target| target.split_once('.'));
        Self {
            access_key: credential.as_ref().map(|(access_key, _)| (*access_key).to_owned()),
            scope_service: credential.and_then(|(_, service)| service).map(str::to_owned),
            target: target.map(|(prefix, action)| (prefix.to_owned(), action.to_owned())),
        }
    }

    pub(crate) fn service(&self) -> Option<Service> {
        match &self.scope_service {
            Some(name) => Service::from_scope(name),
            None => self.target.as_ref().and_then(|(prefix, _)| Service::from_target(prefix)),
        }
    }

    /// The service's name for the record, known or not.
    pub(crate) fn service_name(&self) -> String {
        let target = || self.target.as_ref().map(|(prefix, _)| prefix.clone());
        self.service()
            .map(|service| service.name().to_owned())
            .or_else(|| self.scope_service.clone())
            .or_else(target)
            .unwrap_or_default()
    }
}

/// The access key id, and the service in the scope, of `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
fn credential(authorization: &str) -> Option<(&str, Option<&str>)> {
    let (_, rest) = authorization.split_once("Credential=")?;
    let mut scope = rest.split([',', ' ']).next()?.split('/');
    let access_key = scope.next().filter(|key| !key.is_empty())?;
    Some((access_key, scope.nth(2).filter(|service| !service.is_empty())))
}
