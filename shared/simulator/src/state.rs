//! Everything the simulated Slack knows at one moment. Reading it never changes it.
//! Invariant: histories are bounded, so a simulator that runs for weeks does not grow.

use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::config::Config;
use crate::delivery::Delivery;
use crate::faults::Faults;
use crate::mask::mask;
use crate::mint::{self, Mint};
use crate::views::{View, Views};
use crate::workspace::{ChannelType, Message, Workspace};

/// Deliveries, and calls, that are remembered.
pub const HISTORY: usize = 2_000;

/// One call of the Web API or of a `response_url`.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Value of `x-slack-req-id` in the answer.
    pub id: String,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Web API method, or `response_url`.
    pub method: String,
    /// Arguments, tokens masked.
    pub args: Value,
    /// The token it came with, masked.
    pub token: Option<String>,
    /// Workspace of the token; empty if it had none.
    pub team: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// The answer, tokens masked.
    pub answer: Value,
    /// Milliseconds until the answer.
    pub ms: u64,
    /// A fault struck it.
    pub fault: bool,
}

/// A `trigger_id` that was sent.
pub(crate) struct Trigger {
    pub(crate) user: String,
    born: Instant,
    used: bool,
}

/// A `response_url` that was sent.
pub(crate) struct ResponseUrl {
    pub(crate) channel: String,
    pub(crate) user: String,
    /// Stamp of the message it came from.
    pub(crate) origin: Option<String>,
    born: Instant,
    uses: u32,
}

/// Times a `response_url` works.
const RESPONSE_URL_USES: u32 = 5;

/// What listeners of the stream are told.
pub(crate) enum Notice {
    Delivery(String),
    Call(Box<Call>),
    Message { channel: String, change: &'static str, message: Value },
    Views(String),
    Faults,
    Reset,
}

/// A moment of the simulated Slack.
pub struct State {
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Clock,
    pub(crate) mint: Mint,
    pub(crate) workspace: Workspace,
    pub(crate) views: Views,
    pub(crate) faults: Faults,
    pub(crate) is_token_revoked: bool,
    /// Counts resets: what was begun before one does not go on after it.
    pub(crate) generation: u64,
    /// Inner events that wait to be sent.
    pub(crate) outbox: Vec<Value>,
    pub(crate) notices: Vec<Notice>,
    /// By person and action id: the options last suggested.
    pub(crate) suggested: HashMap<(String, String), Vec<Value>>,
    deliveries: VecDeque<Delivery>,
    calls: VecDeque<Call>,
    triggers: HashMap<String, Trigger>,
    response_urls: HashMap<String, ResponseUrl>,
}

impl State {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        Self {
            workspace: Workspace::acme(&config),
            config,
            clock: Clock::start(),
            mint: Mint::default(),
            views: Views::default(),
            faults: Faults::default(),
            is_token_revoked: false,
            generation: 0,
            outbox: Vec::new(),
            notices: Vec::new(),
            suggested: HashMap::new(),
            deliveries: VecDeque::new(),
            calls: VecDeque::new(),
            triggers: HashMap::new(),
            response_urls: HashMap::new(),
        }
    }

    /// Back to the start. Stamps go on rising.
    pub(crate) fn reset(&mut self) {
        let mint = std::mem::take(&mut self.mint);
        let clock = std::mem::replace(&mut self.clock, Clock::start());
        let generation = self.generation + 1;
        *self = Self { mint, clock, generation, notices: vec![Notice::Reset], ..Self::new(self.config.clone()) };
    }

