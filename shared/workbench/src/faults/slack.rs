//! Switches of the simulated Slack, as fields of its faults. Pure.
//! Invariant: what was set from elsewhere stays, unless it is in the place that a switch needs.

use super::table::Switch;
use tack_simulator::{DeliveryFaults, Faults, FaultsStruck, WebApiFault};

/// The Web API fault of every method.
const EVERY: &str = "*";

const DELAY_MS: u64 = 3_000;
const RETRY_AFTER_S: u64 = 3;
pub(super) const SLOW_MS: u64 = 2_000;

/// Whether a switch is one of these.
pub(super) fn is_slacks(switch: Switch) -> bool {
    field(switch).is_some() || is_of_calls(switch) || switch == Switch::TokenRevoked
}

/// The name of a delivery fault, as deliveries note it.
pub(super) fn field(switch: Switch) -> Option<&'static str> {
    match switch {
        Switch::Duplicate => Some("duplicate"),
        Switch::Reorder => Some("reorder"),
        Switch::Delay => Some("delay_ms"),
        Switch::BadSignature => Some("bad_signature"),
        _ => None,
    }
}

/// Switches that share the fault of every method.
pub(super) fn is_of_calls(switch: Switch) -> bool {
    matches!(switch, Switch::RateLimited | Switch::ServerError | Switch::Slow)
}

/// How often a switch still strikes (`None`: until it is switched off); nothing if it is off.
pub(super) fn left(faults: &Faults, switch: Switch) -> Option<Option<u32>> {
    let deliveries = &faults.deliveries;
    let every = faults.web_api.get(EVERY).filter(|every| every.error.is_none());
    let kind = every.map(|every| match (every.retry_after, every.status) {
        (Some(_), _) => Switch::RateLimited,
        (None, Some(_)) => Switch::ServerError,
        (None, None) => Switch::Slow,
    });
    let (is_on, times) = match switch {
        Switch::Duplicate => (deliveries.duplicate > 0, deliveries.times),
        Switch::Reorder => (deliveries.reorder, deliveries.times),
        Switch::Delay => (deliveries.delay_ms > 0, deliveries.times),
        Switch::BadSignature => (deliveries.bad_signature, deliveries.times),
        Switch::TokenRevoked => (faults.token_revoked, None),
        other => (kind == Some(other), every.and_then(|every| every.times)),
    };
    (is_on && times != Some(0)).then_some(times)
}

/// Takes a switch, and what shares its place, out of the faults.
pub(super) fn take_out(faults: &mut Faults, switch: Switch) {
    if field(switch).is_some() {
        faults.deliveries = DeliveryFaults::default();
    } else if is_of_calls(switch) {
        faults.web_api.remove(EVERY);
    } else if switch == Switch::TokenRevoked {
        faults.token_revoked = false;
    }
}

/// Puts a switch into the faults.
pub(super) fn put_in(faults: &mut Faults, switch: Switch, times: Option<u32>) {
    let of_deliveries = DeliveryFaults { times, ..DeliveryFaults::default() };
    let of_calls = WebApiFault { times, ..WebApiFault::default() };
    let mut every = |fault: WebApiFault| {
        faults.web_api.insert(EVERY.to_owned(), fault);
    };
    match switch {
        Switch::Duplicate => faults.deliveries = DeliveryFaults { duplicate: 1, ..of_deliveries },
        Switch::Reorder => faults.deliveries = DeliveryFaults { reorder: true, ..of_deliveries },
        Switch::Delay => faults.deliveries = DeliveryFaults { delay_ms: DELAY_MS, ..of_deliveries },
        Switch::BadSignature => faults.deliveries = DeliveryFaults { bad_signature: true, ..of_deliveries },
        Switch::RateLimited => every(WebApiFault { retry_after: Some(RETRY_AFTER_S), ..of_calls }),
        Switch::ServerError => every(WebApiFault { status: Some(500), ..of_calls }),
        Switch::Slow => every(WebApiFault { delay_ms: Some(SLOW_MS), ..of_calls }),
        Switch::TokenRevoked => faults.token_revoked = true,
        Switch::QueueRefuses | Switch::WorkerCrash | Switch::CrashBeforeComplete => {}
    }
}

/// How often the simulated Slack says that it struck. What shares a place shares this count.
pub(super) fn struck(struck: &FaultsStruck, switch: Switch) -> u64 {
    let of = |counts: &std::collections::BTreeMap<String, u64>, key: &str| counts.get(key).copied().unwrap_or_default();
    match field(switch) {
        Some(field) => of(&struck.deliveries, field),
        None if is_of_calls(switch) => of(&struck.web_api, EVERY),
        None if switch == Switch::TokenRevoked => struck.token_revoked,
        None => 0,
    }
}

/// What is on that no switch stands for, in the words of `/sim/faults`.
pub(super) fn others(faults: &Faults) -> Vec<String> {
    let is_switch = |key: &str, fault: &WebApiFault| key == EVERY && fault.error.is_none();
    let calls = faults.web_api.iter().filter(|(key, fault)| !is_switch(key, fault)).map(|(key, fault)| {
        let what = fault.error.clone().or_else(|| fault.status.map(|status| status.to_string()));
        format!("web_api {key}: {}", what.as_deref().unwrap_or("delayed"))
    });
    calls.chain(faults.deliveries.stale.then(|| "deliveries: stale".to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slacks() -> impl Iterator<Item = Switch> {
        Switch::ALL.into_iter().filter(|switch| is_slacks(*switch))
    }

    #[test]
    fn a_switch_is_recognised_in_the_faults_it_makes_and_no_other_is() {
        for switch in slacks() {
            let mut faults = Faults::default();
            put_in(&mut faults, switch, Some(2));
            let on: Vec<Switch> = slacks().filter(|other| left(&faults, *other).is_some()).collect();
            assert_eq!(on, [switch]);
            assert_eq!(left(&faults, switch).unwrap(), Some(2).filter(|_| switch.is_counted()));
            assert!(others(&faults).is_empty());
            take_out(&mut faults, switch);
            assert_eq!(faults, Faults::default());
        }
    }

    #[test]
    fn what_was_set_elsewhere_is_told_and_stays() {
        let set = r#"{"web_api":{"chat.postMessage":{"error":"channel_not_found"},"*":{"error":"fatal_error"}},"deliveries":{"stale":true}}"#;
        let mut faults: Faults = serde_json::from_str(set).unwrap();
        assert_eq!(others(&faults).len(), 3);
        assert!(slacks().all(|switch| left(&faults, switch).is_none()));
        put_in(&mut faults, Switch::ServerError, None);
        take_out(&mut faults, Switch::ServerError);
        assert_eq!(others(&faults), ["web_api chat.postMessage: channel_not_found", "deliveries: stale"]);
    }
}
