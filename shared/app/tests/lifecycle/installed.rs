//! `app.installed`: once per OAuth flow that ended well, after the installation was saved.

use crate::world::{LONG_AGO, NOW, TEAM, UNINSTALLED, World, installation, published, register, with_user};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tack_app::install::{InstalledEvent, NewInstallation, Scopes};
use tack_app::ports::Clock;
use tack_app::protocol::EpochMs;
use tack_app::{App, ListenerError};

/// What the OAuth flow queues before it saves.
fn message(new: &NewInstallation) -> String {
    let installation = &new.installed.installation;
    let event = InstalledEvent::of(installation, Some("campaign-7".to_owned()), Scopes::parse("files:write"));
    event.work(&installation.tenant(), "flow 1".to_owned(), None).encode()
}

/// How often a message is given out before SQS makes it a dead letter.
fn receipts_max() -> u32 {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let template = fs::read_to_string(template).expect("the template");
    let counts: Vec<u32> = template
        .lines()
        .filter_map(|line| line.trim().strip_prefix("maxReceiveCount: "))
        .map(|count| count.parse().expect("a number"))
        .collect();
    *counts.iter().min().expect("a count")
}

/// A flow in which no bot scope was asked for.
fn of_user_scopes_alone(at: EpochMs, user: &str) -> NewInstallation {
    let mut new = with_user(installation(TEAM, at), user);
    new.installed.token = None;
    let installation = &mut new.installed.installation;
    (installation.bot_user, installation.scopes) = (None, Scopes::default());
    new
}

const SECOND: Duration = Duration::from_secs(1);

const GREETED: &str = "installed by U0ADA0001 campaign-7 chat:write,commands";

#[tokio::test(start_paused = true)]
async fn it_runs_with_what_the_flow_brought_in_a_workspace_and_in_an_organisation() {
    for place in [TEAM, "E0ACMEORG"] {
        let world = World::new();
        let new = installation(place, NOW);
        world.send_own(&message(&new)).await;
        world.install(new).await;
        let worker = world.worker(|app: &mut App<_, _>| {
            app.installed(async |context, event| {
                let installation = context.installation().expect("an installation");
                assert_eq!(installation.installed_at, event.installed_at);
                assert_eq!(event.is_enterprise_install, context.tenant().team.is_none());
                assert!(event.missing_scopes.contains("files:write"));
                let place = installation.key().expect("a key").id().to_owned();
                context.resources().push(format!("{place} {}", event.installer));
                Ok(())
            });
        });
        assert_eq!(world.batch(&worker).await, 0);
        assert_eq!(world.log.take(), [format!("{place} U0ADA0001")]);
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_the_save_without_counting_attempts_and_sees_it_within_a_second_or_two() {
    let world = World::new();
    let new = installation(TEAM, NOW);
    let body = message(&new);
    world.send_own(&body).await;
    let worker = world.worker(register);
    assert_eq!(world.batch(&worker).await, 1);
    assert_eq!(world.end_of_own(&body), "I0: the installation is not saved yet");
    world.install(new).await;
    world.pass(Duration::from_millis(1_002));
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), [GREETED]);
}

#[tokio::test(start_paused = true)]
async fn an_older_installation_is_not_what_it_waits_for() {
    let world = World::new();
    world.install(installation(TEAM, LONG_AGO)).await;
    let again = installation(TEAM, NOW);
    world.send_own(&message(&again)).await;
    let worker = world.worker(register);
    assert_eq!(world.batch(&worker).await, 1);
    world.install(again).await;
    world.pass(Duration::from_millis(1_002));
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), [GREETED]);
}

#[tokio::test(start_paused = true)]
async fn a_flow_for_user_scopes_alone_beside_a_bot_that_stays_is_seen_too() {
    let world = World::new();
    world.install(installation(TEAM, LONG_AGO)).await;
    let new = of_user_scopes_alone(NOW, "U0ADA0001");
    world.send_own(&message(&new)).await;
    world.install(new).await;
    assert_eq!(world.batch(&world.worker(register)).await, 0);
    assert_eq!(world.log.take().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_person_of_a_bots_flow_is_not_yet_the_bot() {
    let world = World::new();
    let worker = world.worker(register);
    // The person's row is written, and the bot's is not.
    world.install(of_user_scopes_alone(NOW, "U0ADA0001")).await;
    let new = with_user(installation(TEAM, NOW.plus(SECOND)), "U0ADA0001");
    let body = message(&new);
    world.send_own(&body).await;
    assert_eq!(world.batch(&worker).await, 1);
    assert_eq!(world.end_of_own(&body), "I0: the installation is not saved yet");
    world.install(new).await;
    world.pass(SECOND * 2);
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), [GREETED]);
}

