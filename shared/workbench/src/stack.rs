//! The stack of an app on this machine, as the template describes it for AWS: an HTTP API, the ingress, two queues with
//! their dead-letter queues, two workers from one binary, and where the app is installed by OAuth its install pages, a second
//! table and a key. The functions are processes; AWS is this one.

use crate::limits::{INGRESS_TIMEOUT, OAUTH_TIMEOUT, VISIBILITY, WORKER_TIMEOUT};
use crate::reload::{Served, ingress_question, oauth_question, worker_question};
use anyhow::Context as _;
use axum::http::Method;
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tack_app::Limits;
use tack_app::limits::RECEIVES_MAX;
use tack_local_aws::event_source::{BatchEvent, EventSource};
use tack_local_aws::gateway::{AnsweredRequest, Gateway, Route};
use tack_local_aws::lambda::{Command, Function, FunctionConfig, OutputLine};
use tack_local_aws::sqs::{QueueSettings, Redrive};
use tack_local_aws::{Clock, LocalAws, Table};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How to start the functions' processes.
#[derive(Clone, Debug)]
pub struct FunctionCommands {
    /// The ingress.
    pub ingress: Command,
    /// The worker, which serves both queues.
    pub worker: Command,
    /// The function of the install pages; needed where the app is installed by OAuth.
    pub oauth: Option<Command>,
}

/// What Slack and the app share.
#[derive(Clone)]
pub struct Credentials {
    /// One or more, separated by commas.
    pub signing_secret: SecretString,
    /// Whose tokens the app works with.
    pub serves: Serves,
    /// Checked by the ingress, if given.
    pub app_id: Option<String>,
}

/// Whose tokens the app works with.
#[derive(Clone)]
pub enum Serves {
    /// One workspace, by a token that is given.
    OneWorkspace {
        /// The bot token.
        bot_token: SecretString,
    },
    /// Every workspace that installs it, by the app's own OAuth flow.
    Installs(OAuthClient),
}

/// The app as Slack's OAuth knows it.
#[derive(Clone)]
pub struct OAuthClient {
    /// `SLACK_CLIENT_ID`.
    pub client_id: String,
    /// `SLACK_CLIENT_SECRET`.
    pub client_secret: SecretString,
    /// Bot scopes to ask for, with commas between.
    pub scopes: String,
    /// User scopes to ask for, with commas between; empty for none.
    pub user_scopes: String,
    /// The app's own callback; Slack must know it.
    pub redirect_uri: String,
}

/// What a stack is started with.
pub struct StackConfig {
    /// The functions.
    pub functions: FunctionCommands,
    /// Secrets.
    pub credentials: Credentials,
    /// Where Slack's Web API is.
    pub slack_api_url: String,
    /// The adopter's own variables.
    pub variables: BTreeMap<String, String>,
    /// Time limits of the framework.
    pub limits: Limits,
    /// How long an invocation of a worker may take.
    pub worker_timeout: Duration,
    /// How long a received message stays hidden.
    pub visibility: Duration,
    /// The app's door.
    pub app_listener: TcpListener,
    /// The AWS endpoint.
    pub aws_listener: TcpListener,
    /// Told of every request that the door answered.
    pub requests: Option<mpsc::UnboundedSender<AnsweredRequest>>,
    /// Told of every batch that a worker gets and ends.
    pub batches: Option<mpsc::UnboundedSender<BatchEvent>>,
}

impl StackConfig {
    /// A stack with this machine's limits.
    pub fn new(
        functions: FunctionCommands,
        credentials: Credentials,
        slack_api_url: String,
        app_listener: TcpListener,
        aws_listener: TcpListener,
    ) -> Self {
        Self {
            functions,
            credentials,
            slack_api_url,
            variables: BTreeMap::new(),
            limits: crate::local_limits(),
            worker_timeout: WORKER_TIMEOUT,
            visibility: VISIBILITY,
            app_listener,
            aws_listener,
            requests: None,
            batches: None,
        }
    }
}

