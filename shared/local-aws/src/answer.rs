//! What a service answers over the wire, before it is HTTP: awsJson 1.0, or 1.1, whose bodies are alike.
//! Sources: <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>, <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>

use serde_json::{Value, json};

/// Why a body is unreadable, for services whose requests hold secrets: the reader's own words would quote them.
pub(crate) const WRONG_TYPES: &str = "A member of the request has the wrong type.";

/// An answer in the making.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The `x-amzn-query-error` header, by which SQS keeps the error codes of its older protocol.
    pub(crate) query_error: Option<String>,
    /// The error code, for the record of calls.
    pub(crate) error: Option<String>,
    pub(crate) consumed_units: Option<f64>,
}

impl Answer {
    pub(crate) fn ok(body: &Value) -> Self {
        Self { status: 200, body: body.to_string(), query_error: None, error: None, consumed_units: None }
    }

    /// An error of shape `namespace#code`.
    pub(crate) fn error(status: u16, namespace: &str, code: &str, message: &str) -> Self {
        Self::typed_error(status, &format!("{namespace}#{code}"), code, message)
    }

    /// An error whose shape goes without its namespace, as KMS and SSM write it.
    pub(crate) fn bare_error(status: u16, code: &str, message: &str) -> Self {
        Self::typed_error(status, code, code, message)
    }

    fn typed_error(status: u16, shape: &str, code: &str, message: &str) -> Self {
        Self {
            status,
            body: json!({ "__type": shape, "message": message }).to_string(),
            query_error: None,
            error: Some(code.to_owned()),
            consumed_units: None,
        }
    }

    /// The answer of AWS's front door to a body it cannot read.
    pub(crate) fn unreadable(reason: &str) -> Self {
        Self::error(400, "com.amazon.coral.service", "SerializationException", reason)
    }

    /// The answer of AWS's front door to an action the service does not have.
    pub(crate) fn unknown_action(service: &str, action: &str) -> Self {
        let message = format!("{service} on this machine has no action {action}.");
        Self::error(400, "com.amazon.coral.service", "UnknownOperationException", &message)
    }
}
