//! Reading Slack's JSON without ever failing: a field that is absent, null or of another shape is empty.

use serde_json::Value;

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
