//! People: what they say, type, press and submit in the simulated workspace, and what they see of the answer.
//! What an act causes is decided in `cause`, in `fill` (inputs) and `room` (channels); payloads are made in `payload`. Invariant: a person can do only what a Slack client offers:
//! press elements that are there, choose options that were offered, submit what is filled in.

mod administer;
mod cause;
mod fill;
mod payload;
mod room;

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::delivery::{Delivery, Shown};
use crate::mask::mask;
use crate::prepare::DeliveryRequest;
use crate::simulator::{Refusal, Simulator};
use cause::{Caused, cause};

/// One act of a person: the body of `POST /sim/act`. As JSON it is the fields of an [`Action`] and `as`; a field the act does not have
/// is refused by name, so that one misspelt does not make someone else act.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Act {
    /// Who: id or name. Without it, Ada. In JSON, `as`.
    pub user: String,
    /// What.
    pub action: Action,
}

impl TryFrom<Map<String, Value>> for Act {
    type Error = String;

    // By hand, for serde does not refuse unknown fields where it flattens.
    fn try_from(mut fields: Map<String, Value>) -> Result<Self, String> {
        let user = match fields.remove("as") {
            None | Some(Value::Null) => "ada".to_owned(),
            Some(Value::String(user)) => user,
            Some(other) => return Err(format!("`as` is a name or an id, unlike {other}")),
        };
        let action = Action::deserialize(Value::Object(fields)).map_err(|error| {
            let sentence = error.to_string();
            if sentence.starts_with("unknown field") { format!("{sentence} (and `as`, who does it)") } else { sentence }
        })?;
        Ok(Self { user, action })
    }
}

/// What people do.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Writes a message; `@name` and `#name` become links.
    Say {
        /// Id or name of the channel, or of a person for their direct messages with the app.
        channel: String,
        /// As typed.
        text: String,
        /// Stamp of the thread it goes to.
        thread_ts: Option<String>,
    },
    /// Types a slash command. One the app is known not to have is not sent.
    Command {
        /// Id or name of the channel.
        channel: String,
        /// `/order 3`.
        text: String,
    },
    /// Presses or chooses in an element of a message (`channel` and `ts`), of a view (`view_id`), or of the modal on top (neither).
    Click {
        /// Id or name of the message's channel.
        channel: Option<String>,
        /// Stamp of the message.
        ts: Option<String>,
        /// `V…`.
        view_id: Option<String>,
        /// The element's block, where two elements have one action id.
        block_id: Option<String>,
        /// Which element.
        action_id: String,
        /// What is chosen: an option's value or text, a date, an id, … Without it, what `values` say of the element.
        value: Option<Value>,
        /// What the surface's inputs hold right now; see `values` of [`Action::Submit`].
        #[serde(default)]
        values: Map<String, Value>,
    },
    /// Types into a select whose options the app provides.
    Suggest {
        /// Id or name of the message's channel.
        channel: Option<String>,
        /// Stamp of the message.
        ts: Option<String>,
        /// `V…`.
        view_id: Option<String>,
        /// The element's block, where two elements have one action id.
        block_id: Option<String>,
        /// Which element.
        action_id: String,
        /// As typed.
        #[serde(default)]
        value: String,
        /// What the surface's inputs hold right now; see `values` of [`Action::Submit`].
        #[serde(default)]
        values: Map<String, Value>,
    },
    /// Submits a modal: the one on top, or `view_id`. Refused while a submission of it is under way, as is [`Action::Close`].
    Submit {
        /// `V…`.
        view_id: Option<String>,
        /// Block id, action id, or `block_id/action_id` (a slash in either is `%2F`) → what is filled in. Null clears.
        #[serde(default)]
        values: Map<String, Value>,
    },
    /// Closes a modal: the one on top, or `view_id`.
    Close {
        /// `V…`.
        view_id: Option<String>,
    },
    /// Runs a global shortcut.
    Shortcut {
        /// Which.
        callback_id: String,
    },
    /// Runs a message shortcut.
    MessageShortcut {
        /// Id or name of the channel.
        channel: String,
        /// Stamp of the message.
        ts: String,
        /// Which.
        callback_id: String,
    },
    /// Takes away what only this person sees: an ephemeral message (`channel` and `ts`), the notice about a delivery (`delivery_id`), or
    /// the notices in a channel (`channel` alone) that are about none.
    Dismiss {
        /// Id or name of the channel.
        channel: Option<String>,
        /// Stamp of the ephemeral message.
        ts: Option<String>,
        /// The delivery that failed.
        delivery_id: Option<String>,
    },
    /// Opens the app: its Home tab, or another.
    OpenHome {
        /// `home`, `messages` or `about`; without it, `home`.
        tab: Option<String>,
    },
    /// Changes a message of their own.
    Edit {
        /// Id or name of the channel.
        channel: String,
        /// Stamp of the message.
        ts: String,
        /// As typed.
        text: String,
    },
    /// Deletes a message of their own.
    Delete {
        /// Id or name of the channel.
        channel: String,
        /// Stamp of the message.
        ts: String,
    },
    /// Puts an emoji beside a message.
    React {
        /// Id or name of the channel.
        channel: String,
        /// Stamp of the message.
        ts: String,
        /// `eyes`, without colons.
        name: String,
    },
    /// Takes their emoji back.
    Unreact {
        /// Id or name of the channel.
        channel: String,
        /// Stamp of the message.
        ts: String,
        /// `eyes`, without colons.
        name: String,
    },
    /// Joins a public channel.
    Join {
        /// Id or name of the channel.
        channel: String,
    },
    /// Leaves a channel.
    Leave {
        /// Id or name of the channel.
        channel: String,
    },
    /// Invites the app to a channel they are in.
    InviteApp {
        /// Id or name of the channel.
        channel: String,
    },
    /// Removes the app from a channel they are in.
    RemoveApp {
        /// Id or name of the channel.
        channel: String,
    },
    /// Uninstalls the app, as an administrator.
    Uninstall {
        /// `T…`, or `E…` for the whole organisation; without it, their workspace.
        team: Option<String>,
    },
    /// Takes tokens back, as an administrator; the install stays.
    Revoke {
        /// `T…` or `E…`; without it, their workspace.
        team: Option<String>,
        /// Whose: id or name of a person, who may do so themself. Without it, the app's own.
        user: Option<String>,
    },
    /// Lets an org-wide install work in a workspace, as an administrator.
    GrantTeam {
        /// `T…`.
        team: String,
    },
    /// Takes a workspace from an org-wide install, as an administrator.
    RevokeTeam {
        /// `T…`.
        team: String,
    },
}

