//! What is to go wrong over the wire, on request: errors, throttles, silence, delay, lost replies, a caller's sudden end.
//! Not here: the answers themselves ([`crate::endpoint`] writes them). The native API of the queues has no faults.
//! Invariant: without a fault nothing fails; a fault matches a call at its arrival, the oldest that fits.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// A kind of call and what happens to it.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The service as in the credential scope, such as `dynamodb`.
    pub service: String,
    /// The action, such as `PutItem`.
    pub action: String,
    /// The queue's, table's or parameter's name, or a key's id or alias, as [`crate::Call::resource`] has it; `None` is any.
    pub resource: Option<String>,
    /// The caller's name or access key id; `None` is anyone.
    pub caller: Option<String>,
    /// A text that the request's body holds, such as `fin = att` of an `UpdateExpression`; `None` is any body.
    pub contains: Option<String>,
    /// What happens.
    pub effect: Effect,
    /// To how many calls; `None` is all until it is removed.
    pub times: Option<u32>,
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is done, and this is the answer.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code, such as `InternalServerError`.
        code: String,
    },
    /// Nothing is done; the answer is the service's own way to say "too fast", which SDKs retry.
    Throttle,
    /// Nothing is done or answered until the fault is removed; then the call goes on. It ends with its connection.
    Hang,
    /// The call is served this much later.
    Delay(Duration),
    /// The work is done and the connection closed without an answer, so the caller cannot know. In process, where there is no connection, the answer is
    /// an `InternalFailure` with status 500.
    LoseReply,
    /// As [`Self::CrashAfter`], but nothing is done.
    CrashBefore,
    /// The work is done and never answered: the observer is told ([`Crash`]), and the connection is held until the caller closes it, which it
    /// does by being killed. In process, where there is no connection, nobody is told and the answer is an `InternalFailure` with status 500.
    CrashAfter,
}

/// A call held by [`Effect::CrashBefore`] or [`Effect::CrashAfter`]: its caller is to be killed
/// ([`crate::lambda::Function::kill_by_peer`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// The fault.
    pub fault: FaultId,
    /// The caller's name, where its access key has one.
    pub caller: Option<String>,
    /// The access key id that signed the call.
    pub access_key: String,
    /// The caller's address on the connection that is held.
    pub peer: SocketAddr,
}

/// Names a fault that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaultId(u64);

/// The faults in force. Clones share them.
#[derive(Clone, Default)]
pub struct Faults(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    removed: Notify,
    on_crash: Mutex<Option<mpsc::UnboundedSender<Crash>>>,
}

#[derive(Default)]
struct State {
    next: u64,
    faults: Vec<(FaultId, Fault)>,
}

/// A call as faults see it.
pub(crate) struct Arrival<'a> {
    pub(crate) service: &'a str,
    pub(crate) action: &'a str,
    pub(crate) resource: Option<&'a str>,
    pub(crate) access_key: &'a str,
    pub(crate) caller: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

impl Faults {
    /// Adds a fault, after those that are there.
    pub fn add(&self, fault: Fault) -> FaultId {
        let mut state = self.lock();
        let id = FaultId(state.next);
        state.next += 1;
        state.faults.push((id, fault));
        id
    }

    /// Tells `observer` of every call that is held for its caller to be killed, in place of whoever was told before.
    pub fn on_crash(&self, observer: mpsc::UnboundedSender<Crash>) {
        *self.0.on_crash.lock().unwrap_or_else(PoisonError::into_inner) = Some(observer);
    }

    /// Removes a fault; calls that hang on it go on. One that is used up or unknown is no error.
    pub fn remove(&self, id: FaultId) {
        self.lock().faults.retain(|(other, _)| *other != id);
        self.0.removed.notify_waiters();
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.lock().faults.clear();
        self.0.removed.notify_waiters();
    }

    /// The faults that are there, oldest first, with the number of calls they still wait for. A [`Effect::Hang`] that is used up stays, since it holds
    /// calls, until it is removed.
    pub fn snapshot(&self) -> Vec<(FaultId, Fault)> {
        self.lock().faults.clone()
    }

    /// Uses the oldest fault that fits this call.
    pub(crate) fn strike(&self, arrival: &Arrival<'_>) -> Option<(FaultId, Effect)> {
        let mut state = self.lock();
        let (id, fault) = state.faults.iter_mut().find(|(_, fault)| fault.fits(arrival))?;
        let struck = (*id, fault.effect.clone());
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        state.faults.retain(|(_, fault)| fault.times != Some(0) || fault.effect == Effect::Hang);
        Some(struck)
    }

