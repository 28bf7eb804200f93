//! What the functions may know of this machine, and what nobody may read of their secrets.

use crate::message::message_delivery;
use crate::world::{BOT_TOKEN, SIGNING_SECRET, Setup, in_world};
use serde_json::json;
use tack_simulator::{DeliveryRequest, Faults, WebApiFault};

/// What Lambda sets for a function on `provided.al2023`, and the variables of the contract; the last one is set by the runtime client in the process.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
const VARIABLES: [&str; 30] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "EVENTS_DLQ_URL",
    "EVENTS_QUEUE_URL",
    "INTERACTIONS_DLQ_URL",
    "INTERACTIONS_QUEUE_URL",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "LANG",
    "PATH",
    "SLACK_API_URL",
    "SLACK_APP_ID",
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
    "STATE_TABLE",
    "TACK_LIMITS",
    "TZ",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];

#[test]
fn the_functions_see_what_lambda_sets_and_their_own_variables_and_nothing_of_this_machine() {
    in_world(Setup::drill(), async |world| {
        let typed = world.deliver(DeliveryRequest::command(json!({ "command": "/environment" }))).await.remove(0);
        let message = typed.shown.unwrap().message.unwrap();
        assert_eq!(message["text"].as_str().unwrap().split(' ').collect::<Vec<_>>(), VARIABLES);
        world.deliver(message_delivery("Ev0ENVIRON1", "drill environment")).await;
        world.settled().await;
        assert_eq!(world.posted()[0].split(' ').collect::<Vec<_>>(), VARIABLES);
    });
}

#[test]
fn no_secret_is_in_a_log_line_a_dead_letter_or_a_record() {
    let mut setup = Setup::drill();
    setup.limits.attempts = 1;
    in_world(setup, async |world| {
        let refused =
            |error: &str| WebApiFault { error: Some(error.to_owned()), times: Some(1), ..WebApiFault::default() };
        for (number, text) in ["drill say x", "drill fail x", "drill panic x", "drill enqueue 2"].iter().enumerate() {
            world.deliver(message_delivery(&format!("Ev0SECRET0{number}"), text)).await;
        }
        world.settled().await;
        for (number, error) in ["invalid_auth", "token_revoked", "internal_error", "not_authed"].iter().enumerate() {
            let web_api = [("chat.postMessage".to_owned(), refused(error))].into();
            world.slack.set_faults(Faults { web_api, ..Faults::default() });
            world.deliver(message_delivery(&format!("Ev0SECRET1{number}"), "drill say refused")).await;
            world.settled().await;
        }
        world.slack.revoke_token();
        world.deliver(message_delivery("Ev0SECRET20", "drill say revoked")).await;
        world.deliver(DeliveryRequest::raw("{}").header("x-slack-signature", "v0=00")).await;
        world.settled().await;

        let letters = world.stack.aws.sqs().peek("events-dlq");
        let records = world.stack.aws.dynamodb().items("state");
        assert!(letters.len() >= 3 && records.len() >= 9, "{} letters, {} records", letters.len(), records.len());
        let mut places: Vec<String> = world.lines().into_iter().map(|line| line.line).collect();
        assert!(places.len() > 20);
        places.extend(letters.iter().map(|letter| format!("{letter:?}")));
        places.extend(records.iter().map(|record| record.to_string()));
        for secret in [SIGNING_SECRET, BOT_TOKEN] {
            let leak = places.iter().find(|place| place.contains(secret));
            assert_eq!(leak, None);
        }
    });
}
