//! The names behind ids: people, the bot, conversations. A copy of what the workspace says, so that rendering needs no lock.
//! Not here: who may do what. Invariant: an id that nobody has keeps standing for itself; nothing is invented.
//! Source: <https://docs.slack.dev/reference/block-kit/composition-objects/conversation-filter-object/>

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tack_simulator::{ChannelType, Workspace};

/// Names of people, the bot and conversations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    people: BTreeMap<String, String>,
    /// Ids of those who are in another workspace than the one who looks.
    elsewhere: BTreeSet<String>,
    bot: (String, String),
    conversations: Vec<Conversation>,
}

/// A conversation one can choose.
#[derive(Clone, Debug)]
struct Conversation {
    id: String,
    name: String,
    channel_type: ChannelType,
    members: Vec<String>,
    is_archived: bool,
}

impl Directory {
    /// What `workspace` knows now, for one who is in `team` (an id) and meets the app as `bot` (id, name).
    pub(crate) fn of(workspace: &Workspace, team: &str, bot: (&str, &str)) -> Self {
        let conversation = |channel: &tack_simulator::Channel| Conversation {
            id: channel.id.clone(),
            name: channel.name.clone(),
            channel_type: channel.channel_type,
            members: channel.members.clone(),
            is_archived: channel.is_archived,
        };
        let elsewhere = workspace.people.iter().filter(|person| person.team != team);
        Self {
            people: workspace.people.iter().map(|person| (person.id.clone(), person.real_name.clone())).collect(),
            elsewhere: elsewhere.map(|person| person.id.clone()).collect(),
            bot: (bot.0.to_owned(), bot.1.to_owned()),
            conversations: workspace.channels.iter().filter(|channel| channel.is_in(team)).map(conversation).collect(),
        }
    }

    /// The name of a person or the bot, without `@`.
    pub(crate) fn user(&self, id: &str) -> Option<&str> {
        if id == self.bot.0 && !id.is_empty() {
            return Some(&self.bot.1);
        }
        self.people.get(id).map(String::as_str)
    }

    /// The name of a channel without `#`; for direct messages the name of the other one.
    pub(crate) fn conversation(&self, id: &str) -> Option<&str> {
        let known = self.conversations.iter().find(|known| known.id == id)?;
        Some(self.name_of(known, ""))
    }

    /// Direct messages have no name of their own: they are called after the one who is not looking.
    fn name_of<'a>(&'a self, conversation: &'a Conversation, viewer: &str) -> &'a str {
        match conversation.channel_type {
            ChannelType::Im if conversation.name == viewer => &self.bot.1,
            ChannelType::Im => self.user(&conversation.name).unwrap_or(&conversation.name),
            _ => &conversation.name,
        }
    }

    /// Everyone a `users_select` offers: (id, name), by name.
    pub(crate) fn users(&self) -> Vec<(String, String)> {
        let mut users: Vec<_> = self
            .people
            .iter()
            .filter(|(id, _)| !self.elsewhere.contains(*id))
            .map(|(id, name)| (id.clone(), name.clone()))
            .collect();
        users.sort_by(|one, other| one.1.cmp(&other.1));
        users
    }

    /// The public channels a `channels_select` offers: (id, `#name`), by name.
    pub(crate) fn channels(&self) -> Vec<(String, String)> {
        let public = serde_json::json!({"include": ["public"]});
        self.conversations_for("", &public)
    }

    /// What a `conversations_select` with this `filter` offers to `viewer`: (id, name), by name. Private ones only to members.
    pub(crate) fn conversations_for(&self, viewer: &str, filter: &Value) -> Vec<(String, String)> {
        let included = |kind: &str| filter["include"].as_array().is_none_or(|list| list.iter().any(|one| one == kind));
        let mut offered: Vec<(String, String)> = self
            .conversations
            .iter()
            .filter(|known| !known.is_archived)
            .filter(|known| match known.channel_type {
                ChannelType::Channel => included("public"),
                ChannelType::Group => included("private") && known.members.iter().any(|member| member == viewer),
                // Every direct message of the simulated workspace is one with the bot.
                ChannelType::Im => {
                    included("im")
                        && filter["exclude_bot_users"] != true
                        && known.members.iter().any(|member| member == viewer)
                }
            })
            .map(|known| {
                let sign = if known.channel_type == ChannelType::Im { "@" } else { "#" };
                (known.id.clone(), format!("{sign}{}", self.name_of(known, viewer)))
            })
            .collect();
        offered.sort_by(|one, other| one.1.cmp(&other.1));
        offered
    }

