//! Who gets which message when.

use crate::{EPOCH_MS, bodies, message, of_group, receive, receive_from, seconds, sqs, sqs_with_queue};
use std::time::Duration;
use tack_local_aws::sqs::{Depth, MessageState, NewMessage, QueueSettings, SqsError};
use tokio::time::{Instant, advance};

#[tokio::test(start_paused = true)]
async fn a_received_message_is_hidden_until_its_visibility_timeout_ends() {
    let sqs = sqs_with_queue();
    let id = sqs.send("events", message("hello")).unwrap();
    let first = receive(&sqs).await;
    assert_eq!((first[0].message_id.as_str(), first[0].receive_count), (id.as_str(), 1));
    advance(Duration::from_millis(29_999)).await;
    assert!(receive(&sqs).await.is_empty());
    advance(Duration::from_millis(1)).await;
    let second = receive(&sqs).await;
    assert_eq!((second[0].message_id.as_str(), second[0].receive_count), (id.as_str(), 2));
    assert_eq!(second[0].first_received_ms, EPOCH_MS);
    assert_eq!(second[0].sent_ms, EPOCH_MS);
    assert_ne!(first[0].receipt_handle, second[0].receipt_handle);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_message_never_comes_back() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("hello")).unwrap();
    let received = receive(&sqs).await;
    sqs.delete("events", &received[0].receipt_handle).unwrap();
    advance(seconds(60)).await;
    assert!(receive(&sqs).await.is_empty());
    assert_eq!(sqs.depth("events").unwrap().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_can_be_deleted_after_its_visibility_ended_if_nobody_received_it_since() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("hello")).unwrap();
    let received = receive(&sqs).await;
    advance(seconds(31)).await;
    sqs.delete("events", &received[0].receipt_handle).unwrap();
    assert_eq!(sqs.depth("events").unwrap().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn deleting_with_an_older_receipt_handle_succeeds_and_deletes_nothing() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("hello")).unwrap();
    let first = receive(&sqs).await;
    advance(seconds(31)).await;
    let second = receive(&sqs).await;
    sqs.delete("events", &first[0].receipt_handle).unwrap();
    assert_eq!(sqs.depth("events").unwrap().in_flight, 1);
    sqs.delete("events", &second[0].receipt_handle).unwrap();
    sqs.delete("events", &second[0].receipt_handle).unwrap();
    assert_eq!(sqs.depth("events").unwrap().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_handle_that_the_queue_never_gave_out_is_invalid() {
    let sqs = sqs_with_queue();
    sqs.create_queue("other", QueueSettings::default()).unwrap();
    sqs.send("other", message("hello")).unwrap();
    let others = receive_from(&sqs, "other", 1).await;
    for handle in ["", "nonsense", "bm9uc2Vuc2U=", &others[0].receipt_handle] {
        assert_eq!(sqs.delete("events", handle), Err(SqsError::ReceiptHandleIsInvalid));
        assert_eq!(sqs.change_visibility("events", handle, seconds(1)), Err(SqsError::ReceiptHandleIsInvalid));
    }
}

#[tokio::test(start_paused = true)]
async fn visibility_can_be_extended_shortened_and_ended() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("hello")).unwrap();
    let received = receive(&sqs).await;
    sqs.change_visibility("events", &received[0].receipt_handle, seconds(100)).unwrap();
    advance(seconds(99)).await;
    assert!(receive(&sqs).await.is_empty());
    sqs.change_visibility("events", &received[0].receipt_handle, Duration::ZERO).unwrap();
    let again = receive(&sqs).await;
    assert_eq!(again[0].receive_count, 2);
    sqs.change_visibility("events", &again[0].receipt_handle, seconds(1)).unwrap();
    advance(seconds(1)).await;
    assert_eq!(receive(&sqs).await[0].receive_count, 3);
}

