//! How a control names its element in a form, and how the server of the pages reads that name again.
//! What a value looks like inside Slack's payloads is the simulator's matter. Invariant: whatever an id holds, its key is
//! made of unreserved characters, `%` and one `/` between the parts.
//! Source: <https://www.rfc-editor.org/rfc/rfc3986#section-2.3>

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(crate) fn enc(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The name of an element in a form: `enc(block_id)/enc(action_id)`.
pub(crate) fn key(block_id: &str, action_id: &str) -> String {
    format!("{}/{}", enc(block_id), enc(action_id))
}

/// What a key says: which element, and which of its options for a menu whose choices are buttons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keyed {
    /// The block's id.
    pub(crate) block_id: String,
    /// The element's id.
    pub(crate) action_id: String,
    /// The value of the option that was pressed, for `overflow`.
    pub(crate) option: Option<String>,
}

/// Reads what [`key`] wrote, with or without `/enc(option value)` behind it. None if it is no such thing.
pub(crate) fn read_key(text: &str) -> Option<Keyed> {
    let mut parts = text.split('/').map(decode);
    let keyed = Keyed { block_id: parts.next()??, action_id: parts.next()??, option: parts.next().flatten() };
    // A third part that is no text, or a fourth one, was not written here.
    let expected = if keyed.option.is_some() { 3 } else { 2 };
    (text.split('/').count() == expected).then_some(keyed)
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_both_ids_whatever_they_contain() {
        assert_eq!(key("greeting", "button_click"), "greeting/button_click");
        assert_eq!(key("a/b", "ö \"<"), "a%2Fb/%C3%B6%20%22%3C");
    }

    #[test]
    fn a_key_is_read_back() {
        for (block_id, action_id) in [("a/b", "ö \"<\0"), ("", ""), ("100%", "%2F"), ("\"><img onerror>", "x")] {
            let keyed = Keyed { block_id: block_id.to_owned(), action_id: action_id.to_owned(), option: None };
            assert_eq!(read_key(&key(block_id, action_id)), Some(keyed.clone()));
            let with_option = format!("{}/{}", key(block_id, action_id), enc("un/it"));
            assert_eq!(read_key(&with_option), Some(Keyed { option: Some("un/it".to_owned()), ..keyed }));
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "alone", "a/b/c/d", "a/%2", "a/%zz", "a/%FF", "a/b/%FF", "%+f/a"] {
            assert_eq!(read_key(text), None, "{text}");
        }
    }
}
