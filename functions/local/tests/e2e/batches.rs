//! Batches in which some are bad: the good come through, and each bad one ends as its own badness wants.

use crate::drill::{CARRY_OUT, THREE};
use crate::message::{message_event, queued_event};
use crate::world::{Setup, World, in_world};
use serde_json::{Value, json};
use std::time::Duration;
use tack_app::Limits;
use tack_simulator::DeliveryRequest;

/// Time-outs that one can sit through, and two attempts.
fn quick() -> Setup {
    Setup {
        limits: Limits { ladder_ms: vec![100], attempts: 2, ..Limits::default() },
        worker_timeout: Duration::from_secs(4),
        visibility: Duration::from_secs(5),
        ..Setup::drill()
    }
}

fn queued(name: &str, text: &str) -> String {
    queued_event(name, &message_event(&format!("Ev0{name}"), text), &[CARRY_OUT])
}

async fn dead_letters_of(world: &World, deliveries: &[&str]) {
    let all = || {
        let letters = world.dead_letters();
        deliveries.iter().all(|id| letters.iter().any(|letter| letter.attribute("delivery") == *id)).then_some(())
    };
    world.wait_for("dead letters", all).await;
}

#[test]
fn in_one_batch_the_good_come_through_and_each_bad_one_ends_in_the_dead_letter_queue() {
    in_world(quick(), async |world| {
        let bad = [
            ("panic", "drill panic p", "the listener panicked: a listener that panics"),
            ("fail", "drill fail f", "a listener that fails"),
            ("hang", "drill hang h", ""),
            ("block", "drill block 5", "attempt 2 was killed or timed out"),
        ];
        let mut bodies: Vec<String> = bad.iter().map(|(name, text, _)| queued(name, text)).collect();
        bodies.insert(2, "this is no message of ours".to_owned());
        bodies.extend((1..=5).map(|n| queued(&format!("good{n}"), &format!("drill say good {n}"))));
        assert_eq!(bodies.len(), 10);
        world.send_events(bodies.clone());
        dead_letters_of(world, &["panic", "fail", "hang", "block"]).await;
        world.settled().await;

        for n in 1..=5 {
            let id = format!("good{n}");
            let done =
                world.step(&id, |step| step.delivery.as_ref() == Some(&id) && step.outcome.as_deref() == Some("done"));
            let attempts = done.await.attempt.unwrap();
            let effects = world.effects(&format!("good {n}")) as u64;
            // An effect that was out when the process was killed may be repeated by the next attempt; else there is one.
            assert!((1..=attempts).contains(&effects), "{id}: {effects} effects in {attempts} attempts");
        }
        assert_eq!(world.stack.events.stats().timeouts, 2, "only what blocks is killed, once per attempt");

        let letters = world.dead_letters();
        for (name, text, reason) in bad {
            let of_this: Vec<_> = letters.iter().filter(|letter| letter.attribute("delivery") == name).collect();
            let [letter] = of_this[..] else { panic!("{name} has {} dead letters", of_this.len()) };
            let (sent, dead): (Value, _) =
                (serde_json::from_str(bodies.iter().find(|body| body.contains(text)).unwrap()).unwrap(), letter.json());
            for field in
                ["v", "origin", "id", "received_at", "kind", "app", "team", "enc", "content_type", "body", "jobs"]
            {
                assert_eq!(dead[field], sent[field], "{name}: {field}");
            }
            assert_eq!(dead["gen"], 1, "a redrive is a new life");
            assert!(letter.attribute("reason").contains(reason), "{name}: {}", letter.attribute("reason"));
            assert!(letter.attribute("reason").contains("attempt"), "{name}: {}", letter.attribute("reason"));
            assert_eq!((letter.attribute("attempts"), letter.attribute("job")), ("2", CARRY_OUT), "{name}");
        }
        // Parked at once, in the batch whose process was then killed: so it may be there twice, and never not.
        let strange: Vec<_> = letters.iter().filter(|letter| letter.0.body == bodies[2]).collect();
        assert!((1..=2).contains(&strange.len()), "{}", strange.len());
        assert_eq!(strange[0].attribute("attempts"), "1");
        assert!(strange[0].attribute("reason").contains("not one of ours"), "{}", strange[0].attribute("reason"));
        assert_eq!(letters.len(), 4 + strange.len());
    });
}

#[test]
fn neighbours_of_a_listener_that_hangs_are_not_held_up_and_nobody_is_killed() {
    in_world(quick(), async |world| {
        let good = |n: usize| queued(&format!("good{n}"), &format!("drill say good {n}"));
        let mut bodies: Vec<String> = (1..=9).map(good).collect();
        bodies.insert(4, queued("hang", "drill hang h"));
        world.send_events(bodies);
        dead_letters_of(world, &["hang"]).await;
        world.settled().await;
        let mut posted = world.posted();
        posted.sort();
        assert_eq!(posted, (1..=9).map(|n| format!("good {n}")).collect::<Vec<_>>());
        assert_eq!(world.stack.events.stats().timeouts, 0);
        let [letter] = &world.dead_letters()[..] else { panic!("not one dead letter") };
        assert_eq!(
            letter.attribute("reason"),
            "all 2 attempts failed; the last: attempt 2 was still running shortly before its deadline"
        );
    });
}

#[test]
fn of_three_jobs_of_one_delivery_one_is_done_one_is_parked_and_one_is_tried_again() {
    in_world(Setup::drill(), async |world| {
        world.deliver(DeliveryRequest::event(json!({ "type": THREE, "channel": "C0PLAY001" }))).await;
        let done = || (!world.jobs("three.retries", "done").is_empty()).then_some(());
        world.wait_for("the last of three", done).await;
        world.settled().await;
        let attempts = |job: &str, outcome: &str| -> Vec<u64> {
            world.jobs(job, outcome).iter().filter_map(|step| step.attempt).collect()
        };
        assert_eq!(attempts("three.posts", "done"), [1], "done once, though its delivery came again");
        assert_eq!(attempts("three.parks", "parked"), [1]);
        assert_eq!((attempts("three.retries", "retry"), attempts("three.retries", "done")), (vec![1], vec![2]));
        let mut posted = world.posted();
        posted.sort();
        assert_eq!(posted, ["the first of three", "the third of three"]);
        let [letter] = &world.dead_letters()[..] else { panic!("not one dead letter") };
        assert_eq!(letter.json()["jobs"], json!([{ "name": "three.parks" }]), "alone, without its neighbours");
        assert_eq!(letter.attribute("reason"), "the second of three is for a person");
    });
}