/// What came of an act.
#[derive(Clone, Debug)]
pub struct Acted {
    /// What it sent, after the first attempt of each.
    pub deliveries: Vec<Delivery>,
    /// What the person saw. Besides the outcomes of a delivery: `said`, and `not_sent` when the client refused.
    pub shown: Shown,
}

impl Acted {
    /// As JSON without tokens: `{"deliveries", "outcome", "errors"?, "view"?, "options"?, "message"?, "text"?}`.
    pub fn readable(&self) -> Value {
        let mut shown = mask(&json!(self.shown));
        let deliveries: Vec<_> = self.deliveries.iter().map(Delivery::readable).collect();
        shown["deliveries"] = Value::Array(deliveries);
        shown
    }

    fn of(deliveries: Vec<Delivery>) -> Self {
        let shown = deliveries.last().and_then(|delivery| delivery.shown.clone());
        Self { deliveries, shown: shown.unwrap_or_else(|| Shown::only("nothing")) }
    }
}

impl Simulator {
    /// Does what a person does, and waits for the app's first answers.
    ///
    /// # Errors
    /// When a Slack client would not offer it; nothing was sent then.
    pub async fn act(&self, act: Act) -> Result<Acted, Refusal> {
        let caused = self.change(|state| {
            let user = state.workspace.person(&act.user).map(|person| person.id.clone());
            let user = user.ok_or_else(|| Refusal(format!("there is no person {}", act.user)))?;
            cause(state, &user, &act.action)
        })?;
        match caused {
            Caused::NotSent(shown) => Ok(Acted { deliveries: Vec::new(), shown }),
            Caused::Requests(requests) => self.acted(requests).await,
            Caused::Said(message, requests) => {
                let deliveries = self.deliver_all(requests).await?;
                Ok(Acted { deliveries, shown: Shown { message: Some(message), ..Shown::only("said") } })
            }
        }
    }

    /// Sends what an act caused.
    pub(crate) async fn acted(&self, requests: Vec<DeliveryRequest>) -> Result<Acted, Refusal> {
        Ok(Acted::of(self.deliver_all(requests).await?))
    }

    async fn deliver_all(&self, requests: Vec<DeliveryRequest>) -> Result<Vec<Delivery>, Refusal> {
        let mut all = Vec::new();
        for deliveries in join_all(requests.into_iter().map(|request| self.deliver(request))).await {
            all.extend(deliveries?);
        }
        Ok(all)
    }
}