    pub(crate) fn tell_crash(&self, crash: Crash) {
        if let Some(observer) = &*self.0.on_crash.lock().unwrap_or_else(PoisonError::into_inner) {
            // Nobody who could kill the caller: it waits until its own time-out.
            let _ = observer.send(crash);
        }
    }

    /// Waits until a fault is removed.
    pub(crate) async fn removed(&self, id: FaultId) {
        loop {
            let removed = self.0.removed.notified();
            if !self.lock().faults.iter().any(|(other, _)| *other == id) {
                return;
            }
            removed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    fn fits(&self, arrival: &Arrival<'_>) -> bool {
        let caller = self.caller.as_deref();
        self.times != Some(0)
            && self.service == arrival.service
            && self.action == arrival.action
            && (self.resource.is_none() || self.resource.as_deref() == arrival.resource)
            && (caller.is_none() || caller == arrival.caller || caller == Some(arrival.access_key))
            && self.contains.as_ref().is_none_or(|text| holds(arrival.body, text))
    }
}

/// A body that is served is JSON, and so UTF-8.
fn holds(body: &[u8], text: &str) -> bool {
    std::str::from_utf8(body).is_ok_and(|body| body.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(times: Option<u32>) -> Fault {
        Fault {
            service: "dynamodb".to_owned(),
            action: "PutItem".to_owned(),
            resource: None,
            caller: None,
            contains: None,
            effect: Effect::Throttle,
            times,
        }
    }

    fn arrival<'a>(resource: &'a str, caller: &'a str) -> Arrival<'a> {
        Arrival {
            service: "dynamodb",
            action: "PutItem",
            resource: Some(resource),
            access_key: "AKIAWORKER",
            caller: Some(caller),
            body: br#"{"TableName":"state","Item":{}}"#,
        }
    }

    #[test]
    fn a_fault_is_used_up_after_its_times() {
        let faults = Faults::default();
        faults.add(throttle(Some(2)));
        let hits = (0..3).filter(|_| faults.strike(&arrival("state", "worker")).is_some()).count();
        assert_eq!(hits, 2);
        assert!(faults.snapshot().is_empty());
    }

    #[test]
    fn a_fault_for_one_table_or_one_caller_leaves_the_others_alone() {
        let faults = Faults::default();
        faults.add(Fault { resource: Some("state".to_owned()), caller: Some("worker".to_owned()), ..throttle(None) });
        assert!(faults.strike(&arrival("installations", "worker")).is_none());
        assert!(faults.strike(&arrival("state", "oauth")).is_none());
        assert!(faults.strike(&arrival("state", "worker")).is_some());
    }

    #[test]
    fn a_caller_may_be_named_by_its_access_key() {
        let faults = Faults::default();
        faults.add(Fault { caller: Some("AKIAWORKER".to_owned()), ..throttle(None) });
        assert!(faults.strike(&arrival("state", "worker")).is_some());
    }

    #[test]
    fn a_fault_for_some_bodies_leaves_others_alone() {
        let faults = Faults::default();
        faults.add(Fault { contains: Some("attribute_not_exists".to_owned()), ..throttle(None) });
        assert!(faults.strike(&arrival("state", "worker")).is_none());
        let body = br#"{"ConditionExpression":"attribute_not_exists(pk)"}"#;
        assert!(faults.strike(&Arrival { body, ..arrival("state", "worker") }).is_some());
    }

    #[test]
    fn a_fault_for_no_calls_at_all_never_strikes() {
        let faults = Faults::default();
        faults.add(throttle(Some(0)));
        assert!(faults.strike(&arrival("state", "worker")).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_call_goes_on_when_its_fault_is_removed() {
        let faults = Faults::default();
        let id = faults.add(Fault { effect: Effect::Hang, ..throttle(Some(1)) });
        assert_eq!(faults.strike(&arrival("state", "worker")), Some((id, Effect::Hang)));
        assert!(faults.strike(&arrival("state", "worker")).is_none(), "its one time is used up");
        let waiting = tokio::time::timeout(Duration::from_secs(3600), faults.removed(id)).await;
        assert!(waiting.is_err());
        faults.remove(id);
        faults.removed(id).await;
    }
}
