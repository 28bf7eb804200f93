//! What goes wrong on request: refusals and delays of the Web API, duplicates and disorder of deliveries.
//! Invariant: without a fault set here, nothing fails that Slack would let pass.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All faults in force. Setting replaces all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// By Web API method; `response_url` names calls of response URLs.
    pub web_api: BTreeMap<String, WebApiFault>,
    /// Of everything sent to the app.
    pub deliveries: DeliveryFaults,
}

/// A fault of one Web API method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebApiFault {
    /// Slack's name of the error, answered with `ok: false`. The call has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// An HTTP status instead of 200. The call has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Seconds in `Retry-After`; the status is then 429 unless another is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Milliseconds before the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// How many calls it strikes; without it, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// Faults of deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryFaults {
    /// Extra copies of each event, sent at the same time.
    pub duplicate: u32,
    /// Milliseconds before each first attempt.
    pub delay_ms: u64,
    /// Events change places in pairs: one is held back until the next was sent, or for half a second.
    pub reorder: bool,
}

impl Faults {
    /// The fault that strikes this call of `method`, counted off.
    pub(crate) fn strike(&mut self, method: &str) -> Option<WebApiFault> {
        let fault = self.web_api.get_mut(method)?;
        match &mut fault.times {
            Some(0) => None,
            Some(times) => {
                *times -= 1;
                Some(fault.clone())
            }
            None => Some(fault.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_it_says() {
        let mut faults: Faults =
            serde_json::from_str(r#"{"web_api":{"chat.postMessage":{"error":"internal_error","times":2}}}"#).unwrap();
        assert!(faults.strike("chat.postMessage").is_some());
        assert!(faults.strike("chat.postMessage").is_some());
        assert_eq!(faults.strike("chat.postMessage"), None);
        assert_eq!(faults.strike("auth.test"), None);
    }

    #[test]
    fn a_misspelt_fault_is_refused() {
        assert!(serde_json::from_str::<Faults>(r#"{"web_api":{"auth.test":{"eror":"x"}}}"#).is_err());
    }
}
