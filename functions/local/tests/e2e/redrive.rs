//! Dead letters after the mend: SQS's own redrive, or the letter's body sent again. Each runs once more, and only once.

use crate::app_work::sqs_of_a_stranger;
use crate::drill::{self, CARRY_OUT};
use crate::message::{message_delivery, message_event, queued_event};
use crate::world::{Setup, World, in_world};
use std::time::Duration;
use tack_app::Limits;

/// One attempt, so that what is bad is given up at once.
fn strict() -> Setup {
    Setup { limits: Limits { attempts: 1, ..Setup::drill().limits }, ..Setup::drill() }
}

async fn has_letters(world: &World, count: usize) {
    world.wait_for("dead letters", || (world.dead_letters().len() == count).then_some(())).await;
    world.settled().await;
}

#[test]
fn letters_that_sqs_moves_back_after_a_mend_are_done_once() {
    in_world(strict(), async |world| {
        let queued =
            |name: &str, text: &str| queued_event(name, &message_event(&format!("Ev0{name}"), text), &[CARRY_OUT]);
        let bodies =
            [queued("panic", "drill panic mended 1"), queued("fail", "drill fail mended 2"), "no message".to_owned()];
        world.send_events(bodies.clone());
        has_letters(world, 3).await;
        let bodies_of_letters: Vec<_> = world.dead_letters().into_iter().map(|letter| letter.0.body).collect();

        world.stack.events.replace(drill::mended_worker()).await;
        let sqs = world.stack.aws.sqs();
        sqs_of_a_stranger(world)
            .start_message_move_task()
            .source_arn(sqs.queue_arn("events-dlq").unwrap())
            .destination_arn(sqs.queue_arn("events").unwrap())
            .send()
            .await
            .unwrap();
        let done = || (world.effects("mended 1") + world.effects("mended 2") == 2).then_some(());
        world.wait_for("both effects", done).await;
        has_letters(world, 1).await;
        assert_eq!(world.dead_letters()[0].0.body, "no message", "which nothing can mend");

        // Somebody redrives what was redriven before, and Slack sends the event again.
        world.send_events(bodies_of_letters.into_iter().filter(|body| body != "no message"));
        world.send_events(bodies.into_iter().filter(|body| body != "no message"));
        world.settled().await;
        assert_eq!(world.posted().len(), 2);
        let generations: Vec<_> = world.jobs(CARRY_OUT, "done").iter().map(|step| step.generation).collect();
        assert_eq!(generations, [Some(1), Some(1)]);
        assert_eq!(world.jobs(CARRY_OUT, "duplicate").len(), 4);
    });
}

#[test]
fn a_letter_whose_body_is_sent_again_is_done_once_and_a_retry_of_slack_is_not() {
    in_world(strict(), async |world| {
        world.deliver(message_delivery("Ev0AGAIN001", "drill fail mended")).await;
        has_letters(world, 1).await;
        // Before the mend, a second life ends as the first one did: with a letter of the next generation.
        let sqs = world.stack.aws.sqs();
        let taken = sqs.receive("events-dlq", 1, Duration::ZERO, None).await.unwrap();
        sqs.delete("events-dlq", &taken[0].receipt_handle).unwrap();
        world.send_events([taken[0].body.clone()]);
        has_letters(world, 1).await;
        let letter = world.dead_letters().remove(0);
        assert_eq!(letter.json()["gen"], 2);

        world.stack.events.replace(drill::mended_worker()).await;
        world.deliver(message_delivery("Ev0AGAIN001", "drill fail mended")).await;
        world.settled().await;
        assert_eq!(world.effects("mended"), 0, "the event was given up; only a redrive revives it");
        world.send_events([letter.0.body.clone()]);
        world.settled().await;
        assert_eq!(world.effects("mended"), 1);
        world.send_events([letter.0.body.clone(), taken[0].body.clone()]);
        world.settled().await;
        assert_eq!(world.effects("mended"), 1);
    });
}
