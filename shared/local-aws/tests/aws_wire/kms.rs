//! Keys through the SDK: what tokens at rest rely on. Expected behaviour is KMS's API reference
//! (<https://docs.aws.amazon.com/kms/latest/APIReference/>).
//! Compared by hand with moto 5.2.5 through boto3: alike but for its looser aliases and its AccessDeniedException where AWS documents an
//! IncorrectKeyException. Disabled keys could not be compared, since its DisableKey answered 500.

use crate::Endpoint;
use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::decrypt::{DecryptError, DecryptOutput};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeySpec, KeyManagerType, KeySpec, KeyState};
use std::fmt::Debug;
use tack_local_aws::{Crash, Effect, Fault};
use tokio::sync::mpsc::unbounded_channel;

const CANARY: &str = "xoxb-canary";

/// An endpoint with one key that has the alias `alias/tokens`, and the key's ARN.
async fn keys() -> (Endpoint, Client, String) {
    let endpoint = Endpoint::start().await;
    let arn = endpoint.aws.kms().create_key("tokens").unwrap();
    endpoint.aws.kms().create_alias("alias/tokens", &arn).unwrap();
    let client = endpoint.kms();
    (endpoint, client, arn)
}

/// [`CANARY`] encrypted for the workspace `T1`.
async fn encrypted(client: &Client) -> Blob {
    let encrypt = client.encrypt().key_id("alias/tokens").plaintext(Blob::new(CANARY)).encryption_context("team", "T1");
    encrypt.send().await.unwrap().ciphertext_blob.unwrap()
}

async fn decrypt(
    client: &Client,
    blob: &Blob,
    context: &[(&str, &str)],
) -> Result<DecryptOutput, SdkError<DecryptError>> {
    let decrypt = client.decrypt().ciphertext_blob(blob.clone());
    context.iter().fold(decrypt, |decrypt, (name, value)| decrypt.encryption_context(*name, *value)).send().await
}

fn code<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, SdkError<E>>) -> String {
    result.unwrap_err().code().unwrap_or("none").to_owned()
}

fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn what_was_encrypted_is_decrypted_without_naming_the_key() {
    let (_endpoint, client, arn) = keys().await;
    let blob = encrypted(&client).await;
    let found = blob.as_ref().windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
    assert!(!found, "the plaintext does not show in the ciphertext");
    let decrypted = decrypt(&client, &blob, &[("team", "T1")]).await.unwrap();
    assert_eq!(decrypted.plaintext().unwrap().as_ref(), CANARY.as_bytes());
    assert_eq!(decrypted.key_id(), Some(arn.as_str()));
    assert_eq!(decrypted.encryption_algorithm().unwrap().as_str(), "SYMMETRIC_DEFAULT");
}

#[tokio::test]
async fn a_key_goes_by_its_id_its_arn_its_alias_and_its_alias_arn() {
    let (_endpoint, client, arn) = keys().await;
    let alias_arn = "arn:aws:kms:us-east-1:000000000000:alias/tokens";
    for key in [id(&arn), &arn, "alias/tokens", alias_arn] {
        let encrypted = client.encrypt().key_id(key).plaintext(Blob::new("a")).send().await.unwrap();
        assert_eq!(encrypted.key_id(), Some(arn.as_str()), "{key}");
        let blob = encrypted.ciphertext_blob.unwrap();
        let decrypted = client.decrypt().key_id(key).ciphertext_blob(blob).send().await.unwrap();
        assert_eq!(decrypted.plaintext().unwrap().as_ref(), b"a", "{key}");
    }
}

