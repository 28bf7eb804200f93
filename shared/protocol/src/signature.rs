//! Request signatures: HMAC-SHA256 over `v0:{timestamp}:{body}`, hex, prefixed `v0=`.
//! Works on the raw bytes; nothing parses a body before it passed here (but see `ssl_check`).
//! Source: <https://docs.slack.dev/authentication/verifying-requests-from-slack/>

use crate::time::EpochSeconds;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use thiserror::Error;

/// How far a timestamp may lie from now, in seconds, in either direction. Slack's page names five minutes.
pub const TIMESTAMP_TOLERANCE_SECONDS: u64 = 300;

/// The signing secrets that are accepted: one, or two while a secret is being changed. Cannot be printed.
#[derive(Clone)]
pub struct SigningSecrets(Vec<SecretString>);

impl SigningSecrets {
    /// Reads one or more secrets, separated by commas. Blanks around them are dropped.
    ///
    /// # Errors
    /// `None` when no secret is left: an empty key would make every signature forgeable.
    pub fn parse(text: &str) -> Option<Self> {
        let secrets: Vec<SecretString> =
            text.split(',').map(str::trim).filter(|secret| !secret.is_empty()).map(SecretString::from).collect();
        (!secrets.is_empty()).then_some(Self(secrets))
    }
}

impl std::fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningSecrets({} hidden)", self.0.len())
    }
}

/// Why a request is not believed to come from Slack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// One of the two headers is not there.
    #[error("header {0} is missing")]
    Missing(&'static str),
    /// A header came more than once, so it is not clear which one was meant.
    #[error("header {0} came more than once")]
    Repeated(&'static str),
    /// The timestamp is not a plain number of seconds.
    #[error("the timestamp is not a number of seconds")]
    BadTimestamp,
    /// The timestamp is more than 300 seconds old.
    #[error("the timestamp is more than 300 seconds old")]
    Stale,
    /// The timestamp is more than 300 seconds ahead.
    #[error("the timestamp is more than 300 seconds ahead of this clock")]
    Future,
    /// The signature is not `v0=` and 64 hexadecimal digits in lower case.
    #[error("the signature is not of the form v0=…")]
    Malformed,
    /// None of the secrets made this signature.
    #[error("the signature does not match any configured signing secret")]
    Mismatch,
}

impl SignatureError {
    /// A short name for logs and metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing(_) => "header_missing",
            Self::Repeated(_) => "header_repeated",
            Self::BadTimestamp => "bad_timestamp",
            Self::Stale => "stale_timestamp",
            Self::Future => "future_timestamp",
            Self::Malformed => "malformed_signature",
            Self::Mismatch => "signature_mismatch",
        }
    }
}

