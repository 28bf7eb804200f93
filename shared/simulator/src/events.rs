//! What happens in a workspace becomes an event for the app: whether it hears of it, through which install, and the envelope that says so.
//! What the inner events say is made where they happen. Invariant: one event is sent once, however many installs could hear it.
//! Sources: <https://docs.slack.dev/apis/events-api/>, <https://docs.slack.dev/apis/slack-connect/>

use serde_json::{Value, json};

use crate::install::AppUser;
use crate::published::published;
use crate::state::State;
use crate::workspace::Channel;

/// The envelope in which `app` is told of `inner`, without what is filled in when it is sent.
pub(crate) fn envelope(app: &AppUser, inner: Value) -> Value {
    let mut envelope = published("event/message.json");
    envelope["api_app_id"] = json!(app.app_id);
    envelope["team_id"] = json!(app.team.id);
    envelope["context_team_id"] = json!(app.team.id);
    envelope["context_enterprise_id"] = json!(app.enterprise_id());
    if let Some(enterprise) = app.enterprise_id() {
        envelope["enterprise_id"] = json!(enterprise);
    }
    envelope["authorizations"] = json!([{
        "enterprise_id": app.enterprise_id(),
        "team_id": (!app.is_org_wide()).then_some(&app.team.id),
        "user_id": app.id,
        "is_bot": true,
        "is_enterprise_install": app.is_org_wide(),
    }]);
    envelope["event"] = inner;
    for stale in ["event_id", "event_time", "event_context"] {
        envelope[stale] = Value::Null;
    }
    envelope
}

/// Whoever did what an inner event tells.
fn author(inner: &Value) -> &str {
    let places = [&inner["message"]["user"], &inner["previous_message"]["user"], &inner["user"]];
    places.into_iter().find_map(Value::as_str).unwrap_or_default()
}

impl State {
    fn is_subscribed(&self, subscription: &str) -> bool {
        self.config.bot_events.iter().any(|event| event == subscription)
    }

    /// Queues an event about a person, if the app is installed where they are and subscribed to it.
    pub(crate) fn emit_of(&mut self, user: &str, subscription: &str, inner: Value) {
        let app = self.app_before(user, "").filter(|_| self.is_subscribed(subscription));
        self.outbox.extend(app.map(|app| envelope(&app, inner)));
    }

    /// Queues an event about a channel (an id) if the app is in it and subscribed.
    pub(crate) fn emit_in(&mut self, channel: &str, subscription: &str, mut inner: Value) {
        let Some(channel) = self.workspace.channels.iter().find(|known| known.id == channel) else {
            return;
        };
        let author = author(&inner).to_owned();
        let Some(app) = self.app_hearing(channel, &author).filter(|_| self.is_subscribed(subscription)) else {
            return;
        };
        let home = self.home_of(&author, channel);
        if channel.is_ext_shared() {
            for field in ["user_team", "source_team"] {
                if inner["type"] == "message" || inner["type"] == "app_mention" {
                    inner[field] = json!(home);
                }
            }
        }
        let mut envelope = envelope(&app, inner);
        if channel.is_ext_shared() {
            // Whose deed it is, and through whom the app knows of it, can be two workspaces.
            envelope["team_id"] = json!(home);
            envelope["is_ext_shared_channel"] = json!(true);
        }
        self.outbox.push(envelope);
    }

    /// Queues a `message` event if the app is in the channel (an id) and subscribed to its messages.
    pub(crate) fn emit_message(&mut self, channel: &str, mut inner: Value) {
        let Some(channel) = self.workspace.channels.iter().find(|known| known.id == channel).cloned() else {
            return;
        };
        inner["channel"] = json!(channel.id);
        inner["channel_type"] = json!(channel.channel_type);
        if inner["event_ts"].is_null() {
            inner["event_ts"] = inner["ts"].clone();
        }
        self.emit_in(&channel.id, channel.channel_type.subscription(), inner);
    }

    /// The workspace of whoever acts in a channel, as far as the channel is in it.
    pub(crate) fn home_of(&self, user: &str, channel: &Channel) -> String {
        let home = self.teams_of(user).into_iter().find(|team| channel.is_in(team));
        home.unwrap_or_else(|| channel.team.clone())
    }
}
