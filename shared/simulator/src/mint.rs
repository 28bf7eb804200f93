//! Makes ids, stamps and hashes in Slack's forms. Invariant: nothing is handed out twice in the life of a process, not even after a reset.

use std::time::Duration;

/// Where new ids come from.
#[derive(Default)]
pub(crate) struct Mint {
    last_ts_micros: u128,
}

impl Mint {
    /// A message stamp, `1795511642.118000`: strictly later than the one before.
    pub(crate) fn ts(&mut self, now: Duration) -> String {
        let micros = now.as_micros().max(self.last_ts_micros + 1);
        self.last_ts_micros = micros;
        format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

/// `prefix`, then `length` upper-case letters and digits.
pub(crate) fn id(prefix: &str, length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    spell(prefix, length, ALPHABET)
}

/// A generated `block_id` or `action_id`.
pub(crate) fn block_kit_id() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstvwxyzABCDEFGHJK";
    spell("", 5, ALPHABET)
}

/// A `trigger_id`, `1795511800001.1795500000.0123…`.
pub(crate) fn trigger_id(now: Duration) -> String {
    format!("{}.{}.{}", now.as_millis(), now.as_secs() % 10_000_000_000, opaque())
}

/// A view's `hash`, `1795511790.k3Jd82mQ`.
pub(crate) fn view_hash(now: Duration) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstvwxyzABCDEFGHJK";
    spell(&format!("{}.", now.as_secs()), 8, ALPHABET)
}

/// 32 hexadecimal digits nobody can guess.
pub(crate) fn opaque() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn spell(prefix: &str, length: usize, alphabet: &[u8; 32]) -> String {
    let mut text = prefix.to_owned();
    // A version 4 uuid has fixed bits in two of its bytes; the others are random.
    let random = uuid::Uuid::new_v4();
    let bytes = random.as_bytes().iter().enumerate().filter(|(at, _)| *at != 6 && *at != 8);
    for (_, byte) in bytes.take(length) {
        text.push(char::from(alphabet[usize::from(byte & 31)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_stamps_of_one_instant_differ_and_rise() {
        let mut mint = Mint::default();
        let now = Duration::from_micros(1_795_511_642_118_000);
        assert_eq!(mint.ts(now), "1795511642.118000");
        assert_eq!(mint.ts(now), "1795511642.118001");
    }

    #[test]
    fn ids_have_slacks_form() {
        let id = id("Ev", 9);
        assert!(id.starts_with("Ev") && id.len() == 11, "{id}");
        assert!(id[2..].chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()), "{id}");
    }
}
