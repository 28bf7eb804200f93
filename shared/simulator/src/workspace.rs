//! The people, channels and messages of all simulated workspaces. Who is there at the start is in `world`, views live in `views`.
//! Invariant: an id names one thing in all workspaces; a name is looked up in one of them.

use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::attachments;
use crate::config::Team;
use crate::elements::{self, Values};

/// Someone who can act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// `U…`.
    pub id: String,
    /// `T…`, the workspace they belong to.
    pub team: String,
    /// Name without `@`.
    pub name: String,
    /// Full name.
    pub real_name: String,
    /// May install apps in their workspace.
    pub is_admin: bool,
    /// May install apps in their whole organisation, and in each of its workspaces.
    #[serde(skip_serializing_if = "is_false")]
    pub is_org_admin: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// An Enterprise Grid organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Organisation {
    /// `E…`.
    pub id: String,
    /// The part before `.enterprise.slack.com`.
    pub domain: String,
    /// The name people see.
    pub name: String,
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
    /// `T…`, the workspace it stands in.
    pub team: String,
    /// Workspaces it is shared with by Slack Connect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<String>,
    /// Name without `#`; for a direct message the person's id.
    pub name: String,
    /// What sort it is.
    pub channel_type: ChannelType,
    /// Ids of people, and the bot user where the app was invited.
    pub members: Vec<String>,
    /// Nobody can post any more.
    pub is_archived: bool,
}

impl Channel {
    /// People of this workspace (an id) can be in it.
    pub fn is_in(&self, team: &str) -> bool {
        self.team == team || self.shared_with.iter().any(|other| other == team)
    }

    /// Slack Connect shares it with another workspace.
    pub fn is_ext_shared(&self) -> bool {
        !self.shared_with.is_empty()
    }

    /// Every workspace it is in, its own first.
    pub(crate) fn teams(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.team).chain(&self.shared_with).map(String::as_str)
    }

    fn is_called(&self, name: &str) -> bool {
        self.channel_type != ChannelType::Im && self.name == name
    }

    pub(crate) fn has(&self, user: &str) -> bool {
        self.members.iter().any(|member| member == user)
    }
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

/// Workspaces, people, channels, histories.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Every workspace; the first is that of the settings.
    pub teams: Vec<Team>,
    /// Every Enterprise Grid organisation.
    pub organisations: Vec<Organisation>,
    /// Everyone but the app's own users.
    pub people: Vec<Person>,
    /// Every conversation.
    pub channels: Vec<Channel>,
    pub(crate) histories: BTreeMap<String, Vec<Message>>,
}

/// A history is cut to this many messages.
const HISTORY: usize = 2_000;