#[tokio::test(start_paused = true)]
async fn visibility_of_a_message_that_is_not_in_flight_cannot_be_changed() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("hello")).unwrap();
    let first = receive(&sqs).await;
    advance(seconds(31)).await;
    assert_eq!(
        sqs.change_visibility("events", &first[0].receipt_handle, seconds(5)),
        Err(SqsError::MessageNotInflight)
    );
    let second = receive(&sqs).await;
    assert_eq!(
        sqs.change_visibility("events", &first[0].receipt_handle, seconds(5)),
        Err(SqsError::MessageNotInflight),
        "received since"
    );
    sqs.delete("events", &second[0].receipt_handle).unwrap();
    let gone = sqs.change_visibility("events", &second[0].receipt_handle, seconds(5)).unwrap_err();
    assert_eq!(gone.code(), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn a_message_can_be_hidden_for_twelve_hours_in_all() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("hello")).unwrap();
    let received = receive(&sqs).await;
    advance(seconds(10)).await;
    let handle = &received[0].receipt_handle;
    assert_eq!(sqs.change_visibility("events", handle, seconds(43_200)).unwrap_err().code(), "InvalidParameterValue");
    sqs.change_visibility("events", handle, seconds(43_190)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_receive_may_ask_for_its_own_visibility_and_zero_is_meant() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("hello")).unwrap();
    for count in 1..=3 {
        let received = sqs.receive("events", 10, Duration::ZERO, Some(Duration::ZERO)).await.unwrap();
        assert_eq!(received.len(), 1, "one call never returns a message twice");
        assert_eq!(received[0].receive_count, count);
    }
    assert_eq!(sqs.depth("events").unwrap(), Depth { visible: 1, in_flight: 0, delayed: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_delayed_message_is_counted_as_delayed_and_comes_when_its_time_has_come() {
    let sqs = sqs();
    sqs.create_queue("events", QueueSettings { delay: seconds(5), ..QueueSettings::default() }).unwrap();
    sqs.send("events", message("by the queue")).unwrap();
    sqs.send("events", NewMessage { delay: Some(Duration::ZERO), ..message("at once") }).unwrap();
    sqs.send("events", NewMessage { delay: Some(seconds(900)), ..message("late") }).unwrap();
    assert_eq!(sqs.depth("events").unwrap(), Depth { visible: 1, in_flight: 0, delayed: 2 });
    assert_eq!(bodies(&receive(&sqs).await), ["at once"]);
    advance(seconds(5)).await;
    assert_eq!(bodies(&receive(&sqs).await), ["by the queue"]);
    advance(seconds(895)).await;
    assert!(bodies(&receive(&sqs).await).contains(&"late"));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_ends_empty_when_its_time_is_up() {
    let sqs = sqs_with_queue();
    let started = Instant::now();
    assert!(sqs.receive("events", 1, seconds(20), None).await.unwrap().is_empty());
    assert_eq!(started.elapsed(), seconds(20));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_woken_by_a_send_at_once() {
    let sqs = sqs_with_queue();
    let sender = async {
        tokio::time::sleep(seconds(3)).await;
        sqs.send("events", message("hello")).unwrap();
    };
    let started = Instant::now();
    let (received, ()) = tokio::join!(sqs.receive("events", 1, seconds(20), None), sender);
    assert_eq!(bodies(&received.unwrap()), ["hello"]);
    assert_eq!(started.elapsed(), seconds(3));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_woken_by_a_message_that_another_consumer_took_meanwhile_and_did_not_delete() {
    let sqs = sqs_with_queue();
    let other = async {
        tokio::time::sleep(seconds(1)).await;
        sqs.send("events", message("hello")).unwrap();
        sqs.receive("events", 1, Duration::ZERO, Some(seconds(4))).await.unwrap()
    };
    let started = Instant::now();
    let (received, taken) = tokio::join!(sqs.receive("events", 1, seconds(20), None), other);
    assert_eq!((taken.len(), received.unwrap()[0].receive_count), (1, 2));
    assert_eq!(started.elapsed(), seconds(5));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_woken_by_a_delay_or_a_visibility_timeout_that_ends() {
    let sqs = sqs_with_queue();
    sqs.send("events", NewMessage { delay: Some(seconds(2)), ..message("delayed") }).unwrap();
    let started = Instant::now();
    let received = sqs.receive("events", 1, seconds(20), Some(seconds(7))).await.unwrap();
    assert_eq!((bodies(&received), started.elapsed()), (vec!["delayed"], seconds(2)));
    let received = sqs.receive("events", 1, seconds(20), None).await.unwrap();
    assert_eq!((received[0].receive_count, started.elapsed()), (2, seconds(9)));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_woken_by_a_visibility_that_is_given_back() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("hello")).unwrap();
    let received = receive(&sqs).await;
    let giver = async {
        tokio::time::sleep(seconds(2)).await;
        sqs.change_visibility("events", &received[0].receipt_handle, Duration::ZERO).unwrap();
    };
    let started = Instant::now();
    let (again, ()) = tokio::join!(sqs.receive("events", 1, seconds(20), None), giver);
    assert_eq!((again.unwrap().len(), started.elapsed()), (1, seconds(2)));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_on_a_queue_that_is_deleted_says_so() {
    let sqs = sqs_with_queue();
    let deleter = async {
        tokio::time::sleep(seconds(1)).await;
        sqs.delete_queue("events").unwrap();
    };
    let (received, ()) = tokio::join!(sqs.receive("events", 1, seconds(20), None), deleter);
    assert_eq!(received.unwrap_err(), SqsError::QueueDoesNotExist);
}

#[tokio::test(start_paused = true)]
async fn twenty_consumers_share_two_hundred_messages_without_a_double() {
    let sqs = sqs_with_queue();
    let consumers = (0..20).map(|_| async {
        let mut seen = Vec::new();
        loop {
            let received = sqs.receive("events", 10, seconds(1), None).await.unwrap();
            if received.is_empty() {
                return seen;
            }
            for message in received {
                sqs.delete("events", &message.receipt_handle).unwrap();
                seen.push(message.body);
            }
        }
    });
    let sender = async {
        for number in 0..200 {
            sqs.send("events", message(&number.to_string())).unwrap();
            if number % 7 == 0 {
                tokio::task::yield_now().await;
            }
        }
    };
    let (seen, ()) = tokio::join!(futures_util::future::join_all(consumers), sender);
    let mut numbers: Vec<u32> = seen.concat().iter().map(|body| body.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn messages_without_groups_come_roughly_in_the_order_they_were_sent() {
    let sqs = sqs_with_queue();
    for body in ["a", "b", "c"] {
        sqs.send("events", message(body)).unwrap();
    }
    assert_eq!(bodies(&receive(&sqs).await), ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_returns_does_not_overtake_those_that_waited() {
    let sqs = sqs_with_queue();
    sqs.send("events", message("returns")).unwrap();
    let received = receive_from(&sqs, "events", 1).await;
    advance(seconds(1)).await;
    sqs.send("events", message("waits")).unwrap();
    advance(seconds(1)).await;
    sqs.change_visibility("events", &received[0].receipt_handle, Duration::ZERO).unwrap();
    assert_eq!(bodies(&receive(&sqs).await), ["waits", "returns"]);
}

#[tokio::test(start_paused = true)]
async fn a_noisy_group_does_not_hold_up_a_quiet_one() {
    let sqs = sqs_with_queue();
    for _ in 0..100 {
        sqs.send("events", of_group("noisy", "T1")).unwrap();
    }
    assert_eq!(receive(&sqs).await.len(), 10);
    sqs.send("events", of_group("quiet", "T2")).unwrap();
    sqs.send("events", message("alone")).unwrap();
    let next = receive(&sqs).await;
    let quiet: Vec<&str> = bodies(&next).into_iter().filter(|body| *body != "noisy").collect();
    assert_eq!(quiet, ["quiet", "alone"]);
    assert_eq!(next.len(), 10, "and nothing of the noisy one is withheld when there is room");
    assert_eq!(next.iter().find(|message| message.body == "quiet").unwrap().group_id.as_deref(), Some("T2"));
}

#[tokio::test(start_paused = true)]
async fn a_group_is_quiet_again_when_its_messages_are_done() {
    let sqs = sqs_with_queue();
    sqs.send("events", of_group("first of T1", "T1")).unwrap();
    sqs.send("events", of_group("second of T1", "T1")).unwrap();
    let first = receive_from(&sqs, "events", 1).await;
    sqs.send("events", of_group("T2", "T2")).unwrap();
    sqs.delete("events", &first[0].receipt_handle).unwrap();
    assert_eq!(bodies(&receive(&sqs).await), ["second of T1", "T2"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_expires_with_its_retention_whatever_its_state() {
    let sqs = sqs();
    sqs.create_queue("events", QueueSettings { retention: seconds(60), ..QueueSettings::default() }).unwrap();
    sqs.send("events", message("in flight")).unwrap();
    let received = sqs.receive("events", 1, Duration::ZERO, Some(seconds(600))).await.unwrap();
    sqs.send("events", message("visible")).unwrap();
    sqs.send("events", NewMessage { delay: Some(seconds(600)), ..message("delayed") }).unwrap();
    advance(Duration::from_millis(59_999)).await;
    assert_eq!(sqs.depth("events").unwrap(), Depth { visible: 1, in_flight: 1, delayed: 1 });
    advance(Duration::from_millis(1)).await;
    assert_eq!(sqs.depth("events").unwrap().total(), 0);
    sqs.delete("events", &received[0].receipt_handle).unwrap();
}

#[tokio::test(start_paused = true)]
async fn looking_changes_nothing() {
    let sqs = sqs_with_queue();
    sqs.send("events", of_group("visible", "T1")).unwrap();
    sqs.send("events", message("taken")).unwrap();
    let taken = receive_from(&sqs, "events", 1).await;
    sqs.send("events", NewMessage { delay: Some(seconds(9)), ..message("delayed") }).unwrap();
    for _ in 0..3 {
        let states: Vec<_> = sqs.peek("events").iter().map(|message| (message.state, message.receive_count)).collect();
        let in_flight = (MessageState::InFlight { until_ms: EPOCH_MS + 30_000 }, 1);
        assert_eq!(
            states,
            [in_flight, (MessageState::Visible, 0), (MessageState::Delayed { until_ms: EPOCH_MS + 9_000 }, 0)]
        );
    }
    assert_eq!(bodies(&taken), ["visible"]);
    assert!(sqs.peek("nothing").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_change_is_seen_whether_someone_or_time_made_it() {
    let sqs = sqs_with_queue();
    let changed = sqs.changed();
    sqs.send("events", message("hello")).unwrap();
    changed.await;
    receive(&sqs).await;
    let started = Instant::now();
    sqs.changed().await;
    assert_eq!(started.elapsed(), seconds(30), "the visibility timeout");
    assert_eq!(sqs.depth("events").unwrap().visible, 1);
}

#[tokio::test(start_paused = true)]
async fn a_receive_that_is_given_up_takes_nothing() {
    let sqs = sqs_with_queue();
    let given_up = tokio::time::timeout(seconds(1), sqs.receive("events", 1, seconds(20), None)).await;
    assert!(given_up.is_err());
    sqs.send("events", message("hello")).unwrap();
    tokio::task::yield_now().await;
    assert_eq!(sqs.depth("events").unwrap(), Depth { visible: 1, in_flight: 0, delayed: 0 });
}
