//! The OAuth flow as a Lambda function: a browser's request in, a page or a way to Slack out; at its end an installation is
//! in the table and the app's `tack.installed` in the queue.

use crate::browser::{BrowserAnswer, BrowserEvent};
use crate::config::OAuthConfig;
use crate::dynamodb::{DynamoInstallationStore, DynamoStateStore};
use crate::function::{self, Start, StopReason};
use crate::sqs::SqsQueue;
use crate::world::{SystemClock, SystemRandom};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use std::process::ExitCode;
use std::rc::Rc;
use tack_app::oauth::{OAuth, OAuthParts};
use tack_app::{HttpClient, SetupError, SlackApp};

/// Runs the OAuth flow of an app until Lambda ends the process. This is a whole `main`.
pub fn run<A: SlackApp>() -> ExitCode {
    function::main(|start| async move {
        match setup::<A>(&start) {
            Ok(oauth) => serve(Rc::new(oauth)).await,
            Err(SetupError) => Err(StopReason::Setup(start.settings.problems())),
        }
    })
}

fn setup<A: SlackApp>(start: &Start) -> Result<OAuth, SetupError> {
    let config = OAuthConfig::read(&start.settings);
    let clients = start.clients.as_ref().map_err(|error| *error);
    let (config, clients) = (config?, clients?);
    let http = HttpClient::new(clients.extra_roots()).map_err(|error| start.settings.problem(error))?;
    let table = config.kept.table;
    let key_id = config.kept.token_key_id;
    let store = DynamoInstallationStore::new(clients.dynamodb(), clients.kms(), table, key_id, config.app_id.clone());
    Ok(OAuth::new(OAuthParts {
        client_id: config.client.id,
        client_secret: config.client.secret,
        scopes: config.scopes,
        user_scopes: config.user_scopes,
        redirect_uri: config.redirect_uri,
        app_id: config.app_id,
        store: Rc::new(store),
        states: Rc::new(DynamoStateStore::new(clients.dynamodb(), config.state_table)),
        queue: Rc::new(SqsQueue::sender(clients.sqs_for_worker(), config.queues)),
        http,
        slack_api_url: config.slack_api_url,
        clock: Rc::new(SystemClock),
        random: Rc::new(SystemRandom),
        pages: A::install_pages(),
        limits: config.limits,
    }))
}

async fn serve(oauth: Rc<OAuth>) -> Result<(), StopReason> {
    lambda_runtime::run(service_fn(move |event: LambdaEvent<BrowserEvent>| {
        let oauth = Rc::clone(&oauth);
        async move {
            let format = event.payload.format();
            Ok::<BrowserAnswer, Error>(match event.payload.request(event.context.xray_trace_id) {
                Some(request) => BrowserAnswer::new(oauth.answer(request).await, format),
                None => BrowserAnswer::empty(404, format),
            })
        }
    }))
    .await
    .map_err(StopReason::Runtime)
}
