//! Who and what is there at the start: three companies, of which one is an Enterprise Grid organisation, and a channel two of them share.
//! What changes later is in `workspace`. Invariant: the ids are always the same, so links, tests and published bodies agree.

use std::collections::BTreeMap;

use crate::config::{Config, Team};
use crate::workspace::{Channel, ChannelType, Organisation, Person, Workspace};

/// Workspace, id, domain, name, organisation.
const TEAMS: &[(&str, &str, &str, Option<&str>)] = &[
    (GLOBEX, "globex-local", "Globex", None),
    (HOOLI_XYZ, "hooli-xyz", "Hooli XYZ", Some(HOOLI)),
    (HOOLI_LABS, "hooli-labs", "Hooli Labs", Some(HOOLI)),
];

const GLOBEX: &str = "T0GLOBEX1";
const HOOLI_XYZ: &str = "T0HOOLIX1";
const HOOLI_LABS: &str = "T0HOOLIL1";
const HOOLI: &str = "E0HOOLI01";

/// Workspace, id, name, full name.
const NEIGHBOURS: &[(&str, &str, &str, &str)] = &[
    (GLOBEX, "U0HANK001", "hank", "Hank Pym"),
    (GLOBEX, "U0SCORP01", "scorpio", "Sally Scorpio"),
    (HOOLI_XYZ, "U0GAVIN01", "gavin", "Gavin Belson"),
    (HOOLI_LABS, "U0JIAN001", "jian", "Jian Yang"),
];

/// The app's user and its `bot_id`, by the workspace or organisation it is installed in. Those of the first workspace are in the settings.
const APP_USERS: &[(&str, &str, &str)] = &[
    (GLOBEX, "U0TACKGLO", "B0TACKGLO"),
    (HOOLI_XYZ, "U0TACKHOX", "B0TACKHOX"),
    (HOOLI_LABS, "U0TACKHOL", "B0TACKHOL"),
    (HOOLI, "U0TACKHOO", "B0TACKHOO"),
];

/// The channels people invite the app to as soon as it is installed, so that there is something to see.
const WELCOME: &[&str] = &["C0GENERAL", "C0PLAY001", "C0GLOBGEN", "C0HOOXGEN", "C0HOOLGEN"];

/// The id of the app's user in the workspace or organisation `place`, and its `bot_id`.
pub(crate) fn app_user(config: &Config, place: &str) -> (String, String) {
    match APP_USERS.iter().find(|(known, ..)| *known == place) {
        Some((_, user, bot)) => ((*user).to_owned(), (*bot).to_owned()),
        None => (config.bot_user_id.clone(), config.bot_id.clone()),
    }
}

/// The app's users everywhere, whether they are installed or not.
pub(crate) fn app_users(config: &Config) -> impl Iterator<Item = &str> {
    std::iter::once(config.bot_user_id.as_str()).chain(APP_USERS.iter().map(|(_, user, _)| *user))
}

impl Workspace {
    /// The first workspace with three people and four channels, Ada's direct messages with the app, and the neighbours. The app is in no
    /// channel yet.
    pub(crate) fn at_start(config: &Config) -> Self {
        let acme = config.team.id.as_str();
        let person = |team: &str, id: &str, name: &str, real_name: &str| Person {
            id: id.to_owned(),
            team: team.to_owned(),
            name: name.to_owned(),
            real_name: real_name.to_owned(),
            is_admin: ["ada", "hank", "gavin"].contains(&name),
            is_org_admin: name == "gavin",
        };
        let mut people = vec![
            person(acme, "U0ADA0001", "ada", "Ada Lovelace"),
            person(acme, "U0GRACE01", "grace", "Grace Hopper"),
            person(acme, "U0LINUS01", "linus", "Linus Pauling"),
        ];
        people.extend(NEIGHBOURS.iter().map(|(team, id, name, real_name)| person(team, id, name, real_name)));
        let channel = |team: &str, id: &str, name: &str, channel_type| {
            let of_team = people.iter().filter(|person| person.team == team);
            let members =
                of_team.map(|person| person.id.clone()).filter(|id| channel_type != ChannelType::Im || id == name);
            Channel {
                id: id.to_owned(),
                team: team.to_owned(),
                shared_with: Vec::new(),
                name: name.to_owned(),
                channel_type,
                members: members.collect(),
                is_archived: false,
            }
        };
        let mut channels = vec![
            channel(acme, "C0GENERAL", "general", ChannelType::Channel),
            channel(acme, "C0PLAY001", "playground", ChannelType::Channel),
            channel(acme, "C0RANDOM1", "random", ChannelType::Channel),
            channel(acme, "C0OPS0001", "ops", ChannelType::Group),
            channel(acme, "D0ADA0001", "U0ADA0001", ChannelType::Im),
            channel(GLOBEX, "C0GLOBGEN", "general", ChannelType::Channel),
            channel(GLOBEX, "C0GLOBLOB", "lobby", ChannelType::Channel),
            channel(HOOLI_XYZ, "C0HOOXGEN", "general", ChannelType::Channel),
            channel(HOOLI_LABS, "C0HOOLGEN", "general", ChannelType::Channel),
        ];
        let mut shared = channel(acme, "C0SHARED1", "acme-globex", ChannelType::Group);
        shared.members.extend(people.iter().filter(|person| person.team == GLOBEX).map(|person| person.id.clone()));
        shared.shared_with.push(GLOBEX.to_owned());
        channels.push(shared);
        let neighbour = |(id, domain, name, enterprise): &(&str, &str, &str, Option<&str>)| Team {
            id: (*id).to_owned(),
            domain: (*domain).to_owned(),
            name: (*name).to_owned(),
            enterprise: enterprise.map(str::to_owned),
        };
        let teams = std::iter::once(config.team.clone()).chain(TEAMS.iter().map(neighbour)).collect();
        let hooli = Organisation { id: HOOLI.to_owned(), domain: "hooli".to_owned(), name: "Hooli".to_owned() };
        Self { teams, organisations: vec![hooli], people, channels, histories: BTreeMap::new() }
    }

    /// People of a workspace (an id) make the app, whose user is `bot_user`, feel welcome.
    pub(crate) fn welcome(&mut self, team: &str, bot_user: &str) {
        let is_asked = |channel: &Channel| {
            channel.team == team && (channel.channel_type == ChannelType::Im || WELCOME.contains(&channel.id.as_str()))
        };
        for channel in self.channels.iter_mut().filter(|channel| is_asked(channel) && !channel.has(bot_user)) {
            channel.members.push(bot_user.to_owned());
        }
    }
}
