//! What goes wrong on request: refusals and delays of the Web API, duplicates and disorder of deliveries.
//! Invariant: without a fault set here, nothing fails that Slack would let pass.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All faults in force. Setting replaces all of them; one that has struck as often as it should is no longer here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// By Web API method; `response_url` names calls of response URLs, `*` every call that has no fault of its own.
    pub web_api: BTreeMap<String, WebApiFault>,
    /// Of everything sent to the app.
    pub deliveries: DeliveryFaults,
    /// Every call with the bot token answers `token_revoked`.
    pub token_revoked: bool,
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
    /// Every attempt is signed with another secret.
    pub bad_signature: bool,
    /// Every attempt is ten minutes old.
    pub stale: bool,
    /// How many deliveries they strike; without it, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

impl DeliveryFaults {
    /// What of it strikes a delivery, by the names of the fields.
    pub(crate) fn names(&self, is_event: bool) -> Vec<&'static str> {
        let all = [
            ("duplicate", is_event && self.duplicate > 0),
            ("delay_ms", self.delay_ms > 0),
            ("reorder", is_event && self.reorder),
            ("bad_signature", self.bad_signature),
            ("stale", self.stale),
        ];
        all.into_iter().filter(|(_, strikes)| *strikes).map(|(name, _)| name).collect()
    }
}

/// How often faults have struck since they were set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FaultsStruck {
    /// By the key of the fault in [`Faults::web_api`].
    pub web_api: BTreeMap<String, u64>,
    /// By the field of [`DeliveryFaults`].
    pub deliveries: BTreeMap<String, u64>,
    /// Calls that were answered `token_revoked`.
    pub token_revoked: u64,
}

/// The faults in force, and what they did.
#[derive(Default)]
pub(crate) struct Switchboard {
    faults: Faults,
    struck: FaultsStruck,
}

impl Switchboard {
    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn struck(&self) -> &FaultsStruck {
        &self.struck
    }

    /// Replaces all faults. What was in force before and still is goes on counting.
    pub(crate) fn set(&mut self, faults: Faults) {
        let old = std::mem::replace(&mut self.faults, faults);
        let new = &self.faults;
        self.struck.web_api.retain(|key, _| old.web_api.contains_key(key) && new.web_api.contains_key(key));
        let (was, is) = (old.deliveries.names(true), new.deliveries.names(true));
        self.struck.deliveries.retain(|name, _| was.contains(&name.as_str()) && is.contains(&name.as_str()));
        if !(old.token_revoked && new.token_revoked) {
            self.struck.token_revoked = 0;
        }
    }

    /// The fault that strikes this call of `method`, counted off.
    pub(crate) fn strike_call(&mut self, method: &str) -> Option<WebApiFault> {
        let key = if self.faults.web_api.contains_key(method) { method } else { "*" };
        let fault = self.faults.web_api.get_mut(key)?;
        let strikes = fault.times != Some(0);
        let struck = fault.clone();
        fault.times = fault.times.map(|times| times.saturating_sub(1));
        if fault.times == Some(0) {
            self.faults.web_api.remove(key);
        }
        if !strikes {
            return None;
        }
        *self.struck.web_api.entry(key.to_owned()).or_default() += 1;
        Some(struck)
    }

    /// The faults that strike this delivery, counted off.
    pub(crate) fn strike_delivery(&mut self, is_event: bool) -> DeliveryFaults {
        let deliveries = &mut self.faults.deliveries;
        let names = deliveries.names(is_event);
        if names.is_empty() || deliveries.times == Some(0) {
            return DeliveryFaults::default();
        }
        let struck = deliveries.clone();
        deliveries.times = deliveries.times.map(|times| times.saturating_sub(1));
        if deliveries.times == Some(0) {
            *deliveries = DeliveryFaults::default();
        }
        for name in names {
            *self.struck.deliveries.entry(name.to_owned()).or_default() += 1;
        }
        struck
    }

    /// The bot token is revoked by a fault; counted.
    pub(crate) fn strike_token(&mut self) -> bool {
        self.struck.token_revoked += u64::from(self.faults.token_revoked);
        self.faults.token_revoked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(json: &str) -> Switchboard {
        let mut board = Switchboard::default();
        board.set(serde_json::from_str(json).unwrap());
        board
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_says_and_is_gone() {
        let mut board = set(r#"{"web_api":{"chat.postMessage":{"error":"internal_error","times":2}}}"#);
        assert!(board.strike_call("chat.postMessage").is_some());
        assert_eq!(board.faults().web_api["chat.postMessage"].times, Some(1));
        assert!(board.strike_call("chat.postMessage").is_some());
        assert_eq!(board.strike_call("chat.postMessage"), None);
        assert_eq!(board.strike_call("auth.test"), None);
        assert_eq!(board.faults(), &Faults::default());
        assert_eq!(board.struck().web_api, BTreeMap::from([("chat.postMessage".to_owned(), 2)]));
    }

    #[test]
    fn a_fault_for_every_method_steps_back_behind_a_named_one() {
        let mut board = set(r#"{"web_api":{"*":{"error":"fatal_error"},"auth.test":{"status":503,"times":1}}}"#);
        assert_eq!(board.strike_call("auth.test").unwrap().status, Some(503));
        assert_eq!(board.strike_call("auth.test").unwrap().error.unwrap(), "fatal_error");
        assert_eq!(board.strike_call("response_url").unwrap().error.unwrap(), "fatal_error");
        assert_eq!(board.struck().web_api["*"], 2);
    }

    #[test]
    fn deliveries_are_struck_as_often_as_said() {
        let mut board = set(r#"{"deliveries":{"duplicate":1,"stale":true,"times":2}}"#);
        assert!(board.strike_delivery(true).stale);
        assert_eq!(board.strike_delivery(false).duplicate, 1);
        assert_eq!(board.strike_delivery(true), DeliveryFaults::default());
        assert_eq!(board.faults(), &Faults::default());
        assert_eq!((board.struck().deliveries["duplicate"], board.struck().deliveries["stale"]), (1, 2));
    }

    #[test]
    fn what_does_not_concern_a_delivery_is_not_counted_off() {
        let mut board = set(r#"{"deliveries":{"duplicate":1,"times":1}}"#);
        assert_eq!(board.strike_delivery(false), DeliveryFaults::default());
        assert_eq!(board.strike_delivery(true).duplicate, 1);
    }

    #[test]
    fn setting_others_keeps_the_count_of_what_stays() {
        let mut board = set(r#"{"web_api":{"a":{"status":500}},"token_revoked":true}"#);
        board.strike_call("a");
        assert!(board.strike_token());
        board.set(serde_json::from_str(r#"{"web_api":{"a":{"status":500},"b":{"status":500}}}"#).unwrap());
        assert_eq!((board.struck().web_api["a"], board.struck().token_revoked), (1, 0));
        assert!(!board.strike_token());
        board.set(Faults::default());
        assert_eq!(board.struck(), &FaultsStruck::default());
    }

    #[test]
    fn a_misspelt_fault_is_refused() {
        assert!(serde_json::from_str::<Faults>(r#"{"web_api":{"auth.test":{"eror":"x"}}}"#).is_err());
    }
}
