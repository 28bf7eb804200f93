//! KMS over awsJson 1.1: one function per action, each a thin layer over the native API.
//! Not here: behaviour.
//! Invariant: an answer to an unreadable request repeats nothing of it, since the reader's own words would quote a plaintext.
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html>

use super::key::{Ciphertext, fill};
use super::{EncryptionContext, Kms, KmsError, key_arn, last_part};
use crate::answer::Answer;
use crate::{ACCOUNT, answer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

const SERVICE: &str = "kms";
/// The one kind of key and the one algorithm here.
const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";
const DATA_KEY_BYTES_MAX: usize = 1024;

/// Why a request got no success.
enum Refusal {
    Kms(KmsError),
    Unreadable,
    UnknownAction,
}

impl From<KmsError> for Refusal {
    fn from(error: KmsError) -> Self {
        Self::Kms(error)
    }
}

/// Serves one action.
pub(crate) fn answer(kms: &Kms, action: &str, request: Value) -> Answer {
    match dispatch(kms, action, request) {
        Ok(body) => Answer::ok(&body),
        Err(Refusal::Kms(error)) => Answer::bare_error(error.status(), error.code(), &error.to_string()),
        Err(Refusal::Unreadable) => Answer::unreadable(answer::WRONG_TYPES),
        Err(Refusal::UnknownAction) => Answer::unknown_action(SERVICE, action),
    }
}

fn dispatch(kms: &Kms, action: &str, request: Value) -> Result<Value, Refusal> {
    match action {
        "CreateKey" => create_key(kms, &read(request)?),
        "DescribeKey" => describe_key(kms, &read(request)?),
        "CreateAlias" => create_alias(kms, &read(request)?),
        "DisableKey" => set_enabled(kms, &read(request)?, false),
        "EnableKey" => set_enabled(kms, &read(request)?, true),
        "Encrypt" => encrypt(kms, &read(request)?),
        "Decrypt" => decrypt(kms, &read(request)?),
        "GenerateDataKey" => generate_data_key(kms, &read(request)?),
        _ => Err(Refusal::UnknownAction),
    }
}

/// The key a request is about, as an id or an alias without its ARN: the one it names, or the one that made its ciphertext.
pub(crate) fn key_of(request: &Value) -> Option<String> {
    let named = request["KeyId"].as_str().or_else(|| request["AliasName"].as_str()).map(last_part).map(str::to_owned);
    named.or_else(|| {
        let blob = BASE64.decode(request["CiphertextBlob"].as_str()?).ok()?;
        Ciphertext::read(&blob).map(|ciphertext| ciphertext.key_id.to_string())
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateKey {
    description: Option<String>,
    key_spec: Option<String>,
    key_usage: Option<String>,
}

fn create_key(kms: &Kms, request: &CreateKey) -> Result<Value, Refusal> {
    let spec = request.key_spec.as_deref().unwrap_or(SYMMETRIC);
    let usage = request.key_usage.as_deref().unwrap_or("ENCRYPT_DECRYPT");
    if (spec, usage) != (SYMMETRIC, "ENCRYPT_DECRYPT") {
        let message = "KMS on this machine has symmetric keys that encrypt and decrypt, and no others.".to_owned();
        return Err(KmsError::UnsupportedOperation(message).into());
    }
    let arn = kms.create_key(request.description.as_deref().unwrap_or_default())?;
    metadata(kms, &arn)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneKey {
    key_id: Option<String>,
}

fn describe_key(kms: &Kms, request: &OneKey) -> Result<Value, Refusal> {
    metadata(kms, required(request.key_id.as_ref(), "keyId")?)
}

fn set_enabled(kms: &Kms, request: &OneKey, enabled: bool) -> Result<Value, Refusal> {
    kms.set_enabled(required(request.key_id.as_ref(), "keyId")?, enabled)?;
    Ok(json!({}))
}

fn metadata(kms: &Kms, key: &str) -> Result<Value, Refusal> {
    let state = kms.lock();
    let key = state.find(key)?;
    Ok(json!({ "KeyMetadata": {
        "AWSAccountId": ACCOUNT,
        "Arn": key_arn(key.id),
        "CreationDate": Duration::from_millis(key.created_ms).as_secs_f64(),
        "CustomerMasterKeySpec": SYMMETRIC,
        "Description": key.description,
        "Enabled": key.enabled,
        "EncryptionAlgorithms": [SYMMETRIC],
        "KeyId": key.id.to_string(),
        "KeyManager": if key.aws_managed { "AWS" } else { "CUSTOMER" },
        "KeySpec": SYMMETRIC,
        "KeyState": if key.enabled { "Enabled" } else { "Disabled" },
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": false,
        "Origin": "AWS_KMS",
    } }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateAlias {
    alias_name: Option<String>,
    target_key_id: Option<String>,
}

fn create_alias(kms: &Kms, request: &CreateAlias) -> Result<Value, Refusal> {
    let alias = required(request.alias_name.as_ref(), "aliasName")?;
    kms.create_alias(alias, required(request.target_key_id.as_ref(), "targetKeyId")?)?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypt {
    key_id: Option<String>,
    plaintext: Option<String>,
    encryption_context: Option<EncryptionContext>,
    encryption_algorithm: Option<String>,
}

fn encrypt(kms: &Kms, request: &Encrypt) -> Result<Value, Refusal> {
    let key = required(request.key_id.as_ref(), "keyId")?;
    let plaintext = blob(request.plaintext.as_ref(), "plaintext")?;
    check_algorithm(request.encryption_algorithm.as_deref())?;
    let encrypted = kms.encrypt(key, &plaintext, &request.encryption_context.clone().unwrap_or_default())?;
    Ok(json!({
        "CiphertextBlob": BASE64.encode(encrypted.blob),
        "KeyId": encrypted.key_arn,
        "EncryptionAlgorithm": SYMMETRIC,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt {
    key_id: Option<String>,
    ciphertext_blob: Option<String>,
    encryption_context: Option<EncryptionContext>,
    encryption_algorithm: Option<String>,
}

fn decrypt(kms: &Kms, request: &Decrypt) -> Result<Value, Refusal> {
    let ciphertext = blob(request.ciphertext_blob.as_ref(), "ciphertextBlob")?;
    check_algorithm(request.encryption_algorithm.as_deref())?;
    let context = request.encryption_context.clone().unwrap_or_default();
    let (plaintext, key_arn) = kms.decrypt(request.key_id.as_deref(), &ciphertext, &context)?;
    Ok(json!({ "Plaintext": BASE64.encode(plaintext), "KeyId": key_arn, "EncryptionAlgorithm": SYMMETRIC }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GenerateDataKey {
    key_id: Option<String>,
    key_spec: Option<String>,
    number_of_bytes: Option<i64>,
    encryption_context: Option<EncryptionContext>,
}

fn generate_data_key(kms: &Kms, request: &GenerateDataKey) -> Result<Value, Refusal> {
    let key = required(request.key_id.as_ref(), "keyId")?;
    let length = match (request.key_spec.as_deref(), request.number_of_bytes) {
        (Some("AES_256"), None) => 32,
        (Some("AES_128"), None) => 16,
        (None, Some(bytes)) => {
            usize::try_from(bytes).ok().filter(|bytes| (1..=DATA_KEY_BYTES_MAX).contains(bytes)).ok_or_else(|| {
                KmsError::Validation(format!("Value at 'numberOfBytes' must be between 1 and {DATA_KEY_BYTES_MAX}"))
            })?
        }
        _ => {
            let text = "Either 'keySpec' (AES_256 or AES_128) or 'numberOfBytes' is required, and not both";
            return Err(KmsError::Validation(text.to_owned()).into());
        }
    };
    let mut data_key = vec![0; length];
    fill(&mut data_key)?;
    let encrypted = kms.encrypt(key, &data_key, &request.encryption_context.clone().unwrap_or_default())?;
    Ok(json!({
        "Plaintext": BASE64.encode(data_key),
        "CiphertextBlob": BASE64.encode(encrypted.blob),
        "KeyId": encrypted.key_arn,
    }))
}

fn read<T: DeserializeOwned>(request: Value) -> Result<T, Refusal> {
    serde_json::from_value(request).map_err(|_| Refusal::Unreadable)
}

/// A required parameter.
fn required<'a>(value: Option<&'a String>, member: &str) -> Result<&'a str, KmsError> {
    value.map(String::as_str).ok_or_else(|| {
        KmsError::Validation(format!("Value null at '{member}' failed to satisfy constraint: Member must not be null"))
    })
}

/// A required parameter that is bytes, which JSON holds as base64.
fn blob(value: Option<&String>, member: &str) -> Result<Vec<u8>, Refusal> {
    BASE64.decode(required(value, member)?).map_err(|_| Refusal::Unreadable)
}

fn check_algorithm(algorithm: Option<&str>) -> Result<(), KmsError> {
    match algorithm {
        None | Some(SYMMETRIC) => Ok(()),
        Some(_) => Err(KmsError::InvalidKeyUsage(format!("A symmetric key knows the algorithm {SYMMETRIC} only."))),
    }
}
