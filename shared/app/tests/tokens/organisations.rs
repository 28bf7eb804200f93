//! Org-wide installations: which of two is used, and the workspace that some calls must name.

use crate::slack::locally;
use crate::world::{LONG_AGO, MESSAGE, NOW, SECOND, TEAM, TestApp, World, installed, ok};
use serde_json::{Value, json};
use tack_app::install::{InstallKey, Removal};
use tack_app::ports::InstallationStore;

const ORGANISATION: &str = "E0HOOLI01";
/// The published delivery of an org-wide installation, and where it comes from.
const ORG_MESSAGE: &str = "message-org-install.json";
const ORG: &str = "E0GLOBEX1";
const ORG_TEAM: &str = "T0GLOBEX1";

fn on_grid(root: &mut Value) {
    root["enterprise_id"] = ORGANISATION.into();
    root["authorizations"][0]["enterprise_id"] = ORGANISATION.into();
}

#[tokio::test]
async fn a_workspaces_own_installation_is_used_before_its_organisations() {
    locally(async {
        let world = World::new(|_| ok()).await;
        world.install(&installed(TEAM, "xoxb-team", LONG_AGO)).await;
        world.install(&installed(ORGANISATION, "xoxb-org", LONG_AGO)).await;
        assert_eq!(world.event(MESSAGE, on_grid).await, "C1");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxb-team"]);
        assert_eq!(world.store.calls(), ["read"], "both in one read");
    })
    .await;
}

#[tokio::test]
async fn where_the_workspaces_own_is_gone_the_organisations_is_used() {
    locally(async {
        let world = World::new(|_| ok()).await;
        world.install(&installed(TEAM, "xoxb-team", LONG_AGO)).await;
        world.install(&installed(ORGANISATION, "xoxb-org", LONG_AGO)).await;
        let key = InstallKey::Team(TEAM.into());
        world.store.remove(&key, &Removal::Bot, NOW.seconds()).await.expect("a store");
        assert_eq!(world.event(MESSAGE, on_grid).await, "C1");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxb-org"]);
    })
    .await;
}

#[tokio::test]
async fn of_an_org_wide_delivery_the_organisations_installation_is_used_first() {
    locally(async {
        let world = World::new(|_| ok()).await;
        world.install(&installed(ORG_TEAM, "xoxb-team", LONG_AGO)).await;
        world.install(&installed(ORG, "xoxb-org", LONG_AGO)).await;
        assert_eq!(world.event(ORG_MESSAGE, |_| {}).await, "C1");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxb-org"]);
    })
    .await;
}

#[tokio::test]
async fn where_an_organisation_takes_over_from_a_dead_token_it_is_used_at_once() {
    locally(async {
        let world = World::new(|request| match request.credentials.as_str() {
            "xoxb-team" => crate::world::error("token_revoked"),
            _ => ok(),
        })
        .await;
        world.install(&installed(TEAM, "xoxb-team", LONG_AGO)).await;
        world.install(&installed(ORGANISATION, "xoxb-org", LONG_AGO)).await;
        world.event("reaction_added.json", on_grid).await;
        let key = InstallKey::Team(TEAM.into());
        world.store.remove(&key, &Removal::Bot, NOW.seconds()).await.expect("a store");
        world.pass(SECOND);
        assert_eq!(world.event(MESSAGE, on_grid).await, "C1");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxb-team", "chat.postMessage xoxb-org"]);
    })
    .await;
}

/// One call of each kind.
fn calling(app: &mut TestApp) {
    app.message("").lazy("post", async |context, _| {
        let client = context.client();
        client.call("conversations.list", &json!({ "limit": 10 })).await?;
        client.call("users.list", &()).await?;
        client.call("conversations.create", &json!({ "name": "x", "team_id": "T0ELSE001" })).await?;
        client.call("chat.postMessage", &json!({ "channel": "C1", "text": "x" })).await?;
        Ok(())
    });
}

async fn teams_named(place: &str, file: &str) -> Vec<(String, Option<String>)> {
    locally(async {
        let world = World::with(|_| ok(), calling, true).await;
        world.install(&installed(place, "xoxb-a", LONG_AGO)).await;
        assert_eq!(world.event(file, |_| {}).await, "C1");
        let requests = world.slack.take();
        requests.iter().map(|request| (request.method.clone(), request.field("team_id").map(str::to_owned))).collect()
    })
    .await
}

#[tokio::test]
async fn an_organisations_token_names_the_workspace_where_slack_wants_it() {
    let named = teams_named(ORG, ORG_MESSAGE).await;
    let expected = [
        ("conversations.list", Some(ORG_TEAM)),
        ("users.list", Some(ORG_TEAM)),
        ("conversations.create", Some("T0ELSE001")),
        ("chat.postMessage", None),
    ];
    assert_eq!(named, expected.map(|(method, team)| (method.to_owned(), team.map(str::to_owned))));
}

#[tokio::test]
async fn a_workspaces_token_names_none() {
    let named = teams_named(TEAM, MESSAGE).await;
    let teams: Vec<_> = named.iter().map(|(_, team)| team.as_deref()).collect();
    assert_eq!(teams, [None, None, Some("T0ELSE001"), None]);
}
