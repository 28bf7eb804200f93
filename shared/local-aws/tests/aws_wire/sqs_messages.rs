//! Messages through the SDK.

use crate::Endpoint;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use std::time::{Duration, Instant};
use tack_local_aws::sqs::{Depth, NewMessage, QueueSettings};

struct Queue {
    endpoint: Endpoint,
    client: aws_sdk_sqs::Client,
    url: String,
}

async fn queue() -> Queue {
    let endpoint = Endpoint::start().await;
    let url = endpoint.aws.sqs().create_queue("events", QueueSettings::default()).unwrap();
    Queue { client: endpoint.sqs(), endpoint, url }
}

impl Queue {
    async fn receive(&self) -> Vec<Message> {
        let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10);
        let request =
            request.message_attribute_names("All").message_system_attribute_names(MessageSystemAttributeName::All);
        request.send().await.unwrap().messages.unwrap_or_default()
    }

    async fn send(&self, body: &str) {
        self.client.send_message().queue_url(&self.url).message_body(body).send().await.unwrap();
    }

    fn depth(&self) -> Depth {
        self.endpoint.aws.sqs().depth("events").unwrap()
    }
}

fn attribute(data_type: &str) -> aws_sdk_sqs::types::builders::MessageAttributeValueBuilder {
    MessageAttributeValue::builder().data_type(data_type)
}

#[tokio::test]
async fn a_message_arrives_as_it_was_sent() {
    let queue = queue().await;
    let trace = MessageSystemAttributeValue::builder()
        .data_type("String")
        .string_value("Root=1-5759e988-bd862e3fe1be46a994272793")
        .build()
        .unwrap();
    let sent = queue
        .client
        .send_message()
        .queue_url(&queue.url)
        .message_body("message digest")
        .message_group_id("T0123")
        .message_attributes("text", attribute("String").string_value("värde").build().unwrap())
        .message_attributes("number", attribute("Number.int").string_value("42").build().unwrap())
        .message_attributes("bytes", attribute("Binary").binary_value(Blob::new([0, 1, 254, 255])).build().unwrap())
        .message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, trace)
        .send()
        .await
        .unwrap();
    // RFC 1321, appendix A.5.
    assert_eq!(sent.md5_of_message_body(), Some("f96b697d7cb7938d525a2f31aaf161d0"));
    // By AWS's description of the algorithm, in another language.
    assert_eq!(sent.md5_of_message_attributes(), Some("68dcc1868a219d20f4fd5842f08777de"));
    assert_eq!(sent.md5_of_message_system_attributes(), Some("62a56dd927315f2b2e12832b84617ea5"));
    let received = queue.receive().await.remove(0);
    assert_eq!(received.message_id(), sent.message_id());
    assert_eq!(received.body(), Some("message digest"));
    assert_eq!(received.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(received.md5_of_message_attributes(), sent.md5_of_message_attributes());
    let attributes = received.message_attributes().unwrap();
    assert_eq!(attributes["text"].string_value(), Some("värde"));
    assert_eq!((attributes["number"].data_type(), attributes["number"].string_value()), ("Number.int", Some("42")));
    assert_eq!(attributes["bytes"].binary_value().unwrap().as_ref(), [0, 1, 254, 255]);
    let system = received.attributes().unwrap();
    assert_eq!(system[&MessageSystemAttributeName::MessageGroupId], "T0123");
    assert_eq!(system[&MessageSystemAttributeName::AwsTraceHeader], "Root=1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(system[&MessageSystemAttributeName::ApproximateReceiveCount], "1");
    assert_eq!(system[&MessageSystemAttributeName::SenderId], "AKIAWORKER");
    assert!(system.contains_key(&MessageSystemAttributeName::SentTimestamp));
    assert!(system.contains_key(&MessageSystemAttributeName::ApproximateFirstReceiveTimestamp));
}

#[tokio::test]
async fn only_the_attributes_that_are_asked_for_are_told() {
    let queue = queue().await;
    let with_names = |names: &'static [&'static str]| {
        let request = queue.client.receive_message().queue_url(&queue.url).visibility_timeout(0);
        request.set_message_attribute_names(Some(names.iter().map(|name| (*name).to_owned()).collect())).send()
    };
    let request = queue.client.send_message().queue_url(&queue.url).message_body("hello");
    let request = request.message_attributes("tack.job", attribute("String").string_value("a").build().unwrap());
    request.message_attributes("other", attribute("String").string_value("b").build().unwrap()).send().await.unwrap();
    let names = |message: &Message| {
        let mut names: Vec<String> =
            message.message_attributes().into_iter().flat_map(|attributes| attributes.keys().cloned()).collect();
        names.sort_unstable();
        names
    };
    for (asked, told) in
        [(&["tack.*"][..], &["tack.job"][..]), (&["other"], &["other"]), (&[".*"], &["other", "tack.job"]), (&[], &[])]
    {
        let received = with_names(asked).await.unwrap();
        let message = &received.messages()[0];
        assert_eq!(names(message), told, "{asked:?}");
        assert!(message.attributes().is_none());
        assert_eq!(message.md5_of_message_attributes().is_some(), !told.is_empty());
    }
}

#[tokio::test]
async fn a_long_poll_over_the_wire_is_answered_when_a_message_is_sent() {
    let queue = queue().await;
    let poll = queue.client.receive_message().queue_url(&queue.url).wait_time_seconds(20).send();
    let sender = async {
        // The poll is there when its call is on record.
        while queue.endpoint.aws.calls().snapshot().is_empty() {
            tokio::task::yield_now().await;
        }
        queue
            .endpoint
            .aws
            .sqs()
            .send("events", NewMessage { body: "hello".to_owned(), ..NewMessage::default() })
            .unwrap();
        Instant::now()
    };
    let (received, sent_at) = tokio::join!(poll, sender);
    assert_eq!(received.unwrap().messages()[0].body(), Some("hello"));
    assert!(sent_at.elapsed() < Duration::from_secs(10), "long before the poll's own end");
}

