//! The page on which a person lets an app in, without its HTML: what the app asks for, who may agree, where they are sent then.
//! The exchange of the code is in the Web API. Invariant: what is asked wrongly is refused before anyone is sent anywhere.
//! Source: <https://docs.slack.dev/authentication/installing-with-oauth/>

use serde::Serialize;
use std::fmt;
use std::time::Duration;

use crate::install::Target;
use crate::mint;
use crate::simulator::{Refusal, Simulator};
use crate::state::State;
use crate::workspace::{ChannelType, Person};

/// Life of a code.
const CODE_LIFE: Duration = Duration::from_secs(600);

/// What a person agreed to, until the app fetches its tokens.
pub(crate) struct Code {
    pub(crate) target: Target,
    pub(crate) person: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) user_scopes: Vec<String>,
    /// As the app sent it; none if it did not.
    pub(crate) redirect_uri: Option<String>,
    /// For the incoming webhook, an id.
    pub(crate) channel: Option<String>,
    pub(crate) born: Duration,
    pub(crate) is_used: bool,
}

impl Code {
    pub(crate) fn is_expired(&self, now: Duration) -> bool {
        now.saturating_sub(self.born) > CODE_LIFE
    }
}

/// What an app asks for.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ConsentRequest {
    /// For the app's own user.
    pub scopes: Vec<String>,
    /// For the person who agrees.
    pub user_scopes: Vec<String>,
    /// Where the person is sent afterwards.
    pub redirect_uri: String,
    /// The workspace the app would like, if there is such a one.
    pub team: Option<String>,
    /// It wants to post into one channel by a URL, which the person chooses.
    pub wants_webhook: bool,
    /// Whether the app can tell its own flow from a foreign one.
    pub has_state: bool,
    #[serde(skip)]
    state: Option<String>,
    #[serde(skip)]
    given_redirect_uri: Option<String>,
}

/// Why an app may not even ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizeProblem {
    /// No app has this `client_id`.
    InvalidClientId,
    /// `redirect_uri` is none of those configured, nor below one.
    BadRedirectUri,
    /// This is not how a scope is written.
    InvalidScope(String),
    /// It asks for nothing.
    NoScopes,
}

impl AuthorizeProblem {
    /// Slack's name of it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidClientId => "invalid_client_id",
            Self::BadRedirectUri => "bad_redirect_uri",
            Self::InvalidScope(_) => "invalid_scope",
            Self::NoScopes => "no_scopes",
        }
    }
}

impl fmt::Display for AuthorizeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidClientId => f.write_str("Invalid client_id parameter"),
            Self::BadRedirectUri => f.write_str("redirect_uri did not match any configured URIs"),
            Self::InvalidScope(scope) => write!(f, "Invalid permissions requested: {scope}"),
            Self::NoScopes => f.write_str("No scopes requested"),
        }
    }
}

impl std::error::Error for AuthorizeProblem {}

/// Who agrees, and to what.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Id or name of the person.
    pub person: String,
    /// Where the app is installed.
    pub target: Target,
    /// Id or name of the channel of the incoming webhook; without it, `#general`.
    pub channel: Option<String>,
    /// The app gets its code without its `state`, as from the pages of the Marketplace and of an organisation's administrators.
    pub without_state: bool,
}

impl Consent {
    /// `person` installs the app in `target`.
    pub fn new(person: &str, target: Target) -> Self {
        Self { person: person.to_owned(), target, channel: None, without_state: false }
    }
}

/// The fields of the query.
#[derive(Default)]
struct Asked {
    client_id: String,
    scope: String,
    user_scope: String,
    redirect_uri: Option<String>,
    state: Option<String>,
    team: Option<String>,
}

impl Asked {
    fn of(query: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.trim_start_matches('?').as_bytes()) {
            let value = value.into_owned();
            match name.as_ref() {
                "client_id" => asked.client_id = value,
                "scope" => asked.scope = value,
                "user_scope" => asked.user_scope = value,
                "redirect_uri" => asked.redirect_uri = Some(value).filter(|uri| !uri.is_empty()),
                "state" => asked.state = Some(value).filter(|state| !state.is_empty()),
                "team" => asked.team = Some(value),
                _ => {}
            }
        }
        asked
    }
}

