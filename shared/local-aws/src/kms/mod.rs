//! KMS in memory: symmetric keys with aliases, and what they encrypt under an encryption context.
//! Not here: key policies and grants, rotation, deletion, asymmetric keys; persistence (a key ends with the process).
//! Invariant: what was encrypted under one context is decrypted under no other, and a plaintext is kept nowhere.
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/>

mod error;
mod key;
pub(crate) mod wire;

use crate::{ACCOUNT, Clock, REGION};
use key::{Ciphertext, Key};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

pub use error::KmsError;

/// The most that `Encrypt` takes, in bytes.
const PLAINTEXT_BYTES_MAX: usize = 4096;
/// The most that `Decrypt` takes, in bytes.
const CIPHERTEXT_BYTES_MAX: usize = 6144;
const ALIAS_CHARACTERS_MAX: usize = 256;
/// What AWS's own services call their keys.
const RESERVED_ALIAS: &str = "alias/aws/";

/// Names and values that a ciphertext is bound to.
pub(crate) type EncryptionContext = BTreeMap<String, String>;

/// The keys of the account. Clones share them. Everywhere `key` is a key's id, its ARN, an alias such as `alias/tokens`, or an alias's ARN.
#[derive(Clone)]
pub struct Kms(Arc<Shared>);

struct Shared {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: BTreeMap<Uuid, Key>,
    aliases: BTreeMap<String, Uuid>,
}

/// What was encrypted, and by which key.
pub(crate) struct Encrypted {
    pub(crate) blob: Vec<u8>,
    pub(crate) key_arn: String,
}

impl Kms {
    pub(crate) fn new(clock: Clock) -> Self {
        Self(Arc::new(Shared { clock, state: Mutex::default() }))
    }

    /// Makes a symmetric key and answers its ARN.
    ///
    /// # Errors
    /// [`KmsError::Internal`] where this machine gives no randomness.
    pub fn create_key(&self, description: &str) -> Result<String, KmsError> {
        let key = Key::new(description, self.0.clock.now_ms(), false)?;
        Ok(key_arn(self.lock().insert(key)))
    }

    /// Gives a key, named by its id or ARN, an alias, which begins with `alias/`.
    ///
    /// # Errors
    /// [`KmsError::InvalidAliasName`], [`KmsError::AlreadyExists`], [`KmsError::NotFound`]; [`KmsError::Validation`] for an alias of an alias.
    pub fn create_alias(&self, alias: &str, key: &str) -> Result<(), KmsError> {
        let name = alias.strip_prefix("alias/").unwrap_or_default();
        let good = |character: char| character.is_ascii_alphanumeric() || "/_-".contains(character);
        if name.is_empty()
            || alias.len() > ALIAS_CHARACTERS_MAX
            || !name.chars().all(good)
            || alias.starts_with(RESERVED_ALIAS)
        {
            return Err(KmsError::InvalidAliasName(alias.to_owned()));
        }
        if last_part(key).starts_with("alias/") {
            return Err(KmsError::Validation(
                "Value at 'targetKeyId' must be a key's id or ARN, not an alias".to_owned(),
            ));
        }
        let mut state = self.lock();
        let id = state.find(key)?.id;
        if state.aliases.contains_key(alias) {
            return Err(KmsError::AlreadyExists(alias.to_owned()));
        }
        state.aliases.insert(alias.to_owned(), id);
        Ok(())
    }

    /// Switches a key off: until [`Self::enable_key`] it neither encrypts nor decrypts.
    ///
    /// # Errors
    /// [`KmsError::NotFound`].
    pub fn disable_key(&self, key: &str) -> Result<(), KmsError> {
        self.set_enabled(key, false)
    }

    /// Switches a key on again.
    ///
    /// # Errors
    /// [`KmsError::NotFound`].
    pub fn enable_key(&self, key: &str) -> Result<(), KmsError> {
        self.set_enabled(key, true)
    }

