//! What a service answers over the wire, before it is HTTP: awsJson 1.0 for both services here.
//! Source: <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>

use serde_json::{Value, json};

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
        Self {
            status,
            body: json!({ "__type": format!("{namespace}#{code}"), "message": message }).to_string(),
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
