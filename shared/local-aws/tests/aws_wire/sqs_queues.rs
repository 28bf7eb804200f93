//! Queues and move tasks through the SDK.

use crate::Endpoint;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use tack_local_aws::sqs::{NewMessage, QueueSettings};

#[tokio::test]
async fn a_queue_is_made_found_listed_changed_and_deleted() {
    let endpoint = Endpoint::start().await;
    let client = endpoint.sqs();
    let request = client
        .create_queue()
        .queue_name("events")
        .attributes(QueueAttributeName::VisibilityTimeout, "180")
        .tags("app", "tack");
    let url = request.send().await.unwrap().queue_url.unwrap();
    assert_eq!(url, format!("{}/000000000000/events", endpoint.url));
    assert_eq!(client.get_queue_url().queue_name("events").send().await.unwrap().queue_url(), Some(url.as_str()));
    assert_eq!(client.list_queues().queue_name_prefix("ev").send().await.unwrap().queue_urls(), [url.as_str()]);
    assert!(client.list_queues().queue_name_prefix("x").send().await.unwrap().queue_urls().is_empty());
    assert_eq!(client.list_queue_tags().queue_url(&url).send().await.unwrap().tags().unwrap()["app"], "tack");
    client.untag_queue().queue_url(&url).tag_keys("app").send().await.unwrap();
    client.tag_queue().queue_url(&url).tags("stage", "dev").send().await.unwrap();
    let tags = client.list_queue_tags().queue_url(&url).send().await.unwrap().tags.unwrap();
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("stage".to_owned(), "dev".to_owned())]);
    client
        .set_queue_attributes()
        .queue_url(&url)
        .attributes(QueueAttributeName::DelaySeconds, "7")
        .send()
        .await
        .unwrap();
    let attributes =
        client.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All).send().await.unwrap();
    let attributes = attributes.attributes.unwrap();
    let expected = [
        (QueueAttributeName::VisibilityTimeout, "180"),
        (QueueAttributeName::DelaySeconds, "7"),
        // AWS's defaults: four days, 1 MiB, no waiting.
        (QueueAttributeName::MessageRetentionPeriod, "345600"),
        (QueueAttributeName::MaximumMessageSize, "1048576"),
        (QueueAttributeName::ReceiveMessageWaitTimeSeconds, "0"),
        (QueueAttributeName::ApproximateNumberOfMessages, "0"),
        (QueueAttributeName::ApproximateNumberOfMessagesNotVisible, "0"),
        (QueueAttributeName::ApproximateNumberOfMessagesDelayed, "0"),
        (QueueAttributeName::QueueArn, "arn:aws:sqs:us-east-1:000000000000:events"),
    ];
    for (name, value) in expected {
        assert_eq!(attributes[&name], value, "{name}");
    }
    client.delete_queue().queue_url(&url).send().await.unwrap();
    assert!(client.list_queues().send().await.unwrap().queue_urls().is_empty());
}

#[tokio::test]
async fn creating_again_compares_only_the_attributes_that_are_named() {
    let endpoint = Endpoint::start().await;
    let client = endpoint.sqs();
    let create = || client.create_queue().queue_name("events");
    create().attributes(QueueAttributeName::VisibilityTimeout, "180").send().await.unwrap();
    create().send().await.unwrap();
    create().attributes(QueueAttributeName::VisibilityTimeout, "180").send().await.unwrap();
    let error = create().attributes(QueueAttributeName::VisibilityTimeout, "181").send().await.unwrap_err();
    assert!(error.into_service_error().is_queue_name_exists());
}

#[tokio::test]
async fn lists_come_in_pages() {
    let endpoint = Endpoint::start().await;
    for name in ["a", "b", "c"] {
        endpoint.aws.sqs().create_queue(name, QueueSettings::default()).unwrap();
    }
    let client = endpoint.sqs();
    let first = client.list_queues().max_results(2).send().await.unwrap();
    assert_eq!(first.queue_urls().len(), 2);
    let second = client.list_queues().max_results(2).set_next_token(first.next_token).send().await.unwrap();
    assert!(second.queue_urls()[0].ends_with("/c"));
    assert_eq!((second.queue_urls().len(), second.next_token()), (1, None));
}

#[tokio::test]
async fn a_purge_leaves_nothing() {
    let endpoint = Endpoint::start().await;
    let url = endpoint.aws.sqs().create_queue("events", QueueSettings::default()).unwrap();
    endpoint.aws.sqs().send("events", NewMessage { body: "hello".to_owned(), ..NewMessage::default() }).unwrap();
    let client = endpoint.sqs();
    client.purge_queue().queue_url(&url).send().await.unwrap();
    assert_eq!(endpoint.aws.sqs().depth("events").unwrap().total(), 0);
    let again = client.purge_queue().queue_url(&url).send().await.unwrap_err();
    assert!(again.into_service_error().is_purge_queue_in_progress());
}