#[tokio::test(start_paused = true)]
async fn of_a_person_who_started_again_exactly_one_flow_greets() {
    for with_bot in [true, false] {
        let flow = |at| if with_bot { installation(TEAM, at) } else { of_user_scopes_alone(at, "U0ADA0001") };
        let world = World::new();
        let worker = world.worker(register);
        // Queued, and then the store did not answer.
        let lost = message(&flow(NOW));
        world.send_own(&lost).await;
        assert_eq!(world.batch(&worker).await, 1);
        world.pass(SECOND * 30);
        let again = flow(NOW.plus(SECOND * 30));
        world.send_own(&message(&again)).await;
        world.install(again).await;
        assert_eq!(world.batch(&worker).await, 0);
        assert_eq!(world.end_of_own(&lost), "C1: superseded by a newer installation");
        assert_eq!(world.log.take().len(), 1, "{with_bot}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flow_of_user_scopes_alone_greets_though_a_bot_was_installed_since() {
    let world = World::new();
    let first = of_user_scopes_alone(NOW, "U0ADA0001");
    world.send_own(&message(&first)).await;
    world.install(first).await;
    world.install(installation(TEAM, NOW.plus(SECOND))).await;
    assert_eq!(world.batch(&world.worker(register)).await, 0);
    assert_eq!(world.log.take().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_installation_that_is_never_saved_ends_after_an_hour() {
    let world = World::new();
    let body = message(&installation(TEAM, NOW));
    world.send_own(&body).await;
    let worker = world.worker(register);
    let mut receipts = 0;
    while !world.waiting().is_empty() {
        world.batch(&worker).await;
        let wait = world.sending.queue.waiting().first().and_then(|waiting| waiting.postponed).unwrap_or_default();
        // SQS takes whole seconds, and is never early.
        world.pass(Duration::from_secs(wait.as_millis().div_ceil(1000) as u64) + Duration::from_millis(20));
        receipts += 1;
        assert!(receipts < receipts_max(), "SQS would have given it up");
    }
    assert!(world.clock.now() >= NOW.plus(SECOND * 3600), "it waited for an hour");
    assert_eq!(world.end_of_own(&body), "C1: the installation was never saved");
    assert!(world.log.take().is_empty() && world.sending.queue.letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_gone_again_greets_nobody() {
    let world = World::with_grace(Duration::from_secs(3600));
    let new = installation(TEAM, LONG_AGO);
    let body = message(&new);
    world.install(new).await;
    let worker = world.worker(register);
    world.handle(&worker, published(UNINSTALLED)).await;
    world.log.take();
    world.send_own(&body).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert!(world.log.take().is_empty());
    assert!(world.end_of_own(&body).starts_with("C1: "), "{}", world.end_of_own(&body));
}

#[tokio::test(start_paused = true)]
async fn each_flow_runs_it_once() {
    let world = World::new();
    let worker = world.worker(register);
    for at in [LONG_AGO, NOW] {
        let new = installation(TEAM, at);
        let body = message(&new);
        world.install(new).await;
        for _ in 0..3 {
            world.send_own(&body).await;
            assert_eq!(world.batch(&worker).await, 0);
        }
    }
    assert_eq!(world.log.take(), [GREETED, GREETED]);
}

#[tokio::test(start_paused = true)]
async fn without_such_a_listener_its_message_ends_well() {
    let world = World::new();
    let body = message(&installation(TEAM, NOW));
    world.send_own(&body).await;
    assert_eq!(world.batch(&world.worker(|_| {})).await, 0);
    assert_eq!(world.end_of_own(&body), "C1");
}

#[tokio::test(start_paused = true)]
async fn it_is_tried_again_and_then_it_is_a_dead_letter_like_any_job() {
    let mut world = World::new();
    (world.limits.attempts, world.limits.ladder_ms) = (2, vec![1_000]);
    let new = installation(TEAM, NOW);
    world.send_own(&message(&new)).await;
    world.install(new).await;
    let failing = world.worker(|app| app.installed(async |_, _| Err(ListenerError::other("no channel"))));
    assert_eq!(world.batch(&failing).await, 1);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.batch(&failing).await, 0);
    let [letter] = &world.sending.queue.letters()[..] else { panic!("one letter") };
    assert_eq!((letter.job.as_deref(), letter.attempts), (Some("tack.installed"), 2));
    world.send_own(&letter.body).await;
    assert_eq!(world.batch(&world.worker(register)).await, 0);
    assert_eq!(world.log.take(), [GREETED]);
}
