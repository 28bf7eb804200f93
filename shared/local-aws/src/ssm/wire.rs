//! Parameter Store over awsJson 1.1: one function per action, each a thin layer over the native API.
//! Not here: behaviour.
//! Invariant: an answer to an unreadable request repeats nothing of it, since the reader's own words would quote a value.
//! Sources: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>

use super::{Kind, NewParameter, Ssm, SsmError, arn, name_of};
use crate::answer::{Answer, WRONG_TYPES};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

const SERVICE: &str = "ssm";

/// Why a request got no success.
enum Refusal {
    Ssm(SsmError),
    Unreadable,
    UnknownAction,
}

impl From<SsmError> for Refusal {
    fn from(error: SsmError) -> Self {
        Self::Ssm(error)
    }
}

/// Serves one action.
pub(crate) fn answer(ssm: &Ssm, action: &str, request: Value) -> Answer {
    match dispatch(ssm, action, request) {
        Ok(body) => Answer::ok(&body),
        Err(Refusal::Ssm(error)) => Answer::bare_error(400, error.code(), &error.to_string()),
        Err(Refusal::Unreadable) => Answer::unreadable(WRONG_TYPES),
        Err(Refusal::UnknownAction) => Answer::unknown_action(SERVICE, action),
    }
}

fn dispatch(ssm: &Ssm, action: &str, request: Value) -> Result<Value, Refusal> {
    match action {
        "GetParameter" => get(ssm, &read(request)?),
        "PutParameter" => put(ssm, read(request)?),
        _ => Err(Refusal::UnknownAction),
    }
}

/// The parameter that a request names.
pub(crate) fn parameter_of(request: &Value) -> Option<String> {
    request["Name"].as_str().map(name_of).map(str::to_owned)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameter {
    name: Option<String>,
    with_decryption: Option<bool>,
}

fn get(ssm: &Ssm, request: &GetParameter) -> Result<Value, Refusal> {
    let (name, parameter) = ssm.find(required(request.name.as_ref(), "name")?)?;
    let value =
        if request.with_decryption == Some(true) { ssm.decrypted(&name, &parameter)? } else { parameter.value.clone() };
    Ok(json!({ "Parameter": {
        "ARN": arn(&name),
        "DataType": "text",
        "LastModifiedDate": Duration::from_millis(parameter.modified_ms).as_secs_f64(),
        "Name": name,
        "Type": parameter.kind.name(),
        "Value": value,
        "Version": parameter.version,
    } }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutParameter {
    name: Option<String>,
    value: Option<SecretString>,
    r#type: Option<String>,
    key_id: Option<String>,
    overwrite: Option<bool>,
    tier: Option<String>,
}

fn put(ssm: &Ssm, request: PutParameter) -> Result<Value, Refusal> {
    let name = required(request.name.as_ref(), "name")?;
    let value = request.value.as_ref().ok_or_else(|| missing("value"))?;
    let kind = request.r#type.as_deref().map(Kind::read).transpose()?;
    if request.tier.as_deref().is_some_and(|tier| tier == "Advanced") {
        let text = "Parameter Store on this machine has standard parameters only.";
        return Err(SsmError::Validation(text.to_owned()).into());
    }
    let overwrite = request.overwrite.unwrap_or(false);
    let version = ssm.set(&NewParameter { name, value, kind, key: request.key_id.as_deref(), overwrite })?;
    Ok(json!({ "Tier": "Standard", "Version": version }))
}

impl Kind {
    fn read(name: &str) -> Result<Self, SsmError> {
        match name {
            "String" => Ok(Self::String),
            "StringList" => Ok(Self::StringList),
            "SecureString" => Ok(Self::SecureString),
            _ => Err(SsmError::UnsupportedParameterType(name.to_owned())),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::StringList => "StringList",
            Self::SecureString => "SecureString",
        }
    }
}

fn read<T: DeserializeOwned>(request: Value) -> Result<T, Refusal> {
    serde_json::from_value(request).map_err(|_| Refusal::Unreadable)
}

/// A required parameter.
fn required<'a>(value: Option<&'a String>, member: &str) -> Result<&'a str, SsmError> {
    value.map(String::as_str).ok_or_else(|| missing(member))
}

fn missing(member: &str) -> SsmError {
    SsmError::Validation(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}
