//! The simulated Slack: holds its state and tells who listens of every change.
//! Deliveries are in `deliver`, what people do in `act`, the Web API in `web_api`, HTTP in `routes`.
//! Invariant: the state is never locked across an await, and every change wakes those who wait for one.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, oneshot, watch};

use crate::config::Config;
use crate::delivery::Delivery;
use crate::faults::Faults;
use crate::mask::mask;
use crate::prepare::DeliveryRequest;
use crate::send::{Answering, Door};
use crate::state::{Call, Notice, State};

/// Why something was not done, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// What was waited for did not come in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut;

impl std::fmt::Display for TimedOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("what was waited for did not happen in time")
    }
}

impl std::error::Error for TimedOut {}

/// Something that happened, as `GET /sim/stream` tells it.
#[derive(Clone, Debug)]
pub struct StreamEvent {
    /// Counts up from 1 in the life of the simulator.
    pub id: u64,
    /// `delivery.upsert`, `call`, `slack.message`, `slack.view`, `slack.notice`, `slack.install`, `faults` or `reset`.
    pub name: &'static str,
    /// Without tokens.
    pub data: Value,
}

/// A stand-in for Slack. Clones share everything.
#[derive(Clone)]
pub struct Simulator {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    state: Mutex<State>,
    pub(crate) door: Door,
    changes: watch::Sender<u64>,
    stream: broadcast::Sender<StreamEvent>,
    /// Events of the stream so far, heard or not.
    told: AtomicU64,
    /// The event held back so that the next may overtake it.
    pub(crate) held: Mutex<Option<oneshot::Sender<()>>>,
}

impl Simulator {
    /// A Slack that reaches the app over HTTP.
    pub fn new(config: Config) -> Self {
        Self::with_door(config, Door::http())
    }

    /// A Slack whose app is a function in this process: with it time can be virtual.
    pub fn in_process(config: Config, app: impl Fn(Request<Bytes>) -> Answering + Send + Sync + 'static) -> Self {
        Self::with_door(config, Door::InProcess(Arc::new(app)))
    }

    fn with_door(config: Config, door: Door) -> Self {
        let inner = Inner {
            state: Mutex::new(State::new(Arc::new(config))),
            door,
            changes: watch::Sender::new(0),
            stream: broadcast::Sender::new(1_024),
            told: AtomicU64::new(0),
            held: Mutex::new(None),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Looks at the state of now.
    pub fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state, then tells everyone and sends the events it caused.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let has_listeners = self.inner.stream.receiver_count() > 0;
        let (result, told, events) = {
            let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
            let result = change(&mut state);
            let notices = std::mem::take(&mut state.notices);
            let first = self.inner.told.fetch_add(notices.len() as u64, Ordering::Relaxed) + 1;
            let told: Vec<_> = if has_listeners {
                (first..).zip(&notices).filter_map(|(id, notice)| stream_event(id, &state, notice)).collect()
            } else {
                Vec::new()
            };
            (result, told, std::mem::take(&mut state.outbox))
        };
        for event in told {
            // Nobody left to hear it is no error.
            let _ = self.inner.stream.send(event);
        }
        self.inner.changes.send_modify(|version| *version += 1);
        for event in events {
            let simulator = self.clone();
            tokio::spawn(async move { simulator.deliver(DeliveryRequest::event(event)).await });
        }
        result
    }

    /// The configuration.
    pub fn config(&self) -> Arc<Config> {
        self.read(|state| state.config.clone())
    }

    /// Deliveries, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.read(|state| state.deliveries().cloned().collect())
    }

    /// Calls received, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.read(|state| state.calls().cloned().collect())
    }

    /// Replaces all faults.
    pub fn set_faults(&self, faults: Faults) {
        self.change(|state| {
            state.faults.set(faults);
            state.notices.push(Notice::Faults);
        });
    }

    /// From now on every call with the bot token answers `token_revoked`, until a reset. Sends no event. [`Faults::token_revoked`] does
    /// the same and can be taken back.
    pub fn revoke_token(&self) {
        self.change(|state| state.is_token_revoked = true);
    }

    /// The slash commands the app has, with their `/`. A command typed by a person that is not among them is not sent: Slack knows an app's
    /// commands from its manifest and tells the person there is none. None, as at the start: they are not known, and every command is
    /// sent. A reset changes nothing of it. Sends no event.
    pub fn set_commands(&self, commands: Option<Vec<String>>) {
        self.change(|state| state.commands = commands);
    }

    /// Invites the app to a channel, or removes it. Sends no event.
    ///
    /// # Errors
    /// If there is no such channel.
    pub fn set_app_member(&self, channel: &str, is_member: bool) -> Result<(), Refusal> {
        self.change(|state| {
            let Some((id, team)) = state.workspace.channel(channel).map(|known| (known.id.clone(), known.team.clone()))
            else {
                return false;
            };
            let app = state.app_in(&team).unwrap_or_else(|| state.app_of_first());
            state.workspace.set_member(&id, &app.id, is_member)
        })
        .then_some(())
        .ok_or_else(|| Refusal(format!("there is no channel {channel}")))
    }

    /// Back to the start: no history, no faults, nothing open. What waits to be sent again is given up. What [`Simulator::set_commands`]
    /// said stays, and so does every install that the app made by its own pages.
    pub fn reset(&self) {
        self.change(State::reset);
    }

    /// The id of the last event of the stream.
    pub(crate) fn last_told(&self) -> u64 {
        self.inner.told.load(Ordering::Relaxed)
    }

    /// Everything that happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<StreamEvent> {
        self.inner.stream.subscribe()
    }

    /// Waits until `condition` finds what it looks for.
    ///
    /// # Errors
    /// After `deadline` without it.
    pub async fn wait_for<T>(
        &self,
        deadline: Duration,
        condition: impl Fn(&State) -> Option<T>,
    ) -> Result<T, TimedOut> {
        let mut changes = self.inner.changes.subscribe();
        let found = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = self.read(&condition) {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(deadline, found).await.ok().flatten().ok_or(TimedOut)
    }
}

fn stream_event(id: u64, state: &State, notice: &Notice) -> Option<StreamEvent> {
    let (name, data) = match notice {
        Notice::Delivery(id) => ("delivery.upsert", state.delivery(id)?.readable()),
        Notice::Call(call) => ("call", json!(call)),
        Notice::Message { channel, change, message } => {
            ("slack.message", json!({"channel": channel, "change": change, "message": mask(message)}))
        }
        Notice::Views(user) => ("slack.view", state.views_readable(user)),
        Notice::Person { user, notice } => ("slack.notice", mask(&json!({"user": user, "notice": notice}))),
        Notice::Dismissed { user, delivery_id } => ("slack.notice", json!({"user": user, "dismissed": delivery_id})),
        Notice::Faults => {
            let mut faults = json!(state.faults());
            faults["struck"] = json!(state.faults_struck());
            ("faults", faults)
        }
        Notice::Installs => ("slack.install", json!({"installs": state.installs()})),
        Notice::Reset => ("reset", json!({})),
    };
    Some(StreamEvent { id, name, data })
}
