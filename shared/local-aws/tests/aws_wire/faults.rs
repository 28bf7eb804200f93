//! What goes wrong on request, as the SDK sees it.

use crate::Endpoint;
use aws_sdk_sqs::error::{ProvideErrorMetadata as _, SdkError};
use std::time::{Duration, Instant};
use tack_local_aws::sqs::QueueSettings;
use tack_local_aws::{CALLER_GONE, Effect, Fault};

fn fault(effect: Effect, times: Option<u32>) -> Fault {
    Fault {
        service: "sqs".to_owned(),
        action: "SendMessage".to_owned(),
        resource: Some("events".to_owned()),
        caller: None,
        contains: None,
        effect,
        times,
    }
}

async fn queue() -> (Endpoint, aws_sdk_sqs::Client, String) {
    let endpoint = Endpoint::start().await;
    let url = endpoint.aws.sqs().create_queue("events", QueueSettings::default()).unwrap();
    let client = endpoint.sqs();
    (endpoint, client, url)
}

fn sent(endpoint: &Endpoint) -> usize {
    endpoint.aws.sqs().depth("events").unwrap().visible
}

#[tokio::test]
async fn an_error_is_answered_as_asked_and_nothing_is_done() {
    let (endpoint, client, url) = queue().await;
    endpoint.aws.faults().add(fault(Effect::Error { status: 403, code: "AccessDenied".to_owned() }, Some(1)));
    let error = client.send_message().queue_url(&url).message_body("hello").send().await.unwrap_err();
    assert_eq!((error.code(), error.raw_response().unwrap().status().as_u16()), (Some("AccessDenied"), 403));
    assert_eq!(sent(&endpoint), 0);
    client.send_message().queue_url(&url).message_body("hello").send().await.unwrap();
    let calls = endpoint.aws.calls().snapshot();
    let told: Vec<_> = calls.iter().map(|call| (call.status, call.error.as_deref())).collect();
    assert_eq!(told, [(Some(403), Some("AccessDenied")), (Some(200), None)]);
}

#[tokio::test]
async fn a_throttle_is_one_that_the_sdk_retries() {
    let (endpoint, _, url) = queue().await;
    endpoint.aws.faults().add(fault(Effect::Throttle, Some(1)));
    let retry = aws_sdk_sqs::config::retry::RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    let config = endpoint.sqs().config().to_builder().retry_config(retry).build();
    let client = aws_sdk_sqs::Client::from_conf(config);
    client.send_message().queue_url(&url).message_body("hello").send().await.unwrap();
    let statuses: Vec<_> = endpoint.aws.calls().snapshot().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(400), Some(200)]);

    let throttled = Fault {
        service: "dynamodb".to_owned(),
        action: "PutItem".to_owned(),
        resource: None,
        ..fault(Effect::Throttle, None)
    };
    endpoint.aws.faults().add(throttled);
    let put = endpoint
        .dynamodb()
        .put_item()
        .table_name("state")
        .item("pk", aws_sdk_dynamodb::types::AttributeValue::S("a".to_owned()));
    assert!(put.send().await.unwrap_err().into_service_error().is_provisioned_throughput_exceeded_exception());
}

#[tokio::test]
async fn a_hanging_call_ends_with_its_caller_and_is_on_record_without_an_answer() {
    let (endpoint, client, url) = queue().await;
    endpoint.aws.faults().add(fault(Effect::Hang, None));
    let call = client.send_message().queue_url(&url).message_body("hello").send();
    let given_up = tokio::time::timeout(Duration::from_millis(200), call).await;
    assert!(given_up.is_err());
    while endpoint.aws.calls().snapshot()[0].error.is_none() {
        tokio::task::yield_now().await;
    }
    let calls = endpoint.aws.calls().snapshot();
    assert_eq!((calls.len(), calls[0].status, calls[0].error.as_deref()), (1, None, Some(CALLER_GONE)));
    endpoint.aws.faults().clear();
    client.send_message().queue_url(&url).message_body("after").send().await.unwrap();
    assert_eq!(sent(&endpoint), 1, "the call that was given up is not served later");
}

#[tokio::test]
async fn a_hanging_call_is_served_when_its_fault_is_removed() {
    let (endpoint, client, url) = queue().await;
    let id = endpoint.aws.faults().add(fault(Effect::Hang, Some(1)));
    let remover = async {
        while endpoint.aws.calls().snapshot().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(sent(&endpoint), 0);
        endpoint.aws.faults().remove(id);
    };
    let (answer, ()) = tokio::join!(client.send_message().queue_url(&url).message_body("hello").send(), remover);
    answer.unwrap();
    assert_eq!(sent(&endpoint), 1);
}

#[tokio::test]
async fn a_delay_is_waited_for() {
    let (endpoint, client, url) = queue().await;
    endpoint.aws.faults().add(fault(Effect::Delay(Duration::from_millis(150)), None));
    let started = Instant::now();
    client.send_message().queue_url(&url).message_body("hello").send().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_lost_reply_leaves_the_work_done_and_the_caller_without_an_answer() {
    let (endpoint, client, url) = queue().await;
    endpoint.aws.faults().add(fault(Effect::LoseReply, Some(1)));
    let error = client.send_message().queue_url(&url).message_body("hello").send().await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
    assert_eq!(sent(&endpoint), 1);
    assert_eq!(endpoint.aws.calls().snapshot()[0].status, None);
}

#[tokio::test]
async fn a_fault_for_one_caller_spares_the_others() {
    let (endpoint, client, url) = queue().await;
    endpoint.aws.faults().add(Fault { caller: Some("oauth".to_owned()), ..fault(Effect::Throttle, None) });
    client.send_message().queue_url(&url).message_body("hello").send().await.unwrap();
    endpoint.aws.faults().add(Fault { caller: Some("worker".to_owned()), ..fault(Effect::Throttle, None) });
    client.send_message().queue_url(&url).message_body("hello").send().await.unwrap_err();
}
