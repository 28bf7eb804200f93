//! Tokens that end: refreshed early and once, however many jobs and processes want them, and not lost when a worker dies half-way.
//! Source: <https://docs.slack.dev/authentication/using-token-rotation/>

use crate::message::now_ms;
use crate::world::{Installs, Setup, World, in_world};
use serde_json::json;
use std::time::Duration;
use tack_local_aws::lambda::Function;
use tack_local_aws::{Crash, Effect, Fault};
use tack_simulator::{Faults, Target, WebApiFault};
use tokio::sync::mpsc;

const ACME: &str = "T0ACME001";

fn rotating(refresh_grace: Duration) -> Setup {
    Setup::installed_starter(Installs { rotation: true, refresh_grace, ..Installs::default() })
}

/// Installs the app, and answers the version of its token.
async fn install(world: &World) -> u64 {
    world.install("ada", Target::Workspace(ACME.to_owned())).await;
    world.settled().await;
    version(world)
}

/// The stored token ends so many seconds from now, or ago.
async fn ends_in(world: &World, seconds: i64) {
    let at = i64::try_from(now_ms()).unwrap() + seconds * 1000;
    let request = json!({
        "TableName": "installations",
        "Key": { "pk": { "S": format!("T#{ACME}") }, "sk": { "S": "BOT" } },
        "UpdateExpression": "SET tex = :at",
        "ConditionExpression": "attribute_exists(ct)",
        "ExpressionAttributeValues": { ":at": { "N": at.to_string() } },
    });
    world.ask_aws("dynamodb", "DynamoDB_20120810.UpdateItem", &request).await;
}

/// The version of the stored token.
fn version(world: &World) -> u64 {
    let rows = world.stack.aws.dynamodb().items("installations");
    let bot = rows.iter().find(|row| row["sk"]["S"] == "BOT").unwrap();
    assert!(bot.get("ref_own").is_none(), "no lease is left: {bot}");
    bot["ver"]["N"].as_str().unwrap().parse().unwrap()
}

/// People do several things at once: both workers have work for the same token.
async fn a_rush(world: &World) {
    let say = |text: &'static str| world.act(json!({ "act": "say", "channel": "playground", "text": text }));
    let order = |person: &'static str| {
        world.act(json!({ "as": person, "act": "command", "channel": "playground", "text": "/order 3" }))
    };
    tokio::join!(say("hi"), say("hi 1"), say("hi 2"), say("hi 3"), order("ada"), order("grace"), order("linus"));
    world.settled().await;
    let open = |person: &str| world.slack.read(|state| state.modals(person).len());
    assert_eq!(["ada", "grace", "linus"].map(open), [1, 1, 1]);
}

/// No job was tried a second time.
fn nothing_failed(world: &World) {
    let failed = world.steps().into_iter().find(|step| {
        step.step == "job"
            && (step.attempt.is_some_and(|attempt| attempt > 1) || step.outcome.as_deref() == Some("parked"))
    });
    assert_eq!(failed, None);
}

#[test]
fn of_many_events_at_once_one_refreshes_a_token_that_is_about_to_end_and_all_are_answered() {
    in_world(rotating(Duration::ZERO), async |world| {
        let first = install(world).await;
        ends_in(world, 1_800).await;
        a_rush(world).await;
        let refreshes = world.wire.refreshes();
        assert_eq!((refreshes.len(), version(world)), (1, first + 1));
        let answers = world.effects("hi, how are you?");
        assert_eq!(answers, 4);
        nothing_failed(world);
        // From now on it is the new one.
        let [old, new] = &world.wire.tokens_of(ACME)[..] else { panic!("two tokens") };
        let allowed = [old.clone(), new.clone()];
        assert!(world.wire.used("chat.postMessage").iter().all(|token| allowed.contains(token)));
        world.hi("ada", "playground").await;
        world.settled().await;
        assert_eq!(world.wire.used("chat.postMessage").last(), Some(new));
        assert_eq!(world.wire.refreshes().len(), 1);
    });
}

#[test]
fn a_token_that_has_ended_is_refreshed_once_before_anything_is_said() {
    in_world(rotating(Duration::ZERO), async |world| {
        let first = install(world).await;
        ends_in(world, -5).await;
        a_rush(world).await;
        assert_eq!((world.wire.refreshes().len(), version(world)), (1, first + 1));
        assert_eq!(world.effects("hi, how are you?"), 4);
        nothing_failed(world);
        let tokens = world.wire.tokens_of(ACME);
        let used = [world.wire.used("chat.postMessage"), world.wire.used("views.open")].concat();
        assert!(used.iter().all(|token| *token == tokens[1]), "the ended one was not used");
    });
}