    /// Deliveries, oldest first.
    pub fn deliveries(&self) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.deliveries.iter()
    }

    /// The delivery with this id.
    pub fn delivery(&self, id: &str) -> Option<&Delivery> {
        self.deliveries.iter().rev().find(|delivery| delivery.id == id)
    }

    /// Calls received, oldest first.
    pub fn calls(&self) -> impl DoubleEndedIterator<Item = &Call> {
        self.calls.iter()
    }

    /// Calls of `method`, oldest first.
    pub fn calls_of(&self, method: &str) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.method == method).collect()
    }

    /// People and channels.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Messages of a channel (id or name), oldest first.
    pub fn messages(&self, channel: &str) -> &[Message] {
        self.workspace.channel(channel).map_or(&[], |channel| self.workspace.messages(&channel.id))
    }

    /// The modals a person (id or name) has open, the one on top last.
    pub fn modals(&self, user: &str) -> Vec<&View> {
        self.workspace.person(user).map_or_else(Vec::new, |person| self.views.stack(&person.id))
    }

    /// The Home tab a person (id or name) sees.
    pub fn home(&self, user: &str) -> Option<&View> {
        self.views.home(&self.workspace.person(user)?.id)
    }

    /// Faults in force.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.now().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn next_ts(&mut self) -> String {
        let now = self.clock.now();
        self.mint.ts(now)
    }

    pub(crate) fn remember_delivery(&mut self, delivery: Delivery) {
        if self.deliveries.len() >= HISTORY {
            self.deliveries.pop_front();
        }
        self.notices.push(Notice::Delivery(delivery.id.clone()));
        self.deliveries.push_back(delivery);
    }

    /// Takes over how a delivery stands now, if it is still remembered.
    pub(crate) fn update_delivery(&mut self, delivery: &Delivery) {
        let known = self.deliveries.iter_mut().rev().find(|known| known.id == delivery.id);
        if let Some(known) = known {
            known.clone_from(delivery);
            self.notices.push(Notice::Delivery(delivery.id.clone()));
        }
    }

    pub(crate) fn remember_call(&mut self, call: Call) {
        if self.calls.len() >= HISTORY {
            self.calls.pop_front();
        }
        self.notices.push(Notice::Call(Box::new(call.clone())));
        self.calls.push_back(call);
    }

    /// A `trigger_id` for what `user` just did.
    pub(crate) fn mint_trigger(&mut self, user: &str) -> String {
        let life = self.config.trigger_life;
        // Old ones are kept a while, so that a late call hears `expired_trigger_id` and not `invalid_trigger_id`.
        self.triggers.retain(|_, trigger| trigger.born.elapsed() < life * 20);
        let id = mint::trigger_id(self.now());
        self.triggers.insert(id.clone(), Trigger { user: user.to_owned(), born: Instant::now(), used: false });
        id
    }

    /// Uses up a `trigger_id`; answers who caused it.
    pub(crate) fn use_trigger(&mut self, id: &str) -> Result<String, &'static str> {
        let life = self.config.trigger_life;
        let trigger = self.triggers.get_mut(id).ok_or("invalid_trigger_id")?;
        if trigger.used {
            return Err("exchanged_trigger_id");
        }
        if trigger.born.elapsed() > life {
            return Err("expired_trigger_id");
        }
        trigger.used = true;
        Ok(trigger.user.clone())
    }

    /// A `response_url` for what `user` did in `channel`, to the message with stamp `origin`.
    pub(crate) fn mint_response_url(&mut self, channel: &str, user: &str, origin: Option<&str>) -> String {
        let life = self.config.response_url_life;
        self.response_urls.retain(|_, url| url.born.elapsed() < life * 2);
        let id = mint::opaque();
        let url = format!("{}/response/{id}", self.config.base_url);
        self.response_urls.insert(
            id,
            ResponseUrl {
                channel: channel.to_owned(),
                user: user.to_owned(),
                origin: origin.map(str::to_owned),
                born: Instant::now(),
                uses: 0,
            },
        );
        url
    }

    /// Counts one use of a `response_url`.
    pub(crate) fn use_response_url(&mut self, id: &str) -> Result<(String, String, Option<String>), &'static str> {
        let life = self.config.response_url_life;
        let url = self.response_urls.get_mut(id).ok_or("no_such_url")?;
        if url.born.elapsed() > life {
            return Err("expired_url");
        }
        if url.uses >= RESPONSE_URL_USES {
            return Err("used_url");
        }
        url.uses += 1;
        Ok((url.channel.clone(), url.user.clone(), url.origin.clone()))
    }

    /// Queues an event for the app if it subscribed to it.
    pub(crate) fn emit(&mut self, subscription: &str, inner: Value) {
        if self.config.bot_events.iter().any(|event| event == subscription) {
            self.outbox.push(inner);
        }
    }

    /// Queues a `message` event if the app is in the channel and subscribed to its messages.
    pub(crate) fn emit_message(&mut self, channel: &str, mut inner: Value) {
        let Some(channel) = self.workspace.channel(channel).cloned() else {
            return;
        };
        if !channel.members.contains(&self.config.bot_user_id) {
            return;
        }
        inner["channel"] = json!(channel.id);
        inner["channel_type"] = json!(channel.channel_type);
        if inner["event_ts"].is_null() {
            inner["event_ts"] = inner["ts"].clone();
        }
        self.emit(channel.channel_type.subscription(), inner);
    }

    /// A channel as `channel` objects of payloads name it.
    pub(crate) fn channel_object(&self, id: &str) -> Value {
        let name = match self.workspace.channel(id) {
            Some(channel) if channel.channel_type == ChannelType::Im => "directmessage",
            Some(channel) => channel.name.as_str(),
            None => "privategroup",
        };
        json!({"id": id, "name": name})
    }

    /// What people and views look like to a reader: `{"user", "modals", "home"}`.
    pub(crate) fn views_readable(&self, user: &str) -> Value {
        let shown = |view: &View| mask(&view.with_state());
        json!({
            "user": user,
            "modals": self.views.stack(user).into_iter().map(shown).collect::<Vec<_>>(),
            "home": self.views.home(user).map(shown),
        })
    }
}

