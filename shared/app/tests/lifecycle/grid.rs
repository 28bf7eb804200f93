//! Enterprise Grid: Slack's events about org-wide installations name no workspace, and so may those of a workspace's own.

use crate::world::{LIFECYCLE, LONG_AGO, REVOKED, TEAM, UNINSTALLED, World, installation, notice, on_grid, register};
use serde_json::{Value, json};
use tack_app::protocol::Envelope;

const ORG: &str = "E0ACMEORG";

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
