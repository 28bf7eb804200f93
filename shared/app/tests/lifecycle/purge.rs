//! What is left of an installation, until the operator's grace is over.

use crate::world::{
    LIFECYCLE, LONG_AGO, NOW, REVOKED, TEAM, UNINSTALLED, UNINSTALLED_AT, World, installation, notice, published,
    register, work,
};
use serde_json::json;
use std::time::Duration;
use tack_app::install::InstallKey;
use tack_app::message::Work;
use tack_app::{ClientError, ListenerError};

const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a schedule sends.
fn due(key: &str) -> String {
    json!({ "v": 1, "origin": "app", "job": "tack.purge_due", "key": key }).to_string()
}

fn purge_of(team: &str, gone_at: u64, key: &str) -> String {
    let payload = json!({ "gone_at": gone_at });
    json!({ "v": 1, "origin": "app", "job": "tack.purge", "team": team, "key": key, "payload": payload }).to_string()
}

async fn run_all(world: &World) {
    let worker = world.worker(register);
    while !world.waiting().is_empty() {
        assert_eq!(world.batch(&worker).await, 0, "{:?}", world.waiting());
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_grace_everything_is_deleted_at_once_and_the_apps_own_data_first() {
    let world = World::new();
    world.install(installation(TEAM, LONG_AGO)).await;
    let worker = world.worker(|app| {
        app.purge(async |context, request| {
            assert_eq!((request.gone_at, request.is_enterprise_install), (UNINSTALLED_AT, false));
            assert!(context.installation().is_some_and(|one| one.gone.is_some()), "the record is there still");
            let called = context.client().call("auth.test", &json!({})).await;
            assert!(matches!(called, Err(ClientError::NoToken { .. })), "{called:?}");
            context.resources().push("my rows");
            Ok(())
        });
    });
    world.handle(&worker, published(UNINSTALLED)).await;
    assert_eq!(world.log.take(), ["my rows"]);
    assert!(world.row(TEAM).is_none());
}

#[tokio::test(start_paused = true)]
async fn without_a_listener_the_record_is_deleted_all_the_same() {
    let world = World::new();
    world.install(installation("E0ACMEORG", LONG_AGO)).await;
    let event = notice(UNINSTALLED, |root| {
        root["team_id"] = json!(null);
        root["enterprise_id"] = json!("E0ACMEORG");
    });
    world.handle(&world.worker(|_| {}), event).await;
    assert!(world.row("E0ACMEORG").is_none());
}

#[tokio::test(start_paused = true)]
async fn within_the_grace_nothing_is_deleted_and_after_it_a_schedule_finds_what_is_due() {
    let world = World::with_grace(MONTH);
    for team in [TEAM, "T0OTHER01"] {
        world.install(installation(team, LONG_AGO)).await;
    }
    world.handle(&world.worker(register), published(UNINSTALLED)).await;
    assert_eq!(world.log.take().len(), 1, "the app is told of the uninstallation alone");
    world.send_own(&due("day 1")).await;
    run_all(&world).await;
    assert!(world.row(TEAM).is_some() && world.log.take().is_empty());
    world.pass(MONTH);
    world.send_own(&due("day 30")).await;
    run_all(&world).await;
    assert!(world.row(TEAM).is_none() && world.row("T0OTHER01").is_some());
    assert_eq!(world.log.take(), [format!("purge of {}", UNINSTALLED_AT.0)]);
}

#[tokio::test(start_paused = true)]
async fn what_the_schedule_finds_twice_is_purged_once() {
    let world = World::with_grace(MONTH);
    world.install(installation(TEAM, LONG_AGO)).await;
    world.handle(&world.worker(|_| {}), published(UNINSTALLED)).await;
    world.pass(MONTH);
    for key in ["day 30", "day 31", "day 31"] {
        world.send_own(&due(key)).await;
    }
    let worker = world.worker(register);
    assert_eq!(world.batch(&worker).await, 0);
    let expected = ("tack.purge".to_owned(), format!("purge:{}", UNINSTALLED_AT.0));
    assert_eq!(world.own_waiting(), [expected.clone(), expected]);
    run_all(&world).await;
    assert_eq!(world.log.take().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_was_installed_again_within_the_grace_loses_nothing() {
    let world = World::with_grace(MONTH);
    world.install(installation(TEAM, LONG_AGO)).await;
    world.handle(&world.worker(|_| {}), published(UNINSTALLED)).await;
    world.install(installation(TEAM, NOW)).await;
    world.pass(MONTH);
    world.send_own(&due("day 30")).await;
    run_all(&world).await;
    assert_eq!(world.gone(TEAM), None);
    // One that was queued before the reinstallation.
    let late = purge_of(TEAM, UNINSTALLED_AT.0, "late");
    world.send_own(&late).await;
    run_all(&world).await;
    assert_eq!(world.end_of_own(&late), "C1: the app was installed again: nothing is purged");
    assert_eq!(world.gone(TEAM), None);
    assert!(world.log.take().is_empty(), "the app's own part does not run either");
}

#[tokio::test(start_paused = true)]
async fn a_purge_of_an_earlier_uninstallation_leaves_the_grace_of_a_later_one() {
    let world = World::with_grace(MONTH);
    world.install(installation(TEAM, LONG_AGO)).await;
    let worker = world.worker(|_| {});
    world.handle(&worker, published(UNINSTALLED)).await;
    world.install(installation(TEAM, NOW)).await;
    let second = notice(UNINSTALLED, |root| {
        root["event_id"] = json!("Ev0SECOND01");
        root["event_time"] = json!(NOW.0 / 1000 + 5);
    });
    world.handle(&worker, second).await;
    let late = purge_of(TEAM, UNINSTALLED_AT.0, "late");
    world.send_own(&late).await;
    run_all(&world).await;
    assert_eq!(world.end_of_own(&late), "C1: the app was installed again: nothing is purged");
    assert!(world.row(TEAM).is_some());
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_installed_while_its_data_is_purged_keeps_its_new_record() {
    let world = World::new();
    world.install(installation(TEAM, LONG_AGO)).await;
    let again = world.installations.clone();
    let worker = world.worker(|app| {
        app.purge(async move |context, _| {
            use tack_app::ports::InstallationStore;
            again.save(&installation(TEAM, NOW)).await?;
            context.resources().push("purging");
            Ok(())
        });
    });
    world.send(&work(published(UNINSTALLED), &[LIFECYCLE])).await;
    assert_eq!(world.batch(&worker).await, 0);
    let body = world.waiting().remove(0);
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.end_of_own(&body), "C1: the app was installed again: nothing is purged");
    assert_eq!(world.gone(TEAM), None);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_alone_is_no_reason_to_purge() {
    let world = World::new();
    world.install(installation(TEAM, LONG_AGO)).await;
    world.handle(&world.worker(register), published(REVOKED)).await;
    world.send_own(&due("day 1")).await;
    run_all(&world).await;
    // Slack dates the two events a second apart: this may be what was read before the other of them was stored.
    let waits = purge_of(TEAM, UNINSTALLED_AT.0, "k");
    world.send_own(&waits).await;
    assert_eq!(world.batch(&world.worker(register)).await, 1);
    assert_eq!(world.end_of_own(&waits), "I0: the record does not show that uninstallation yet");
    assert!(world.row(TEAM).is_some() && world.log.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_purge_before_its_time_is_for_a_person_and_one_that_is_nearly_due_waits() {
    let world = World::with_grace(MONTH);
    world.install(installation(TEAM, LONG_AGO)).await;
    world.handle(&world.worker(|_| {}), published(UNINSTALLED)).await;
    world.send_own(&purge_of(TEAM, UNINSTALLED_AT.0, "early")).await;
    run_all(&world).await;
    assert_eq!(world.sending.queue.letters().len(), 1);
    // Slack's clock, which dates it, may be ahead of ours.
    let left = UNINSTALLED_AT.plus(MONTH).since(NOW) - Duration::from_secs(5);
    world.pass(left);
    let worker = world.worker(register);
    let nearly = purge_of(TEAM, UNINSTALLED_AT.0, "nearly");
    world.send_own(&nearly).await;
    assert_eq!(world.batch(&worker).await, 1);
    assert_eq!(world.end_of_own(&nearly), "I0: it is not due yet", "and is not counted");
    world.pass(Duration::from_secs(6));
    assert_eq!(world.batch(&worker).await, 0);
    assert!(world.row(TEAM).is_none());
}

#[tokio::test(start_paused = true)]
async fn as_long_as_the_apps_own_part_fails_the_record_stays() {
    let mut world = World::new();
    (world.limits.attempts, world.limits.ladder_ms) = (2, vec![1_000]);
    world.install(installation(TEAM, LONG_AGO)).await;
    let failing = world.worker(|app| app.purge(async |_, _| Err(ListenerError::other("no table"))));
    world.send(&work(published(UNINSTALLED), &[LIFECYCLE])).await;
    for again in [0, 1, 0] {
        assert_eq!(world.batch(&failing).await, again);
        world.pass(Duration::from_secs(2));
    }
    let [letter] = &world.sending.queue.letters()[..] else { panic!("one letter") };
    assert_eq!(letter.job.as_deref(), Some("tack.purge"));
    assert!(letter.reason.contains("no table"), "{}", letter.reason);
    assert!(world.row(TEAM).is_some());
    world.send_own(&letter.body).await;
    run_all(&world).await;
    assert!(world.row(TEAM).is_none(), "a redrive ends it");
}

#[tokio::test(start_paused = true)]
async fn a_part_that_has_nothing_to_do_does_not_keep_the_record() {
    let world = World::new();
    world.install(installation(TEAM, LONG_AGO)).await;
    let idle = world.worker(|app| app.purge(async |_, _| Err(ListenerError::discard("no rows"))));
    world.handle(&idle, published(UNINSTALLED)).await;
    assert!(world.row(TEAM).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_purge_that_was_killed_after_its_work_was_done_may_run_again() {
    let world = World::new();
    let gone = purge_of(TEAM, UNINSTALLED_AT.0, "k");
    world.send_own(&gone).await;
    run_all(&world).await;
    assert_eq!(world.end_of_own(&gone), "C1");
    assert_eq!(world.log.take().len(), 1, "the app deletes what is deleted");
}

#[tokio::test(start_paused = true)]
async fn the_purge_of_an_organisation_carries_no_workspace() {
    let world = World::new();
    world.install(installation("E0ACMEORG", LONG_AGO)).await;
    let event = notice(UNINSTALLED, |root| {
        root["team_id"] = json!(null);
        root["enterprise_id"] = json!("E0ACMEORG");
    });
    world.send(&work(event, &[LIFECYCLE])).await;
    assert_eq!(world.batch(&world.worker(register)).await, 0);
    let works = world.own_works();
    assert_eq!(works.len(), 2);
    for work in works {
        assert_eq!((work.team.clone(), work.enterprise.clone()), (None, Some("E0ACMEORG".into())));
        assert_eq!(work.payload["is_enterprise_install"], json!(true));
        let keys = InstallKey::of(&Work::App(Box::new(work)).tenant());
        assert_eq!(keys, [InstallKey::Enterprise("E0ACMEORG".into())]);
    }
}
