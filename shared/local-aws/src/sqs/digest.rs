//! The MD5 digests by which a sender checks that SQS understood it.
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation>

use super::MessageAttribute;
use md5::{Digest, Md5};
use std::collections::BTreeMap;

/// Hex MD5 of a body.
pub(super) fn md5_of_body(body: &str) -> String {
    hex::encode(Md5::digest(body.as_bytes()))
}

/// Hex MD5 of message attributes, which a `BTreeMap` holds in the order the algorithm wants; `None` if there are none.
pub(super) fn md5_of_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        field(&mut digest, name.as_bytes());
        field(&mut digest, attribute.data_type.as_bytes());
        match (&attribute.binary, &attribute.string) {
            (Some(binary), _) => {
                digest.update([2]);
                field(&mut digest, binary);
            }
            (None, string) => {
                digest.update([1]);
                field(&mut digest, string.as_deref().unwrap_or_default().as_bytes());
            }
        }
    }
    Some(hex::encode(digest.finalize()))
}

/// Four bytes of length, big endian, then the bytes.
fn field(digest: &mut Md5, bytes: &[u8]) {
    // A message is at most 1 MiB, so a length always fits.
    digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1321, appendix A.5.
    #[test]
    fn the_digest_of_a_body_is_plain_md5() {
        assert_eq!(md5_of_body("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
    }
}