fn mac(secret: &SecretString, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(b"v0:");
    mac.update(timestamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    mac
}

/// Signs a body the way Slack does, with the first of the secrets; for the tools that send signed requests by hand.
pub fn sign(secrets: &SigningSecrets, timestamp: EpochSeconds, body: &[u8]) -> String {
    let tag = secrets.0.first().map(|secret| mac(secret, &timestamp.0.to_string(), body).finalize().into_bytes());
    format!("v0={}", tag.map(hex::encode).unwrap_or_default())
}

/// Checks timestamp and signature. The comparison takes the same time wherever the first difference lies.
pub(crate) fn verify(
    secrets: &SigningSecrets,
    now: EpochSeconds,
    timestamp: &str,
    signature: &str,
    body: &[u8],
) -> Result<(), SignatureError> {
    // `parse` alone would take "+1531420618" as well.
    if timestamp.is_empty() || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SignatureError::BadTimestamp);
    }
    let sent: u64 = timestamp.parse().map_err(|_| SignatureError::BadTimestamp)?;
    if now.0.saturating_sub(sent) > TIMESTAMP_TOLERANCE_SECONDS {
        return Err(SignatureError::Stale);
    }
    if sent.saturating_sub(now.0) > TIMESTAMP_TOLERANCE_SECONDS {
        return Err(SignatureError::Future);
    }
    let digits = signature
        .strip_prefix("v0=")
        // Slack writes lower case; taking both would give one request many signatures that all hold.
        .filter(|digits| !digits.bytes().any(|b| b.is_ascii_uppercase()))
        .ok_or(SignatureError::Malformed)?;
    let tag: [u8; 32] =
        hex::decode(digits).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(SignatureError::Malformed)?;
    let mut matches = false;
    for secret in &secrets.0 {
        matches |= mac(secret, timestamp, body).verify_slice(&tag).is_ok();
    }
    if matches { Ok(()) } else { Err(SignatureError::Mismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example on Slack's page.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIMESTAMP: &str = "1531420618";
    const SENT: EpochSeconds = EpochSeconds(1_531_420_618);
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn secrets(text: &str) -> SigningSecrets {
        SigningSecrets::parse(text).expect("a secret")
    }

    fn check(text: &str, now: u64) -> Result<(), SignatureError> {
        verify(&secrets(text), EpochSeconds(now), TIMESTAMP, SIGNATURE, BODY.as_bytes())
    }

    #[test]
    fn slacks_published_example_is_signed_and_believed() {
        assert_eq!(sign(&secrets(SECRET), SENT, BODY.as_bytes()), SIGNATURE);
        assert_eq!(check(SECRET, SENT.0), Ok(()));
    }

    #[test]
    fn a_timestamp_is_believed_up_to_300_seconds_on_either_side() {
        use SignatureError::{Future, Stale};
        assert_eq!(TIMESTAMP_TOLERANCE_SECONDS, 300);
        // How far this clock is ahead of Slack's timestamp.
        for (ahead, expected) in [
            (-86_400, Err(Future)),
            (-301, Err(Future)),
            (-300, Ok(())),
            (-299, Ok(())),
            (-1, Ok(())),
            (0, Ok(())),
            (1, Ok(())),
            (299, Ok(())),
            (300, Ok(())),
            (301, Err(Stale)),
            (86_400, Err(Stale)),
        ] {
            let now = SENT.0.checked_add_signed(ahead).expect("a time");
            assert_eq!(check(SECRET, now), expected, "{ahead} s");
        }
    }

    #[test]
    fn the_window_holds_at_both_ends_of_time() {
        let at = |now: u64, timestamp: u64| {
            let secrets = secrets(SECRET);
            let signature = sign(&secrets, EpochSeconds(timestamp), b"{}");
            verify(&secrets, EpochSeconds(now), &timestamp.to_string(), &signature, b"{}")
        };
        assert_eq!(at(0, 0), Ok(()));
        assert_eq!(at(0, 300), Ok(()));
        assert_eq!(at(0, 301), Err(SignatureError::Future));
        assert_eq!(at(300, 0), Ok(()));
        assert_eq!(at(301, 0), Err(SignatureError::Stale));
        assert_eq!(at(u64::MAX, u64::MAX), Ok(()));
        assert_eq!(at(u64::MAX, 0), Err(SignatureError::Stale));
        assert_eq!(at(0, u64::MAX), Err(SignatureError::Future));
    }

    #[test]
    fn while_a_secret_is_changed_the_old_and_the_new_one_are_believed() {
        for (text, expected) in [
            ("8f742231b10e8888abcd99yyyzzz85a5", Ok(())),
            ("new,8f742231b10e8888abcd99yyyzzz85a5", Ok(())),
            ("8f742231b10e8888abcd99yyyzzz85a5,new", Ok(())),
            (" new , 8f742231b10e8888abcd99yyyzzz85a5\n", Ok(())),
            (",,8f742231b10e8888abcd99yyyzzz85a5,", Ok(())),
            ("old,8f742231b10e8888abcd99yyyzzz85a5,new", Ok(())),
            ("new", Err(SignatureError::Mismatch)),
            ("new,newer", Err(SignatureError::Mismatch)),
            ("8F742231B10E8888ABCD99YYYZZZ85A5", Err(SignatureError::Mismatch)),
            ("8f742231b10e8888abcd99yyyzzz85a", Err(SignatureError::Mismatch)),
            ("8f742231b10e8888 abcd99yyyzzz85a5", Err(SignatureError::Mismatch)),
        ] {
            assert_eq!(check(text, SENT.0), expected, "{text}");
        }
    }

    #[test]
    fn the_first_secret_signs() {
        let rotating = secrets("8f742231b10e8888abcd99yyyzzz85a5,new");
        assert_eq!(sign(&rotating, SENT, BODY.as_bytes()), SIGNATURE);
        assert_ne!(sign(&secrets("new,8f742231b10e8888abcd99yyyzzz85a5"), SENT, BODY.as_bytes()), SIGNATURE);
    }

    #[test]
    fn no_secret_is_no_secrets() {
        for text in ["", " ", ",", " , ,\t", "\n", ",,,,"] {
            assert!(SigningSecrets::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn secrets_do_not_show_when_printed() {
        let printed = format!("{:?} {:#?}", secrets("abcdef,ghijkl"), secrets("abcdef"));
        assert!(!printed.contains("abcdef") && !printed.contains("ghijkl"), "{printed}");
    }

    #[test]
    fn every_reason_has_a_name_of_its_own_and_a_text_without_what_was_sent() {
        let all = [
            SignatureError::Missing("x-slack-signature"),
            SignatureError::Repeated("x-slack-signature"),
            SignatureError::BadTimestamp,
            SignatureError::Stale,
            SignatureError::Future,
            SignatureError::Malformed,
            SignatureError::Mismatch,
        ];
        let codes: std::collections::HashSet<_> = all.iter().map(|error| error.code()).collect();
        assert_eq!(codes.len(), all.len());
        assert!(codes.iter().all(|code| { code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') }));
    }
}
