//! Message move tasks.

use crate::{EPOCH_MS, message, receive, receive_from, seconds, sqs_with_dead_letters};
use std::time::Duration;
use tack_local_aws::Sqs;
use tack_local_aws::sqs::{MoveStatus, QueueSettings, SqsError};
use tokio::time::{Instant, advance};

/// `events` with a dead-letter queue that holds this many letters which SQS moved there.
async fn with_letters(count: usize) -> Sqs {
    let sqs = sqs_with_dead_letters(1);
    for number in 0..count {
        sqs.send("events", message(&format!("letter {number}"))).unwrap();
    }
    while !receive(&sqs).await.is_empty() {}
    advance(seconds(30)).await;
    assert!(receive(&sqs).await.is_empty());
    assert_eq!(sqs.depth("events-dlq").unwrap().visible, count);
    sqs
}

fn dlq(sqs: &Sqs) -> String {
    sqs.queue_arn("events-dlq").unwrap()
}

#[tokio::test(start_paused = true)]
async fn letters_go_back_to_their_source_as_new_messages() {
    let sqs = with_letters(3).await;
    let old = sqs.peek("events-dlq");
    sqs.start_message_move_task(&dlq(&sqs), None, None).unwrap();
    let task = sqs.list_message_move_tasks(&dlq(&sqs), 1).unwrap().remove(0);
    assert_eq!((task.status, task.moved, task.to_move), (MoveStatus::Completed, 3, 3));
    let received = receive(&sqs).await;
    assert_eq!(received.len(), 3);
    for message in received {
        assert!(old.iter().all(|letter| letter.message_id != message.message_id));
        assert_eq!((message.receive_count, message.sent_ms), (1, EPOCH_MS + 30_000));
        assert_eq!(message.dead_letter_source_arn, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_wakes_a_long_poll_on_the_destination() {
    let sqs = with_letters(1).await;
    sqs.create_queue("custom", QueueSettings::default()).unwrap();
    let mover = async {
        tokio::time::sleep(seconds(2)).await;
        sqs.start_message_move_task(&dlq(&sqs), Some(&sqs.queue_arn("custom").unwrap()), None).unwrap();
    };
    let started = Instant::now();
    let (received, ()) = tokio::join!(sqs.receive("custom", 1, seconds(20), None), mover);
    assert_eq!((received.unwrap().len(), started.elapsed()), (1, seconds(2)));
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept_and_the_task_can_be_cancelled_half_way() {
    let sqs = with_letters(10).await;
    let handle = sqs.start_message_move_task(&dlq(&sqs), None, Some(2)).unwrap();
    // One at once, then one every 500 ms.
    assert_eq!(sqs.depth("events").unwrap().visible, 1);
    advance(Duration::from_millis(1_499)).await;
    assert_eq!(sqs.depth("events").unwrap().visible, 3);
    advance(Duration::from_millis(1)).await;
    assert_eq!(sqs.depth("events").unwrap().visible, 4);
    let second = sqs.start_message_move_task(&dlq(&sqs), None, None).unwrap_err();
    assert_eq!(second.code(), "AWS.SimpleQueueService.UnsupportedOperation");
    assert_eq!(sqs.cancel_message_move_task(&handle), Ok(4));
    advance(seconds(60)).await;
    assert_eq!(sqs.depth("events-dlq").unwrap().visible, 6);
    let task = sqs.list_message_move_tasks(&dlq(&sqs), 10).unwrap().remove(0);
    assert_eq!((task.status, task.moved, task.to_move), (MoveStatus::Cancelled, 4, 10));
    assert!(matches!(sqs.cancel_message_move_task(&handle), Err(SqsError::UnsupportedOperation(_))));
    assert!(matches!(sqs.cancel_message_move_task("nothing"), Err(SqsError::ResourceNotFound(_))));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_gets_what_a_slow_task_moves_when_it_is_moved() {
    let sqs = with_letters(2).await;
    sqs.start_message_move_task(&dlq(&sqs), None, Some(1)).unwrap();
    receive(&sqs).await;
    let started = Instant::now();
    let received = sqs.receive("events", 1, seconds(20), None).await.unwrap();
    assert_eq!((received.len(), started.elapsed()), (1, seconds(1)));
}

#[tokio::test(start_paused = true)]
async fn only_a_dead_letter_queue_can_be_the_source() {
    let sqs = with_letters(1).await;
    let events = sqs.queue_arn("events").unwrap();
    assert_eq!(sqs.start_message_move_task(&events, None, None).unwrap_err().code(), "InvalidParameterValue");
    let nothing = "arn:aws:sqs:us-east-1:000000000000:nothing";
    assert_eq!(sqs.start_message_move_task(nothing, None, None).unwrap_err().code(), "ResourceNotFoundException");
    assert_eq!(
        sqs.start_message_move_task(&dlq(&sqs), Some(nothing), None).unwrap_err().code(),
        "ResourceNotFoundException"
    );
    assert_eq!(sqs.list_message_move_tasks(nothing, 1).unwrap_err().code(), "ResourceNotFoundException");
    for rate in [0, 501] {
        assert_eq!(
            sqs.start_message_move_task(&dlq(&sqs), None, Some(rate)).unwrap_err().code(),
            "InvalidParameterValue"
        );
    }
    assert_eq!(sqs.depth("events-dlq").unwrap().visible, 1);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_someone_sent_there_needs_a_destination() {
    let sqs = sqs_with_dead_letters(1);
    sqs.send("events-dlq", message("parked")).unwrap();
    sqs.start_message_move_task(&dlq(&sqs), None, None).unwrap();
    let task = sqs.list_message_move_tasks(&dlq(&sqs), 1).unwrap().remove(0);
    assert_eq!((task.status, task.moved), (MoveStatus::Failed, 0));
    assert_eq!(task.failure_reason.as_deref(), Some("CouldNotDetermineMessageSource"));
    sqs.start_message_move_task(&dlq(&sqs), Some(&sqs.queue_arn("events").unwrap()), None).unwrap();
    assert_eq!(receive_from(&sqs, "events", 1).await[0].body, "parked");
}

#[tokio::test(start_paused = true)]
async fn the_last_ten_tasks_are_remembered_newest_first() {
    let sqs = sqs_with_dead_letters(1);
    for _ in 0..12 {
        sqs.start_message_move_task(&dlq(&sqs), None, None).unwrap();
        advance(seconds(1)).await;
    }
    let started: Vec<u64> =
        sqs.list_message_move_tasks(&dlq(&sqs), 50).unwrap().iter().map(|task| task.started_ms).collect();
    assert_eq!(started, (2..12).rev().map(|second| EPOCH_MS + second * 1000).collect::<Vec<_>>());
}
