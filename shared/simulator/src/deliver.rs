//! Deliveries on their way: copies, faults, attempts, and for events the redeliveries after a failure.
//! One attempt is `send`'s matter, what its answer means is `answer`'s. Invariant: commands and interactions are sent once.
//! Source: <https://docs.slack.dev/apis/events-api/>

use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::answer;
use crate::config::Config;
use crate::delivery::{Attempt, Delivery, Failure, Kind, Outcome};
use crate::faults::DeliveryFaults;
use crate::prepare::{self, DeliveryRequest, Prepared};
use crate::send::{self, Answer, Parcel};
use crate::simulator::{Refusal, Simulator};
use crate::state::{Notice, State};

/// Most copies of one body sent at once.
const TIMES: u32 = 1_000;
/// How long an event is held back for another to overtake it.
const REORDER_WAIT: Duration = Duration::from_millis(500);

/// How old a stale attempt is; Slack says to refuse what is older than five minutes.
const STALE: Duration = Duration::from_secs(600);

/// What goes out, once or in copies.
pub(crate) struct Outgoing {
    pub(crate) kind: Kind,
    pub(crate) prepared: Prepared,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) times: u32,
    pub(crate) replay_of: Option<String>,
}

impl Simulator {
    /// Signs and sends; returns after the first attempt of every copy. Events that failed are sent again in the background.
    ///
    /// # Errors
    /// When the request makes no sense.
    pub async fn deliver(&self, request: DeliveryRequest) -> Result<Vec<Delivery>, Refusal> {
        if request.times == 0 || request.times > TIMES {
            return Err(Refusal(format!("times is between 1 and {TIMES}")));
        }
        let prepared = self.change(|state| prepare::prepare(state, &request)).map_err(Refusal)?;
        let DeliveryRequest { kind, headers, times, .. } = request;
        self.send_out(Outgoing { kind, prepared, headers: headers.into_iter().collect(), times, replay_of: None }).await
    }

    /// Remembers, signs and sends; returns after the first attempt of every copy.
    pub(crate) async fn send_out(&self, outgoing: Outgoing) -> Result<Vec<Delivery>, Refusal> {
        let is_event = outgoing.kind == Kind::Event;
        let (deliveries, faults, generation) = self.change(|state| {
            let faults = state.faults.strike_delivery(is_event);
            let names = faults.names(is_event);
            if !names.is_empty() {
                state.notices.push(Notice::Faults);
            }
            let extra = if is_event { faults.duplicate.min(TIMES) } else { 0 };
            let mut deliveries: Vec<Delivery> = Vec::new();
            for _ in 0..outgoing.times + extra {
                let original = deliveries.first().map(|first| first.id.clone());
                let delivery = Delivery { faults: names.clone(), ..delivery(state, &outgoing, original) };
                state.remember_delivery(delivery.clone());
                deliveries.push(delivery);
            }
            (deliveries, faults, state.generation)
        });
        // In tasks of their own: whoever asked may hang up, Slack sends all the same.
        let firsts: Vec<_> = deliveries
            .into_iter()
            .map(|delivery| {
                let (first, done) = oneshot::channel();
                let (simulator, faults) = (self.clone(), faults.clone());
                tokio::spawn(async move { simulator.run(delivery, faults, generation, first).await });
                done
            })
            .collect();
        let mut attempted = Vec::with_capacity(firsts.len());
        for first in firsts {
            attempted.push(first.await.map_err(|_| Refusal("a reset came in between".to_owned()))?);
        }
        Ok(attempted)
    }