impl Workspace {
    /// The workspace with this id.
    pub fn team(&self, id: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.id == id)
    }

    /// The organisation with this id.
    pub fn organisation(&self, id: &str) -> Option<&Organisation> {
        self.organisations.iter().find(|organisation| organisation.id == id)
    }

    /// The organisation a workspace (an id) is part of.
    pub fn organisation_of(&self, team: &str) -> Option<&Organisation> {
        self.organisation(self.team(team)?.enterprise.as_deref()?)
    }

    /// The people of these workspaces (ids) meet this person: it is one of them, or shares a channel with them.
    pub(crate) fn knows(&self, teams: &[String], person: &Person) -> bool {
        let is_met = |channel: &Channel| {
            channel.has(&person.id) && channel.is_ext_shared() && teams.iter().any(|team| channel.is_in(team))
        };
        teams.contains(&person.team) || self.channels.iter().any(is_met)
    }

    /// One workspace (an id) alone: its people, and the channels it has or shares. Without messages.
    #[must_use]
    pub fn of_team(&self, team: &str) -> Self {
        let channels: Vec<Channel> = self.channels.iter().filter(|channel| channel.is_in(team)).cloned().collect();
        let people = self.people.iter().filter(|person| person.team == team).cloned().collect();
        let (teams, organisations) = (self.teams.clone(), self.organisations.clone());
        Self { teams, organisations, people, channels, histories: BTreeMap::new() }
    }

    /// The person with this id or name.
    pub fn person(&self, id_or_name: &str) -> Option<&Person> {
        let name = id_or_name.trim_start_matches('@');
        self.people.iter().find(|person| person.id == id_or_name || person.name.eq_ignore_ascii_case(name))
    }

    /// The channel with this id or name; of several with one name that of the first workspace.
    pub fn channel(&self, id_or_name: &str) -> Option<&Channel> {
        let name = id_or_name.trim_start_matches('#');
        self.channels.iter().find(|channel| channel.id == id_or_name || channel.is_called(name))
    }

    /// The channel with this id or name, among those of some workspaces (ids).
    pub(crate) fn channel_in(&self, teams: &[String], id_or_name: &str) -> Option<&Channel> {
        let name = id_or_name.trim_start_matches('#');
        let mut channels = self.channels.iter().filter(|channel| teams.iter().any(|team| channel.is_in(team)));
        channels.find(|channel| channel.id == id_or_name || channel.is_called(name))
    }

    /// The direct messages of `person` with the app, whose user joins them if it is another than before.
    pub(crate) fn im(&mut self, person: &str, bot_user: &str) -> Channel {
        let is_theirs = |channel: &&mut Channel| channel.channel_type == ChannelType::Im && channel.name == person;
        if let Some(im) = self.channels.iter_mut().find(is_theirs) {
            if !im.has(bot_user) {
                im.members = vec![person.to_owned(), bot_user.to_owned()];
            }
            return im.clone();
        }
        let im = Channel {
            id: format!("D{}", person.trim_start_matches(['U', 'W'])),
            team: self.person(person).map(|person| person.team.clone()).unwrap_or_default(),
            shared_with: Vec::new(),
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
    use crate::config::Config;

    #[test]
    fn the_published_bodies_speak_of_this_workspace() {
        let workspace = Workspace::at_start(&Config::default());
        let event = crate::published::published("event/message.json");
        assert!(workspace.person(event["event"]["user"].as_str().unwrap()).is_some());
        assert_eq!(workspace.channel(event["event"]["channel"].as_str().unwrap()).unwrap().name, "playground");
        assert_eq!(event["api_app_id"].as_str().unwrap(), Config::default().app_id);
    }

    #[test]
    fn direct_messages_are_opened_once() {
        let mut workspace = Workspace::at_start(&Config::default());
        let first = workspace.im("U0GRACE01", "U0TACKBOT");
        assert_eq!((first.id.as_str(), first.team.as_str()), ("D0GRACE01", "T0ACME001"));
        assert_eq!(workspace.im("U0GRACE01", "U0TACKBOT"), first);
    }

    #[test]
    fn a_name_is_looked_up_in_one_workspace() {
        let workspace = Workspace::at_start(&Config::default());
        let id =
            |team: &str, name: &str| workspace.channel_in(&[team.to_owned()], name).map(|channel| channel.id.as_str());
        assert_eq!(workspace.channel("#general").unwrap().id, "C0GENERAL");
        assert_eq!((id("T0ACME001", "#general"), id("T0GLOBEX1", "general")), (Some("C0GENERAL"), Some("C0GLOBGEN")));
        assert_eq!(
            (id("T0ACME001", "acme-globex"), id("T0GLOBEX1", "C0SHARED1")),
            (Some("C0SHARED1"), Some("C0SHARED1"))
        );
        assert_eq!((id("T0HOOLIX1", "acme-globex"), id("T0GLOBEX1", "C0GENERAL")), (None, None));
    }

    #[test]
    fn one_workspace_alone_has_its_own_people_and_the_channels_it_shares() {
        let globex = Workspace::at_start(&Config::default()).of_team("T0GLOBEX1");
        let people: Vec<_> = globex.people.iter().map(|person| person.name.as_str()).collect();
        let channels: Vec<_> = globex.channels.iter().map(|channel| channel.id.as_str()).collect();
        assert_eq!((people, channels), (vec!["hank", "scorpio"], vec!["C0GLOBGEN", "C0GLOBLOB", "C0SHARED1"]));
    }
}
