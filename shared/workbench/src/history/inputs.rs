//! What the history is told, by whom it is told: the gateway, the queues, the functions' lines, the simulated Slack.

use crate::pages::block_kit::epoch_of;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

/// A request that the gateway answered.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// API Gateway's id of it.
    pub(crate) request_id: String,
    pub(crate) at_ms: u64,
    pub(crate) ms: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) status: u16,
    pub(crate) answer_headers: Vec<(String, String)>,
    pub(crate) answer_body: Bytes,
    /// Lambda's id of the invocation.
    pub(crate) invocation: Option<String>,
    /// Why there was no answer of the function's.
    pub(crate) problem: Option<String>,
}

impl Arrived {
    /// The value of a request header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A batch on its way to a worker.
#[derive(Clone, Debug)]
pub(crate) struct BatchBegan {
    pub(crate) invocation: String,
    pub(crate) function: String,
    pub(crate) at_ms: u64,
    pub(crate) messages: Vec<Message>,
}

/// A message of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) body: String,
}

/// A batch that is over.
#[derive(Clone, Debug)]
pub(crate) struct BatchEnded {
    pub(crate) invocation: String,
    pub(crate) at_ms: u64,
    /// Why the invocation has no answer.
    pub(crate) failure: Option<String>,
}

/// When the function wrote the line, in epoch milliseconds: it may have waited in a pipe since.
pub(crate) fn stamp(line: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Stamped<'a> {
        timestamp: &'a str,
    }
    // 2026-11-24T09:14:02.118123Z, as tracing-subscriber writes it.
    let stamped = serde_json::from_str::<Stamped<'_>>(line).ok()?.timestamp;
    let minutes = u64::try_from(epoch_of(stamped.get(..16)?)?).ok()?;
    let seconds: f64 = stamped.get(17..)?.strip_suffix('Z')?.parse().ok()?;
    let seconds = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    Some(minutes * 1_000 + u64::try_from(seconds.as_millis()).ok()?)
}

/// A header in the forms the simulated Slack shows headers in: an object, or a list of pairs.
pub(super) fn header(headers: &Value, name: &str) -> Option<String> {
    match headers {
        Value::Object(fields) => fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?.1.as_str(),
        Value::Array(pairs) => {
            let pair = pairs.iter().find(|pair| pair[0].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name)));
            pair?[1].as_str()
        }
        _ => None,
    }
    .map(str::to_owned)
}

/// The texts of a list.
pub(super) fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
