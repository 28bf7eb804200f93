//! Systems Manager's Parameter Store in memory: text and SecureStrings by name, the latest version of each.
//! Not here: the rest of Systems Manager; older versions, labels, paths, policies, the advanced tier.
//! Invariant: of a SecureString only KMS's ciphertext is kept, bound to the parameter's ARN, so one read without decryption is of no use.
//! Sources: <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html>

mod error;
pub(crate) mod wire;

use crate::kms::{EncryptionContext, Kms, KmsError};
use crate::{ACCOUNT, Clock, REGION};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use error::SsmError;

/// The most that a standard parameter holds, in bytes.
pub const VALUE_BYTES_MAX: usize = 4096;
const NAME_CHARACTERS_MAX: usize = 1011;
const LEVELS_MAX: usize = 15;

/// The parameters of the account. Clones share them.
#[derive(Clone)]
pub struct Ssm(Arc<Shared>);

struct Shared {
    clock: Clock,
    kms: Kms,
    parameters: Mutex<BTreeMap<String, Parameter>>,
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    String,
    StringList,
    SecureString,
}

/// One parameter. Of a SecureString `value` is the ciphertext in base64.
#[derive(Clone)]
struct Parameter {
    kind: Kind,
    value: String,
    version: u64,
    modified_ms: u64,
}

/// A parameter to be put.
struct NewParameter<'a> {
    name: &'a str,
    value: &'a SecretString,
    /// Needed unless the parameter exists.
    kind: Option<Kind>,
    /// The key of a SecureString; SSM's own where none is named.
    key: Option<&'a str>,
    overwrite: bool,
}

impl Ssm {
    pub(crate) fn new(clock: Clock, kms: Kms) -> Self {
        Self(Arc::new(Shared { clock, kms, parameters: Mutex::default() }))
    }

    /// Sets a SecureString under SSM's own key, in place of what it held, and answers its version.
    ///
    /// # Errors
    /// [`SsmError::Validation`] for a name or a length that SSM refuses; [`SsmError::HierarchyTypeMismatch`] where the parameter is none;
    /// [`SsmError::InvalidKeyId`] where its key is switched off.
    pub fn put(&self, name: &str, value: SecretString) -> Result<u64, SsmError> {
        self.set(&NewParameter { name, value: &value, kind: Some(Kind::SecureString), key: None, overwrite: true })
    }

    fn set(&self, new: &NewParameter<'_>) -> Result<u64, SsmError> {
        let name = new.name;
        check_name(name)?;
        let length = new.value.expose_secret().len();
        if !(1..=VALUE_BYTES_MAX).contains(&length) {
            return Err(SsmError::Validation(format!(
                "A standard parameter holds 1 to {VALUE_BYTES_MAX} bytes, not {length}."
            )));
        }
        let mut parameters = self.lock();
        let before = parameters.get(name);
        if before.is_some() && !new.overwrite {
            return Err(SsmError::ParameterAlreadyExists(name.to_owned()));
        }
        if before.zip(new.kind).is_some_and(|(before, kind)| before.kind != kind) {
            return Err(SsmError::HierarchyTypeMismatch(name.to_owned()));
        }
        let kind = new.kind.or_else(|| before.map(|before| before.kind)).ok_or_else(|| {
            SsmError::Validation("A parameter type is required when you create a parameter.".to_owned())
        })?;
        let value = match kind {
            Kind::SecureString => self.encrypted(new)?,
            Kind::String | Kind::StringList => new.value.expose_secret().to_owned(),
        };
        let version = before.map_or(1, |before| before.version + 1);
        let parameter = Parameter { kind, value, version, modified_ms: self.0.clock.now_ms() };
        parameters.insert(name.to_owned(), parameter);
        Ok(version)
    }

    /// The parameter as it is kept, with the name it is kept under.
    fn find(&self, name_or_arn: &str) -> Result<(String, Parameter), SsmError> {
        let name = name_of(name_or_arn);
        let found = self.lock().get(name).cloned();
        found
            .map(|parameter| (name.to_owned(), parameter))
            .ok_or_else(|| SsmError::ParameterNotFound(name_or_arn.to_owned()))
    }

