//! What SQS refuses, by the figures of its documents.

use crate::{message, seconds, sqs, sqs_with_queue};
use std::time::Duration;
use tack_local_aws::sqs::{MessageAttribute, NewMessage, QueueSettings, SqsError};
use tokio::time::advance;

fn text(value: &str) -> MessageAttribute {
    MessageAttribute { data_type: "String".to_owned(), string: Some(value.to_owned()), binary: None }
}

fn refused(new: NewMessage) -> &'static str {
    sqs_with_queue().send("events", new).unwrap_err().code()
}

#[tokio::test(start_paused = true)]
async fn a_message_of_exactly_one_mebibyte_is_taken_and_one_byte_more_is_not() {
    let sqs = sqs_with_queue();
    let body = "x".repeat(1_048_576);
    sqs.send("events", message(&body)).unwrap();
    assert_eq!(refused(message(&format!("{body}x"))), "InvalidParameterValue");
    // Name, type and value of an attribute count: 1 + 6 + 1 bytes.
    let with_attribute =
        |bytes: usize| NewMessage { attributes: [("a".to_owned(), text("b"))].into(), ..message(&"x".repeat(bytes)) };
    sqs.send("events", with_attribute(1_048_576 - 8)).unwrap();
    assert_eq!(refused(with_attribute(1_048_576 - 7)), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn a_queue_may_have_a_smaller_limit() {
    let sqs = sqs();
    sqs.create_queue("events", QueueSettings { max_message_bytes: 1024, ..QueueSettings::default() }).unwrap();
    sqs.send("events", message(&"x".repeat(1024))).unwrap();
    assert_eq!(sqs.send("events", message(&"x".repeat(1025))).unwrap_err().code(), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn a_body_must_have_characters_that_xml_has() {
    let sqs = sqs_with_queue();
    for good in ["\t\n\r", "\u{20}", "\u{D7FF}\u{E000}\u{FFFD}", "\u{10000}\u{10FFFF}"] {
        sqs.send("events", message(good)).unwrap();
    }
    for bad in ["\0", "a\u{8}", "\u{B}", "\u{1F}", "\u{FFFE}", "\u{FFFF}"] {
        assert_eq!(refused(message(bad)), "InvalidMessageContents", "{bad:?}");
    }
    assert_eq!(refused(message("")), "MissingParameter");
}

#[tokio::test(start_paused = true)]
async fn a_delay_of_more_than_fifteen_minutes_is_refused() {
    assert_eq!(refused(NewMessage { delay: Some(seconds(901)), ..message("late") }), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn attributes_are_at_most_ten_with_names_and_values_that_fit() {
    let numbered = |count: usize| NewMessage {
        attributes: (0..count).map(|number| (format!("a{number}"), text("b"))).collect(),
        ..message("x")
    };
    sqs_with_queue().send("events", numbered(10)).unwrap();
    assert_eq!(refused(numbered(11)), "InvalidParameterValue");
    for name in ["", "AWS.thing", "amazon.thing", ".a", "a.", "a..b", "a b"] {
        assert_eq!(
            refused(NewMessage { attributes: [(name.to_owned(), text("b"))].into(), ..message("x") }),
            "InvalidParameterValue",
            "{name}"
        );
    }
    let number = |value: &str| MessageAttribute { data_type: "Number".to_owned(), ..text(value) };
    let untyped = MessageAttribute { data_type: "Text".to_owned(), ..text("b") };
    let binary_without_bytes = MessageAttribute { data_type: "Binary".to_owned(), ..text("b") };
    for attribute in [text(""), number("five"), number("inf"), untyped, binary_without_bytes] {
        let refusal = refused(NewMessage { attributes: [("a".to_owned(), attribute.clone())].into(), ..message("x") });
        assert_eq!(refusal, "InvalidParameterValue", "{attribute:?}");
    }
    for attribute in [number("-1.5e3"), MessageAttribute { data_type: "String.json".to_owned(), ..text("{}") }] {
        sqs_with_queue()
            .send("events", NewMessage { attributes: [("a".to_owned(), attribute)].into(), ..message("x") })
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_id_has_at_most_128_letters_digits_and_punctuation_marks() {
    let grouped = |group_id: String| NewMessage { group_id: Some(group_id), ..message("x") };
    sqs_with_queue().send("events", grouped("T0123/E!".repeat(16))).unwrap();
    for bad in ["x".repeat(129), String::new(), "a b".to_owned(), "é".to_owned()] {
        assert_eq!(refused(grouped(bad)), "InvalidParameterValue");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receive_is_bounded() {
    let sqs = sqs_with_queue();
    for (max, wait, visibility) in [(0, 0, 0), (11, 0, 0), (1, 21, 0), (1, 0, 43_201)] {
        let error = sqs.receive("events", max, seconds(wait), Some(seconds(visibility))).await.unwrap_err();
        assert_eq!(error.code(), "InvalidParameterValue");
    }
    assert!(sqs.receive("events", 10, seconds(20), Some(seconds(43_200))).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_visibility_change_is_bounded() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("hello")).unwrap();
    let received = sqs.receive("events", 1, Duration::ZERO, None).await.unwrap();
    let error = sqs.change_visibility("events", &received[0].receipt_handle, seconds(43_201)).unwrap_err();
    assert_eq!(error.code(), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn queue_names_and_settings_are_bounded() {
    let sqs = sqs();
    for name in ["", "a b", "é", &"x".repeat(81)] {
        assert_eq!(
            sqs.create_queue(name, QueueSettings::default()).unwrap_err().code(),
            "InvalidParameterValue",
            "{name}"
        );
    }
    let fifo = sqs.create_queue("events.fifo", QueueSettings::default()).unwrap_err();
    assert!(matches!(&fifo, SqsError::InvalidAttributeValue(text) if text.contains("FIFO")), "{fifo}");
    let wrong = [
        QueueSettings { visibility_timeout: seconds(43_201), ..QueueSettings::default() },
        QueueSettings { delay: seconds(901), ..QueueSettings::default() },
        QueueSettings { retention: seconds(59), ..QueueSettings::default() },
        QueueSettings { retention: seconds(1_209_601), ..QueueSettings::default() },
        QueueSettings { max_message_bytes: 1023, ..QueueSettings::default() },
        QueueSettings { max_message_bytes: 1_048_577, ..QueueSettings::default() },
        QueueSettings { receive_wait: seconds(21), ..QueueSettings::default() },
    ];
    for settings in wrong {
        assert_eq!(sqs.create_queue("events", settings).unwrap_err().code(), "InvalidAttributeValue");
    }
    assert!(sqs.queue_names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_made_once_and_found_again() {
    let sqs = sqs();
    let url = sqs.create_queue("events", QueueSettings::default()).unwrap();
    assert_eq!(url, "http://127.0.0.1:4566/000000000000/events");
    assert_eq!(sqs.create_queue("events", QueueSettings::default()), Ok(url.clone()));
    let other = QueueSettings { visibility_timeout: seconds(1), ..QueueSettings::default() };
    assert_eq!(sqs.create_queue("events", other), Err(SqsError::QueueNameExists("VisibilityTimeout".to_owned())));
    assert_eq!(sqs.queue_url("events"), Ok(url));
    assert_eq!(sqs.queue_arn("events").as_deref(), Ok("arn:aws:sqs:us-east-1:000000000000:events"));
}

#[tokio::test(start_paused = true)]
async fn a_name_is_blocked_for_a_minute_after_its_queue_was_deleted_and_a_purge_for_a_minute_after_the_last() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("hello")).unwrap();
    sqs.purge_queue("events").unwrap();
    assert_eq!(sqs.depth("events").unwrap().total(), 0);
    assert!(matches!(sqs.purge_queue("events"), Err(SqsError::PurgeQueueInProgress(_))));
    sqs.delete_queue("events").unwrap();
    assert_eq!(sqs.send("events", message("hello")), Err(SqsError::QueueDoesNotExist));
    advance(Duration::from_millis(59_999)).await;
    assert_eq!(sqs.create_queue("events", QueueSettings::default()), Err(SqsError::QueueDeletedRecently));
    advance(Duration::from_millis(1)).await;
    sqs.create_queue("events", QueueSettings::default()).unwrap();
}