/// A running stack. Its tasks live on the `LocalSet` that it was started on. Clones share it.
#[derive(Clone)]
pub struct Stack {
    /// Queues, tables, calls and faults.
    pub aws: LocalAws,
    /// The ingress.
    pub ingress: Function,
    /// The worker of interactions.
    pub interactions: Function,
    /// The worker of events.
    pub events: Function,
    /// The function of the install pages, where the app is installed by OAuth.
    pub oauth: Option<Function>,
    /// The functions, as they were started.
    pub(crate) served: Arc<[Served]>,
    /// The variables that every function sees.
    pub(crate) environment: Arc<BTreeMap<String, String>>,
}

impl Stack {
    /// The names of the queues, without and with `-dlq`.
    pub const QUEUES: [&str; 2] = ["interactions", "events"];
    /// The name of the function of the install pages.
    pub const OAUTH: &str = "oauth";
    /// The name of the table of idempotency records.
    pub const STATE_TABLE: &str = "state";
    /// The name of the table of installations.
    pub const INSTALLATIONS_TABLE: &str = "installations";
    /// The alias of the key that tokens are encrypted with.
    pub const TOKEN_KEY: &str = "alias/tack-tokens";

    /// Starts everything; what the functions print goes to `output`. Call it on a `LocalSet`.
    ///
    /// # Errors
    /// When a queue, the table or a function cannot be made.
    pub async fn start(config: StackConfig, output: mpsc::UnboundedSender<OutputLine>) -> anyhow::Result<Self> {
        let endpoint = format!("http://{}", config.aws_listener.local_addr()?);
        let aws = LocalAws::new(Clock::system()).with_endpoint(&endpoint);
        for queue in Self::QUEUES {
            create_queues(&aws, queue, config.visibility)?;
        }
        create_state_table(&aws)?;
        if let Serves::Installs(_) = config.credentials.serves {
            create_installations(&aws)?;
        }
        let environment = environment(&aws, &config, &endpoint)?;
        let mut served = Vec::new();
        let mut function = |name: &str, command: &Command, timeout: Duration, question: Bytes| {
            let access_key = format!("AKIALOCAL{}", name.to_uppercase().replace('-', ""));
            aws.name_caller(&access_key, name);
            let config = FunctionConfig {
                name: name.to_owned(),
                command: command.clone(),
                environment: environment.clone(),
                access_key,
                memory_mb: 128,
                timeout,
                max_processes: 10,
                region: tack_local_aws::REGION.to_owned(),
            };
            let function =
                Function::start(config.clone(), output.clone()).with_context(|| format!("function {name}"))?;
            served.push(Served { function: function.clone(), config, question });
            anyhow::Ok(function)
        };
        let (ingress, worker) = (&config.functions.ingress, &config.functions.worker);
        let ingress = function("ingress", ingress, INGRESS_TIMEOUT, ingress_question())?;
        let interactions = function("worker-interactions", worker, config.worker_timeout, worker_question())?;
        let events = function("worker-events", worker, config.worker_timeout, worker_question())?;
        let oauth = match (&config.credentials.serves, &config.functions.oauth) {
            (Serves::OneWorkspace { .. }, _) => None,
            (Serves::Installs(_), Some(command)) => {
                Some(function(Self::OAUTH, command, OAUTH_TIMEOUT, oauth_question())?)
            }
            (Serves::Installs(_), None) => {
                anyhow::bail!("the app is to be installed by OAuth, and there is no oauth function")
            }
        };

        tokio::task::spawn_local(log_end("the AWS endpoint", aws.clone().serve(config.aws_listener)));
        let route = |method: Method, path: &str, function: &Function| Route {
            method,
            path: path.to_owned(),
            function: function.clone(),
        };
        let mut routes = vec![route(Method::POST, "/slack/events", &ingress)];
        if let Some(oauth) = &oauth {
            routes.extend(["/slack/install", "/slack/oauth_redirect"].map(|path| route(Method::GET, path, oauth)));
        }
        let mut gateway = Gateway::new(routes);
        if let Some(requests) = config.requests {
            gateway = gateway.observed_by(requests);
        }
        tokio::task::spawn_local(log_end("the app's door", gateway.serve(config.app_listener)));
        for (queue, function, batch_size) in [("interactions", &interactions, 1), ("events", &events, 10)] {
            let mut source = EventSource::new(aws.sqs().clone(), queue, Rc::new(function.clone()));
            source.batch_size = batch_size;
            source.observer = config.batches.clone();
            tokio::task::spawn_local(source.run(std::future::pending()));
        }
        let environment = Arc::new(environment);
        Ok(Self { aws, ingress, interactions, events, oauth, served: served.into(), environment })
    }

