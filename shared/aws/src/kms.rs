//! Tokens at rest: encrypted by a KMS key, bound to the place they are kept in.
//!
//! The encryption context names app, installation and holder; KMS decrypts only what was encrypted under the very same
//! one, so a ciphertext that was moved to another item stays closed. The context is in CloudTrail in clear: ids, no secret.
//! What was opened is remembered for a while, so that a worker that looks at its installations once a minute pays for the
//! table and not for KMS each time.
//! Tokens are far below the 4 KiB that Encrypt takes, so there is no data key and no cryptography of our own.
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html>

use crate::sdk_error;
use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use secrecy::SecretSlice;
use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;
use tack_app::ports::StoreError;
use tack_protocol::AppId;
use tokio::time::Instant;

/// How many secrets are remembered, and how long; so long a key that was taken away still works in a process that runs.
const REMEMBERED: usize = 1000;
const REMEMBERED_FOR: Duration = Duration::from_secs(3600);

/// Where a ciphertext belongs.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The item's partition key.
    pub(crate) installation: &'a str,
    /// Whose secret of it.
    pub(crate) holder: &'a str,
}

/// The key that tokens are encrypted with.
pub(crate) struct TokenKey {
    client: Client,
    key_id: String,
    app: String,
    opened: RefCell<HashMap<(String, String), Opened>>,
}

/// A secret that KMS opened for a place.
struct Opened {
    ciphertext: Vec<u8>,
    secret: SecretSlice<u8>,
    at: Instant,
}

impl TokenKey {
    /// This key, for the tokens of this app.
    pub(crate) fn new(client: Client, key_id: String, app: Option<AppId>) -> Self {
        let app = app.map_or_else(|| "none".to_owned(), |app| app.to_string());
        Self { client, key_id, app, opened: RefCell::default() }
    }

    /// Encrypts a secret for its place.
    pub(crate) async fn encrypt(&self, place: Place<'_>, secret: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let encrypted = self
            .client
            .encrypt()
            .key_id(&self.key_id)
            .set_encryption_context(Some(self.context(place)))
            .plaintext(Blob::new(secret))
            .send()
            .await
            .map_err(|error| self.failed("kms:Encrypt", place, &error))?;
        let blob = encrypted.ciphertext_blob.ok_or_else(|| self.trouble("kms:Encrypt", place, "an empty answer"))?;
        Ok(blob.into_inner())
    }

    /// Decrypts what was encrypted with this key for the same place. Another key is refused: whoever may write the table
    /// must not be able to bring a token of their own.
    pub(crate) async fn decrypt(&self, place: Place<'_>, ciphertext: &[u8]) -> Result<SecretSlice<u8>, StoreError> {
        if let Some(secret) = self.remembered(place, ciphertext) {
            return Ok(secret);
        }
        let decrypted = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .set_encryption_context(Some(self.context(place)))
            .ciphertext_blob(Blob::new(ciphertext))
            .send()
            .await
            .map_err(|error| self.failed("kms:Decrypt", place, &error))?;
        let blob = decrypted.plaintext.ok_or_else(|| self.trouble("kms:Decrypt", place, "an empty answer"))?;
        let secret = SecretSlice::from(blob.into_inner());
        self.remember(place, ciphertext, secret.clone());
        Ok(secret)
    }

    /// What was opened before for this very place from this very ciphertext.
    fn remembered(&self, place: Place<'_>, ciphertext: &[u8]) -> Option<SecretSlice<u8>> {
        let opened = self.opened.borrow();
        let found = opened.get(&(place.installation.to_owned(), place.holder.to_owned()))?;
        let is_good = found.ciphertext == ciphertext && found.at.elapsed() < REMEMBERED_FOR;
        is_good.then(|| found.secret.clone())
    }