    /// A key's ARN.
    ///
    /// # Errors
    /// [`KmsError::NotFound`].
    pub fn key_arn(&self, key: &str) -> Result<String, KmsError> {
        self.lock().find(key).map(|key| key_arn(key.id))
    }

    /// The alias of the key that `service` of AWS has for its own use; the key is made at its first use.
    pub(crate) fn aws_managed_key(&self, service: &str) -> Result<String, KmsError> {
        let alias = format!("{RESERVED_ALIAS}{service}");
        let created_ms = self.0.clock.now_ms();
        let mut state = self.lock();
        if !state.aliases.contains_key(&alias) {
            let id =
                state.insert(Key::new(&format!("Default key that protects what {service} keeps"), created_ms, true)?);
            state.aliases.insert(alias.clone(), id);
        }
        Ok(alias)
    }

    /// Encrypts 1 to 4096 bytes.
    pub(crate) fn encrypt(
        &self,
        key: &str,
        plaintext: &[u8],
        context: &EncryptionContext,
    ) -> Result<Encrypted, KmsError> {
        check_length("plaintext", plaintext.len(), PLAINTEXT_BYTES_MAX)?;
        let state = self.lock();
        let key = usable(state.find(key)?)?;
        Ok(Encrypted { blob: key.seal(plaintext, context)?, key_arn: key_arn(key.id) })
    }

    /// Answers the plaintext and the ARN of the key that made `blob`. With `key` it must have been that one.
    pub(crate) fn decrypt(
        &self,
        key: Option<&str>,
        blob: &[u8],
        context: &EncryptionContext,
    ) -> Result<(Vec<u8>, String), KmsError> {
        check_length("ciphertextBlob", blob.len(), CIPHERTEXT_BYTES_MAX)?;
        let ciphertext = Ciphertext::read(blob).ok_or(KmsError::InvalidCiphertext)?;
        let state = self.lock();
        if let Some(key) = key
            && state.find(key)?.id != ciphertext.key_id
        {
            return Err(KmsError::IncorrectKey);
        }
        let key = usable(state.keys.get(&ciphertext.key_id).ok_or(KmsError::AccessDenied)?)?;
        Ok((key.open(&ciphertext, context)?, key_arn(key.id)))
    }

    fn set_enabled(&self, key: &str, enabled: bool) -> Result<(), KmsError> {
        let mut state = self.lock();
        let id = state.find(key)?.id;
        if let Some(key) = state.keys.get_mut(&id) {
            key.enabled = enabled;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn insert(&mut self, key: Key) -> Uuid {
        let id = key.id;
        self.keys.insert(id, key);
        id
    }

    fn find(&self, key: &str) -> Result<&Key, KmsError> {
        let missing = || KmsError::NotFound(format!("Key or alias {key}"));
        let foreign = key.starts_with("arn:") && !key.starts_with(&format!("arn:aws:kms:{REGION}:{ACCOUNT}:"));
        let name = last_part(key);
        let id = match self.aliases.get(name) {
            Some(id) => Some(*id),
            None => Uuid::parse_str(name).ok(),
        };
        id.filter(|_| !foreign).and_then(|id| self.keys.get(&id)).ok_or_else(missing)
    }
}

/// The key if it is switched on.
fn usable(key: &Key) -> Result<&Key, KmsError> {
    if key.enabled { Ok(key) } else { Err(KmsError::Disabled(key_arn(key.id))) }
}

/// The id, or the alias with its `alias/`, at the end of a key's name in whatever form.
fn last_part(key: &str) -> &str {
    let resource = key.rsplit(':').next().unwrap_or(key);
    resource.strip_prefix("key/").unwrap_or(resource)
}

fn key_arn(id: Uuid) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}")
}

fn check_length(member: &str, length: usize, max: usize) -> Result<(), KmsError> {
    let (bound, limit) = match length {
        0 => ("greater", 1),
        length if length > max => ("less", max),
        _ => return Ok(()),
    };
    Err(KmsError::Validation(format!(
        "Value at '{member}' failed to satisfy constraint: Member must have length {bound} than or equal to {limit}"
    )))
}
