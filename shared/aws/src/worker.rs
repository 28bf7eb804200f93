//! The worker as a Lambda function: a batch of SQS messages in, the names of those that must come again out.
//! One binary, deployed once per queue.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use crate::config::{QueueUrls, TokenConfig, WorkerConfig};
use crate::dynamodb::{DynamoIdempotencyStore, DynamoInstallationStore};
use crate::function::{self, Start, StopReason};
use crate::sqs::SqsQueue;
use crate::world::{SystemClock, SystemRandom};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use std::collections::HashMap;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, SystemTime};
use tack_app::install::{ClientCredentials, Tokens, TokensParts};
use tack_app::message::QueueName;
use tack_app::ports::Clock;
use tack_app::{Authorize, HttpClient, LazyPhase, Record, SetupError, SlackApp, Worker, WorkerParts};
use tack_protocol::EpochMs;

/// Runs the worker of an app until Lambda ends the process. This is a whole `main`.
pub fn run<A: SlackApp>() -> ExitCode {
    function::main(|start| async move {
        match setup::<A>(&start).await {
            Ok((worker, queues)) => serve(Rc::new(worker), Rc::new(queues)).await,
            Err(SetupError) => Err(StopReason::Setup(start.settings.problems())),
        }
    })
}

async fn setup<A: SlackApp>(start: &Start) -> Result<(Worker<A::Resources, A::AckResources>, QueueUrls), SetupError> {
    let settings = &start.settings;
    let config = WorkerConfig::read(settings);
    let clients = start.clients.as_ref().map_err(|error| *error);
    let resources = A::resources(settings).await;
    let app = function::build_app::<LazyPhase, A>(settings);
    let (config, clients) = (config?, clients?);
    let http = HttpClient::new(clients.extra_roots()).map_err(|error| settings.problem(error))?;
    let sqs = clients.sqs_for_worker();
    let queue = Rc::new(SqsQueue::consumer(sqs, config.queues.clone(), config.dead_letters));
    let authorize = match config.tokens {
        TokenConfig::SingleWorkspace(bot_token) => Authorize::SingleWorkspace { bot_token },
        TokenConfig::Installations { kept, client } => {
            let (dynamodb, kms, app) = (clients.dynamodb(), clients.kms(), config.app_id.clone());
            let store = DynamoInstallationStore::new(dynamodb, kms, kept.table, kept.token_key_id, app);
            Authorize::Installations(Rc::new(Tokens::new(TokensParts {
                store: Rc::new(store),
                credentials: client
                    .map(|client| ClientCredentials { client_id: client.id, client_secret: client.secret }),
                http: http.clone(),
                slack_api_url: config.slack_api_url.clone(),
                clock: Rc::new(SystemClock),
                random: Rc::new(SystemRandom),
            })))
        }
    };
    let parts = WorkerParts {
        resources: resources?,
        authorize,
        app_id: config.app_id,
        http,
        slack_api_url: config.slack_api_url,
        store: Rc::new(DynamoIdempotencyStore::new(clients.dynamodb(), config.state_table)),
        queue: Rc::clone(&queue) as _,
        consumer: queue,
        clock: Rc::new(SystemClock),
        random: Rc::new(SystemRandom),
        limits: config.limits,
    };
    Ok((Worker::new(app?, parts), config.queues))
}

async fn serve<R: 'static, K: 'static>(worker: Rc<Worker<R, K>>, queues: Rc<QueueUrls>) -> Result<(), StopReason> {
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let (worker, queues) = (Rc::clone(&worker), Rc::clone(&queues));
        async move {
            let remaining = event.context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
            let records: Result<Vec<Record>, Error> =
                event.payload.records.into_iter().map(|message| record(message, &queues)).collect();
            let failed = worker.run_batch(records?, remaining).await;
            Ok::<_, Error>(answer(failed))
        }
    }))
    .await
    .map_err(StopReason::Runtime)
}

/// A message as SQS handed it over. One without a name, or from a queue that is not ours, fails the batch loudly:
/// an answer that does not name it would delete it.
fn record(message: SqsMessage, queues: &QueueUrls) -> Result<Record, Error> {
    let message_id = message.message_id.filter(|id| !id.is_empty()).ok_or("a record has no messageId")?;
    let receipt = message.receipt_handle.ok_or("a record has no receiptHandle")?;
    let attributes = message.attributes;
    let arn = message.event_source_arn.unwrap_or_default();
    let name = arn.rsplit(':').next().unwrap_or_default();
    let is = |url: &str| url.rsplit('/').next() == Some(name);
    let queue = if is(&queues.interactions) {
        QueueName::Interactions
    } else if is(&queues.events) {
        QueueName::Events
    } else {
        return Err(format!("a record comes from {arn}, which is neither of the configured queues").into());
    };
    Ok(Record {
        message_id,
        receipt,
        queue,
        group: attributes.get("MessageGroupId").cloned(),
        sent_at: EpochMs(number(&attributes, "SentTimestamp").unwrap_or_else(|| SystemClock.now().0)),
        receive_count: number(&attributes, "ApproximateReceiveCount").and_then(|n| n.try_into().ok()).unwrap_or(1),
        body: message.body.unwrap_or_default(),
    })
}

fn number(attributes: &HashMap<String, String>, name: &str) -> Option<u64> {
    attributes.get(name)?.parse().ok()
}

fn answer(failed: Vec<String>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed
        .into_iter()
        .map(|id| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failure
        })
        .collect();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues() -> QueueUrls {
        let url = |name: &str| format!("https://sqs.us-east-1.amazonaws.com/000000000000/{name}");
        QueueUrls { interactions: url("interactions"), events: url("events") }
    }

    fn records(event: &str) -> Vec<Result<Record, Error>> {
        let event: SqsEvent = serde_json::from_str(event).unwrap();
        event.records.into_iter().map(|message| record(message, &queues())).collect()
    }

    const BATCH: &str = include_str!("../../../events/lambda/worker/batch.json");
    const PROBE: &str = include_str!("../../../events/lambda/worker/probe.json");

    #[test]
    fn a_batch_is_read_as_lambda_hands_it_over() {
        let batch: Vec<Record> = records(BATCH).into_iter().map(Result::unwrap).collect();
        assert_eq!(batch.len(), 2);
        assert_eq!(batch[0].message_id, "059f36b4-87a3-44ab-83d2-661975840001");
        assert_eq!((batch[0].receive_count, batch[1].receive_count), (1, 2));
        assert_eq!(batch[0].queue, QueueName::Events);
        assert_eq!(batch[0].group.as_deref(), Some("T0ACME001"));
        for record in batch {
            tack_app::message::Work::decode(&record.body).unwrap();
        }
    }

    #[test]
    fn a_record_without_a_name_or_from_another_queue_fails_the_batch_loudly() {
        assert!(records(&PROBE.replace("\"messageId\"", "\"other\""))[0].is_err());
        assert!(records(&PROBE.replace("000000000000:events", "000000000000:theirs"))[0].is_err());
        assert!(records(PROBE)[0].is_ok());
    }

    #[test]
    fn the_answer_names_exactly_the_failed_messages() {
        let answer = serde_json::to_value(answer(vec!["m1".to_owned()])).unwrap();
        assert_eq!(answer, serde_json::json!({ "batchItemFailures": [{ "itemIdentifier": "m1" }] }));
    }
}
