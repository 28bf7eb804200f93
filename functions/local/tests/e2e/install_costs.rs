//! What finding a token costs: the first event of a worker pays, those after it do not.

use crate::world::{Installs, Setup, World, in_world};
use std::time::Instant;
use tack_local_aws::Call;
use tack_simulator::Target;

/// Calls of the workers for tokens: the table of installations, and the key.
fn token_calls(world: &World) -> (Vec<Call>, Vec<Call>) {
    let of_workers = |call: &Call| call.caller.as_deref().is_some_and(|caller| caller.starts_with("worker"));
    let calls: Vec<Call> = world.stack.aws.calls().snapshot().into_iter().filter(of_workers).collect();
    let reads = calls.iter().filter(|call| call.resource.as_deref() == Some("installations")).cloned().collect();
    (reads, calls.into_iter().filter(|call| call.service == "kms").collect())
}

#[test]
fn of_twenty_events_in_a_minute_the_first_reads_and_decrypts_a_token_and_no_other() {
    in_world(Setup::installed_starter(Installs::default()), async |world| {
        world.install("ada", Target::Workspace("T0ACME001".to_owned())).await;
        world.settled().await;
        let mut times = Vec::new();
        for number in 0..20 {
            if number == 0 {
                // A worker that knows nothing, as after a cold start.
                for pid in world.stack.events.pids() {
                    world.stack.events.kill(pid).await;
                }
            }
            world.stack.aws.calls().clear();
            let began = Instant::now();
            world.hi("ada", "C0PLAY001").await;
            world.settled().await;
            times.push(began.elapsed());
            let (reads, decrypted) = token_calls(world);
            let counts = (reads.len(), decrypted.len());
            if number == 0 {
                let all = world.stack.aws.calls().snapshot();
                let units: f64 = reads.iter().filter_map(|call| call.consumed_units).sum();
                println!("cold: {} calls, of them {counts:?} for the token, {units} units to read it", all.len());
                assert_eq!(counts, (1, 1), "{reads:?} {decrypted:?}");
                assert_eq!(reads[0].action, "BatchGetItem");
            } else {
                assert_eq!(counts, (0, 0), "event {number}: {reads:?} {decrypted:?}");
            }
        }
        assert_eq!(world.effects("hi, how are you?"), 20);
        let (cold, warm) = (times[0], times[1..].iter().sum::<std::time::Duration>() / 19);
        println!(
            "cold: {} ms with a process to start; warm: {} ms, until the queue is empty",
            cold.as_millis(),
            warm.as_millis()
        );
    });
}
