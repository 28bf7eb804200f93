//! Every environment variable, by function. Read once, at start.

use secrecy::SecretString;
use tack_app::install::Scopes;
use tack_app::{Limits, SLACK_API_URL, Settings, SetupError};
use tack_protocol::{AppId, SigningSecrets};

/// One or more signing secrets, separated by commas.
pub const SLACK_SIGNING_SECRET: &str = "SLACK_SIGNING_SECRET";
/// The token of the one workspace that is served.
pub const SLACK_BOT_TOKEN: &str = "SLACK_BOT_TOKEN";
/// The one app that is served; optional with a single workspace, and part of what stored tokens are bound to.
pub const SLACK_APP_ID: &str = "SLACK_APP_ID";
/// Where Slack's Web API is; optional.
pub const SLACK_API_URL_VARIABLE: &str = "SLACK_API_URL";
/// The queue of events and own work.
pub const EVENTS_QUEUE_URL: &str = "EVENTS_QUEUE_URL";
/// The queue of interactions.
pub const INTERACTIONS_QUEUE_URL: &str = "INTERACTIONS_QUEUE_URL";
/// The dead letters of events.
pub const EVENTS_DLQ_URL: &str = "EVENTS_DLQ_URL";
/// The dead letters of interactions.
pub const INTERACTIONS_DLQ_URL: &str = "INTERACTIONS_DLQ_URL";
/// The table of idempotency records.
pub const STATE_TABLE: &str = "STATE_TABLE";
/// The app's public name towards Slack's OAuth.
pub const SLACK_CLIENT_ID: &str = "SLACK_CLIENT_ID";
/// What proves that name.
pub const SLACK_CLIENT_SECRET: &str = "SLACK_CLIENT_SECRET";
/// Bot scopes that are asked for, with commas between.
pub const SLACK_SCOPES: &str = "SLACK_SCOPES";
/// User scopes that are asked for, with commas between; optional.
pub const SLACK_USER_SCOPES: &str = "SLACK_USER_SCOPES";
/// Where Slack sends browsers back to; optional.
pub const SLACK_REDIRECT_URI: &str = "SLACK_REDIRECT_URI";
/// Tokens of Socket Mode; here only because it may be in the parameter of secrets.
pub const SLACK_APP_TOKEN: &str = "SLACK_APP_TOKEN";
/// The table of installations.
pub const INSTALLATIONS_TABLE: &str = "INSTALLATIONS_TABLE";
/// The KMS key that tokens are encrypted with.
pub const TOKEN_KEY_ID: &str = "TOKEN_KEY_ID";
/// The parameter that holds our secret settings; optional.
pub const SLACK_SECRETS_PARAMETER: &str = "SLACK_SECRETS_PARAMETER";
/// The parameter that holds the adopter's own settings; optional.
pub const APP_CONFIG_PARAMETER: &str = "APP_CONFIG_PARAMETER";
/// Overrides of [`Limits`], as JSON; optional.
pub const TACK_LIMITS: &str = "TACK_LIMITS";

/// The settings of this process.
pub fn environment() -> Settings {
    Settings::new(|name| std::env::var(name).ok())
}

/// What the ingress needs.
pub struct IngressConfig {
    /// Accepted signing secrets.
    pub secrets: SigningSecrets,
    /// The one app that is served, if that is to be checked.
    pub app_id: Option<AppId>,
    /// The queues.
    pub queues: QueueUrls,
    /// Time limits.
    pub limits: Limits,
}

/// What the worker needs.
pub struct WorkerConfig {
    /// Whose tokens it works with.
    pub tokens: TokenConfig,
    /// The one app that is served, if it is named.
    pub app_id: Option<AppId>,
    /// Where Slack's Web API is, with a slash at its end.
    pub slack_api_url: String,
    /// The queues.
    pub queues: QueueUrls,
    /// Where dead letters go.
    pub dead_letters: QueueUrls,
    /// The table of idempotency records.
    pub state_table: String,
    /// Time limits.
    pub limits: Limits,
}