#[tokio::test]
async fn a_queue_may_make_every_receive_a_long_poll() {
    let endpoint = Endpoint::start().await;
    let settings = QueueSettings { receive_wait: Duration::from_secs(1), ..QueueSettings::default() };
    let url = endpoint.aws.sqs().create_queue("events", settings).unwrap();
    let started = Instant::now();
    let received = endpoint.sqs().receive_message().queue_url(url).send().await.unwrap();
    assert!(received.messages().is_empty());
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn zero_is_honoured_for_visibility_and_delay() {
    let endpoint = Endpoint::start().await;
    let settings = QueueSettings { delay: Duration::from_secs(900), ..QueueSettings::default() };
    let url = endpoint.aws.sqs().create_queue("events", settings).unwrap();
    let client = endpoint.sqs();
    client.send_message().queue_url(&url).message_body("at once").delay_seconds(0).send().await.unwrap();
    client.send_message().queue_url(&url).message_body("by the queue").send().await.unwrap();
    for _ in 0..2 {
        let received = client.receive_message().queue_url(&url).visibility_timeout(0).send().await.unwrap();
        assert_eq!(received.messages()[0].body(), Some("at once"));
    }
    assert_eq!(endpoint.aws.sqs().depth("events").unwrap(), Depth { visible: 1, in_flight: 0, delayed: 1 });
}

#[tokio::test]
async fn a_batch_tells_what_was_sent_and_what_was_not() {
    let queue = queue().await;
    let entry = |id: &str, body: &str| SendMessageBatchRequestEntry::builder().id(id).message_body(body);
    let request = queue.client.send_message_batch().queue_url(&queue.url);
    let request = request.entries(entry("good", "hello").message_group_id("T1").build().unwrap());
    let request = request.entries(entry("characters", "\u{1}").build().unwrap());
    let request = request.entries(entry("delay", "late").delay_seconds(901).build().unwrap());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.successful().iter().map(|entry| entry.id()).collect::<Vec<_>>(), ["good"]);
    // RFC 1321's algorithm on "hello".
    assert_eq!(answer.successful()[0].md5_of_message_body(), "5d41402abc4b2a76b9719d911017c592");
    let failed: Vec<_> = answer.failed().iter().map(|entry| (entry.id(), entry.code(), entry.sender_fault())).collect();
    assert_eq!(failed, [("characters", "InvalidMessageContents", true), ("delay", "InvalidParameterValue", true)]);
    assert_eq!(queue.depth().visible, 1);
}

#[tokio::test]
async fn one_bad_handle_does_not_fail_the_other_deletes_of_a_batch() {
    let queue = queue().await;
    for body in ["a", "b"] {
        queue.send(body).await;
    }
    let received = queue.receive().await;
    let entry = |id: &str, handle: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build().unwrap()
    };
    let request = queue.client.delete_message_batch().queue_url(&queue.url);
    let request =
        request.entries(entry("first", received[0].receipt_handle().unwrap())).entries(entry("bad", "nonsense"));
    let answer = request.entries(entry("second", received[1].receipt_handle().unwrap())).send().await.unwrap();
    assert_eq!(answer.successful().iter().map(|entry| entry.id()).collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!((answer.failed()[0].id(), answer.failed()[0].code()), ("bad", "ReceiptHandleIsInvalid"));
    assert_eq!(queue.depth().total(), 0);
}

#[tokio::test]
async fn a_batch_of_visibility_changes_settles_each_for_itself() {
    let queue = queue().await;
    for body in ["a", "b"] {
        queue.send(body).await;
    }
    let received = queue.receive().await;
    let entry = |id: &str, handle: &str, timeout: i32| {
        ChangeMessageVisibilityBatchRequestEntry::builder()
            .id(id)
            .receipt_handle(handle)
            .visibility_timeout(timeout)
            .build()
            .unwrap()
    };
    let request = queue.client.change_message_visibility_batch().queue_url(&queue.url);
    let request = request.entries(entry("now", received[0].receipt_handle().unwrap(), 0));
    let answer = request.entries(entry("never", received[1].receipt_handle().unwrap(), 43_201)).send().await.unwrap();
    assert_eq!(answer.successful()[0].id(), "now");
    assert_eq!((answer.failed()[0].id(), answer.failed()[0].code()), ("never", "InvalidParameterValue"));
    assert_eq!(queue.depth(), Depth { visible: 1, in_flight: 1, delayed: 0 });
}

#[tokio::test]
async fn a_message_is_changed_and_deleted_by_its_handle() {
    let queue = queue().await;
    queue.send("hello").await;
    let received = queue.receive().await;
    let handle = received[0].receipt_handle().unwrap();
    queue
        .client
        .change_message_visibility()
        .queue_url(&queue.url)
        .receipt_handle(handle)
        .visibility_timeout(0)
        .send()
        .await
        .unwrap();
    assert_eq!(queue.depth().visible, 1);
    queue.client.delete_message().queue_url(&queue.url).receipt_handle(handle).send().await.unwrap();
    assert_eq!(queue.depth().total(), 0);
}

#[tokio::test]
async fn a_body_of_one_mebibyte_passes_the_wire() {
    let queue = queue().await;
    let body = "\"".repeat(1_048_576);
    queue.send(&body).await;
    assert_eq!(queue.receive().await[0].body(), Some(body.as_str()));
}
