//! SQS's refusals as the SDK understands them.

use crate::Endpoint;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName, SendMessageBatchRequestEntry};
use tack_local_aws::sqs::QueueSettings;

async fn queue() -> (Endpoint, aws_sdk_sqs::Client, String) {
    let endpoint = Endpoint::start().await;
    let url = endpoint.aws.sqs().create_queue("events", QueueSettings::default()).unwrap();
    let client = endpoint.sqs();
    (endpoint, client, url)
}

/// The code that AWS's SDKs and the CLI show.
fn code<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(result: Result<T, SdkError<E>>) -> String {
    result.unwrap_err().code().unwrap_or("none").to_owned()
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_a_typed_error_everywhere() {
    let (endpoint, client, _) = queue().await;
    let nothing = format!("{}/000000000000/nothing", endpoint.url);
    let sent = client.send_message().queue_url(&nothing).message_body("hello").send().await.unwrap_err();
    assert_eq!(sent.code(), Some("AWS.SimpleQueueService.NonExistentQueue"));
    assert!(sent.into_service_error().is_queue_does_not_exist());
    assert!(
        client
            .receive_message()
            .queue_url(&nothing)
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_queue_does_not_exist()
    );
    assert!(
        client
            .get_queue_url()
            .queue_name("nothing")
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_queue_does_not_exist()
    );
    let entry = SendMessageBatchRequestEntry::builder().id("a").message_body("b").build().unwrap();
    let batch = client.send_message_batch().queue_url(&nothing).entries(entry).send().await.unwrap_err();
    assert!(batch.into_service_error().is_queue_does_not_exist());
    let foreign = endpoint.url.clone() + "/123456789012/events";
    assert!(
        client
            .purge_queue()
            .queue_url(foreign)
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_queue_does_not_exist()
    );
    assert!(
        client.purge_queue().queue_url("events").send().await.unwrap_err().into_service_error().is_invalid_address()
    );
}

#[tokio::test]
async fn a_bad_receipt_handle_is_a_typed_error() {
    let (_endpoint, client, url) = queue().await;
    let error = client.delete_message().queue_url(&url).receipt_handle("nonsense").send().await.unwrap_err();
    assert!(error.into_service_error().is_receipt_handle_is_invalid());
    let change = client.change_message_visibility().queue_url(&url).receipt_handle("nonsense").visibility_timeout(1);
    assert!(change.send().await.unwrap_err().into_service_error().is_receipt_handle_is_invalid());
}

#[tokio::test]
async fn a_message_that_is_not_in_flight_is_a_typed_error() {
    let (_endpoint, client, url) = queue().await;
    client.send_message().queue_url(&url).message_body("hello").send().await.unwrap();
    let received = client.receive_message().queue_url(&url).visibility_timeout(0).send().await.unwrap();
    let handle = received.messages()[0].receipt_handle().unwrap();
    let change = client.change_message_visibility().queue_url(&url).receipt_handle(handle).visibility_timeout(1);
    assert!(change.send().await.unwrap_err().into_service_error().is_message_not_inflight());
}

#[tokio::test]
async fn a_batch_is_refused_as_a_whole_for_its_shape() {
    let (_endpoint, client, url) = queue().await;
    let entry =
        |id: &str, body: &str| SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap();
    let send = |entries: Vec<SendMessageBatchRequestEntry>| {
        client.send_message_batch().queue_url(&url).set_entries(Some(entries)).send()
    };
    let eleven = (0..11).map(|id| entry(&id.to_string(), "x")).collect();
    assert!(send(eleven).await.unwrap_err().into_service_error().is_too_many_entries_in_batch_request());
    assert!(send(Vec::new()).await.unwrap_err().into_service_error().is_empty_batch_request());
    let twice = vec![entry("a", "x"), entry("a", "y")];
    assert!(send(twice).await.unwrap_err().into_service_error().is_batch_entry_ids_not_distinct());
    assert!(send(vec![entry("a b", "x")]).await.unwrap_err().into_service_error().is_invalid_batch_entry_id());
    let half = "x".repeat(524_289);
    let long = vec![entry("a", &half), entry("b", &half)];
    assert!(send(long).await.unwrap_err().into_service_error().is_batch_request_too_long());
    let none: Vec<DeleteMessageBatchRequestEntry> = Vec::new();
    let delete = client.delete_message_batch().queue_url(&url).set_entries(Some(none)).send().await.unwrap_err();
    assert!(delete.into_service_error().is_empty_batch_request());
}

#[tokio::test]
async fn limits_are_refused_with_the_codes_of_aws() {
    let (_endpoint, client, url) = queue().await;
    let send = |body: &str| client.send_message().queue_url(&url).message_body(body);
    assert!(send("\u{0}").send().await.unwrap_err().into_service_error().is_invalid_message_contents());
    assert_eq!(code(send("").send().await), "MissingParameter");
    assert_eq!(code(send(&"x".repeat(1_048_577)).send().await), "InvalidParameterValue");
    for delay in [-1, 901] {
        assert_eq!(code(send("x").delay_seconds(delay).send().await), "InvalidParameterValue");
    }
    assert_eq!(code(send("x").message_deduplication_id("a").send().await), "InvalidParameterValue");
    let receive = || client.receive_message().queue_url(&url);
    for max in [-1, 0, 11] {
        assert_eq!(code(receive().max_number_of_messages(max).send().await), "InvalidParameterValue");
    }
    assert_eq!(code(receive().wait_time_seconds(21).send().await), "InvalidParameterValue");
    assert_eq!(code(receive().visibility_timeout(43_201).send().await), "InvalidParameterValue");
}

#[tokio::test]
async fn fifo_is_refused_by_name_and_by_attribute() {
    let (_endpoint, client, _) = queue().await;
    let by_name = client.create_queue().queue_name("events.fifo").send().await.unwrap_err();
    assert!(by_name.message().is_some_and(|text| text.contains("FIFO")));
    assert!(by_name.into_service_error().is_invalid_attribute_value());
    let by_attribute = client.create_queue().queue_name("other").attributes(QueueAttributeName::FifoQueue, "true");
    assert!(by_attribute.send().await.unwrap_err().into_service_error().is_invalid_attribute_value());
}

#[tokio::test]
async fn unknown_and_impossible_attributes_are_typed_errors() {
    let (_endpoint, client, url) = queue().await;
    let set = |name: &str, value: &str| {
        client.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::from(name), value).send()
    };
    assert!(set("Colour", "red").await.unwrap_err().into_service_error().is_invalid_attribute_name());
    assert!(set("VisibilityTimeout", "soon").await.unwrap_err().into_service_error().is_invalid_attribute_value());
    assert!(set("VisibilityTimeout", "43201").await.unwrap_err().into_service_error().is_invalid_attribute_value());
    assert_eq!(code(set("RedrivePolicy", "{}").await), "InvalidParameterValue");
    let get = client.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::from("Colour"));
    assert!(get.send().await.unwrap_err().into_service_error().is_invalid_attribute_name());
}

#[tokio::test]
async fn a_move_from_a_queue_that_is_no_dead_letter_queue_is_refused() {
    let (endpoint, client, _) = queue().await;
    let arn = endpoint.aws.sqs().queue_arn("events").unwrap();
    assert_eq!(code(client.start_message_move_task().source_arn(&arn).send().await), "InvalidParameterValue");
    let nothing = client.start_message_move_task().source_arn(arn + "x").send().await.unwrap_err();
    assert!(nothing.into_service_error().is_resource_not_found_exception());
}
