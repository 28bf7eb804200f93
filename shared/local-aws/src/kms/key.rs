//! One symmetric key: its material, and the shape of what it encrypts.
//! Not here: names and aliases, and who may use the key.
//! Invariant: the material is random, made in this process and never leaves it, so a ciphertext is worth nothing after the run.
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html>

use super::{EncryptionContext, KmsError};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::rand::{SecureRandom as _, SystemRandom};
use uuid::Uuid;

/// The first byte of every ciphertext here.
const LAYOUT: u8 = 1;
const KEY_ID_LEN: usize = 16;

/// A key that encrypts and decrypts.
pub(super) struct Key {
    pub(super) id: Uuid,
    pub(super) description: String,
    pub(super) created_ms: u64,
    pub(super) enabled: bool,
    /// Made by a service of AWS for its own use, such as SSM's `alias/aws/ssm`.
    pub(super) aws_managed: bool,
    material: LessSafeKey,
}

impl Key {
    pub(super) fn new(description: &str, created_ms: u64, aws_managed: bool) -> Result<Self, KmsError> {
        let mut bytes = [0; 32];
        fill(&mut bytes)?;
        let material = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|Unspecified| KmsError::Internal)?;
        Ok(Self {
            id: Uuid::new_v4(),
            description: description.to_owned(),
            created_ms,
            enabled: true,
            aws_managed,
            material: LessSafeKey::new(material),
        })
    }

    /// The ciphertext: layout, key id, nonce, sealed text with its tag.
    pub(super) fn seal(&self, plaintext: &[u8], context: &EncryptionContext) -> Result<Vec<u8>, KmsError> {
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce)?;
        let mut sealed = plaintext.to_vec();
        self.material
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound(context)), &mut sealed)
            .map_err(|Unspecified| KmsError::Internal)?;
        let mut blob = vec![LAYOUT];
        blob.extend_from_slice(self.id.as_bytes());
        blob.extend_from_slice(&nonce);
        blob.append(&mut sealed);
        Ok(blob)
    }

    pub(super) fn open(&self, ciphertext: &Ciphertext<'_>, context: &EncryptionContext) -> Result<Vec<u8>, KmsError> {
        let nonce = Nonce::assume_unique_for_key(ciphertext.nonce);
        let mut sealed = ciphertext.sealed.to_vec();
        let plaintext = self.material.open_in_place(nonce, Aad::from(bound(context)), &mut sealed);
        plaintext.map(|plaintext| plaintext.to_vec()).map_err(|Unspecified| KmsError::InvalidCiphertext)
    }
}

/// A ciphertext taken apart, not yet known to be good.
pub(super) struct Ciphertext<'a> {
    pub(super) key_id: Uuid,
    nonce: [u8; NONCE_LEN],
    sealed: &'a [u8],
}

impl<'a> Ciphertext<'a> {
    /// `None` for what was never a ciphertext of KMS's.
    pub(super) fn read(blob: &'a [u8]) -> Option<Self> {
        let (layout, rest) = blob.split_first()?;
        let (key_id, rest) = rest.split_first_chunk::<KEY_ID_LEN>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let read = Self { key_id: Uuid::from_bytes(*key_id), nonce: *nonce, sealed };
        (*layout == LAYOUT && sealed.len() > AES_256_GCM.tag_len()).then_some(read)
    }
}

/// Fills `bytes` with this machine's randomness.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), KmsError> {
    SystemRandom::new().fill(bytes).map_err(|Unspecified| KmsError::Internal)
}

/// The encryption context as bytes: the pairs in order, each text behind its length, so that no two contexts share their bytes.
fn bound(context: &EncryptionContext) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in context.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn contexts_that_read_alike_when_joined_are_told_apart() {
        let alike = [
            context(&[]),
            context(&[("", "")]),
            context(&[("a", "bc")]),
            context(&[("ab", "c")]),
            context(&[("a", "b"), ("c", "d")]),
            context(&[("a", "bcd")]),
        ];
        let bytes: std::collections::BTreeSet<_> = alike.iter().map(bound).collect();
        assert_eq!(bytes.len(), alike.len());
    }

    #[test]
    fn one_plaintext_encrypts_to_another_ciphertext_each_time() {
        let key = Key::new("", 0, false).unwrap();
        let none = EncryptionContext::new();
        assert_ne!(key.seal(b"xoxb", &none), key.seal(b"xoxb", &none));
    }

    #[test]
    fn no_byte_of_a_ciphertext_can_be_changed_or_cut_off() {
        let key = Key::new("", 0, false).unwrap();
        let context = context(&[("team", "T1")]);
        let blob = key.seal(b"xoxb", &context).unwrap();
        let open = |blob: &[u8]| {
            let ciphertext = Ciphertext::read(blob).filter(|read| read.key_id == key.id);
            ciphertext.ok_or(KmsError::InvalidCiphertext).and_then(|read| key.open(&read, &context))
        };
        assert_eq!(open(&blob).unwrap(), b"xoxb");
        for index in 0..blob.len() {
            let mut changed = blob.clone();
            changed[index] ^= 1;
            assert_eq!(open(&changed), Err(KmsError::InvalidCiphertext), "byte {index}");
            assert_eq!(open(&blob[..index]), Err(KmsError::InvalidCiphertext), "cut at {index}");
        }
    }
}
