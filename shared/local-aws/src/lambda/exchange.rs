//! What a process and Lambda hand each other: one invocation down, one answer up, and word that the process waits for the next.
//! Not here: HTTP ([`super::runtime_api`]), processes and signals ([`super::process`]).
//! Invariant: there is at most one invocation, and it is answered at most once.

use super::InvokeError;
use bytes::Bytes;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot, watch};

/// One invocation as the Runtime API hands it out.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    pub(super) deadline_ms: u64,
    pub(super) trace_id: String,
}

/// The answer to an invocation.
pub(super) type Answer = Result<Bytes, InvokeError>;

/// An answer named an invocation that is not being served.
#[derive(Debug)]
pub(super) struct InvalidRequestId;

pub(super) struct Exchange {
    state: Mutex<State>,
    offered: Notify,
    waiting: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    /// Offered, and not yet taken by the process.
    offer: Option<Offer>,
    /// Being served; the process has not answered yet.
    current: Option<(String, oneshot::Sender<Answer>)>,
    last_request_id: Option<String>,
    /// How many were handed out.
    begun: u64,
    init_error: Option<String>,
    extension: bool,
}

impl Exchange {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), offered: Notify::new(), waiting: watch::Sender::new(false) }
    }

    /// Offers an invocation to the waiting process; the receiver yields its answer.
    pub(super) fn offer(&self, invocation: Offer) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        self.waiting.send_replace(false);
        let mut state = self.lock();
        state.last_request_id = Some(invocation.request_id.clone());
        state.current = Some((invocation.request_id.clone(), answer));
        state.offer = Some(invocation);
        drop(state);
        self.offered.notify_one();
        answered
    }

    /// Takes an offer back; `false` if the process has it already.
    pub(super) fn withdraw(&self) -> bool {
        self.lock().offer.take().is_some()
    }

    /// The process asks for its next invocation, and waits as long as it takes.
    pub(super) async fn next(&self) -> Offer {
        loop {
            {
                let mut state = self.lock();
                if let Some(invocation) = state.offer.take() {
                    state.begun += 1;
                    return invocation;
                }
                // Who asks without having answered waits as well, until the time-out of what it owes.
                if state.current.is_none() {
                    self.waiting.send_replace(true);
                }
            }
            self.offered.notified().await;
        }
    }

    /// The process answers.
    pub(super) fn answer(&self, request_id: &str, answer: Answer) -> Result<(), InvalidRequestId> {
        let (_, caller) = self.lock().current.take_if(|(current, _)| current == request_id).ok_or(InvalidRequestId)?;
        // The caller is gone only if the process was given up a moment ago.
        let _ = caller.send(answer);
        Ok(())
    }

    /// Resolves as soon as the process waits for an invocation.
    pub(super) async fn asked_for_next(&self) {
        // The sender is `self`, so the channel cannot close.
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting).await;
    }

    /// The invocation begun last, for the lines the process prints.
    pub(super) fn last_request_id(&self) -> Option<String> {
        self.lock().last_request_id.clone()
    }

    /// How many invocations the process was handed.
    pub(super) fn begun(&self) -> u64 {
        self.lock().begun
    }

    /// The invocation that the process has and has not answered.
    pub(super) fn owed(&self) -> Option<String> {
        let state = self.lock();
        let current = state.current.as_ref().filter(|_| state.offer.is_none());
        current.map(|(request_id, _)| request_id.clone())
    }

    pub(super) fn set_init_error(&self, reason: String) {
        self.lock().init_error = Some(reason);
    }

    pub(super) fn init_error(&self) -> Option<String> {
        self.lock().init_error.clone()
    }

    /// An extension registered, so the process wants a SIGTERM before its end.
    pub(super) fn register_extension(&self) {
        self.lock().extension = true;
    }

    pub(super) fn has_extension(&self) -> bool {
        self.lock().extension
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(request_id: &str) -> Offer {
        Offer {
            request_id: request_id.into(),
            payload: Bytes::from_static(b"{}"),
            deadline_ms: 1,
            trace_id: String::new(),
        }
    }

    #[tokio::test]
    async fn an_invocation_is_handed_out_and_answered_once() {
        let exchange = Exchange::new();
        let answered = exchange.offer(invocation("a"));
        assert_eq!(exchange.next().await.request_id, "a");
        assert!(exchange.answer("b", Ok(Bytes::new())).is_err(), "not being served");
        exchange.answer("a", Ok(Bytes::from_static(b"1"))).unwrap();
        assert!(exchange.answer("a", Ok(Bytes::new())).is_err(), "answered already");
        assert_eq!(answered.await.unwrap(), Ok(Bytes::from_static(b"1")));
    }

    #[tokio::test]
    async fn asking_again_after_a_broken_connection_loses_no_invocation() {
        let exchange = Exchange::new();
        assert!(futures_util::FutureExt::now_or_never(exchange.next()).is_none());
        exchange.asked_for_next().await;
        let _answered = exchange.offer(invocation("a"));
        assert_eq!(exchange.next().await.request_id, "a");
    }

    #[tokio::test]
    async fn a_process_that_owes_an_answer_does_not_count_as_waiting() {
        let exchange = Exchange::new();
        let _answered = exchange.offer(invocation("a"));
        exchange.next().await;
        assert!(futures_util::FutureExt::now_or_never(exchange.next()).is_none());
        assert!(futures_util::FutureExt::now_or_never(exchange.asked_for_next()).is_none());
    }

    #[tokio::test]
    async fn an_answer_is_owed_from_the_handing_out_on_until_it_is_given() {
        let exchange = Exchange::new();
        let _answered = exchange.offer(invocation("a"));
        assert_eq!((exchange.owed(), exchange.begun()), (None, 0));
        exchange.next().await;
        assert_eq!((exchange.owed().as_deref(), exchange.begun()), (Some("a"), 1));
        exchange.answer("a", Ok(Bytes::new())).unwrap();
        assert_eq!(exchange.owed(), None);
    }

    #[test]
    fn an_offer_can_be_taken_back_until_the_process_has_it() {
        let exchange = Exchange::new();
        let _answered = exchange.offer(invocation("a"));
        assert!(exchange.withdraw());
        assert!(!exchange.withdraw());
    }
}