/// The scopes of a list with commas or blanks between them.
fn scopes(list: &str) -> Result<Vec<String>, AuthorizeProblem> {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-:".contains(c);
    let mut scopes: Vec<String> = Vec::new();
    for scope in list.split([',', ' ', '+']).filter(|scope| !scope.is_empty()) {
        let is_word = scope.starts_with(|c: char| c.is_ascii_lowercase()) && scope.chars().all(is_letter);
        // Which scopes there are changes every month; how one is written does not.
        if !is_word || scope.ends_with(':') {
            return Err(AuthorizeProblem::InvalidScope(scope.to_owned()));
        }
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}

/// `uri` is `configured`, or below it.
fn is_below(uri: &str, configured: &str) -> bool {
    let Some(rest) = uri.strip_prefix(configured.trim_end_matches('/')) else {
        return false;
    };
    let has_host = configured.split('/').nth(2).is_some_and(|host| !host.is_empty());
    let climbs = uri.contains("/../") || uri.ends_with("/..") || uri.contains('#') || uri.contains('\\');
    has_host && !climbs && (rest.is_empty() || rest.starts_with(['/', '?']))
}

fn request(state: &State, query: &str) -> Result<ConsentRequest, AuthorizeProblem> {
    let (config, asked) = (&state.config, Asked::of(query));
    if asked.client_id != config.client_id {
        return Err(AuthorizeProblem::InvalidClientId);
    }
    let redirect_uri = match &asked.redirect_uri {
        None => config.redirect_urls.first().cloned(),
        Some(uri) => Some(uri.clone()).filter(|uri| config.redirect_urls.iter().any(|known| is_below(uri, known))),
    };
    let redirect_uri = redirect_uri.ok_or(AuthorizeProblem::BadRedirectUri)?;
    let (scopes, user_scopes) = (scopes(&asked.scope)?, scopes(&asked.user_scope)?);
    if scopes.is_empty() && user_scopes.is_empty() {
        return Err(AuthorizeProblem::NoScopes);
    }
    let is_known = |id: &String| state.workspace.team(id).is_some() || state.workspace.organisation(id).is_some();
    Ok(ConsentRequest {
        wants_webhook: scopes.iter().any(|scope| scope == "incoming-webhook"),
        scopes,
        user_scopes,
        redirect_uri,
        team: asked.team.filter(is_known),
        has_state: asked.state.is_some(),
        state: asked.state,
        given_redirect_uri: asked.redirect_uri,
    })
}

/// `uri` with these fields in its query.
fn with_query(uri: &str, fields: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(fields);
    let sign = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{sign}{}", query.finish())
}

/// Refuses a person who may not let apps into `target`.
pub(crate) fn may_install(state: &State, person: &Person, target: &Target) -> Result<(), Refusal> {
    let workspace = &state.workspace;
    let (name, is_allowed) = match target {
        Target::Workspace(id) => {
            let team = workspace.team(id).ok_or_else(|| Refusal(format!("there is no workspace {id}")))?;
            let home = workspace.team(&person.team);
            let is_org_admin = person.is_org_admin
                && team.enterprise.is_some()
                && home.is_some_and(|home| home.enterprise == team.enterprise);
            (&team.name, (person.is_admin && person.team == *id) || is_org_admin)
        }
        Target::Organisation(id) => {
            let known = workspace.organisation(id).ok_or_else(|| Refusal(format!("there is no organisation {id}")))?;
            let is_theirs = workspace.organisation_of(&person.team).is_some_and(|own| own.id == *id);
            (&known.name, person.is_org_admin && is_theirs)
        }
    };
    let words = "is not authorized to install apps on";
    if is_allowed { Ok(()) } else { Err(Refusal(format!("{} {words} {name}: ask an admin", person.real_name))) }
}

/// The channel of an incoming webhook, an id.
fn webhook_channel(state: &State, consent: &Consent) -> Result<Option<String>, Refusal> {
    let Target::Workspace(team) = &consent.target else {
        return Ok(None);
    };
    let name = consent.channel.as_deref().unwrap_or("general");
    let channel = state.workspace.channel_in(std::slice::from_ref(team), name);
    let channel = channel.filter(|channel| channel.channel_type != ChannelType::Im);
    channel.map(|channel| Some(channel.id.clone())).ok_or_else(|| Refusal(format!("there is no channel {name}")))
}

impl Simulator {
    /// What the app asks for with this query of `/oauth/v2/authorize`.
    ///
    /// # Errors
    /// When Slack shows an error instead of its page.
    pub fn authorize(&self, query: &str) -> Result<ConsentRequest, AuthorizeProblem> {
        self.read(|state| request(state, query))
    }

    /// A person agrees: the URL they are sent to, with the code. Nothing is installed until the app exchanges it.
    ///
    /// # Errors
    /// When the query is wrong, or the person may not install apps there.
    pub fn allow(&self, query: &str, consent: &Consent) -> Result<String, Refusal> {
        self.change(|state| {
            let request = request(state, query).map_err(|problem| Refusal(problem.name().to_owned()))?;
            let person = state.workspace.person(&consent.person).cloned();
            let person = person.ok_or_else(|| Refusal(format!("there is no person {}", consent.person)))?;
            may_install(state, &person, &consent.target)?;
            let channel = if request.wants_webhook { webhook_channel(state, consent)? } else { None };
            let (code, now) = (format!("{}.{}", state.now().as_millis(), mint::opaque()), state.now());
            // Old ones are kept a while, so that a late call hears the same as one that comes twice.
            state.installs.codes.retain(|_, code| now.saturating_sub(code.born) < CODE_LIFE * 6);
            let uri = request.redirect_uri.clone();
            let mut fields = vec![("code", code.as_str())];
            fields.extend(request.state.as_deref().filter(|_| !consent.without_state).map(|value| ("state", value)));
            let url = with_query(&uri, &fields);
            state.installs.codes.insert(
                code,
                Code {
                    target: consent.target.clone(),
                    person: person.id,
                    scopes: request.scopes,
                    user_scopes: request.user_scopes,
                    // Who starts at Slack sent no URL of their own.
                    redirect_uri: request.given_redirect_uri.filter(|_| !consent.without_state),
                    channel,
                    born: now,
                    is_used: false,
                },
            );
            Ok(url)
        })
    }

    /// A person says no: the URL they are sent to.
    ///
    /// # Errors
    /// When the query is wrong.
    pub fn deny(&self, query: &str) -> Result<String, AuthorizeProblem> {
        let request = self.authorize(query)?;
        let mut fields = vec![("error", "access_denied")];
        fields.extend(request.state.as_deref().map(|value| ("state", value)));
        Ok(with_query(&request.redirect_uri, &fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_is_a_configured_one_or_below_it() {
        let configured = "https://app.example/slack";
        for uri in ["https://app.example/slack", "https://app.example/slack/", "https://app.example/slack/a/b?c=d"] {
            assert!(is_below(uri, configured), "{uri}");
        }
        for uri in [
            "https://app.example/slackers",
            "https://app.example/",
            "http://app.example/slack",
            "https://app.example.evil.example/slack",
            "https://app.example/slack/../evil",
            "https://app.example/slack#part",
            "https://evil.example/?https://app.example/slack",
        ] {
            assert!(!is_below(uri, configured), "{uri}");
        }
        assert!(!is_below("https://app.example.evil.example", "https://app.example"));
    }

    #[test]
    fn scopes_stand_between_commas_once_each() {
        assert_eq!(scopes("chat:write,commands chat:write").unwrap(), ["chat:write", "commands"]);
        assert_eq!(scopes("").unwrap(), Vec::<String>::new());
        for list in ["Chat:write", "chat:", "<script>", "chat:write,*"] {
            assert!(matches!(scopes(list), Err(AuthorizeProblem::InvalidScope(_))), "{list}");
        }
    }
}