#[tokio::test]
async fn a_ciphertext_of_one_workspace_decrypts_for_no_other() {
    let (_endpoint, client, _) = keys().await;
    let blob = encrypted(&client).await;
    // The context is case-sensitive and must be there as a whole, and nothing besides.
    let others: [&[(&str, &str)]; 5] =
        [&[("team", "T2")], &[("team", "t1")], &[("Team", "T1")], &[], &[("team", "T1"), ("more", "x")]];
    for context in others {
        let error = decrypt(&client, &blob, context).await.unwrap_err().into_service_error();
        assert!(error.is_invalid_ciphertext_exception(), "{context:?}: {error:?}");
    }
    let mut bytes = blob.into_inner();
    *bytes.last_mut().unwrap() ^= 1;
    let tampered = decrypt(&client, &Blob::new(bytes), &[("team", "T1")]).await.unwrap_err();
    assert!(tampered.into_service_error().is_invalid_ciphertext_exception());
    let nonsense = decrypt(&client, &Blob::new("nonsense"), &[]).await.unwrap_err();
    assert!(nonsense.into_service_error().is_invalid_ciphertext_exception());
}

#[tokio::test]
async fn the_order_of_the_encryption_context_does_not_matter() {
    let (_endpoint, client, _) = keys().await;
    let pairs: Vec<_> = (0..20).map(|index| (format!("name{index}"), format!("value{index}"))).collect();
    // The SDK's own map is in no order, so twenty pairs are sent in another one each time.
    let encrypt = client.encrypt().key_id("alias/tokens").plaintext(Blob::new("a"));
    let context = pairs.iter().cloned().collect();
    let blob = encrypt.set_encryption_context(Some(context)).send().await.unwrap().ciphertext_blob.unwrap();
    let context = pairs.into_iter().rev().collect();
    let decrypted = client.decrypt().ciphertext_blob(blob).set_encryption_context(Some(context)).send().await.unwrap();
    assert_eq!(decrypted.plaintext().unwrap().as_ref(), b"a");
}

#[tokio::test]
async fn a_plaintext_has_1_to_4096_bytes() {
    let (_endpoint, client, _) = keys().await;
    let encrypt =
        |length: usize| client.encrypt().key_id("alias/tokens").plaintext(Blob::new(vec![b'x'; length])).send();
    assert_eq!(code(encrypt(0).await), "ValidationException");
    assert_eq!(code(encrypt(4097).await), "ValidationException");
    let blob = encrypt(4096).await.unwrap().ciphertext_blob.unwrap();
    assert!(blob.as_ref().len() <= 6144, "the most that Decrypt takes");
    assert_eq!(decrypt(&client, &blob, &[]).await.unwrap().plaintext.unwrap().into_inner(), vec![b'x'; 4096]);
    assert_eq!(code(decrypt(&client, &Blob::new(vec![0; 6145]), &[]).await), "ValidationException");
    let no_key = client.encrypt().plaintext(Blob::new("a")).send().await;
    assert_eq!(code(no_key), "ValidationException");
}

#[tokio::test]
async fn keys_that_do_not_exist_are_typed_errors() {
    let (_endpoint, client, arn) = keys().await;
    let other_account = arn.replace("000000000000", "123456789012");
    let unknown = "11111111-2222-3333-4444-555555555555";
    for key in [unknown, "alias/nothing", "nonsense", &other_account] {
        let encrypt = client.encrypt().key_id(key).plaintext(Blob::new("a")).send().await.unwrap_err();
        assert!(encrypt.into_service_error().is_not_found_exception(), "{key}");
        let describe = client.describe_key().key_id(key).send().await.unwrap_err();
        assert!(describe.into_service_error().is_not_found_exception(), "{key}");
    }
    // A ciphertext made in another account or an earlier run: KMS does not tell which.
    let (_elsewhere, stranger, _) = keys().await;
    let blob = encrypted(&stranger).await;
    assert_eq!(code(decrypt(&client, &blob, &[("team", "T1")]).await), "AccessDeniedException");
}

#[tokio::test]
async fn a_ciphertext_of_another_key_than_the_one_named_is_an_incorrect_key() {
    let (endpoint, client, _) = keys().await;
    let other = endpoint.aws.kms().create_key("").unwrap();
    let blob = encrypted(&client).await;
    let decrypt = client.decrypt().key_id(&other).ciphertext_blob(blob).encryption_context("team", "T1");
    assert!(decrypt.send().await.unwrap_err().into_service_error().is_incorrect_key_exception());
}