    /// A directory with the names of the published bodies.
    #[cfg(test)]
    pub(super) fn acme() -> Self {
        let conversation = |id: &str, name: &str, channel_type, members: &[&str]| Conversation {
            id: id.to_owned(),
            name: name.to_owned(),
            channel_type,
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            is_archived: id == "C0OLD0001",
        };
        let person = |id: &str, name: &str| (id.to_owned(), name.to_owned());
        let everyone = ["U0ADA0001", "U0GRACE01", "U0LINUS01"];
        Self {
            people: BTreeMap::from([
                person("U0ADA0001", "Ada Lovelace"),
                person("U0GRACE01", "Grace Hopper"),
                person("U0LINUS01", "Linus Pauling"),
            ]),
            elsewhere: BTreeSet::new(),
            bot: person("U0TACKBOT", "tack"),
            conversations: vec![
                conversation("C0GENERAL", "general", ChannelType::Channel, &everyone),
                conversation("C0PLAY001", "playground", ChannelType::Channel, &everyone),
                conversation("C0OLD0001", "old", ChannelType::Channel, &everyone),
                conversation("C0OPS0001", "ops", ChannelType::Group, &["U0ADA0001"]),
                conversation("D0ADA0001", "U0ADA0001", ChannelType::Im, &["U0ADA0001", "U0TACKBOT"]),
            ],
        }
    }

    /// [`Self::acme`] with everyone and everything called `name`.
    #[cfg(test)]
    pub(super) fn called(name: &str) -> Self {
        let mut directory = Self::acme();
        directory.people.values_mut().for_each(|known| name.clone_into(known));
        name.clone_into(&mut directory.bot.1);
        directory.conversations.iter_mut().for_each(|known| name.clone_into(&mut known.name));
        directory
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(offered: &[(String, String)]) -> Vec<&str> {
        offered.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn people_the_bot_and_channels_have_names_and_nobody_else() {
        let directory = Directory::acme();
        assert_eq!(directory.user("U0ADA0001"), Some("Ada Lovelace"));
        assert_eq!(directory.user("U0TACKBOT"), Some("tack"));
        assert_eq!(directory.user("U0NOBODY1"), None);
        assert_eq!(directory.conversation("C0PLAY001"), Some("playground"));
        assert_eq!(directory.conversation("D0ADA0001"), Some("Ada Lovelace"));
        assert_eq!(Directory::default().user(""), None);
    }

    #[test]
    fn a_filter_leaves_the_kinds_it_includes() {
        let directory = Directory::acme();
        let offered = |filter: Value| {
            let offered = directory.conversations_for("U0ADA0001", &filter);
            names(&offered).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(offered(Value::Null), ["#general", "#ops", "#playground", "@tack"]);
        assert_eq!(offered(json!({"include": ["im"]})), ["@tack"]);
        assert_eq!(offered(json!({"include": ["private", "mpim"]})), ["#ops"]);
        assert_eq!(offered(json!({"exclude_bot_users": true})), ["#general", "#ops", "#playground"]);
        assert_eq!(names(&directory.channels()), ["#general", "#playground"]);
    }

    #[test]
    fn an_archived_channel_keeps_its_name_and_is_not_offered() {
        let directory = Directory::acme();
        assert_eq!(directory.conversation("C0OLD0001"), Some("old"));
        assert!(!names(&directory.channels()).contains(&"#old"));
    }

    #[test]
    fn private_conversations_are_offered_to_their_members() {
        assert_eq!(names(&Directory::acme().conversations_for("U0GRACE01", &Value::Null)), ["#general", "#playground"]);
    }
}
