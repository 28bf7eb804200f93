//! What a function's answer to a batch says of its messages. Pure.
//! Not here: deleting them ([`super`]).
//! Invariant: in doubt nothing is deleted.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use serde_json::Value;

/// Which messages of a batch failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchAnswer {
    /// None.
    Succeeded,
    /// These ids, in the order of the answer.
    Partial(Vec<String>),
    /// The answer cannot be understood, so all of them; the text says why.
    Malformed(String),
}

/// Reads the answer to a batch of these messages.
///
/// # Shape
/// `{"batchItemFailures": [{"itemIdentifier": "059f36b4-87a3-44ab-83d2-661975830a7d"}]}`. An answer that is empty, `null`, `{}`, or has a list that is empty or
/// `null` is a success. AWS documents that a bad identifier or key fails the whole batch; an object that has other keys only is taken for a misspelt one.
pub fn batch_answer(payload: &[u8], message_ids: &[&str]) -> BatchAnswer {
    if payload.is_empty() {
        return BatchAnswer::Succeeded;
    }
    match failures(payload, message_ids) {
        Ok(failed) if failed.is_empty() => BatchAnswer::Succeeded,
        Ok(failed) => BatchAnswer::Partial(failed),
        Err(reason) => BatchAnswer::Malformed(reason),
    }
}

fn failures(payload: &[u8], message_ids: &[&str]) -> Result<Vec<String>, String> {
    let answer = serde_json::from_slice::<Value>(payload).map_err(|_| "the answer is not JSON")?;
    let answer = match answer {
        Value::Null => return Ok(Vec::new()),
        Value::Object(answer) => answer,
        _ => return Err("the answer is no object".into()),
    };
    let items = match answer.get("batchItemFailures") {
        None if answer.is_empty() => return Ok(Vec::new()),
        None => return Err("the answer has no batchItemFailures".into()),
        Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err("batchItemFailures is no list".into()),
    };
    items.iter().map(|item| failure(item, message_ids)).collect()
}

fn failure(item: &Value, message_ids: &[&str]) -> Result<String, String> {
    match item.get("itemIdentifier") {
        None => Err("an item has no itemIdentifier".into()),
        Some(Value::String(id)) if message_ids.contains(&id.as_str()) => Ok(id.clone()),
        Some(other) => Err(format!("the itemIdentifier {other} is no message of the batch")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(payload: &str) -> BatchAnswer {
        batch_answer(payload.as_bytes(), &["m1", "m2", "m3"])
    }

    #[test]
    fn an_answer_without_failures_is_a_success() {
        for payload in ["", "null", "{}", r#"{"batchItemFailures": []}"#, r#"{"batchItemFailures": null}"#] {
            assert_eq!(answer(payload), BatchAnswer::Succeeded, "{payload}");
        }
    }

    #[test]
    fn named_messages_have_failed() {
        let payload = r#"{"batchItemFailures": [{"itemIdentifier": "m3"}, {"itemIdentifier": "m1", "more": 1}]}"#;
        assert_eq!(answer(payload), BatchAnswer::Partial(vec!["m3".into(), "m1".into()]));
    }

    #[test]
    fn an_answer_that_cannot_be_understood_fails_the_whole_batch() {
        for payload in [
            "not json",
            r#""ok""#,
            "[]",
            r#"{"statusCode": 200}"#,
            r#"{"batchItemFailures": "m1"}"#,
            r#"{"batchItemFailures": ["m1"]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": 1}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": "m4"}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": "m1"}, {"messageId": "m2"}]}"#,
        ] {
            assert!(matches!(answer(payload), BatchAnswer::Malformed(_)), "{payload}");
        }
    }
}