#[test]
fn where_slack_says_first_that_a_token_has_ended_it_is_refreshed_and_the_call_made_again() {
    in_world(rotating(Duration::ZERO), async |world| {
        let first = install(world).await;
        let ended = WebApiFault { error: Some("token_expired".to_owned()), times: Some(1), ..WebApiFault::default() };
        world
            .slack
            .set_faults(Faults { web_api: [("chat.postMessage".to_owned(), ended)].into(), ..Faults::default() });
        world.hi("ada", "playground").await;
        world.settled().await;
        assert_eq!(
            (world.effects("hi, how are you?"), world.wire.refreshes().len(), version(world)),
            (1, 1, first + 1)
        );
        nothing_failed(world);
        assert_eq!(world.wire.used("chat.postMessage"), world.wire.tokens_of(ACME), "the old one, then the new one");
    });
}

#[test]
fn refresh_after_refresh_each_refresh_token_is_shown_to_slack_once() {
    in_world(rotating(Duration::ZERO), async |world| {
        let first = install(world).await;
        for round in 1..=4 {
            // A new worker, which knows nothing.
            for function in [&world.stack.events, &world.stack.interactions] {
                for pid in function.pids() {
                    function.kill(pid).await;
                }
            }
            ends_in(world, if round % 2 == 0 { -5 } else { 1_800 }).await;
            world.hi("ada", "playground").await;
            world.settled().await;
            assert_eq!((world.effects("hi, how are you?"), world.wire.refreshes().len()), (round, round));
        }
        let mut shown: Vec<_> =
            world.wire.refreshes().iter().map(|call| call.field("refresh_token").to_owned()).collect();
        assert!(world.wire.refreshes().iter().all(|call| call.answer["ok"] == true));
        shown.sort();
        shown.dedup();
        assert_eq!((shown.len(), version(world)), (4, first + 4));
    });
}

/// The next write of a new pair is never answered; whoever asks for it is killed there (SIGKILL).
fn killed_at_the_write(world: &World, effect: Effect) -> mpsc::UnboundedReceiver<Crash> {
    let (observer, crashes) = mpsc::unbounded_channel();
    world.stack.aws.faults().on_crash(observer);
    world.stack.aws.faults().add(Fault {
        service: "dynamodb".to_owned(),
        action: "UpdateItem".to_owned(),
        resource: Some("installations".to_owned()),
        caller: Some("worker-events".to_owned()),
        contains: Some("ref_done".to_owned()),
        effect,
        times: Some(1),
    });
    crashes
}

async fn kill(function: &Function, mut crashes: mpsc::UnboundedReceiver<Crash>) {
    let crash = crashes.recv().await.unwrap();
    assert!(function.kill_by_peer(crash.peer).await.is_some());
}

#[test]
fn a_worker_killed_between_slacks_answer_and_the_write_costs_a_lease_and_no_token() {
    in_world(rotating(Duration::from_secs(60)), async |world| {
        let first = install(world).await;
        ends_in(world, -5).await;
        let crashes = killed_at_the_write(world, Effect::CrashBefore);
        world.hi("ada", "playground").await;
        kill(&world.stack.events, crashes).await;
        assert_eq!(world.wire.refreshes().len(), 1, "Slack had answered");
        world.settled().await;
        let refreshes = world.wire.refreshes();
        assert_eq!((refreshes.len(), world.effects("hi, how are you?"), version(world)), (2, 1, first + 1));
        assert_eq!(refreshes[0].field("refresh_token"), refreshes[1].field("refresh_token"), "within its grace");
        assert_eq!(world.wire.used("chat.postMessage").last(), world.wire.tokens_of(ACME).last());
        assert!(world.dead_letters().is_empty());
    });
}

#[test]
fn a_worker_killed_after_the_write_leaves_the_new_token_to_the_next() {
    in_world(rotating(Duration::ZERO), async |world| {
        let first = install(world).await;
        ends_in(world, -5).await;
        let crashes = killed_at_the_write(world, Effect::CrashAfter);
        world.hi("ada", "playground").await;
        kill(&world.stack.events, crashes).await;
        world.settled().await;
        assert_eq!((world.wire.refreshes().len(), version(world)), (1, first + 1));
        assert_eq!(world.wire.used("chat.postMessage"), [world.wire.tokens_of(ACME)[1].clone()]);
    });
}