#[tokio::test]
async fn a_dead_letter_says_where_it_came_from_and_goes_back_there() {
    let endpoint = Endpoint::start().await;
    let client = endpoint.sqs();
    let dlq_url = client.create_queue().queue_name("events-dlq").send().await.unwrap().queue_url.unwrap();
    let dlq_arn = endpoint.aws.sqs().queue_arn("events-dlq").unwrap();
    let policy = format!(r#"{{"deadLetterTargetArn":"{dlq_arn}","maxReceiveCount":"1"}}"#);
    let url = client
        .create_queue()
        .queue_name("events")
        .attributes(QueueAttributeName::RedrivePolicy, policy)
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let attributes = client
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::RedrivePolicy)
        .send()
        .await
        .unwrap();
    let policy = &attributes.attributes().unwrap()[&QueueAttributeName::RedrivePolicy];
    assert_eq!(*policy, format!(r#"{{"deadLetterTargetArn":"{dlq_arn}","maxReceiveCount":1}}"#));
    let sources = client.list_dead_letter_source_queues().queue_url(&dlq_url).send().await.unwrap();
    assert_eq!(sources.queue_urls(), [url.as_str()]);

    client.send_message().queue_url(&url).message_body("poison").send().await.unwrap();
    for _ in 0..2 {
        client.receive_message().queue_url(&url).visibility_timeout(0).send().await.unwrap();
    }
    let request = client.receive_message().queue_url(&dlq_url).visibility_timeout(0);
    let letter = request
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .send()
        .await
        .unwrap()
        .messages
        .unwrap()
        .remove(0);
    let source = &letter.attributes().unwrap()[&MessageSystemAttributeName::DeadLetterQueueSourceArn];
    assert_eq!(source, "arn:aws:sqs:us-east-1:000000000000:events");

    let started = client
        .start_message_move_task()
        .source_arn(&dlq_arn)
        .max_number_of_messages_per_second(500)
        .send()
        .await
        .unwrap();
    assert!(started.task_handle().is_some());
    let tasks = client.list_message_move_tasks().source_arn(&dlq_arn).send().await.unwrap();
    let task = &tasks.results()[0];
    assert_eq!((task.status(), task.approximate_number_of_messages_moved()), (Some("COMPLETED"), 1));
    assert_eq!((task.approximate_number_of_messages_to_move(), task.task_handle()), (Some(1), None));
    assert_eq!(endpoint.aws.sqs().depth("events").unwrap().visible, 1);
}

#[tokio::test]
async fn a_running_move_task_is_cancelled_by_its_handle() {
    let endpoint = Endpoint::start().await;
    let client = endpoint.sqs();
    client.create_queue().queue_name("events-dlq").send().await.unwrap();
    let dlq_arn = endpoint.aws.sqs().queue_arn("events-dlq").unwrap();
    let policy = format!(r#"{{"deadLetterTargetArn":"{dlq_arn}","maxReceiveCount":3}}"#);
    client
        .create_queue()
        .queue_name("events")
        .attributes(QueueAttributeName::RedrivePolicy, policy)
        .send()
        .await
        .unwrap();
    for _ in 0..200 {
        endpoint
            .aws
            .sqs()
            .send("events-dlq", NewMessage { body: "parked".to_owned(), ..NewMessage::default() })
            .unwrap();
    }
    let destination = endpoint.aws.sqs().queue_arn("events").unwrap();
    let request = client
        .start_message_move_task()
        .source_arn(&dlq_arn)
        .destination_arn(destination)
        .max_number_of_messages_per_second(1);
    let handle = request.send().await.unwrap().task_handle.unwrap();
    let running = client.list_message_move_tasks().source_arn(&dlq_arn).send().await.unwrap();
    assert_eq!(
        (running.results()[0].status(), running.results()[0].task_handle()),
        (Some("RUNNING"), Some(handle.as_str()))
    );
    let cancelled = client.cancel_message_move_task().task_handle(&handle).send().await.unwrap();
    assert!(cancelled.approximate_number_of_messages_moved() < 200);
    let tasks = client.list_message_move_tasks().source_arn(&dlq_arn).send().await.unwrap();
    assert_eq!(tasks.results()[0].status(), Some("CANCELLED"));
}