/// Where the worker's tokens come from.
pub enum TokenConfig {
    /// The token of the one workspace that is served.
    SingleWorkspace(SecretString),
    /// Installations, each with its own.
    Installations {
        /// Where they are kept.
        kept: InstallationsConfig,
        /// What renews their tokens; without it none is renewed.
        client: Option<ClientConfig>,
    },
}

/// Where installations are kept.
pub struct InstallationsConfig {
    /// The table of installations.
    pub table: String,
    /// The KMS key that tokens are encrypted with.
    pub token_key_id: String,
}

/// What the app shows Slack's OAuth.
pub struct ClientConfig {
    /// The app's public name.
    pub id: String,
    /// What proves it.
    pub secret: SecretString,
}

/// What the OAuth flow needs.
pub struct OAuthConfig {
    /// What the app shows Slack.
    pub client: ClientConfig,
    /// Bot scopes to ask for.
    pub scopes: Scopes,
    /// User scopes to ask for.
    pub user_scopes: Scopes,
    /// Where Slack sends browsers back to, if it is to be named.
    pub redirect_uri: Option<String>,
    /// The one app that is served, if that is to be checked.
    pub app_id: Option<AppId>,
    /// Where Slack's Web API is, with a slash at its end.
    pub slack_api_url: String,
    /// The queues.
    pub queues: QueueUrls,
    /// The table of OAuth states.
    pub state_table: String,
    /// Where installations are kept.
    pub kept: InstallationsConfig,
    /// Time limits.
    pub limits: Limits,
}

/// A pair of queues.
#[derive(Clone, Debug)]
pub struct QueueUrls {
    /// For interactions.
    pub interactions: String,
    /// For events.
    pub events: String,
}

impl IngressConfig {
    /// Reads it.
    ///
    /// # Errors
    /// [`SetupError`]; every problem is remembered in `settings`.
    pub fn read(settings: &Settings) -> Result<Self, SetupError> {
        let secrets = settings.required(SLACK_SIGNING_SECRET).and_then(|text| {
            SigningSecrets::parse(&text)
                .ok_or_else(|| settings.problem(format!("{SLACK_SIGNING_SECRET} holds no secret")))
        });
        let queues = QueueUrls::read(settings, INTERACTIONS_QUEUE_URL, EVENTS_QUEUE_URL);
        let limits = limits(settings);
        let app_id = app_id(settings);
        Ok(Self { secrets: secrets?, app_id: app_id?, queues: queues?, limits: limits? })
    }
}

impl WorkerConfig {
    /// Reads it.
    ///
    /// # Errors
    /// [`SetupError`]; every problem is remembered in `settings`.
    pub fn read(settings: &Settings) -> Result<Self, SetupError> {
        let tokens = TokenConfig::read(settings);
        let queues = QueueUrls::read(settings, INTERACTIONS_QUEUE_URL, EVENTS_QUEUE_URL);
        let dead_letters = QueueUrls::read(settings, INTERACTIONS_DLQ_URL, EVENTS_DLQ_URL);
        let state_table = settings.required(STATE_TABLE);
        let app_id = app_id(settings);
        let slack_api_url = slack_api_url(settings);
        let limits = limits(settings);
        Ok(Self {
            tokens: tokens?,
            app_id: app_id?,
            slack_api_url: slack_api_url?,
            queues: queues?,
            dead_letters: dead_letters?,
            state_table: state_table?,
            limits: limits?,
        })
    }
}

impl TokenConfig {
    fn read(settings: &Settings) -> Result<Self, SetupError> {
        if let Some(token) = settings.optional(SLACK_BOT_TOKEN) {
            return Ok(Self::SingleWorkspace(token.into()));
        }
        if settings.optional(INSTALLATIONS_TABLE).is_none() && settings.optional(TOKEN_KEY_ID).is_none() {
            return Err(settings.problem(format!(
                "{SLACK_BOT_TOKEN} is missing; for an app that many workspaces install, {INSTALLATIONS_TABLE} and {TOKEN_KEY_ID} \
                 are"
            )));
        }
        let kept = InstallationsConfig::read(settings);
        let named = [SLACK_CLIENT_ID, SLACK_CLIENT_SECRET].iter().any(|name| settings.optional(name).is_some());
        let client = named.then(|| ClientConfig::read(settings)).transpose();
        Ok(Self::Installations { kept: kept?, client: client? })
    }
}

