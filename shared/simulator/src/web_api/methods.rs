//! The methods the simulated Slack answers: the scopes each needs, how often it may be called, and what answers it.
//! Sources: <https://docs.slack.dev/reference/methods/>, <https://docs.slack.dev/apis/web-api/rate-limits/>

use super::args::Args;
use super::error::Answer;
use super::{auth, chat, conversations, history, oauth, reactions, users, view};
use crate::state::State;
use crate::workspace::ChannelType;

/// What answers a method.
type Call = fn(&mut State, &mut Args) -> Answer;

/// A method.
pub(super) struct Method {
    pub(super) call: Call,
    pub(super) scope: Scope,
    /// Calls a minute; none where Slack's limit is of another kind.
    pub(super) a_minute: Option<usize>,
}

/// What a token must be granted.
pub(super) enum Scope {
    /// Not even a token.
    NoToken,
    None,
    One(&'static str),
    /// One of these, by the kind of the conversation: the method itself asks for it.
    OfKind(&'static [&'static str]),
}

impl Scope {
    /// As `x-accepted-oauth-scopes` lists them.
    pub(super) fn listed(&self) -> String {
        match self {
            Self::NoToken | Self::None => String::new(),
            Self::One(scope) => (*scope).to_owned(),
            Self::OfKind(scopes) => scopes.join(","),
        }
    }
}

const TIER_2: Option<usize> = Some(20);
const TIER_3: Option<usize> = Some(50);
const TIER_4: Option<usize> = Some(100);

const READ: Scope = Scope::OfKind(&["channels:read", "groups:read", "im:read", "mpim:read"]);
const HISTORY: Scope = Scope::OfKind(&["channels:history", "groups:history", "im:history", "mpim:history"]);
const WRITE: Scope = Scope::One("chat:write");
const REACT: Scope = Scope::One("reactions:write");
const USERS: Scope = Scope::One("users:read");

impl Method {
    /// The method called `name`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let method = |call: Call, scope, a_minute| Self { call, scope, a_minute };
        Some(match name {
            "api.test" => method(|_, args| auth::api_test(args), Scope::NoToken, None),
            "auth.test" => method(|state, args| auth::auth_test(state, args), Scope::None, None),
            "auth.revoke" => method(auth::revoke, Scope::None, TIER_3),
            "auth.teams.list" => method(|state, args| auth::teams_list(state, args), Scope::None, TIER_2),
            "apps.uninstall" => method(auth::uninstall, Scope::None, Some(1)),
            "oauth.v2.access" => method(oauth::access, Scope::NoToken, None),
            "oauth.v2.exchange" => method(oauth::exchange, Scope::NoToken, TIER_3),
            "chat.postMessage" => method(chat::post_message, WRITE, None),
            "chat.postEphemeral" => method(chat::post_ephemeral, WRITE, TIER_4),
            "chat.update" => method(chat::update, WRITE, TIER_3),
            "chat.delete" => method(|state, args| chat::delete(state, args), WRITE, TIER_3),
            "chat.getPermalink" => method(|state, args| chat::permalink(state, args), Scope::None, None),
            "conversations.open" => method(conversations::open, Scope::One("im:write"), TIER_3),
            "conversations.info" => method(|state, args| conversations::info(state, args), READ, TIER_3),
            "conversations.list" => method(|state, args| conversations::list(state, args), READ, TIER_2),
            "conversations.members" => method(|state, args| conversations::members(state, args), READ, TIER_4),
            "conversations.history" => method(|state, args| history::history(state, args), HISTORY, TIER_3),
            "conversations.replies" => method(|state, args| history::replies(state, args), HISTORY, TIER_3),
            "reactions.add" => method(|state, args| reactions::add(state, args), REACT, TIER_3),
            "reactions.remove" => method(|state, args| reactions::remove(state, args), REACT, TIER_2),
            "reactions.get" => method(|state, args| reactions::get(state, args), Scope::One("reactions:read"), TIER_3),
            "users.info" => method(|state, args| users::info(state, args), USERS, TIER_4),
            "users.list" => method(|state, args| users::list(state, args), USERS, TIER_2),
            "views.open" => method(view::open, Scope::None, TIER_4),
            "views.push" => method(view::push, Scope::None, TIER_4),
            "views.update" => method(view::update, Scope::None, TIER_4),
            "views.publish" => method(view::publish, Scope::None, TIER_4),
            _ => return None,
        })
    }
}

/// The scope for conversations of a kind: `what` is `read` or `history`.
pub(super) fn scope_of(kind: ChannelType, what: &str) -> String {
    let family = match kind {
        ChannelType::Channel => "channels",
        ChannelType::Group => "groups",
        ChannelType::Im => "im",
    };
    format!("{family}:{what}")
}