    fn remember(&self, place: Place<'_>, ciphertext: &[u8], secret: SecretSlice<u8>) {
        let mut opened = self.opened.borrow_mut();
        // What is no longer used does not stay in memory until there are a thousand.
        opened.retain(|_, old| old.at.elapsed() < REMEMBERED_FOR);
        let place = (place.installation.to_owned(), place.holder.to_owned());
        if opened.len() >= REMEMBERED && !opened.contains_key(&place) {
            let oldest = opened.iter().min_by_key(|(_, old)| old.at).map(|(place, _)| place.clone());
            oldest.and_then(|place| opened.remove(&place));
        }
        let at = Instant::now();
        opened.insert(place, Opened { ciphertext: ciphertext.to_vec(), secret, at });
    }

    fn context(&self, place: Place<'_>) -> HashMap<String, String> {
        HashMap::from([
            ("tack:app".to_owned(), self.app.clone()),
            ("tack:installation".to_owned(), place.installation.to_owned()),
            ("tack:holder".to_owned(), place.holder.to_owned()),
        ])
    }

    fn failed<E>(&self, action: &str, place: Place<'_>, error: &SdkError<E>) -> StoreError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let said = sdk_error::said(error);
        match self.cure(action, error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default()) {
            Some(cure) => self.trouble(action, place, &format!("{said}; {cure}")),
            None => self.trouble(action, place, &said),
        }
    }

    /// What an operator can do about an error.
    /// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>
    fn cure(&self, action: &str, code: &str) -> Option<String> {
        let key = &self.key_id;
        Some(match code {
            "InvalidCiphertextException" => format!(
                "the ciphertext is damaged, or it was encrypted for another item (it was moved, or SLACK_APP_ID was \
                 another than {} when it was saved)",
                self.app
            ),
            "IncorrectKeyException" => {
                format!("TOKEN_KEY_ID is {key}, which is not the key that it was encrypted with: name that one again")
            }
            "NotFoundException" => format!("TOKEN_KEY_ID is {key}, which is no key of this account and region"),
            "AccessDeniedException" => {
                format!(
                    "allow {action} on {key} to this function's role, and in the key's policy if the key is another account's"
                )
            }
            "DisabledException" | "KMSInvalidStateException" | "KeyUnavailableException" => {
                format!("the key {key} of TOKEN_KEY_ID is disabled or about to be deleted: enable it again")
            }
            _ => return None,
        })
    }

    fn trouble(&self, action: &str, place: Place<'_>, what: &str) -> StoreError {
        StoreError { reason: format!("{action} for {} of {}: {what}", place.holder, place.installation) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn key() -> TokenKey {
        let config = aws_sdk_kms::Config::builder().behavior_version(aws_sdk_kms::config::BehaviorVersion::latest());
        TokenKey::new(Client::from_conf(config.build()), "key".to_owned(), None)
    }

    /// Whether what was opened for a workspace is remembered.
    fn knows(key: &TokenKey, installation: &str) -> bool {
        let found = key.remembered(Place { installation, holder: "BOT" }, b"sealed");
        found.inspect(|secret| assert_eq!(secret.expose_secret(), installation.as_bytes())).is_some()
    }

    fn open(key: &TokenKey, installation: &str) {
        key.remember(Place { installation, holder: "BOT" }, b"sealed", installation.as_bytes().to_vec().into());
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_a_thousand_secrets_the_oldest_is_forgotten_and_no_other() {
        let key = key();
        let name = |number: usize| format!("T#T{number:04}");
        for number in 0..REMEMBERED {
            open(&key, &name(number));
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        // One that is there takes no place of another.
        open(&key, &name(0));
        assert!((0..REMEMBERED).all(|number| knows(&key, &name(number))));
        open(&key, "T#TNEW");
        assert!(knows(&key, "T#TNEW") && !knows(&key, &name(1)));
        assert!((0..REMEMBERED).filter(|number| *number != 1).all(|number| knows(&key, &name(number))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_is_forgotten_after_an_hour_and_its_memory_freed_with_the_next() {
        let key = key();
        open(&key, "T#TOLD");
        tokio::time::advance(REMEMBERED_FOR - Duration::from_millis(1)).await;
        assert!(knows(&key, "T#TOLD"));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!knows(&key, "T#TOLD"));
        open(&key, "T#TNEW");
        assert_eq!(key.opened.borrow().len(), 1);
    }
}
