//! The people, channels and messages of the simulated workspace. Views live in `views`, who may call what in `web_api`.
//! Invariant: the ids at the start are always the same, so links, tests and published bodies agree.

use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::attachments;
use crate::config::Config;
use crate::elements::{self, Values};

/// Someone who can act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// `U…`.
    pub id: String,
    /// Name without `@`.
    pub name: String,
    /// Full name.
    pub real_name: String,
    /// May install apps.
    pub is_admin: bool,
}

/// What sort of conversation a channel is, in the words of `channel_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelType {
    /// Public.
    Channel,
    /// Private.
    Group,
    /// Between one person and the app.
    Im,
}

impl ChannelType {
    /// The subscription that delivers its messages.
    pub(crate) fn subscription(self) -> &'static str {
        match self {
            Self::Channel => "message.channels",
            Self::Group => "message.groups",
            Self::Im => "message.im",
        }
    }
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Channel {
    /// `C…` or `D…`.
    pub id: String,
    /// Name without `#`; for a direct message the person's id.
    pub name: String,
    /// What sort it is.
    pub channel_type: ChannelType,
    /// Ids of people, and the bot user where the app was invited.
    pub members: Vec<String>,
    /// Nobody can post any more.
    pub is_archived: bool,
}

/// One message of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The message as Slack shows it: `ts`, `user`, `text`, `blocks`, …
    pub body: Value,
    /// The only person who sees it.
    pub ephemeral_to: Option<String>,
    /// What each person did with it, by their id.
    hands: BTreeMap<String, Hand>,
}

/// What one person did with a message, and what came of it. Nobody else sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Hand {
    /// What they chose.
    pub(crate) chosen: Values,
    /// Block id → what the warning triangle beside it says.
    pub(crate) problems: BTreeMap<String, String>,
}

static UNTOUCHED: Hand = Hand { chosen: Values::new(), problems: BTreeMap::new() };

impl Message {
    /// Its stamp.
    pub fn ts(&self) -> &str {
        self.body["ts"].as_str().unwrap_or_default()
    }

    /// Its text.
    pub fn text(&self) -> &str {
        self.body["text"].as_str().unwrap_or_default()
    }

    /// Every block a person may act in: the message's own, and after them those of its attachments. Null if it has none at all.
    pub fn blocks(&self) -> Cow<'_, Value> {
        attachments::all_blocks(&self.body)
    }

    /// `state.values` of the message as this person (an id) filled it in.
    pub fn chosen_values(&self, user: &str) -> Value {
        elements::state_values(&self.blocks(), &self.hand(user).chosen)
    }

    /// Block id → Slack's warning about this person's (an id) last press, if the app failed it.
    pub fn problems(&self, user: &str) -> &BTreeMap<String, String> {
        &self.hand(user).problems
    }

    pub(crate) fn hand(&self, user: &str) -> &Hand {
        self.hands.get(user).unwrap_or(&UNTOUCHED)
    }

    pub(crate) fn hand_mut(&mut self, user: &str) -> &mut Hand {
        self.hands.entry(user.to_owned()).or_default()
    }

    /// Takes a new body; what was done with blocks that are no longer there is forgotten.
    pub(crate) fn replace(&mut self, body: Value) {
        self.body = body;
        let keys: Vec<_> = elements::placed(&self.blocks()).iter().map(elements::Placed::key).collect();
        for hand in self.hands.values_mut() {
            hand.chosen.retain(|key, _| keys.contains(key));
            hand.problems.retain(|block_id, _| keys.iter().any(|(known, _)| known == block_id));
        }
    }
}

/// People, channels, histories.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Everyone but the bot.
    pub people: Vec<Person>,
    /// Every conversation.
    pub channels: Vec<Channel>,
    histories: BTreeMap<String, Vec<Message>>,
}

/// A history is cut to this many messages.
const HISTORY: usize = 2_000;

