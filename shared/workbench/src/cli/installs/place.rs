//! Whose installations are meant: those of the app that runs here, or a deployed table that the environment or a flag names.
//! Invariant: nothing is guessed: half a deployed place is an error, never the local one.

use super::PlaceArgs;
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Hint};
use crate::cli::session::Session;
use crate::stack::Stack;
use secrecy::SecretString;
use serde_json::Value;
use std::collections::BTreeMap;
use tack_app::install::Scopes;
use tack_app::protocol::AppId;
use tack_app::{SLACK_API_URL, Settings, SetupError};
use tack_aws::config::{
    INSTALLATIONS_TABLE, QueueUrls, SLACK_APP_ID, SLACK_CLIENT_ID, SLACK_CLIENT_SECRET, SLACK_SCOPES, TOKEN_KEY_ID,
};
use tack_aws::{AwsClients, DynamoInstallationStore, SqsQueue};

/// A table of installations, and what belongs to it.
pub(super) struct Place {
    pub(super) store: DynamoInstallationStore,
    /// The app that tokens are bound to.
    pub(super) app: Option<AppId>,
    settings: Settings,
    clients: AwsClients,
    is_here: bool,
}

/// A variable of this process.
pub(super) fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

impl Place {
    /// Finds it.
    ///
    /// # Errors
    /// When neither is there, or a setting of the one that is meant is missing.
    pub(super) async fn find(args: &PlaceArgs, session: &Session) -> Result<Self, Failure> {
        let table = args.table.clone().or_else(|| from_environment(INSTALLATIONS_TABLE));
        let key = args.key.clone().or_else(|| from_environment(TOKEN_KEY_ID));
        match (table, key) {
            (Some(table), Some(key)) => Self::open(Settings::new(deployed), table, key, false),
            (None, None) => {
                let running = running(&session.client()?.get("/console/app").await?)?;
                let (table, key) = (Stack::INSTALLATIONS_TABLE.to_owned(), Stack::TOKEN_KEY.to_owned());
                Self::open(Settings::new(move |name| running.get(name).cloned()), table, key, true)
            }
            (table, _) => {
                let (there, missing) =
                    if table.is_some() { ("table", TOKEN_KEY_ID) } else { ("key", INSTALLATIONS_TABLE) };
                let message = format!("the {there} is given, but {missing} is not: a deployed app has both");
                Err(Failure::new(Exit::Configuration, "configuration", message, Hint::Help("installs")))
            }
        }
    }

    fn open(settings: Settings, table: String, key: String, is_here: bool) -> Result<Self, Failure> {
        let clients = AwsClients::from_settings(&settings);
        // Tokens are bound to it, so without it none opens, and none that is saved here opens there.
        let app = settings.required(SLACK_APP_ID);
        let both = clients.and_then(|clients| Ok((clients, AppId::new(app?))));
        let (clients, app) = both.map_err(|error| problems(&settings, error))?;
        let app = Some(app);
        let store = DynamoInstallationStore::new(clients.dynamodb(), clients.kms(), table, key, app.clone());
        Ok(Self { store, app, settings, clients, is_here })
    }

    /// The scopes that the app asks for, where they are known.
    pub(super) fn scopes(&self) -> Option<Scopes> {
        self.settings.optional(SLACK_SCOPES).map(|text| Scopes::parse(&text))
    }

    /// Where Slack's Web API is, with a slash at its end.
    pub(super) fn slack_api_url(&self) -> String {
        let url = self.settings.optional("SLACK_API_URL").unwrap_or_else(|| SLACK_API_URL.to_owned());
        if url.ends_with('/') { url } else { format!("{url}/") }
    }