#[tokio::test]
async fn a_disabled_key_does_nothing_until_it_is_enabled_again() {
    let (_endpoint, client, arn) = keys().await;
    let blob = encrypted(&client).await;
    client.disable_key().key_id(&arn).send().await.unwrap();
    let described = client.describe_key().key_id("alias/tokens").send().await.unwrap();
    assert_eq!(described.key_metadata().unwrap().key_state(), Some(&KeyState::Disabled));
    let encrypt = client.encrypt().key_id(&arn).plaintext(Blob::new("a")).send().await.unwrap_err();
    assert!(encrypt.into_service_error().is_disabled_exception());
    let refused = decrypt(&client, &blob, &[("team", "T1")]).await.unwrap_err();
    assert!(refused.into_service_error().is_disabled_exception());
    let data_key = client.generate_data_key().key_id(&arn).key_spec(DataKeySpec::Aes256).send().await.unwrap_err();
    assert!(data_key.into_service_error().is_disabled_exception());
    client.enable_key().key_id(&arn).send().await.unwrap();
    decrypt(&client, &blob, &[("team", "T1")]).await.unwrap();
}

#[tokio::test]
async fn a_data_key_comes_in_clear_and_encrypted() {
    let (_endpoint, client, arn) = keys().await;
    let generate = || client.generate_data_key().key_id("alias/tokens").encryption_context("team", "T1");
    let first = generate().key_spec(DataKeySpec::Aes256).send().await.unwrap();
    assert_eq!((first.plaintext().unwrap().as_ref().len(), first.key_id()), (32, Some(arn.as_str())));
    let opened = decrypt(&client, first.ciphertext_blob().unwrap(), &[("team", "T1")]).await.unwrap();
    assert_eq!(opened.plaintext(), first.plaintext());
    let other = decrypt(&client, first.ciphertext_blob().unwrap(), &[("team", "T2")]).await.unwrap_err();
    assert!(other.into_service_error().is_invalid_ciphertext_exception());
    let second = generate().key_spec(DataKeySpec::Aes256).send().await.unwrap();
    assert_ne!(first.plaintext(), second.plaintext());
    let short = generate().key_spec(DataKeySpec::Aes128).send().await.unwrap();
    assert_eq!(short.plaintext().unwrap().as_ref().len(), 16);
    let long = generate().number_of_bytes(1024).send().await.unwrap();
    assert_eq!(long.plaintext().unwrap().as_ref().len(), 1024);
    for bytes in [0, 1025] {
        assert_eq!(code(generate().number_of_bytes(bytes).send().await), "ValidationException");
    }
    assert_eq!(code(generate().send().await), "ValidationException");
    let both = generate().key_spec(DataKeySpec::Aes256).number_of_bytes(32).send().await;
    assert_eq!(code(both), "ValidationException");
}

#[tokio::test]
async fn a_key_is_made_and_described_over_the_wire() {
    let endpoint = Endpoint::start().await;
    let client = endpoint.kms();
    let made = client.create_key().description("tokens at rest").send().await.unwrap().key_metadata.unwrap();
    let arn = made.arn().unwrap();
    assert_eq!(arn, format!("arn:aws:kms:us-east-1:000000000000:key/{}", made.key_id()));
    client.create_alias().alias_name("alias/tokens").target_key_id(arn).send().await.unwrap();
    let described = client.describe_key().key_id("alias/tokens").send().await.unwrap().key_metadata.unwrap();
    assert_eq!(described.key_id(), made.key_id());
    assert_eq!(described.description(), Some("tokens at rest"));
    assert_eq!((described.enabled(), described.key_manager()), (true, Some(&KeyManagerType::Customer)));
    assert!(described.creation_date().is_some_and(|date| date.secs() > 1_767_225_600));
    let rsa = client.create_key().key_spec(KeySpec::Rsa2048).send().await.unwrap_err();
    assert!(rsa.into_service_error().is_unsupported_operation_exception());
}