impl Workspace {
    /// Three people, four channels (the app is in `#general` and `#playground`), and Ada's direct messages with the app.
    pub(crate) fn acme(config: &Config) -> Self {
        let person = |id: &str, name: &str, real_name: &str, is_admin| Person {
            id: id.to_owned(),
            name: name.to_owned(),
            real_name: real_name.to_owned(),
            is_admin,
        };
        let people = vec![
            person("U0ADA0001", "ada", "Ada Lovelace", true),
            person("U0GRACE01", "grace", "Grace Hopper", false),
            person("U0LINUS01", "linus", "Linus Pauling", false),
        ];
        let channel = |id: &str, name: &str, channel_type, with_app: bool| {
            let mut members: Vec<String> = people.iter().map(|person| person.id.clone()).collect();
            if channel_type == ChannelType::Im {
                members.retain(|member| member == name);
            }
            if with_app {
                members.push(config.bot_user_id.clone());
            }
            Channel { id: id.to_owned(), name: name.to_owned(), channel_type, members, is_archived: false }
        };
        let channels = vec![
            channel("C0GENERAL", "general", ChannelType::Channel, true),
            channel("C0PLAY001", "playground", ChannelType::Channel, true),
            channel("C0RANDOM1", "random", ChannelType::Channel, false),
            channel("C0OPS0001", "ops", ChannelType::Group, false),
            channel("D0ADA0001", "U0ADA0001", ChannelType::Im, true),
        ];
        Self { people, channels, histories: BTreeMap::new() }
    }

    /// The person with this id or name.
    pub fn person(&self, id_or_name: &str) -> Option<&Person> {
        let name = id_or_name.trim_start_matches('@');
        self.people.iter().find(|person| person.id == id_or_name || person.name.eq_ignore_ascii_case(name))
    }

    /// The channel with this id or name.
    pub fn channel(&self, id_or_name: &str) -> Option<&Channel> {
        let name = id_or_name.trim_start_matches('#');
        self.channels.iter().find(|channel| {
            channel.id == id_or_name || (channel.channel_type != ChannelType::Im && channel.name == name)
        })
    }

    /// The channel, or the person's direct messages with the app (opened if need be).
    pub(crate) fn channel_or_im(&mut self, id: &str, bot_user: &str) -> Option<Channel> {
        if let Some(channel) = self.channel(id) {
            return Some(channel.clone());
        }
        let person = self.people.iter().find(|person| person.id == id)?.id.clone();
        Some(self.im(&person, bot_user))
    }

    /// The direct messages of `person` with the app.
    pub(crate) fn im(&mut self, person: &str, bot_user: &str) -> Channel {
        if let Some(im) =
            self.channels.iter().find(|channel| channel.channel_type == ChannelType::Im && channel.name == person)
        {
            return im.clone();
        }
        let im = Channel {
            id: format!("D{}", person.trim_start_matches(['U', 'W'])),
            name: person.to_owned(),
            channel_type: ChannelType::Im,
            members: vec![person.to_owned(), bot_user.to_owned()],
            is_archived: false,
        };
        self.channels.push(im.clone());
        im
    }

    /// Invites or removes a member. False if there is no such channel.
    pub(crate) fn set_member(&mut self, channel: &str, user: &str, is_member: bool) -> bool {
        let Some(channel) = self.channels.iter_mut().find(|known| known.id == channel) else {
            return false;
        };
        channel.members.retain(|member| member != user);
        if is_member {
            channel.members.push(user.to_owned());
        }
        true
    }

    /// The messages of a channel, oldest first.
    pub fn messages(&self, channel: &str) -> &[Message] {
        self.histories.get(channel).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.messages(channel).iter().find(|message| message.ts() == ts)
    }

    pub(crate) fn message_mut(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        self.histories.get_mut(channel)?.iter_mut().find(|message| message.ts() == ts)
    }

    pub(crate) fn post(&mut self, channel: &str, body: Value, ephemeral_to: Option<String>) {
        let history = self.histories.entry(channel.to_owned()).or_default();
        if history.len() >= HISTORY {
            history.remove(0);
        }
        history.push(Message { body, ephemeral_to, hands: BTreeMap::new() });
    }

    pub(crate) fn remove(&mut self, channel: &str, ts: &str) -> Option<Message> {
        let history = self.histories.get_mut(channel)?;
        let at = history.iter().position(|message| message.ts() == ts)?;
        Some(history.remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_bodies_speak_of_this_workspace() {
        let workspace = Workspace::acme(&Config::default());
        let event = crate::published::published("event/message.json");
        assert!(workspace.person(event["event"]["user"].as_str().unwrap()).is_some());
        assert_eq!(workspace.channel(event["event"]["channel"].as_str().unwrap()).unwrap().name, "playground");
        assert_eq!(event["api_app_id"].as_str().unwrap(), Config::default().app_id);
    }

    #[test]
    fn direct_messages_are_opened_once() {
        let mut workspace = Workspace::acme(&Config::default());
        let first = workspace.channel_or_im("U0GRACE01", "U0TACKBOT").unwrap();
        assert_eq!(first.id, "D0GRACE01");
        assert_eq!(workspace.channel_or_im("U0GRACE01", "U0TACKBOT").unwrap(), first);
        assert_eq!(workspace.channel_or_im("U0NOBODY1", "U0TACKBOT"), None);
    }
}