    /// All attempts of one delivery; `first` gets it after the first. A reset ends it.
    async fn run(
        &self,
        mut delivery: Delivery,
        faults: DeliveryFaults,
        generation: u64,
        first: oneshot::Sender<Delivery>,
    ) {
        let config = self.config();
        let is_event = delivery.kind == Kind::Event;
        tokio::time::sleep(Duration::from_millis(faults.delay_ms)).await;
        let mut overtaken = if faults.reorder && is_event { self.hold_back().await } else { None };
        let mut first = Some(first);
        let pauses = if is_event { config.retry_after.as_slice() } else { &[] };
        for number in 0..=pauses.len() {
            if number > 0 {
                tokio::time::sleep(pauses[number - 1]).await;
            }
            if self.read(|state| state.generation) != generation {
                return;
            }
            let retry_num = u32::try_from(number).unwrap_or(u32::MAX);
            let reason = delivery.attempts.last().and_then(|attempt| attempt.failure);
            let parcel = Parcel {
                url: config.app_url.clone(),
                body: delivery.body.clone(),
                content_type: delivery.content_type.clone(),
                headers: delivery.headers.clone(),
                retry: reason.map(|reason| (retry_num, reason.as_str())),
            };
            let (attempt, answer) = self.attempt(&parcel, retry_num, &config, &faults).await;
            // Dropping it lets the event that was held back go.
            overtaken.take();
            delivery.outcome = outcome(&attempt, number < pauses.len());
            delivery.attempts.push(attempt);
            let is_settled = self.change(|state| {
                // After a reset the answer belongs to a world that is gone.
                if state.generation != generation {
                    return false;
                }
                if number == 0 {
                    let applied = answer::apply(state, &delivery, answer.as_ref().map_err(|failure| *failure));
                    delivery.shown = applied.shown;
                    delivery.warnings.extend(applied.warnings);
                }
                state.update_delivery(&delivery);
                true
            });
            if !is_settled {
                return;
            }
            if let Some(first) = first.take() {
                // The one who asked may have gone.
                let _ = first.send(delivery.clone());
            }
            if delivery.outcome != Outcome::Retrying {
                return;
            }
        }
    }

    /// Every other event is held until the next was sent. The one that overtakes gets what it must drop once it was sent.
    async fn hold_back(&self) -> Option<oneshot::Sender<()>> {
        let (release, released) = oneshot::channel();
        {
            let mut held = self.inner.held.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(waiting) = held.take().filter(|waiting| !waiting.is_closed()) {
                return Some(waiting);
            }
            *held = Some(release);
        }
        // In time or not, it goes now.
        let _ = tokio::time::timeout(REORDER_WAIT, released).await;
        None
    }

    async fn attempt(
        &self,
        parcel: &Parcel,
        retry_num: u32,
        config: &Config,
        faults: &DeliveryFaults,
    ) -> (Attempt, Result<Answer, Failure>) {
        let now = self.read(State::now);
        let secret = if faults.bad_signature { "not the signing secret" } else { &config.signing_secret };
        let stamp = if faults.stale { now.saturating_sub(STALE) } else { now };
        let headers = send::headers(parcel, secret, stamp);
        let started = Instant::now();
        let answer = send::send(&self.inner.door, parcel, &headers, config.ack_limit).await;
        let answered = answer.as_ref().ok();
        let attempt = Attempt {
            retry_num,
            at_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            status: answered.map(|answer| answer.status),
            failure: match &answer {
                Ok(answer) if answer.is_success() => None,
                Ok(_) => Some(Failure::HttpError),
                Err(failure) => Some(*failure),
            },
            headers,
            answer_headers: answered.map(|answer| answer.headers.clone()).unwrap_or_default(),
            answer_type: answered.map(|answer| answer.content_type.clone()).unwrap_or_default(),
            answer: answered.map(|answer| answer.body.clone()).unwrap_or_default(),
            no_retry: answered.is_some_and(|answer| answer.no_retry),
        };
        (attempt, answer)
    }
}

/// Where a delivery stands after `attempt`.
fn outcome(attempt: &Attempt, has_more: bool) -> Outcome {
    match (attempt.failure, attempt.no_retry, has_more) {
        (None, _, _) => Outcome::Accepted,
        (Some(_), true, true) => Outcome::Stopped,
        (Some(_), false, true) => Outcome::Retrying,
        (Some(_), _, false) => Outcome::Failed,
    }
}

fn delivery(state: &State, outgoing: &Outgoing, copy_of: Option<String>) -> Delivery {
    let prepared = &outgoing.prepared;
    Delivery {
        id: uuid::Uuid::now_v7().to_string(),
        at_ms: state.now_ms(),
        kind: outgoing.kind,
        name: prepared.name.clone(),
        team: prepared.team.clone(),
        user: prepared.actor.user.clone(),
        channel: prepared.actor.channel.clone(),
        ts: prepared.actor.ts.clone(),
        body: prepared.body.clone(),
        content_type: prepared.content_type.clone(),
        headers: outgoing.headers.clone(),
        attempts: Vec::new(),
        outcome: Outcome::Sending,
        shown: None,
        warnings: Vec::new(),
        faults: Vec::new(),
        copy_of,
        replay_of: outgoing.replay_of.clone(),
    }
}
