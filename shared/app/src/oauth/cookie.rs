//! What makes a browser known again, and a state unguessable: random names in cookies and addresses, hashes in the store.
//!
//! The cookies' `__Host-` prefix makes browsers refuse one that another host, or this one over plain HTTP, tries to plant.
//! Their path is `/`, so they work behind stages and base paths.
//! Sources: <https://www.rfc-editor.org/rfc/rfc9700#section-2.1>,
//! <https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes>

use crate::ports::Random;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// One per browser, shared by its tabs.
const BROWSER: &str = "__Host-tack-oauth";

/// Says that a callback without state was sent back to Slack once already.
const RESTARTED: &str = "__Host-tack-oauth-restarted";

/// As long as a state lives, in seconds.
pub(super) const LIFE_SECONDS: u64 = 600;

/// 256 bits in base64url.
const NAME_BYTES: usize = 43;

/// A random name of 256 bits.
pub(super) fn fresh(random: &dyn Random) -> SecretString {
    let mut hash = Sha256::new();
    // A draw has 122 bits at least: three hold more than the hash gives.
    for _ in 0..3 {
        hash.update(random.bits().to_be_bytes());
    }
    BASE64_URL.encode(hash.finalize()).into()
}

/// The name by which it is kept: its SHA-256 in hex.
pub(super) fn hash(name: &SecretString) -> String {
    hex::encode(Sha256::digest(name.expose_secret().as_bytes()))
}

/// Whether it could be one of ours.
pub(super) fn is_name(text: &str) -> bool {
    text.len() == NAME_BYTES && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The browser's name, if it sent one that could be ours. `cookies` are `Cookie` headers, or parts of them.
pub(super) fn browser(cookies: &[String]) -> Option<SecretString> {
    values(cookies, BROWSER).find(|value| is_name(value)).map(SecretString::from)
}

/// Whether this browser was sent back to Slack for a missing state already.
pub(super) fn was_restarted(cookies: &[String]) -> bool {
    values(cookies, RESTARTED).next().is_some()
}

/// The header that makes a browser keep its name.
pub(super) fn keep_browser(name: &SecretString) -> String {
    set(BROWSER, name.expose_secret(), LIFE_SECONDS)
}

/// The header that makes a browser remember that it was sent back.
pub(super) fn keep_restarted() -> String {
    set(RESTARTED, "1", LIFE_SECONDS)
}

/// The header that makes a browser forget it again.
pub(super) fn forget_restarted() -> String {
    set(RESTARTED, "", 0)
}

fn set(name: &str, value: &str, seconds: u64) -> String {
    format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
}

fn values<'a>(cookies: &'a [String], wanted: &'static str) -> impl Iterator<Item = &'a str> {
    let pairs = cookies.iter().flat_map(|header| header.split(';')).filter_map(|cookie| cookie.split_once('='));
    pairs.filter(move |(name, _)| name.trim() == wanted).map(|(_, value)| value.trim())
}
