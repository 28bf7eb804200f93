//! Proves a build before it serves: each function starts once, with the environment it will have, and answers something harmless.
//! Invariant: the proof leaves no process, no message and no record behind.

use bytes::Bytes;
use futures_util::future::try_join_all;
use serde_json::json;
use std::path::Path;
use tack_local_aws::lambda::{Command, Function, FunctionConfig, InvokeError};
use tokio::sync::mpsc;

/// A function that serves, and how it was made.
#[derive(Clone)]
pub(crate) struct Served {
    /// It changes over to each new build.
    pub(crate) function: Function,
    /// As it was started; of the command, only the program differs from build to build.
    pub(crate) config: FunctionConfig,
    /// What a new build is asked before it serves.
    pub(crate) question: Bytes,
}

/// Why a build does not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) function: String,
    pub(super) lines: Vec<String>,
}

/// Slack's check of the certificate: answered 200, unsigned, and nothing comes of it.
/// Source: <https://docs.slack.dev/interactivity/implementing-slash-commands>
pub(crate) fn ingress_question() -> Bytes {
    question("POST", "/slack/events", Some("ssl_check=1"))
}

/// The install page, which has no state until its button is pressed: answered 200, and nothing comes of it.
pub(crate) fn oauth_question() -> Bytes {
    question("GET", "/slack/install", None)
}

/// A request in API Gateway's payload 2.0.
fn question(method: &str, path: &str, body: Option<&str>) -> Bytes {
    let route = format!("{method} {path}");
    let question = json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "content-type": "application/x-www-form-urlencoded", "host": "localhost" },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "tack" },
            "requestId": "proof",
            "routeKey": route,
            "stage": "$default",
            "time": "01/Jan/1970:00:00:00 +0000",
            "timeEpoch": 0
        },
        "body": body,
        "isBase64Encoded": false
    });
    question.to_string().into()
}

/// A batch of no messages.
pub(crate) fn worker_question() -> Bytes {
    Bytes::from_static(br#"{"Records":[]}"#)
}

impl Served {
    /// How its processes start from an executable.
    pub(super) fn command(&self, program: &Path) -> Command {
        Command { program: program.to_owned(), args: self.config.command.args.clone() }
    }
}

/// Starts each function of the build once and asks it its question.
///
/// # Errors
/// The first function that does not start or fails, and what is known of why.
pub(super) async fn prove(served: &[Served], program: &Path) -> Result<(), Refusal> {
    // Two workers of one command would fail for one reason.
    let different = served.iter().enumerate().filter(|(at, one)| {
        let twin = |other: &Served| {
            other.config.command == one.config.command && other.config.environment == one.config.environment
        };
        !served[..*at].iter().any(twin)
    });
    try_join_all(different.map(|(_, served)| ask(served, program))).await.map(|_| ())
}

async fn ask(served: &Served, program: &Path) -> Result<(), Refusal> {
    let refusal = |lines: Vec<String>| Refusal { function: served.config.name.clone(), lines };
    let config = FunctionConfig { command: served.command(program), max_processes: 1, ..served.config.clone() };
    // What it prints is kept by the function itself if it does not start; the rest is nobody's business.
    let (output, _lines) = mpsc::unbounded_channel();
    let scratch = Function::start(config, output).map_err(|error| refusal(vec![error.to_string()]))?;
    let answer = scratch.invoke(served.question.clone()).await;
    scratch.shutdown().await;
    match answer {
        Ok(_) => Ok(()),
        Err(InvokeError::InitFailed { reason }) => Err(refusal(reason.lines().map(str::to_owned).collect())),
        Err(error) => Err(refusal(error.to_string().lines().map(str::to_owned).collect())),
    }
}