    fn encrypted(&self, new: &NewParameter<'_>) -> Result<String, SsmError> {
        let kms = &self.0.kms;
        let key = new.key.map_or_else(|| kms.aws_managed_key("ssm"), |key| Ok(key.to_owned()));
        let encrypted =
            key.and_then(|key| kms.encrypt(&key, new.value.expose_secret().as_bytes(), &context_of(new.name)));
        Ok(BASE64.encode(encrypted.map_err(SsmError::InvalidKeyId)?.blob))
    }

    fn decrypted(&self, name: &str, parameter: &Parameter) -> Result<String, SsmError> {
        if parameter.kind != Kind::SecureString {
            return Ok(parameter.value.clone());
        }
        let blob = BASE64.decode(&parameter.value).map_err(|_| KmsError::InvalidCiphertext);
        let plaintext = blob.and_then(|blob| self.0.kms.decrypt(None, &blob, &context_of(name)));
        let text = plaintext.and_then(|(text, _)| String::from_utf8(text).map_err(|_| KmsError::InvalidCiphertext));
        text.map_err(SsmError::InvalidKeyId)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Parameter>> {
        self.0.parameters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a SecureString's ciphertext is bound to.
fn context_of(name: &str) -> EncryptionContext {
    EncryptionContext::from([("PARAMETER_ARN".to_owned(), arn(name))])
}

/// A name with levels begins with a slash, which the ARN has once.
fn arn(name: &str) -> String {
    format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{}", name.strip_prefix('/').unwrap_or(name))
}

/// The name in an ARN of this account; anything else is a name already.
fn name_of(name_or_arn: &str) -> &str {
    let prefix = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter");
    match name_or_arn.strip_prefix(&prefix) {
        // Only a name with levels has its leading slash.
        Some(name) if name.matches('/').count() == 1 => name.trim_start_matches('/'),
        Some(name) => name,
        None => name_or_arn,
    }
}

fn check_name(name: &str) -> Result<(), SsmError> {
    let good = |character: char| character.is_ascii_alphanumeric() || "_.-/".contains(character);
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    let levels = name.trim_start_matches('/').split('/');
    if first.is_empty()
        || name.len() > NAME_CHARACTERS_MAX
        || !name.chars().all(good)
        || levels.clone().any(str::is_empty)
        || levels.count() > LEVELS_MAX
        || (name.contains('/') && !name.starts_with('/'))
        || first.starts_with("aws")
        || first.starts_with("ssm")
    {
        return Err(SsmError::Validation(format!("{name} is no name that a parameter can have.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssm() -> Ssm {
        let clock = Clock::system();
        Ssm::new(clock.clone(), Kms::new(clock))
    }

    #[test]
    fn the_names_that_aws_documents_as_good_and_bad_are_told_apart() {
        for good in ["MyParameter", "/Dev/Production/East/Project-ABC/MyParameter", "a.b_c-9", "/tack/secrets"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        let deep = "/x".repeat(16);
        for bad in
            ["", "/", "a b", "a/b", "awsTestParameter", "/aws/testparam1", "/SSM/p", "a:1", "/a//b", "/a/", &deep]
        {
            assert!(matches!(check_name(bad), Err(SsmError::Validation(_))), "{bad}");
        }
    }

    #[test]
    fn a_parameter_is_found_by_its_arn() {
        let ssm = ssm();
        for (name, arn) in [
            ("/tack/secrets", "arn:aws:ssm:us-east-1:000000000000:parameter/tack/secrets"),
            ("secrets", "arn:aws:ssm:us-east-1:000000000000:parameter/secrets"),
        ] {
            ssm.put(name, SecretString::from("{}")).unwrap();
            assert_eq!(super::arn(name), arn);
            assert_eq!(ssm.find(arn).map(|(name, _)| name).as_deref(), Ok(name));
        }
    }

    #[test]
    fn a_secure_string_is_kept_encrypted_and_under_its_own_name_only() {
        let ssm = ssm();
        assert_eq!(ssm.put("/tack/secrets", SecretString::from("canary")), Ok(1));
        assert_eq!(ssm.put("/tack/secrets", SecretString::from("canary")), Ok(2));
        let (name, parameter) = ssm.find("/tack/secrets").unwrap();
        assert!(!parameter.value.contains("canary") && !parameter.value.contains(&BASE64.encode("canary")));
        assert_eq!(ssm.decrypted(&name, &parameter).as_deref(), Ok("canary"));
        let moved = ssm.decrypted("/other/secrets", &parameter);
        assert_eq!(moved, Err(SsmError::InvalidKeyId(KmsError::InvalidCiphertext)));
    }
}
