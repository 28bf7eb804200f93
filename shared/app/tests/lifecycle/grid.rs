//! Enterprise Grid: Slack's events about org-wide installations name no workspace, and so may those of a workspace's own.

use crate::world::{
    LIFECYCLE, LONG_AGO, REVOKED, TEAM, UNINSTALLED, UNINSTALLED_AT, World, installation, notice, on_grid, register,
    work,
};
use serde_json::{Value, json};
use std::time::Duration;
use tack_app::install::NewInstallation;
use tack_app::protocol::Envelope;

const ORG: &str = "E0ACMEORG";

fn of_bot(place: &str, bot: &str) -> NewInstallation {
    let mut new = installation(place, LONG_AGO);
    new.installed.installation.bot_user = Some(bot.into());
    new
}

/// The published event as it comes from an organisation.
fn from_organisation(file: &str, edit: impl FnOnce(&mut Value)) -> Envelope {
    notice(file, |root| {
        root.as_object_mut().expect("an object").remove("team_id");
        root["enterprise_id"] = json!(ORG);
        edit(root);
    })
}

#[tokio::test(start_paused = true)]
async fn an_org_wide_installation_goes_and_a_workspaces_own_stays() {
    for file in [UNINSTALLED, REVOKED] {
        let world = World::new();
        world.install(installation(ORG, LONG_AGO)).await;
        world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
        let worker = world.worker(|_| {});
        let sent = world.handle(&worker, from_organisation(file, |_| {})).await;
        assert_eq!(world.end(&sent, LIFECYCLE), "C1", "{file}");
        let lost = world.row(ORG).is_none_or(|row| row.token.is_none());
        assert!(lost && world.gone(TEAM).is_none(), "{file}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_names_a_workspace_leaves_the_org_wide_installation_alone() {
    for installed in [true, false] {
        let world = World::new();
        world.install(installation(ORG, LONG_AGO)).await;
        if installed {
            world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
        }
        let named = notice(UNINSTALLED, |root| root["enterprise_id"] = json!(ORG));
        world.handle(&world.worker(register), named).await;
        assert_eq!(world.gone(ORG), None, "{installed}");
        assert!(world.row(TEAM).is_none(), "purged");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_of_an_org_wide_installation_that_names_a_workspace_besides_is_about_the_organisation() {
    let world = World::new();
    world.install(installation(ORG, LONG_AGO)).await;
    world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
    let event = notice(REVOKED, |root| {
        let org_wide = json!({ "enterprise_id": ORG, "team_id": TEAM, "is_enterprise_install": true });
        root["authorizations"] = json!([org_wide]);
    });
    world.handle(&world.worker(register), event).await;
    assert!(world.gone(ORG).is_some() && world.gone(TEAM).is_none());
}

#[tokio::test(start_paused = true)]
async fn without_an_org_wide_installation_the_only_workspace_of_the_organisation_is_meant() {
    for file in [UNINSTALLED, REVOKED] {
        let world = World::new();
        world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
        world.install(on_grid("T0OTHER01", "E0OTHER01", "U0TACKBOT")).await;
        let sent = world.handle(&world.worker(|_| {}), from_organisation(file, |_| {})).await;
        assert_eq!(world.end(&sent, LIFECYCLE), "C1", "{file}");
        assert!(world.row(TEAM).is_none_or(|row| row.token.is_none()), "{file}");
        assert_eq!(world.gone("T0OTHER01"), None, "{file}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_workspaces_the_one_with_the_revoked_bot_is_meant() {
    let world = World::new();
    world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
    world.install(on_grid("T0ACME002", ORG, "U0TACKBT2")).await;
    world.handle(&world.worker(register), from_organisation(REVOKED, |_| {})).await;
    assert!(world.gone(TEAM).is_some());
    assert_eq!(world.gone("T0ACME002"), None);
}

#[tokio::test(start_paused = true)]
async fn where_it_cannot_be_told_which_workspace_is_meant_none_is_touched() {
    let world = World::new();
    world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
    world.install(on_grid("T0ACME002", ORG, "U0TACKBT2")).await;
    let worker = world.worker(register);
    let of_a_person = |root: &mut Value| root["event"]["tokens"] = json!({ "oauth": ["U0ADA0001"] });
    for event in [from_organisation(UNINSTALLED, |_| {}), from_organisation(REVOKED, of_a_person)] {
        let sent = world.handle(&worker, event).await;
        assert_eq!(world.end(&sent, LIFECYCLE), "C1: not installed in E0ACMEORG");
    }
    assert_eq!((world.gone(TEAM), world.gone("T0ACME002")), (None, None));
}

// A bot of one workspace is revoked, Slack names the organisation only, and the organisation has the app besides.
#[tokio::test(start_paused = true)]
async fn a_revoked_bot_of_a_workspace_does_not_take_the_organisations_installation() {
    let world = World::new();
    world.install(of_bot(ORG, "U0ORGBOT1")).await;
    world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
    world.handle(&world.worker(register), from_organisation(REVOKED, |_| {})).await;
    assert!(world.gone(ORG).is_none() && world.gone(TEAM).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_revoked_bot_that_nobody_has_takes_nothing() {
    let world = World::new();
    world.install(of_bot(ORG, "U0ORGBOT1")).await;
    world.install(on_grid(TEAM, ORG, "U0TACKBT2")).await;
    let sent = world.handle(&world.worker(register), from_organisation(REVOKED, |_| {})).await;
    assert_eq!(world.end(&sent, LIFECYCLE), "C1: not installed in E0ACMEORG");
    assert_eq!((world.gone(ORG), world.gone(TEAM)), (None, None));
}

#[tokio::test(start_paused = true)]
async fn what_slack_says_of_whose_event_it_is_comes_first() {
    let world = World::new();
    world.install(of_bot(ORG, "U0ORGBOT1")).await;
    world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
    let event = from_organisation(REVOKED, |root| {
        root["authorizations"] = json!([{ "enterprise_id": ORG, "team_id": null, "is_enterprise_install": true }]);
    });
    world.handle(&world.worker(register), event).await;
    assert!(world.gone(ORG).is_some() && world.gone(TEAM).is_none());
}

#[tokio::test(start_paused = true)]
async fn an_uninstallation_that_names_its_bot_is_of_the_workspace_with_that_bot() {
    let world = World::new();
    world.install(of_bot(ORG, "U0ORGBOT1")).await;
    world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
    world.install(on_grid("T0ACME002", ORG, "U0TACKBT2")).await;
    let event = from_organisation(UNINSTALLED, |root| {
        let bot = json!({ "enterprise_id": ORG, "team_id": null, "user_id": "U0TACKBT2", "is_bot": true });
        root["authorizations"] = json!([bot]);
    });
    world.handle(&world.worker(register), event).await;
    assert!(world.row("T0ACME002").is_none(), "purged");
    assert_eq!((world.gone(ORG), world.gone(TEAM)), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_workspace_that_was_uninstalled_before_cannot_be_meant() {
    let world = World::with_grace(Duration::from_secs(3600));
    world.install(on_grid(TEAM, ORG, "U0TACKBOT")).await;
    world.install(on_grid("T0ACME002", ORG, "U0TACKBT2")).await;
    let worker = world.worker(register);
    let earlier = notice(UNINSTALLED, |root| {
        root["event_id"] = json!("Ev0EARLIER1");
        root["event_time"] = json!(UNINSTALLED_AT.0 / 1000 - 60);
    });
    world.handle(&worker, earlier).await;
    assert!(world.gone(TEAM).is_some() && world.gone("T0ACME002").is_none());
    // Twice: what an attempt took away before it crashed is found again, and nothing else is taken.
    for generation in [0, 1] {
        let mut sent = work(from_organisation(UNINSTALLED, |_| {}), &[LIFECYCLE]);
        sent.generation = generation;
        world.send(&sent).await;
        assert_eq!(world.batch(&worker).await, 0);
        assert_eq!(world.end(&sent, LIFECYCLE), "C1");
        assert_eq!(world.own_waiting()[0].0, "tack.uninstalled", "what follows is queued each time");
        while !world.waiting().is_empty() {
            world.batch(&worker).await;
        }
    }
    assert!(world.gone("T0ACME002").is_some());
    assert_eq!(world.log.take().len(), 2, "one for each workspace");
}
