//! Deliveries on their way: copies, faults, attempts, and for events the redeliveries after a failure.
//! One attempt is `send`'s matter, what its answer means is `answer`'s. Invariant: commands and interactions are sent once.
//! Source: <https://docs.slack.dev/apis/events-api/>

use serde_json::Value;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::answer;
use crate::config::Config;
use crate::delivery::{Attempt, Delivery, Failure, Kind, Outcome};
use crate::prepare::{self, DeliveryRequest, Prepared};
use crate::send::{self, Answer, Parcel};
use crate::simulator::{Refusal, Simulator};
use crate::state::State;

/// Most copies of one body sent at once.
const TIMES: u32 = 1_000;
/// How long an event is held back for another to overtake it.
const REORDER_WAIT: Duration = Duration::from_millis(500);

/// How a delivery is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayMode {
    /// With fresh ids: the app takes it for something new.
    Rerun,
    /// With the same bytes, as Slack does: the app ought to know it.
    Redeliver,
}

impl Simulator {
    /// Signs and sends; returns after the first attempt of every copy. Events that failed are sent again in the background.
    ///
    /// # Errors
    /// When the request makes no sense.
    pub async fn deliver(&self, request: DeliveryRequest) -> Result<Vec<Delivery>, Refusal> {
        self.deliver_as(request, None).await
    }

    /// Sends a remembered delivery again.
    ///
    /// # Errors
    /// If it is not remembered.
    pub async fn replay(&self, id: &str, mode: ReplayMode) -> Result<Vec<Delivery>, Refusal> {
        let old = self.read(|state| state.delivery(id).cloned());
        let old = old.ok_or_else(|| Refusal(format!("there is no delivery {id}")))?;
        let body = String::from_utf8_lossy(&old.body).into_owned();
        let payload = old.payload();
        let fresh = mode == ReplayMode::Rerun && payload.is_object() && old.kind != Kind::Raw;
        let body =
            if fresh { self.change(|state| prepare::refresh(state, old.kind, &payload)) } else { Value::String(body) };
        let mut headers: std::collections::BTreeMap<_, _> = old.headers.iter().cloned().collect();
        if mode == ReplayMode::Redeliver && old.kind == Kind::Event {
            headers.entry("x-slack-retry-num".to_owned()).or_insert_with(|| "1".to_owned());
            headers.entry("x-slack-retry-reason".to_owned()).or_insert_with(|| "http_timeout".to_owned());
        }
        let request = DeliveryRequest { kind: old.kind, body, headers, times: 1, team: None };
        self.deliver_as(request, Some(old.id)).await
    }

    async fn deliver_as(&self, request: DeliveryRequest, replay_of: Option<String>) -> Result<Vec<Delivery>, Refusal> {
        if request.times == 0 || request.times > TIMES {
            return Err(Refusal(format!("times is between 1 and {TIMES}")));
        }
        let (deliveries, generation) = self.change(|state| {
            let prepared = prepare::prepare(state, &request).map_err(Refusal)?;
            let faults = &state.faults.deliveries;
            let extra = if request.kind == Kind::Event { faults.duplicate.min(TIMES) } else { 0 };
            let mut deliveries: Vec<Delivery> = Vec::new();
            for _ in 0..request.times + extra {
                let original = deliveries.first().map(|first| first.id.clone());
                let delivery = delivery(state, &request, &prepared, original, replay_of.clone());
                state.remember_delivery(delivery.clone());
                deliveries.push(delivery);
            }
            Ok((deliveries, state.generation))
        })?;
        // In tasks of their own: whoever asked may hang up, Slack sends all the same.
        let firsts: Vec<_> = deliveries
            .into_iter()
            .map(|delivery| {
                let (first, done) = oneshot::channel();
                let simulator = self.clone();
                tokio::spawn(async move { simulator.run(delivery, generation, first).await });
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
    async fn run(&self, mut delivery: Delivery, generation: u64, first: oneshot::Sender<Delivery>) {
        let (faults, config) = self.read(|state| (state.faults.deliveries.clone(), state.config.clone()));
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
            let (attempt, answer) = self.attempt(&parcel, retry_num, &config).await;
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

    async fn attempt(&self, parcel: &Parcel, retry_num: u32, config: &Config) -> (Attempt, Result<Answer, Failure>) {
        let now = self.read(State::now);
        let headers = send::headers(parcel, &config.signing_secret, now);
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

fn delivery(
    state: &State,
    request: &DeliveryRequest,
    prepared: &Prepared,
    copy_of: Option<String>,
    replay_of: Option<String>,
) -> Delivery {
    Delivery {
        id: uuid::Uuid::now_v7().to_string(),
        at_ms: state.now_ms(),
        kind: request.kind,
        name: prepared.name.clone(),
        team: prepared.team.clone(),
        body: prepared.body.clone(),
        content_type: prepared.content_type.clone(),
        headers: request.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        attempts: Vec::new(),
        outcome: Outcome::Sending,
        shown: None,
        warnings: Vec::new(),
        copy_of,
        replay_of,
    }
}
