//! Everything the simulated Slack knows at one moment. Reading it never changes it.
//! Histories are in `history`, notices in `notices`, triggers and response URLs in `tickets`. Invariant: everything is bounded, so a simulator that runs for weeks does not grow.

use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::Config;
use crate::delivery::Delivery;
use crate::faults::{Faults, FaultsStruck, Switchboard, WebApiFault};
use crate::history::{History, Remembered};
use crate::install::Installs;
use crate::mask::mask;
use crate::mint::Mint;
use crate::notices::{Notices, PersonNotice};
use crate::suggestions::Suggestions;
use crate::tickets::{ResponseUrl, Trigger};
use crate::views::{View, Views};
use crate::web_api::Meter;
use crate::workspace::{ChannelType, Message, Workspace};

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
    /// What the one who made it ought to know, in our words: a method that is not here yet, a limit overstepped.
    pub warnings: Vec<String>,
    /// The stamp of the message it wrote or changed, whether the answer tells or not.
    pub ts: Option<String>,
    /// Bytes of its body and of the answer.
    pub bytes: usize,
}

impl Remembered for Call {
    fn size(&self) -> usize {
        self.bytes
    }
}

/// What listeners of the stream are told.
pub(crate) enum Notice {
    Delivery(String),
    Call(Box<Call>),
    Message { channel: String, change: &'static str, message: Value },
    Views(String),
    Person { user: String, notice: PersonNotice },
    Dismissed { user: String, delivery_id: String },
    Faults,
    Installs,
    Reset,
}

/// A moment of the simulated Slack.
pub struct State {
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Clock,
    pub(crate) mint: Mint,
    pub(crate) workspace: Workspace,
    pub(crate) installs: Installs,
    pub(crate) views: Views,
    /// The slash commands the app has, if that is known.
    pub(crate) commands: Option<Vec<String>>,
    pub(crate) faults: Switchboard,
    pub(crate) is_token_revoked: bool,
    pub(crate) meter: Meter,
    /// Counts resets: what was begun before one does not go on after it.
    pub(crate) generation: u64,
    /// Events that wait to be sent, in their envelopes.
    pub(crate) outbox: Vec<Value>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) suggestions: Suggestions,
    person_notices: Notices,
    deliveries: History<Delivery>,
    calls: History<Call>,
    pub(crate) triggers: HashMap<String, Trigger>,
    pub(crate) response_urls: HashMap<String, ResponseUrl>,
}

impl State {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        let mut state = Self {
            workspace: Workspace::at_start(&config),
            installs: Installs::default(),
            config,
            clock: Clock::start(),
            mint: Mint::default(),
            views: Views::default(),
            commands: None,
            faults: Switchboard::default(),
            is_token_revoked: false,
            meter: Meter::default(),
            generation: 0,
            outbox: Vec::new(),
            notices: Vec::new(),
            suggestions: Suggestions::default(),
            person_notices: Notices::default(),
            deliveries: History::new(),
            calls: History::new(),
            triggers: HashMap::new(),
            response_urls: HashMap::new(),
        };
        state.install_first();
        state
    }

    /// Back to the start. Stamps go on rising, the app has the commands it had, and where it was installed by its own pages it
    /// still is: it keeps those tokens, and would not know that they are gone.
    pub(crate) fn reset(&mut self) {
        let mint = std::mem::take(&mut self.mint);
        let clock = std::mem::replace(&mut self.clock, Clock::start());
        let (generation, commands) = (self.generation + 1, self.commands.take());
        let installs = std::mem::take(&mut self.installs);
        let notices = vec![Notice::Reset];
        *self = Self { mint, clock, generation, commands, notices, ..Self::new(self.config.clone()) };
        if !self.config.installed {
            self.installs = installs;
            self.welcome_everywhere();
        }
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

    /// The people and channels of all workspaces.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Messages of a channel (id, or name in the first workspace that has it), oldest first.
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

    /// What Slack told a person (id or name) of apps that failed them, oldest first.
    pub fn notices_of(&self, user: &str) -> &[PersonNotice] {
        self.workspace.person(user).map_or(&[], |person| self.person_notices.of(&person.id))
    }

    /// Whether the app has answered a person's (id or name) last load of a select, if only with no options.
    pub fn has_suggested(&self, user: &str, action_id: &str) -> bool {
        self.workspace.person(user).is_some_and(|person| self.suggestions.is_loaded(&person.id, action_id))
    }

    /// What the app last suggested to a person (id or name) for a select: its `options` or `option_groups`, as answered.
    pub fn suggested(&self, user: &str, action_id: &str) -> &[Value] {
        self.workspace.person(user).map_or(&[], |person| self.suggestions.answered(&person.id, action_id))
    }

    /// Why the last load of a select's options brought a person (id or name) nothing.
    pub fn suggest_problem(&self, user: &str, action_id: &str) -> Option<&str> {
        self.suggestions.problem(&self.workspace.person(user)?.id, action_id)
    }

    /// Faults in force.
    pub fn faults(&self) -> &Faults {
        self.faults.faults()
    }

    /// How often faults have struck since they were set.
    pub fn faults_struck(&self) -> &FaultsStruck {
        self.faults.struck()
    }

    /// The fault that strikes this call, counted off and told.
    pub(crate) fn strike(&mut self, method: &str) -> Option<WebApiFault> {
        let fault = self.faults.strike_call(method);
        if fault.is_some() {
            self.notices.push(Notice::Faults);
        }
        fault
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
        self.notices.push(Notice::Delivery(delivery.id.clone()));
        self.deliveries.push(delivery);
    }

    /// Takes over how a delivery stands now, if it is still remembered.
    pub(crate) fn update_delivery(&mut self, delivery: &Delivery) {
        if self.deliveries.change(|known| known.id == delivery.id, |known| known.clone_from(delivery)) {
            self.notices.push(Notice::Delivery(delivery.id.clone()));
        }
    }

    pub(crate) fn remember_call(&mut self, call: Call) {
        self.notices.push(Notice::Call(Box::new(call.clone())));
        self.calls.push(call);
    }

    /// Tells one person something nobody else sees.
    pub(crate) fn tell(&mut self, user: &str, notice: PersonNotice) {
        self.notices.push(Notice::Person { user: user.to_owned(), notice: notice.clone() });
        self.person_notices.add(user, notice);
    }

    /// Takes away what a person was told about a delivery, everywhere or in one channel. False if they were told nothing.
    pub(crate) fn dismiss(&mut self, user: &str, delivery_id: &str, channel: Option<&str>) -> bool {
        let is_gone = self.person_notices.dismiss(user, delivery_id, channel);
        if is_gone {
            self.notices.push(Notice::Dismissed { user: user.to_owned(), delivery_id: delivery_id.to_owned() });
        }
        is_gone
    }

    /// Tells the listeners of the stream what happened to a message: `posted`, `changed`, `deleted` or `pressed`.
    pub(crate) fn tell_of(&mut self, channel: &str, change: &'static str, message: &Value) {
        self.notices.push(Notice::Message { channel: channel.to_owned(), change, message: message.clone() });
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

    /// What only this person sees: `{"user", "modals", "home", "notices"}`.
    pub(crate) fn views_readable(&self, user: &str) -> Value {
        let shown = |view: &View| mask(&view.with_state());
        json!({
            "user": user,
            "modals": self.views.stack(user).into_iter().map(shown).collect::<Vec<_>>(),
            "home": self.views.home(user).map(shown),
            "notices": mask(&json!(self.person_notices.of(user))),
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
