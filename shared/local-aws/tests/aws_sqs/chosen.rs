//! Single messages that a person chose: moved, deleted, looked at.

use crate::{EPOCH_MS, message, of_group, receive, receive_from, seconds, sqs_with_dead_letters, sqs_with_queue};
use std::collections::BTreeMap;
use tack_local_aws::sqs::{Depth, MessageAttribute, MessageState, NewMessage, SkipReason, SkippedMessage, SqsError};
use tokio::time::{Instant, advance};

fn skipped(message_id: &str, reason: SkipReason) -> SkippedMessage {
    SkippedMessage { message_id: message_id.to_owned(), reason }
}

#[tokio::test(start_paused = true)]
async fn chosen_letters_arrive_as_new_messages_and_the_others_stay() {
    let sqs = sqs_with_dead_letters(1);
    let reason = MessageAttribute { data_type: "String".into(), string: Some("no such channel".into()), binary: None };
    let letter =
        NewMessage { attributes: BTreeMap::from([("reason".into(), reason.clone())]), ..of_group("b", "T0001") };
    let ids = [message("a"), letter, message("c")].map(|message| sqs.send("events-dlq", message).unwrap());
    receive_from(&sqs, "events-dlq", 3).await;
    advance(seconds(30)).await;
    let chosen = [ids[2].clone(), ids[1].clone()];
    let outcome = sqs.move_messages("events-dlq", "events", &chosen).unwrap();
    assert_eq!(outcome.moved.iter().map(|moved| &moved.message_id).collect::<Vec<_>>(), [&ids[2], &ids[1]]);
    assert_eq!(outcome.skipped, []);
    assert_eq!(sqs.peek("events-dlq").into_iter().map(|left| left.message_id).collect::<Vec<_>>(), [ids[0].clone()]);
    let moved = sqs.peek_message("events", &outcome.moved[1].new_message_id).unwrap();
    assert_ne!(moved.message_id, ids[1], "a new message");
    assert_eq!((moved.body.as_str(), moved.group_id.as_deref()), ("b", Some("T0001")));
    assert_eq!(moved.attributes["reason"], reason);
    assert_eq!((moved.sent_ms, moved.receive_count, moved.first_received_ms), (EPOCH_MS + 30_000, 0, None));
    assert_eq!(receive(&sqs).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_moved_letter_wakes_who_waits_for_it() {
    let sqs = sqs_with_dead_letters(1);
    let id = sqs.send("events-dlq", message("a")).unwrap();
    let started = Instant::now();
    let (received, ()) = tokio::join!(sqs.receive("events", 1, seconds(20), None), async {
        tokio::time::sleep(seconds(2)).await;
        sqs.move_messages("events-dlq", "events", &[id]).unwrap();
    });
    assert_eq!((received.unwrap().len(), started.elapsed()), (1, seconds(2)));
}

#[tokio::test(start_paused = true)]
async fn what_a_consumer_has_in_its_hands_is_neither_moved_nor_deleted() {
    let sqs = sqs_with_dead_letters(1);
    let taken = sqs.send("events-dlq", message("taken")).unwrap();
    receive_from(&sqs, "events-dlq", 1).await;
    let later = sqs.send("events-dlq", NewMessage { delay: Some(seconds(60)), ..message("later") }).unwrap();
    let visible = sqs.send("events-dlq", message("visible")).unwrap();
    let chosen = [taken.clone(), later.clone(), "nobody".to_owned(), visible.clone(), visible.clone()];
    let left_alone = [
        skipped(&taken, SkipReason::InFlight),
        skipped(&later, SkipReason::Delayed),
        skipped("nobody", SkipReason::Gone),
        skipped(&visible, SkipReason::Gone),
    ];
    let moved = sqs.move_messages("events-dlq", "events", &chosen).unwrap();
    assert_eq!((moved.moved.len(), moved.skipped.as_slice()), (1, left_alone.as_slice()), "named twice, moved once");
    let deleted = sqs.delete_messages("events-dlq", &chosen[..4]).unwrap();
    assert_eq!((deleted.deleted.len(), deleted.skipped.as_slice()), (0, left_alone.as_slice()));
    assert_eq!(sqs.depth("events-dlq").unwrap(), Depth { visible: 0, in_flight: 1, delayed: 1 });
}

#[tokio::test(start_paused = true)]
async fn chosen_messages_are_deleted_for_good() {
    let sqs = sqs_with_queue();
    let ids = ["a", "b", "c"].map(|body| sqs.send("events", message(body)).unwrap());
    let outcome = sqs.delete_messages("events", &ids[..2]).unwrap();
    assert_eq!((outcome.deleted.as_slice(), outcome.skipped), (&ids[..2], Vec::new()));
    assert_eq!(sqs.peek("events").len(), 1);
    advance(seconds(3600)).await;
    assert_eq!(receive(&sqs).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_does_not_exist_or_is_the_same_leaves_all_where_they_are() {
    let sqs = sqs_with_queue();
    let ids = [sqs.send("events", message("a")).unwrap()];
    for (from, to) in [("events", "nowhere"), ("nowhere", "events")] {
        assert_eq!(sqs.move_messages(from, to, &ids), Err(SqsError::QueueDoesNotExist));
    }
    assert!(matches!(sqs.move_messages("events", "events", &ids), Err(SqsError::InvalidParameterValue(_))));
    assert_eq!(sqs.delete_messages("nowhere", &ids), Err(SqsError::QueueDoesNotExist));
    assert_eq!(sqs.peek("events")[0].message_id, ids[0]);
}

#[tokio::test(start_paused = true)]
async fn a_look_says_from_when_on_each_message_can_be_had_and_receives_none() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("first")).unwrap();
    receive(&sqs).await;
    advance(seconds(10)).await;
    sqs.send("events", NewMessage { delay: Some(seconds(60)), ..message("later") }).unwrap();
    let last = sqs.send("events", message("last")).unwrap();
    advance(seconds(5)).await;
    let seen: Vec<_> = sqs.peek("events").iter().map(|seen| (seen.visible_at_ms - EPOCH_MS, seen.state)).collect();
    assert_eq!(
        seen,
        [
            (30_000, MessageState::InFlight { until_ms: EPOCH_MS + 30_000 }),
            (70_000, MessageState::Delayed { until_ms: EPOCH_MS + 70_000 }),
            (10_000, MessageState::Visible),
        ]
    );
    let newest: Vec<_> = sqs.peek_newest("events", 2).into_iter().map(|seen| seen.body).collect();
    assert_eq!(newest, ["last", "later"]);
    assert_eq!(sqs.peek_message("events", &last).unwrap().receive_count, 0);
    assert!(sqs.peek_message("events", "nobody").is_none() && sqs.peek_newest("nowhere", 2).is_empty());
}
