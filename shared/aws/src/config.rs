//! Every environment variable, by function. Read once, at start.

use secrecy::SecretString;
use tack_app::{Limits, SLACK_API_URL, Settings, SetupError};
use tack_protocol::{AppId, SigningSecrets};

/// One or more signing secrets, separated by commas.
pub const SLACK_SIGNING_SECRET: &str = "SLACK_SIGNING_SECRET";
/// The token of the one workspace that is served.
pub const SLACK_BOT_TOKEN: &str = "SLACK_BOT_TOKEN";
/// The one app that is served; optional.
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
    /// The token of the one workspace that is served.
    pub bot_token: SecretString,
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
        let bot_token = settings.required(SLACK_BOT_TOKEN).map(SecretString::from);
        let queues = QueueUrls::read(settings, INTERACTIONS_QUEUE_URL, EVENTS_QUEUE_URL);
        let dead_letters = QueueUrls::read(settings, INTERACTIONS_DLQ_URL, EVENTS_DLQ_URL);
        let state_table = settings.required(STATE_TABLE);
        let app_id = app_id(settings);
        let slack_api_url = slack_api_url(settings);
        let limits = limits(settings);
        Ok(Self {
            bot_token: bot_token?,
            app_id: app_id?,
            slack_api_url: slack_api_url?,
            queues: queues?,
            dead_letters: dead_letters?,
            state_table: state_table?,
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
}