impl InstallationsConfig {
    fn read(settings: &Settings) -> Result<Self, SetupError> {
        let table = settings.required(INSTALLATIONS_TABLE);
        let token_key_id = settings.required(TOKEN_KEY_ID);
        // Tokens are bound to the app: named later, or otherwise in one function, they would not open again.
        settings.required(SLACK_APP_ID)?;
        Ok(Self { table: table?, token_key_id: token_key_id? })
    }
}

impl ClientConfig {
    fn read(settings: &Settings) -> Result<Self, SetupError> {
        let id = settings.required(SLACK_CLIENT_ID);
        let secret = settings.required(SLACK_CLIENT_SECRET);
        Ok(Self { id: id?, secret: secret?.into() })
    }
}

impl OAuthConfig {
    /// Reads it.
    ///
    /// # Errors
    /// [`SetupError`]; every problem is remembered in `settings`.
    pub fn read(settings: &Settings) -> Result<Self, SetupError> {
        let client = ClientConfig::read(settings);
        let scopes = Scopes::parse(&settings.optional(SLACK_SCOPES).unwrap_or_default());
        let user_scopes = Scopes::parse(&settings.optional(SLACK_USER_SCOPES).unwrap_or_default());
        let asked = if scopes.is_empty() && user_scopes.is_empty() {
            Err(settings.problem(format!(
                "{SLACK_SCOPES} is missing, or {SLACK_USER_SCOPES}: Slack installs no app without a scope"
            )))
        } else {
            Ok(())
        };
        let redirect_uri = redirect_uri(settings);
        let app_id = app_id(settings);
        let slack_api_url = slack_api_url(settings);
        let queues = QueueUrls::read(settings, INTERACTIONS_QUEUE_URL, EVENTS_QUEUE_URL);
        let state_table = settings.required(STATE_TABLE);
        let kept = InstallationsConfig::read(settings);
        let limits = limits(settings);
        asked?;
        Ok(Self {
            client: client?,
            scopes,
            user_scopes,
            redirect_uri: redirect_uri?,
            app_id: app_id?,
            slack_api_url: slack_api_url?,
            queues: queues?,
            state_table: state_table?,
            kept: kept?,
            limits: limits?,
        })
    }
}

impl QueueUrls {
    fn read(settings: &Settings, interactions: &str, events: &str) -> Result<Self, SetupError> {
        let interactions = url(settings, interactions);
        let events = url(settings, events);
        Ok(Self { interactions: interactions?, events: events? })
    }
}

fn url(settings: &Settings, name: &str) -> Result<String, SetupError> {
    let url = settings.required(name)?;
    if url.starts_with("https://") || url.starts_with("http://") {
        Ok(url)
    } else {
        Err(settings.problem(format!("{name} must be a URL that begins with https://")))
    }
}

/// Slack compares it with what the app's page lists, and takes no fragment.
fn redirect_uri(settings: &Settings) -> Result<Option<String>, SetupError> {
    if settings.optional(SLACK_REDIRECT_URI).is_none() {
        return Ok(None);
    }
    let uri = url(settings, SLACK_REDIRECT_URI)?;
    if uri.contains('#') {
        return Err(settings.problem(format!("{SLACK_REDIRECT_URI} must not hold a #")));
    }
    Ok(Some(uri))
}

/// With a wrong one every request would be taken for another app's.
fn app_id(settings: &Settings) -> Result<Option<AppId>, SetupError> {
    match settings.optional(SLACK_APP_ID) {
        Some(id) if !id.starts_with('A') || !id.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Err(settings.problem(format!("{SLACK_APP_ID} must be an app's id, such as A0123ABC")))
        }
        id => Ok(id.map(AppId::new)),
    }
}