/// Messages of `channel` as the machine interface shows them.
pub(crate) fn messages_readable(messages: &[Message]) -> BTreeMap<&'static str, Value> {
    let list = messages
        .iter()
        .map(|message| {
            let mut body = mask(&message.body);
            if let Some(user) = &message.ephemeral_to {
                body["ephemeral_to"] = json!(user);
            }
            body
        })
        .collect();
    BTreeMap::from([("messages", Value::Array(list))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State::new(Arc::new(Config::default()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_trigger_lives_three_seconds_and_works_once() {
        let mut state = state();
        let (early, late) = (state.mint_trigger("U1"), state.mint_trigger("U1"));
        tokio::time::advance(Duration::from_millis(2_999)).await;
        assert_eq!(state.use_trigger(&early), Ok("U1".to_owned()));
        assert_eq!(state.use_trigger(&early), Err("exchanged_trigger_id"));
        tokio::time::advance(Duration::from_millis(2)).await;
        assert_eq!(state.use_trigger(&late), Err("expired_trigger_id"));
        assert_eq!(state.use_trigger("1.2.3"), Err("invalid_trigger_id"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_url_lives_thirty_minutes() {
        let mut state = state();
        let url = state.mint_response_url("C1", "U1", None);
        let id = url.rsplit('/').next().unwrap();
        tokio::time::advance(Duration::from_secs(30 * 60)).await;
        assert!(state.use_response_url(id).is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(state.use_response_url(id), Err("expired_url"));
    }

    #[test]
    fn a_reset_forgets_everything_but_goes_on_counting() {
        let mut state = state();
        let before = state.next_ts();
        let trigger = state.mint_trigger("U1");
        state.is_token_revoked = true;
        state.reset();
        assert!(state.next_ts() > before);
        assert_eq!(state.use_trigger(&trigger), Err("invalid_trigger_id"));
        assert!(!state.is_token_revoked);
        assert_eq!(state.generation, 1);
    }
}