#[tokio::test]
async fn an_alias_is_unique_well_formed_and_of_a_key() {
    let (_endpoint, client, arn) = keys().await;
    let alias = |name: &str, key: &str| client.create_alias().alias_name(name).target_key_id(key).send();
    assert!(alias("alias/tokens", &arn).await.unwrap_err().into_service_error().is_already_exists_exception());
    for name in ["tokens", "alias/", "alias/a b", "alias/aws/mine"] {
        let refused = alias(name, &arn).await.unwrap_err().into_service_error();
        assert!(refused.is_invalid_alias_name_exception(), "{name}");
    }
    let unknown = alias("alias/b", "11111111-2222-3333-4444-555555555555").await.unwrap_err();
    assert!(unknown.into_service_error().is_not_found_exception());
    assert_eq!(code(alias("alias/b", "alias/tokens").await), "ValidationException");
}

#[tokio::test]
async fn calls_are_on_record_with_key_and_caller_and_without_any_text() {
    let (endpoint, client, arn) = keys().await;
    let blob = encrypted(&client).await;
    decrypt(&client, &blob, &[("team", "T1")]).await.unwrap();
    decrypt(&client, &blob, &[("team", "T2")]).await.unwrap_err();
    let calls = endpoint.aws.calls().snapshot();
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call.action.as_str(), call.resource.as_deref(), call.status, call.error.as_deref()))
        .collect();
    let expected = [
        ("Encrypt", Some("alias/tokens"), Some(200), None),
        ("Decrypt", Some(id(&arn)), Some(200), None),
        ("Decrypt", Some(id(&arn)), Some(400), Some("InvalidCiphertextException")),
    ];
    assert_eq!(told, expected);
    assert!(calls.iter().all(|call| call.service == "kms" && call.caller.as_deref() == Some("worker")));
    // The canary, and how it is written in a request's JSON.
    let record = format!("{calls:?}");
    assert!(!record.contains(CANARY) && !record.contains("eG94Yi1jYW5hcnk"));
}

#[tokio::test]
async fn a_throttle_goes_by_the_name_that_kms_has_for_it() {
    let (endpoint, client, arn) = keys().await;
    let blob = encrypted(&client).await;
    endpoint.aws.faults().add(fault(Some(id(&arn)), Effect::Throttle));
    let throttled = decrypt(&client, &blob, &[("team", "T1")]).await;
    assert_eq!(throttled.as_ref().unwrap_err().raw_response().unwrap().status().as_u16(), 400);
    assert_eq!(code(throttled), "ThrottlingException");
    decrypt(&client, &blob, &[("team", "T1")]).await.unwrap();
}

#[tokio::test]
async fn a_caller_to_be_killed_is_told_of_before_and_after_the_work() {
    for effect in [Effect::CrashBefore, Effect::CrashAfter] {
        let (endpoint, client, _) = keys().await;
        let blob = encrypted(&client).await;
        let (observer, mut crashes) = unbounded_channel::<Crash>();
        endpoint.aws.faults().on_crash(observer);
        endpoint.aws.faults().add(fault(None, effect));
        let call = tokio::spawn(async move { decrypt(&client, &blob, &[("team", "T1")]).await });
        assert_eq!(crashes.recv().await.unwrap().caller.as_deref(), Some("worker"));
        assert!(!call.is_finished(), "the call is held until its caller is gone");
        call.abort();
    }
}

fn fault(resource: Option<&str>, effect: Effect) -> Fault {
    Fault {
        service: "kms".to_owned(),
        action: "Decrypt".to_owned(),
        resource: resource.map(str::to_owned),
        caller: Some("worker".to_owned()),
        contains: None,
        effect,
        times: Some(1),
    }
}