    /// Ends all processes.
    pub async fn shutdown(&self) {
        self.ingress.shutdown().await;
        self.interactions.shutdown().await;
        self.events.shutdown().await;
        if let Some(oauth) = &self.oauth {
            oauth.shutdown().await;
        }
    }
}

async fn log_end(what: &str, server: impl Future<Output = std::io::Result<()>>) {
    if let Err(error) = server.await {
        tracing::error!("{what} stopped: {error}");
    }
}

fn create_queues(aws: &LocalAws, name: &str, visibility: Duration) -> anyhow::Result<()> {
    let dead = format!("{name}-dlq");
    aws.sqs().create_queue(&dead, QueueSettings { retention: 14 * DAY, ..QueueSettings::default() })?;
    let redrive = Redrive { dead_letter_arn: aws.sqs().queue_arn(&dead)?, max_receive_count: RECEIVES_MAX };
    let settings = QueueSettings {
        visibility_timeout: visibility,
        retention: 4 * DAY,
        redrive: Some(redrive),
        ..QueueSettings::default()
    };
    aws.sqs().create_queue(name, settings)?;
    Ok(())
}

fn create_state_table(aws: &LocalAws) -> anyhow::Result<()> {
    aws.dynamodb().create_table(Stack::STATE_TABLE, "pk", Some("exp")).map_err(anyhow::Error::msg)
}

/// The table of installations, and the key that their tokens are encrypted with.
fn create_installations(aws: &LocalAws) -> anyhow::Result<()> {
    let table = Table { name: Stack::INSTALLATIONS_TABLE, partition_key: "pk", sort_key: Some("sk"), ttl: None };
    aws.dynamodb().create(&table).map_err(anyhow::Error::msg)?;
    let key = aws.kms().create_key("tokens of installations")?;
    aws.kms().create_alias(Stack::TOKEN_KEY, &key)?;
    Ok(())
}

/// The contract's variables; the functions see these and what Lambda sets, and nothing else of this machine.
fn environment(aws: &LocalAws, config: &StackConfig, endpoint: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let url = |queue: &str| aws.sqs().queue_url(queue);
    let mut variables = BTreeMap::from([
        ("SLACK_SIGNING_SECRET".to_owned(), config.credentials.signing_secret.expose_secret().to_owned()),
        ("SLACK_API_URL".to_owned(), config.slack_api_url.clone()),
        ("INTERACTIONS_QUEUE_URL".to_owned(), url("interactions")?),
        ("EVENTS_QUEUE_URL".to_owned(), url("events")?),
        ("INTERACTIONS_DLQ_URL".to_owned(), url("interactions-dlq")?),
        ("EVENTS_DLQ_URL".to_owned(), url("events-dlq")?),
        ("STATE_TABLE".to_owned(), Stack::STATE_TABLE.to_owned()),
        ("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned()),
        ("TACK_LIMITS".to_owned(), serde_json::to_string(&config.limits)?),
    ]);
    let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
    match &config.credentials.serves {
        Serves::OneWorkspace { bot_token } => {
            set("SLACK_BOT_TOKEN", bot_token.expose_secret());
        }
        Serves::Installs(client) => {
            set("SLACK_CLIENT_ID", &client.client_id);
            set("SLACK_CLIENT_SECRET", client.client_secret.expose_secret());
            set("SLACK_SCOPES", &client.scopes);
            if !client.user_scopes.is_empty() {
                set("SLACK_USER_SCOPES", &client.user_scopes);
            }
            set("SLACK_REDIRECT_URI", &client.redirect_uri);
            set("INSTALLATIONS_TABLE", Stack::INSTALLATIONS_TABLE);
            set("TOKEN_KEY_ID", Stack::TOKEN_KEY);
        }
    }
    if let Some(app_id) = &config.credentials.app_id {
        variables.insert("SLACK_APP_ID".to_owned(), app_id.clone());
    }
    for (name, value) in &config.variables {
        if variables.insert(name.clone(), value.clone()).is_some() {
            anyhow::bail!("--env {name}: this one is set by the stack itself");
        }
    }
    Ok(variables)
}