    /// The app as Slack's OAuth knows it.
    ///
    /// # Errors
    /// When a deployed app's id or secret is not in the environment.
    pub(super) fn credentials(&self) -> Result<(String, SecretString), Failure> {
        let simulated = tack_simulator::Config::default();
        let or_simulated =
            |name: &str, simulated: &str| match self.settings.optional(name).or_else(|| from_environment(name)) {
                None if self.is_here => Ok(simulated.to_owned()),
                given => given.ok_or_else(|| self.settings.problem(format!("{name} is missing"))),
            };
        let id = or_simulated(SLACK_CLIENT_ID, &simulated.client_id);
        let secret = or_simulated(SLACK_CLIENT_SECRET, &simulated.client_secret);
        let both = id.and_then(|id| Ok((id, SecretString::from(secret?))));
        both.map_err(|error| problems(&self.settings, error))
    }

    /// The queue of the app's own work.
    ///
    /// # Errors
    /// When its address is not in the environment.
    pub(super) fn queue(&self) -> Result<SqsQueue, Failure> {
        let events = self.settings.required("EVENTS_QUEUE_URL").map_err(|error| problems(&self.settings, error))?;
        // Nothing is ever sent to the other.
        let queues = QueueUrls { interactions: events.clone(), events };
        Ok(SqsQueue::sender(self.clients.sqs_for_worker(), queues))
    }
}

/// A deployed app's settings are this process's variables.
fn deployed(name: &str) -> Option<String> {
    match name {
        "AWS_REGION" => from_environment(name).or_else(|| from_environment("AWS_DEFAULT_REGION")),
        _ => from_environment(name),
    }
}

fn problems(settings: &Settings, _: SetupError) -> Failure {
    let message = settings.problems().join("; ");
    let failure = Failure::new(Exit::Configuration, "configuration", message, Hint::Help("installs"));
    failure.advised("AWS's own come by: eval \"$(aws configure export-credentials --format env)\"")
}

/// The variables of the functions that run here, as far as the console shows them, and our way into their AWS.
///
/// # Errors
/// When they have one workspace's token, and so no installations.
fn running(answer: &Value) -> Result<BTreeMap<String, String>, Failure> {
    let variables = answer["environment"].as_array().into_iter().flatten();
    let text = |value: &Value, field: &str| value[field].as_str().map(str::to_owned);
    let all: Vec<(String, String)> =
        variables.filter_map(|variable| Some((text(variable, "name")?, text(variable, "value")?))).collect();
    if !all.iter().any(|(name, _)| name == INSTALLATIONS_TABLE) {
        let message = "the app that runs works with one workspace's token and keeps no installations";
        let failure = Failure::new(Exit::Missing, "single_workspace", message, Hint::List("app"));
        return Err(failure.advised("without SLACK_BOT_TOKEN it is installed by OAuth"));
    }
    // What begins so is hidden.
    let shown = all.into_iter().filter(|(_, value)| !value.starts_with('…'));
    let ours = [
        ("AWS_REGION", tack_local_aws::REGION),
        ("AWS_ACCESS_KEY_ID", "AKIALOCALOPERATOR"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
    ];
    Ok(shown.chain(ours.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_app_with_one_workspaces_token_has_no_installations() {
        let failure =
            running(&json!({"environment": [{"name": "SLACK_BOT_TOKEN", "value": "xoxb-…9f3a"}]})).unwrap_err();
        assert_eq!((failure.exit, failure.code.as_str()), (Exit::Missing, "single_workspace"));
    }

    #[test]
    fn of_the_app_that_runs_what_is_hidden_is_not_taken_for_a_value() {
        let variable = |name: &str, value: &str| json!({"name": name, "value": value});
        let found = running(&json!({"environment": [
            variable("INSTALLATIONS_TABLE", "… (13 letters)"),
            variable("SLACK_CLIENT_SECRET", "… (23 letters)"),
            variable("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
        ]}));
        let found = found.unwrap();
        assert_eq!(found.get("SLACK_CLIENT_SECRET"), None);
        assert_eq!(found["AWS_ENDPOINT_URL"], "http://127.0.0.1:4566");
        assert_eq!(found["AWS_REGION"], "us-east-1");
    }
}
