//! Workspaces that an org-wide installation may work in, and no longer.
//! Sources: <https://docs.slack.dev/reference/events/team_access_granted>,
//! <https://docs.slack.dev/reference/events/app_uninstalled_team>

use crate::world::{LIFECYCLE, LONG_AGO, TEAM, World, body, installation, on_grid, register};
use serde_json::{Value, json};
use tack_app::install::InstallKey;
use tack_app::protocol::{Envelope, EpochSeconds};

const ORG: &str = "E0ACMEORG";
const AT: u64 = 1_795_511_680;

fn access(kind: &str, teams: &Value, at: u64) -> Envelope {
    body(&json!({
        "enterprise_id": ORG,
        "api_app_id": "A0TACK001",
        "event": { "type": kind, "team_ids": teams, "event_ts": format!("{at}.987656") },
        "type": "event_callback",
        "event_id": format!("Ev0{kind}{at}"),
        "event_time": at,
    }))
}

fn noted(world: &World, team: &str) -> Option<(bool, EpochSeconds)> {
    world.installations.access(&InstallKey::Enterprise(ORG.into()), &team.into())
}

#[tokio::test(start_paused = true)]
async fn access_that_is_granted_and_withdrawn_is_noted_for_each_workspace_with_its_date() {
    let world = World::new();
    world.install(installation(ORG, LONG_AGO)).await;
    let worker = world.worker(register);
    let sent = world.handle(&worker, access("team_access_granted", &json!([TEAM, "T0ACME002"]), AT)).await;
    assert_eq!(world.end(&sent, LIFECYCLE), "C1");
    world.handle(&worker, access("team_access_revoked", &json!([TEAM]), AT + 5)).await;
    // An earlier one that comes late.
    world.handle(&worker, access("team_access_granted", &json!([TEAM]), AT + 2)).await;
    assert_eq!(noted(&world, TEAM), Some((false, EpochSeconds(AT + 5))));
    assert_eq!(noted(&world, "T0ACME002"), Some((true, EpochSeconds(AT))));
    assert_eq!(world.gone(ORG), None);
    assert!(world.log.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn access_without_an_organisation_ends_with_that_reason() {
    let world = World::new();
    let event = body(&json!({
        "team_id": TEAM,
        "event": { "type": "team_access_granted", "team_ids": [TEAM] },
        "type": "event_callback",
        "event_id": "Ev1",
    }));
    let sent = world.handle(&world.worker(register), event).await;
    assert_eq!(world.end(&sent, LIFECYCLE), "C1: Slack names no organisation");
}

fn uninstalled_team(app: &str, place: &str) -> Envelope {
    body(&json!({
        "team_id": TEAM,
        "api_app_id": "A0TACK001",
        "event": { "type": "app_uninstalled_team", "app_id": app, "team_id": place, "user_id": "U0ADA0001" },
        "type": "event_callback",
        "authorizations": [{ "enterprise_id": ORG, "team_id": null, "user_id": "U0TACKBOT", "is_bot": true, "is_enterprise_install": true }],
        "event_id": "Ev0GONE0001",
        "event_time": AT,
    }))
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_taken_from_a_workspace_stays_in_the_organisation() {
    let world = World::new();
    world.install(installation(ORG, LONG_AGO)).await;
    let sent = world.handle(&world.worker(register), uninstalled_team("A0TACK001", TEAM)).await;
    assert_eq!(world.end(&sent, LIFECYCLE), "C1");
    assert_eq!(noted(&world, TEAM), Some((false, EpochSeconds(AT))));
    assert_eq!(world.gone(ORG), None);
    assert!(world.log.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_taken_from_a_workspace_with_an_installation_of_its_own_is_uninstalled_there() {
    let world = World::new();
    world.install(installation(ORG, LONG_AGO)).await;
    world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
    world.handle(&world.worker(register), uninstalled_team("A0TACK001", TEAM)).await;
    assert!(world.row(TEAM).is_none(), "uninstalled and purged");
    assert_eq!(world.gone(ORG), None);
    assert_eq!(world.log.take().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_taken_from_the_organisation_is_uninstalled_there() {
    let world = World::new();
    world.install(installation(ORG, LONG_AGO)).await;
    world.handle(&world.worker(register), uninstalled_team("A0TACK001", ORG)).await;
    assert!(world.row(ORG).is_none(), "uninstalled and purged");
}

// Only an app that administers the organisation is told of others.
#[tokio::test(start_paused = true)]
async fn an_event_about_another_app_changes_nothing() {
    let world = World::new();
    world.install(installation(ORG, LONG_AGO)).await;
    world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
    let sent = world.handle(&world.worker(register), uninstalled_team("A0OTHER01", TEAM)).await;
    assert_eq!(world.end(&sent, LIFECYCLE), "C1");
    assert_eq!((noted(&world, TEAM), world.gone(TEAM), world.gone(ORG)), (None, None, None));
}