fn slack_api_url(settings: &Settings) -> Result<String, SetupError> {
    if settings.optional(SLACK_API_URL_VARIABLE).is_none() {
        return Ok(SLACK_API_URL.to_owned());
    }
    let mut url = url(settings, SLACK_API_URL_VARIABLE)?;
    if !url.ends_with('/') {
        url.push('/');
    }
    Ok(url)
}

fn limits(settings: &Settings) -> Result<Limits, SetupError> {
    match settings.optional(TACK_LIMITS) {
        None => Ok(Limits::default()),
        Some(json) => {
            Limits::parse(&json).map_err(|error| settings.problem(format!("{TACK_LIMITS} is malformed: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: [(&str, &str); 7] = [
        (SLACK_SIGNING_SECRET, "secret"),
        (SLACK_BOT_TOKEN, "xoxb-1"),
        (INTERACTIONS_QUEUE_URL, "https://sqs.eu-central-1.amazonaws.com/1/interactions"),
        (EVENTS_QUEUE_URL, "https://sqs.eu-central-1.amazonaws.com/1/events"),
        (INTERACTIONS_DLQ_URL, "https://sqs.eu-central-1.amazonaws.com/1/interactions-dead"),
        (EVENTS_DLQ_URL, "https://sqs.eu-central-1.amazonaws.com/1/events-dead"),
        (STATE_TABLE, "state"),
    ];

    fn settings(more: &[(&'static str, &'static str)]) -> Settings {
        let pairs: Vec<(&str, &str)> = more.iter().chain(&WHOLE).copied().collect();
        Settings::new(move |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    fn app_ids(value: &'static str) -> (Settings, [Result<Option<AppId>, SetupError>; 2]) {
        let settings = settings(&[(SLACK_APP_ID, value)]);
        let ingress = IngressConfig::read(&settings).map(|config| config.app_id);
        let worker = WorkerConfig::read(&settings).map(|config| config.app_id);
        (settings, [ingress, worker])
    }

    #[test]
    fn an_apps_id_is_taken_without_the_blanks_around_it() {
        for value in ["A0TACK001", " A0TACK001\n"] {
            let (settings, read) = app_ids(value);
            assert_eq!(read, [Ok(Some("A0TACK001".into())), Ok(Some("A0TACK001".into()))]);
            assert!(settings.problems().is_empty());
        }
        for value in ["", "  \n"] {
            assert_eq!(app_ids(value).1, [Ok(None), Ok(None)], "{value:?}");
        }
    }

    // With a wrong one every request would be taken for another app's, and answered 200.
    #[test]
    fn a_wrong_app_id_is_reported_by_name_and_not_repeated() {
        for value in
            ["1234567890.1234567890", "T0ACME001", "my-app", "A0TACK001,A0OTHER01", "A0 TACK", "xapp-1-A0TACK001"]
        {
            let (settings, read) = app_ids(value);
            assert_eq!(read, [Err(SetupError), Err(SetupError)], "{value}");
            let problems = settings.problems();
            assert_eq!(problems.len(), 2, "one for each function: {problems:?}");
            assert!(problems.iter().all(|text| text.contains("SLACK_APP_ID") && !text.contains(value)), "{problems:?}");
        }
    }

    #[test]
    fn every_problem_of_a_function_is_reported_at_once() {
        let broken = settings(&[(SLACK_APP_ID, "my-app"), (SLACK_BOT_TOKEN, " "), (EVENTS_DLQ_URL, "events-dead")]);
        assert!(WorkerConfig::read(&broken).is_err());
        let problems = broken.problems();
        assert_eq!(problems.len(), 3, "{problems:?}");
        for name in [SLACK_APP_ID, SLACK_BOT_TOKEN, EVENTS_DLQ_URL] {
            assert!(problems.iter().any(|problem| problem.contains(name)), "{name}: {problems:?}");
        }
    }

    const INSTALLED: [(&str, &str); 4] = [
        (SLACK_BOT_TOKEN, ""),
        (SLACK_APP_ID, "A0TACK001"),
        (INSTALLATIONS_TABLE, "installations"),
        (TOKEN_KEY_ID, "k"),
    ];

    fn problems_of<T>(
        read: fn(&Settings) -> Result<T, SetupError>,
        more: &[(&'static str, &'static str)],
    ) -> Vec<String> {
        let settings = settings(more);
        assert_eq!(read(&settings).is_ok(), settings.problems().is_empty(), "{:?}", settings.problems());
        settings.problems()
    }

    #[test]
    fn a_worker_has_one_token_or_a_table_of_them() {
        let tokens =
            |more: &[(&'static str, &'static str)]| WorkerConfig::read(&settings(more)).map(|config| config.tokens);
        let bot = [(INSTALLATIONS_TABLE, "installations"), (TOKEN_KEY_ID, "k")];
        assert!(matches!(tokens(&bot), Ok(TokenConfig::SingleWorkspace(_))), "the plain token wins");
        let unrotated = tokens(&INSTALLED);
        let Ok(TokenConfig::Installations { kept, client: None }) = unrotated else { panic!("installations") };
        assert_eq!((kept.table.as_str(), kept.token_key_id.as_str()), ("installations", "k"));
        let rotated = [&INSTALLED[..], &[(SLACK_CLIENT_ID, "1.2"), (SLACK_CLIENT_SECRET, "s")]].concat();
        assert!(matches!(tokens(&rotated), Ok(TokenConfig::Installations { client: Some(_), .. })));
    }

    #[test]
    fn what_a_worker_lacks_for_its_tokens_is_told_by_name() {
        let read = WorkerConfig::read;
        let nothing = problems_of(read, &[(SLACK_BOT_TOKEN, "")]);
        assert_eq!(nothing.len(), 1, "{nothing:?}");
        for name in [SLACK_BOT_TOKEN, INSTALLATIONS_TABLE, TOKEN_KEY_ID] {
            assert!(nothing[0].contains(name), "{nothing:?}");
        }
        assert_eq!(problems_of(read, &INSTALLED[..3]), ["TOKEN_KEY_ID is missing"]);
        // Stored tokens are bound to it.
        assert_eq!(problems_of(read, &[&[(SLACK_APP_ID, "")], &INSTALLED[..]].concat()), ["SLACK_APP_ID is missing"]);
        let half = [&INSTALLED[..], &[(SLACK_CLIENT_ID, "1.2")]].concat();
        assert_eq!(problems_of(read, &half), ["SLACK_CLIENT_SECRET is missing"]);
    }

    #[test]
    fn everything_that_the_oauth_flow_lacks_is_told_at_once() {
        let bare = [(STATE_TABLE, ""), (EVENTS_QUEUE_URL, ""), (SLACK_REDIRECT_URI, "https://app.example/#x")];
        let problems = problems_of(OAuthConfig::read, &bare);
        let named = [
            SLACK_CLIENT_ID,
            SLACK_CLIENT_SECRET,
            SLACK_SCOPES,
            SLACK_REDIRECT_URI,
            SLACK_APP_ID,
            EVENTS_QUEUE_URL,
            STATE_TABLE,
            INSTALLATIONS_TABLE,
            TOKEN_KEY_ID,
        ];
        for name in named {
            assert!(problems.iter().any(|problem| problem.starts_with(name)), "{name}: {problems:?}");
        }
        assert_eq!(problems.len(), named.len(), "{problems:?}");
    }

    #[test]
    fn the_oauth_flow_needs_scopes_of_one_kind() {
        let whole = [&INSTALLED[..], &[(SLACK_CLIENT_ID, "1.2"), (SLACK_CLIENT_SECRET, "s")]].concat();
        for scopes in [SLACK_SCOPES, SLACK_USER_SCOPES] {
            let config = OAuthConfig::read(&settings(&[&whole[..], &[(scopes, "chat:write, commands")]].concat()));
            let config = config.map(|config| config.scopes.len() + config.user_scopes.len());
            assert_eq!(config, Ok(2), "{scopes}");
        }
    }
}
