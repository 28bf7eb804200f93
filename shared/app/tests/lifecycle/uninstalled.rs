//! `app.uninstalled`, and an adopter's own listener for the event: durable, and without a token.

use crate::world::{
    LIFECYCLE, LONG_AGO, Log, NOW, REVOKED, TEAM, UNINSTALLED, UNINSTALLED_AT, World, installation, notice, published,
    register, with_user, work,
};
use serde_json::json;
use std::time::Duration;
use tack_app::install::Scopes;
use tack_app::{App, ClientError, LazyPhase, ListenerError};

const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

#[tokio::test(start_paused = true)]
async fn it_is_told_when_and_until_when_and_knows_who_had_installed_the_app() {
    let world = World::with_grace(MONTH);
    world.install(installation(TEAM, LONG_AGO)).await;
    let worker = world.worker(|app| {
        app.uninstalled(async |context, event| {
            let installer = context.installation().expect("an installation").installer.clone();
            let team = context.tenant().team.clone().expect("a workspace");
            let purge_at = event.purge_at.expect("a time");
            context.resources().push(format!("{team} {installer} {} {}", event.at.0, purge_at.0));
            Ok(())
        });
    });
    world.handle(&worker, published(UNINSTALLED)).await;
    let purge_at = UNINSTALLED_AT.plus(MONTH);
    assert_eq!(world.log.take(), [format!("{TEAM} U0ADA0001 {} {}", UNINSTALLED_AT.0, purge_at.0)]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_anything_was_queued_costs_nothing() {
    let world = World::new();
    world.install(installation(TEAM, LONG_AGO)).await;
    let worker = world.worker(register);
    let sent = work(published(UNINSTALLED), &[LIFECYCLE]);
    world.send(&sent).await;
    world.sending.hangs.set(true);
    world.killed_batch(&worker, Duration::from_secs(5)).await;
    assert!(world.row(TEAM).expect("a row").token.is_none(), "the store had been changed");
    assert!(world.own_waiting().is_empty());
    world.sending.hangs.set(false);
    world.pass(Duration::from_secs(60));
    while !world.waiting().is_empty() {
        assert_eq!(world.batch(&world.worker(register)).await, 0);
    }
    assert_eq!(
        world.log.take(),
        [format!("uninstalled at {}", UNINSTALLED_AT.0), format!("purge of {}", UNINSTALLED_AT.0)]
    );
    assert!(world.row(TEAM).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_refuses_makes_the_event_come_again() {
    let world = World::new();
    world.install(installation(TEAM, LONG_AGO)).await;
    let worker = world.worker(register);
    let sent = work(published(UNINSTALLED), &[LIFECYCLE]);
    world.send(&sent).await;
    world.sending.queue.refuse(true);
    assert_eq!(world.batch(&worker).await, 1);
    assert!(world.end(&sent, LIFECYCLE).starts_with("I1: "));
    world.sending.queue.refuse(false);
    world.pass(Duration::from_secs(11));
    while !world.waiting().is_empty() {
        assert_eq!(world.batch(&worker).await, 0);
    }
    assert_eq!(world.log.take().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_queued_twice_runs_once() {
    let world = World::with_grace(MONTH);
    world.install(installation(TEAM, LONG_AGO)).await;
    let worker = world.worker(register);
    for id in ["Ev1", "Ev2"] {
        let mut sent = work(published(UNINSTALLED), &[LIFECYCLE]);
        sent.id = id.to_owned();
        // Of another generation, as an event that Slack sends again under another name.
        sent.generation = u32::from(id == "Ev2");
        world.send(&sent).await;
    }
    assert_eq!(world.batch(&worker).await, 0);
    let expected = ("tack.uninstalled".to_owned(), format!("uninstalled:{}", UNINSTALLED_AT.0));
    assert_eq!(world.own_waiting(), [expected.clone(), expected]);
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_such_a_listener_nothing_is_queued_for_it() {
    let world = World::with_grace(MONTH);
    world.install(installation(TEAM, LONG_AGO)).await;
    world.send(&work(published(UNINSTALLED), &[LIFECYCLE])).await;
    assert_eq!(world.batch(&world.worker(|_| {})).await, 0);
    assert!(world.waiting().is_empty());
    assert_eq!(world.gone(TEAM).expect("gone").1, "uninstalled");
}

fn failing(app: &mut App<LazyPhase, Log>) {
    app.uninstalled(async |context, _| {
        context.resources().push(format!("attempt {}", context.attempt()));
        Err(ListenerError::other("the partner is away"))
    });
}

#[tokio::test(start_paused = true)]
async fn it_is_tried_again_and_then_it_is_a_dead_letter_like_any_job() {
    let mut world = World::with_grace(MONTH);
    (world.limits.attempts, world.limits.ladder_ms) = (3, vec![1_000]);
    world.install(installation(TEAM, LONG_AGO)).await;
    let worker = world.worker(failing);
    world.send(&work(published(UNINSTALLED), &[LIFECYCLE])).await;
    assert_eq!(world.batch(&worker).await, 0);
    for again in [1, 1, 0] {
        assert_eq!(world.batch(&worker).await, again);
        world.pass(Duration::from_secs(2));
    }
    assert_eq!(world.log.take(), ["attempt 1", "attempt 2", "attempt 3"]);
    let [letter] = &world.sending.queue.letters()[..] else { panic!("one letter") };
    assert_eq!((letter.job.as_deref(), letter.group.as_str(), letter.attempts), (Some("tack.uninstalled"), TEAM, 3));
    assert!(letter.reason.contains("the partner is away"), "{}", letter.reason);
    world.send_own(&letter.body).await;
    assert_eq!(world.batch(&world.worker(register)).await, 0);
    assert_eq!(world.log.take().len(), 1, "a redrive runs it");
}

#[tokio::test(start_paused = true)]
async fn an_adopters_listener_for_the_events_runs_without_a_token_and_whoever_is_installed() {
    for (file, installed) in [(UNINSTALLED, true), (UNINSTALLED, false), (REVOKED, true), (REVOKED, false)] {
        let world = World::with_grace(MONTH);
        if installed {
            world.install(installation(TEAM, LONG_AGO)).await;
        }
        let worker = world.worker(|app| {
            for (kind, job) in [("app_uninstalled", "mine.uninstalled"), ("tokens_revoked", "mine.revoked")] {
                app.event(kind).lazy(job, async |context, event| {
                    let called = context.client().call("auth.test", &json!({})).await;
                    assert!(matches!(called, Err(ClientError::NoToken { .. })), "{called:?}");
                    context.resources().push(format!("mine: {}", event.kind));
                    Ok(())
                });
            }
        });
        let mine = if file == UNINSTALLED { "mine.uninstalled" } else { "mine.revoked" };
        let sent = work(published(file), &[LIFECYCLE, mine]);
        world.send(&sent).await;
        assert_eq!(world.batch(&worker).await, 0);
        assert_eq!(world.log.take(), [format!("mine: {}", file.trim_end_matches(".json"))]);
        assert_eq!(world.end(&sent, mine), "C1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_persons_revoked_token_leaves_the_adopters_listener_the_bots() {
    for installed in [true, false] {
        let world = World::new();
        if installed {
            world.install(installation(TEAM, LONG_AGO)).await;
        }
        let worker = world.worker(|app| {
            app.event("tokens_revoked").lazy("heard", async |context, _| {
                let called = context.client().call("auth.test", &json!({})).await.err();
                context.resources().push(called.map_or_else(String::new, |error| error.code().to_owned()));
                Ok(())
            });
        });
        let event = notice(REVOKED, |root| root["event"]["tokens"] = json!({ "oauth": ["U0ADA0001"] }));
        world.send(&work(event, &[LIFECYCLE, "heard"])).await;
        assert_eq!(world.batch(&worker).await, 0);
        // No Slack answers here.
        assert_eq!(world.log.take(), [if installed { "transport" } else { "no_token" }]);
    }
}

// The app was uninstalled, a person granted user scopes alone since, and only then comes Slack's event.
#[tokio::test(start_paused = true)]
async fn a_grant_that_is_later_than_an_uninstallation_works_though_the_event_comes_late() {
    for grace in [Duration::ZERO, MONTH] {
        let world = World::with_grace(grace);
        world.install(installation(TEAM, LONG_AGO)).await;
        let mut granted = with_user(installation(TEAM, NOW), "U0ADA0001");
        granted.installed.token = None;
        let installation = &mut granted.installed.installation;
        (installation.bot_user, installation.scopes) = (None, Scopes::default());
        world.install(granted).await;
        let worker = world.worker(|app| {
            app.event("app_mention").lazy("mention", async |context, _| {
                let user = context.user().expect("a person");
                let own = context.user_client(user).await?.is_some();
                context.resources().push(format!("{user} {own}"));
                Ok(())
            });
        });
        world.handle(&worker, published(UNINSTALLED)).await;
        for user in ["U0ADA0001", "U0BOB0001"] {
            let mention = notice("app_mention.json", |root| {
                root["event_id"] = json!(format!("Ev{user}"));
                root["event"]["user"] = json!(user);
            });
            world.send(&work(mention, &["mention"])).await;
        }
        world.pass(Duration::from_secs(10));
        assert_eq!(world.batch(&worker).await, 0);
        assert_eq!(world.log.take(), ["U0ADA0001 true"], "the bot is gone, so nothing runs for anybody else");
    }
}
