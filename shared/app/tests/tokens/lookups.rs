//! Looking an installation up: rarely, once for all who ask, and never so late that a new one has to wait.

use crate::slack::locally;
use crate::world::{HOUR, LONG_AGO, MESSAGE, NOW, SECOND, TEAM, World, installed, ok};
use std::time::Duration;
use tack_app::install::{InstallKey, Removal};
use tack_app::protocol::EpochMs;

const GLOBEX: &str = "T0GLOBEX1";

#[tokio::test]
async fn a_warm_worker_reads_once_a_minute() {
    locally(async {
        let world = World::new(|_| ok()).await;
        world.install(&installed(TEAM, "xoxb-acme", LONG_AGO)).await;
        for _ in 0..60 {
            assert_eq!(world.message().await, "C1");
            world.pass(SECOND);
        }
        assert_eq!(world.store.calls(), ["read"], "60 jobs in 60 s");
        assert_eq!(world.message().await, "C1");
        assert_eq!(world.store.calls(), ["read"]);
        assert_eq!(world.slack.take().len(), 61);
    })
    .await;
}

#[tokio::test]
async fn jobs_that_come_together_share_one_read() {
    locally(async {
        let world = World::new(|_| ok()).await;
        world.install(&installed(TEAM, "xoxb-acme", LONG_AGO)).await;
        for _ in 0..10 {
            world.send(MESSAGE, |_| {}).await;
        }
        assert_eq!(world.batch().await, 0);
        assert_eq!(world.store.calls(), ["read"]);
        assert_eq!(world.slack.take().len(), 10);
    })
    .await;
}

#[tokio::test]
async fn a_store_in_trouble_costs_no_attempt_and_one_read_for_all_who_wait() {
    locally(async {
        let world = World::new(|_| ok()).await;
        world.install(&installed(TEAM, "xoxb-acme", LONG_AGO)).await;
        let works = [world.send(MESSAGE, |_| {}).await, world.send(MESSAGE, |_| {}).await];
        world.store.fail("read", 1);
        assert_eq!(world.batch().await, 2);
        assert_eq!(world.store.calls(), ["read"]);
        for work in &works {
            assert_eq!(world.end(work), "I0: store: the table is away");
        }
        world.pass(HOUR);
        assert_eq!(world.batch().await, 0);
        assert_eq!(world.store.calls(), ["read"], "a failure is not remembered");
        assert!(works.iter().all(|work| world.end(work).starts_with("C1")));
    })
    .await;
}

#[tokio::test]
async fn every_workspace_gets_its_own_token_and_no_other() {
    locally(async {
        let world = World::new(|_| ok()).await;
        world.install(&installed(TEAM, "xoxb-acme", LONG_AGO)).await;
        world.install(&installed(GLOBEX, "xoxb-globex", LONG_AGO)).await;
        let of = |team: &'static str| {
            move |root: &mut serde_json::Value| {
                root["team_id"] = team.into();
                root["authorizations"][0]["team_id"] = team.into();
            }
        };
        for team in [TEAM, GLOBEX, TEAM, "T0STRANGER"] {
            world.send(MESSAGE, of(team)).await;
        }
        world.pass(SECOND * 10);
        assert_eq!(world.batch().await, 0);
        let mut lines = world.slack.lines();
        lines.sort();
        let expected = ["chat.postMessage xoxb-acme", "chat.postMessage xoxb-acme", "chat.postMessage xoxb-globex"];
        assert_eq!(lines, expected);
    })
    .await;
}

#[tokio::test]
async fn of_a_shared_channel_the_first_authorization_says_whose_token_it_is() {
    locally(async {
        let world = World::new(|_| ok()).await;
        world.install(&installed(TEAM, "xoxb-acme", LONG_AGO)).await;
        world.install(&installed(GLOBEX, "xoxb-globex", LONG_AGO)).await;
        // Somebody of Globex wrote it, and the delivery is for the app at Acme.
        assert_eq!(world.event("message-shared-channel.json", |_| {}).await, "C1");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxb-acme"]);
    })
    .await;
}

#[tokio::test]
async fn where_it_is_not_installed_a_job_is_dropped_with_that_reason() {
    locally(async {
        let world = World::new(|_| ok()).await;
        assert_eq!(world.late_message().await, "C1: not installed in T0ACME001");
        assert!(world.slack.take().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_first_delivery_of_an_installation_that_is_not_saved_yet_waits_for_it_and_is_not_counted() {
    locally(async {
        let world = World::new(|_| ok()).await;
        let work = world.send(MESSAGE, |_| {}).await;
        assert_eq!(world.batch().await, 1);
        assert_eq!(world.end(&work), "I0: not installed in T0ACME001");
        assert!((SECOND * 2..SECOND * 3).contains(&world.postponed()), "{:?}", world.postponed());
        world.install(&installed(TEAM, "xoxb-acme", NOW)).await;
        world.pass(SECOND * 3);
        assert_eq!(world.batch().await, 0);
        assert!(world.end(&work).starts_with("C1"), "{}", world.end(&work));
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxb-acme"]);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_finds_none_within_ten_seconds_is_dropped() {
    locally(async {
        let world = World::new(|_| ok()).await;
        let work = world.send(MESSAGE, |_| {}).await;
        let mut receipts = 1;
        while world.batch().await == 1 {
            world.pass(world.postponed() + Duration::from_millis(1));
            receipts += 1;
        }
        assert_eq!(world.end(&work), "C1: not installed in T0ACME001");
        assert!(receipts <= 5, "{receipts}");
        assert!(world.passed() < SECOND * 11, "{:?}", world.passed());
    })
    .await;
}

#[tokio::test]
async fn a_new_installation_works_at_once() {
    locally(async {
        let world = World::new(|_| ok()).await;
        assert_eq!(world.late_message().await, "C1: not installed in T0ACME001");
        world.install(&installed(TEAM, "xoxb-acme", NOW)).await;
        world.pass(SECOND);
        assert_eq!(world.message().await, "C1");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxb-acme"]);
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_events_for_a_workspace_without_installation_is_one_read_a_second() {
    locally(async {
        let world = World::new(|_| ok()).await;
        for _ in 0..30 {
            world.message().await;
            world.pass(Duration::from_millis(100));
        }
        assert_eq!(
            world.store.calls(),
            ["read", "read_user"].repeat(3),
            "in three seconds, for the bot and one person"
        );
    })
    .await;
}

#[tokio::test]
async fn where_it_is_gone_the_reason_says_why_and_since_when() {
    locally(async {
        let world = World::new(|_| ok()).await;
        world.install(&installed(TEAM, "xoxb-acme", LONG_AGO)).await;
        assert_eq!(world.message().await, "C1");
        let everything = Removal::Everything { purge_at: EpochMs(u64::MAX) };
        let key = InstallKey::Team(TEAM.into());
        tack_app::ports::InstallationStore::remove(&*world.store, &key, &everything, NOW.seconds())
            .await
            .expect("a store");
        world.tokens.forget(&key);
        world.pass(HOUR * 3);
        assert_eq!(world.message().await, "C1: not installed in T0ACME001: uninstalled 3 h ago");
    })
    .await;
}

#[tokio::test]
async fn an_installation_without_a_bot_runs_jobs_whose_calls_have_no_token() {
    locally(async {
        let world = World::new(|_| ok()).await;
        let mut new = installed(TEAM, "xoxb-never", LONG_AGO);
        new.installed.token = None;
        world.install(&new).await;
        assert_eq!(world.message().await, "C1: chat.postMessage: there is no token for this workspace");
    })
    .await;
}
