//! Messages that were received too often.

use crate::{EPOCH_MS, bodies, message, of_group, receive, receive_from, seconds, sqs, sqs_with_dead_letters};
use std::collections::BTreeMap;
use std::time::Duration;
use tack_local_aws::sqs::{MessageAttribute, NewMessage, QueueSettings, Redrive, SqsError};
use tokio::time::{Instant, advance};

#[tokio::test(start_paused = true)]
async fn the_receive_that_would_exceed_the_count_moves_the_message_with_all_it_has() {
    let sqs = sqs_with_dead_letters(2);
    let attribute = MessageAttribute { data_type: "String".to_owned(), string: Some("why".to_owned()), binary: None };
    let sent =
        NewMessage { attributes: BTreeMap::from([("reason".to_owned(), attribute)]), ..of_group("poison", "T1") };
    let id = sqs.send("events", sent.clone()).unwrap();
    for _ in 0..2 {
        assert_eq!(receive(&sqs).await.len(), 1);
        advance(seconds(30)).await;
    }
    assert_eq!(sqs.depth("events").unwrap().visible, 1, "it is moved by a receive, not by time");
    assert!(receive(&sqs).await.is_empty());
    assert_eq!(sqs.depth("events").unwrap().total(), 0);
    let letter = receive_from(&sqs, "events-dlq", 1).await.remove(0);
    assert_eq!(letter.message_id, id);
    assert_eq!(letter.attributes, sent.attributes);
    assert_eq!(letter.group_id.as_deref(), Some("T1"));
    assert_eq!(letter.dead_letter_source_arn.as_deref(), Some("arn:aws:sqs:us-east-1:000000000000:events"));
    assert_eq!(letter.sent_ms, EPOCH_MS);
    // "The number of times a message has been received across all queues but not deleted."
    assert_eq!(letter.receive_count, 3);
}

#[tokio::test(start_paused = true)]
async fn a_receive_passes_over_the_exhausted_and_returns_the_others() {
    let sqs = sqs_with_dead_letters(1);
    sqs.send("events", message("poison")).unwrap();
    receive(&sqs).await;
    advance(seconds(30)).await;
    sqs.send("events", message("good")).unwrap();
    assert_eq!(bodies(&receive(&sqs).await), ["good"]);
    assert_eq!(sqs.depth("events-dlq").unwrap().visible, 1);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_on_the_dead_letter_queue_sees_the_letter_at_once() {
    let sqs = sqs_with_dead_letters(1);
    sqs.send("events", message("poison")).unwrap();
    receive(&sqs).await;
    advance(seconds(15)).await;
    let started = Instant::now();
    let letters = async { (sqs.receive("events-dlq", 1, seconds(20), None).await.unwrap(), started.elapsed()) };
    // The poll on `events` would get the message for the second time 30 s after the first.
    let ((letters, after), consumed) = tokio::join!(letters, sqs.receive("events", 1, seconds(20), None));
    assert_eq!((bodies(&letters), after), (vec!["poison"], seconds(15)));
    assert!(consumed.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_as_old_as_its_first_sending() {
    let sqs = sqs();
    sqs.create_queue("events-dlq", QueueSettings { retention: seconds(100), ..QueueSettings::default() }).unwrap();
    let redrive = Some(Redrive { dead_letter_arn: sqs.queue_arn("events-dlq").unwrap(), max_receive_count: 1 });
    sqs.create_queue("events", QueueSettings { redrive, ..QueueSettings::default() }).unwrap();
    sqs.send("events", message("poison")).unwrap();
    receive(&sqs).await;
    advance(seconds(90)).await;
    receive(&sqs).await;
    assert_eq!(sqs.depth("events-dlq").unwrap().visible, 1);
    advance(seconds(10)).await;
    assert_eq!(sqs.depth("events-dlq").unwrap().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_redrive_policy_needs_a_queue_and_a_count_in_range() {
    let sqs = sqs();
    let with = |dead_letter_arn: &str, max_receive_count| {
        let redrive = Some(Redrive { dead_letter_arn: dead_letter_arn.to_owned(), max_receive_count });
        sqs.create_queue("events", QueueSettings { redrive, ..QueueSettings::default() })
    };
    assert_eq!(with("arn:aws:sqs:us-east-1:000000000000:nothing", 3).unwrap_err().code(), "InvalidParameterValue");
    sqs.create_queue("dlq", QueueSettings::default()).unwrap();
    let arn = sqs.queue_arn("dlq").unwrap();
    for count in [0, 1001] {
        assert_eq!(with(&arn, count).unwrap_err().code(), "InvalidParameterValue");
    }
    assert_eq!(with(&arn, 1000), Ok("http://127.0.0.1:4566/000000000000/events".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_message_stays_when_its_dead_letter_queue_is_gone() {
    let sqs = sqs_with_dead_letters(1);
    sqs.send("events", message("poison")).unwrap();
    sqs.delete_queue("events-dlq").unwrap();
    for count in 1..=3 {
        assert_eq!(receive(&sqs).await[0].receive_count, count);
        advance(Duration::from_secs(30)).await;
    }
    assert_eq!(sqs.depth("events-dlq"), Err(SqsError::QueueDoesNotExist));
}
