//! Reading Slack's JSON without ever failing: a field that is absent, null or of another shape is empty.

use serde_json::Value;

/// Reads JSON, null if it is none. Half an emoji (a surrogate alone) and bytes that are no UTF-8, which other languages let
/// pass, are replaced by U+FFFD rather than cost the whole delivery.
pub(crate) fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .or_else(|_| serde_json::from_str(&without_lone_surrogates(&String::from_utf8_lossy(bytes))))
        .unwrap_or(Value::Null)
}

/// The same JSON text with `\ud83d` and its like, where the other half is missing, turned into `\ufffd`.
fn without_lone_surrogates(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        let whole_pair = surrogate(rest, 0xD800).is_some()
            && rest.get(6..).is_some_and(|second| surrogate(second, 0xDC00).is_some());
        let taken = if whole_pair {
            12
        } else if surrogate(rest, 0xD800).or(surrogate(rest, 0xDC00)).is_some() {
            clean.push_str("\\ufffd");
            rest = &rest[6..];
            continue;
        } else {
            // The backslash and what it escapes, which may be a backslash itself.
            rest.char_indices().nth(2).map_or(rest.len(), |(end, _)| end)
        };
        clean.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    clean.push_str(rest);
    clean
}

/// The surrogate of the 1024 from `first` that the text begins with, as an escape.
fn surrogate(text: &str, first: u32) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let unit = u32::from_str_radix(digits, 16).ok()?;
    (first..first + 0x400).contains(&unit).then_some(unit)
}

/// A text field, or `""`.
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A text field, owned, or `None` when absent or empty.
pub(crate) fn optional(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An identifier, or `None` when absent or empty.
pub(crate) fn id<T: for<'s> From<&'s str>>(value: &Value, name: &str) -> Option<T> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(T::from)
}
