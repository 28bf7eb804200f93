//! Whose installation a delivery belongs to. The cases are those of Bolt for Python's `tests/slack_bolt/request/test_internals.py` and of
//! its Slack Connect and org-wide request tests, and the answers are the ones Bolt gives, but for the organisation-wide installation:
//! where Bolt names no workspace there, ours is the one the event came from.

use crate::fixtures::json as fixture;
use crate::wire::{command, event, interaction};
use serde_json::{Value, json};
use tack_protocol::{EnterpriseId, TeamId, Tenant};

type Expected<'e> = (Option<&'e str>, Option<&'e str>, bool);

fn check(name: &str, tenant: &Tenant, expected: Expected<'_>) {
    let seen = (
        tenant.enterprise.as_ref().map(EnterpriseId::as_str),
        tenant.team.as_ref().map(TeamId::as_str),
        tenant.is_enterprise_install,
    );
    assert_eq!(seen, expected, "{name}");
}

fn authorization(enterprise: Option<&str>, team: Option<&str>, org_wide: bool) -> Value {
    json!([{
        "enterprise_id": enterprise,
        "team_id": team,
        "user_id": "U_BOT",
        "is_bot": true,
        "is_enterprise_install": org_wide,
    }])
}

#[test]
fn an_events_tenant_is_that_of_its_first_authorization() {
    let alone = authorization(None, Some("T_OURS"), false);
    let on_grid = authorization(Some("E_OURS"), Some("T_OURS"), false);
    let org_wide = authorization(Some("E_OURS"), None, true);
    let table: Vec<(&str, Value, Expected<'_>)> = vec![
        ("one workspace", json!({ "team_id": "T_OURS", "authorizations": alone }), (None, Some("T_OURS"), false)),
        (
            "a workspace on Grid",
            json!({ "team_id": "T_OURS", "enterprise_id": "E_OURS", "authorizations": on_grid }),
            (Some("E_OURS"), Some("T_OURS"), false),
        ),
        (
            "Slack Connect, sent from Grid",
            json!({ "team_id": "T_THEIRS", "enterprise_id": "E_THEIRS", "authorizations": alone }),
            (None, Some("T_OURS"), false),
        ),
        (
            "Slack Connect between two organisations",
            json!({ "team_id": "T_THEIRS", "enterprise_id": "E_THEIRS", "context_team_id": "T_OURS", "context_enterprise_id": "E_OURS", "authorizations": on_grid }),
            (Some("E_OURS"), Some("T_OURS"), false),
        ),
        (
            "Slack Connect with a context that is theirs",
            json!({ "team_id": "T_OURS", "context_team_id": "T_THEIRS", "context_enterprise_id": "E_THEIRS", "authorizations": alone }),
            (None, Some("T_OURS"), false),
        ),
        (
            "Slack Connect, all from outside theirs",
            json!({ "team_id": "T_THEIRS", "enterprise_id": "E_THEIRS", "context_team_id": "T_THEIRS", "context_enterprise_id": "E_THEIRS", "authorizations": alone }),
            (None, Some("T_OURS"), false),
        ),
        (
            "an org-wide installation",
            json!({ "team_id": "T_OURS", "enterprise_id": "E_OURS", "authorizations": org_wide }),
            (Some("E_OURS"), Some("T_OURS"), true),
        ),
        (
            "an org-wide installation without a workspace",
            json!({ "enterprise_id": "E_OURS", "authorizations": org_wide }),
            (Some("E_OURS"), None, true),
        ),
        (
            "more than one authorization",
            json!({ "team_id": "T_THEIRS", "authorizations": [alone[0], { "team_id": "T_THEIRS", "enterprise_id": "E_THEIRS", "is_enterprise_install": true }] }),
            (None, Some("T_OURS"), false),
        ),
        (
            "no authorizations",
            json!({ "team_id": "T_OURS", "enterprise_id": "E_OURS" }),
            (Some("E_OURS"), Some("T_OURS"), false),
        ),
        (
            "an empty list of authorizations",
            json!({ "team_id": "T_OURS", "authorizations": [] }),
            (None, Some("T_OURS"), false),
        ),
        (
            "authorizations that are null",
            json!({ "team_id": "T_OURS", "authorizations": null }),
            (None, Some("T_OURS"), false),
        ),
        (
            "a first authorization that is null",
            json!({ "team_id": "T_OURS", "enterprise_id": "E_OURS", "authorizations": [null] }),
            (Some("E_OURS"), Some("T_OURS"), false),
        ),
        ("tokens_revoked on Grid: no workspace", json!({ "enterprise_id": "E_OURS" }), (Some("E_OURS"), None, false)),
        ("nothing", json!({}), (None, None, false)),
        ("wrong types", json!({ "team_id": 7, "enterprise_id": [], "authorizations": "T" }), (None, None, false)),
        (
            "empty ids",
            json!({ "team_id": "", "enterprise_id": "", "authorizations": [{ "team_id": "", "enterprise_id": "" }] }),
            (None, None, false),
        ),
    ];
    for (name, mut root, expected) in table {
        root["type"] = json!("event_callback");
        root["event"] =
            json!({ "type": "message", "team": "T_THEIRS", "user_team": "T_THEIRS", "source_team": "T_THEIRS" });
        check(name, &event(&root).tenant, expected);
    }
}

#[test]
fn an_interactions_tenant_is_the_views_installation_the_team_or_the_persons_team() {
    let table: Vec<(&str, Value, Expected<'_>)> = vec![
        (
            "a workspace",
            json!({ "team": { "id": "T_OURS" }, "enterprise": null, "is_enterprise_install": false }),
            (None, Some("T_OURS"), false),
        ),
        (
            "a workspace on Grid",
            json!({ "team": { "id": "T_OURS" }, "enterprise": { "id": "E_OURS" } }),
            (Some("E_OURS"), Some("T_OURS"), false),
        ),
        (
            "a workspace that names its organisation",
            json!({ "team": { "id": "T_OURS", "enterprise_id": "E_OURS" } }),
            (Some("E_OURS"), Some("T_OURS"), false),
        ),
        ("a team that is a text", json!({ "team": "T_OURS" }), (None, Some("T_OURS"), false)),
        (
            "org-wide: the person's team",
            json!({ "team": null, "enterprise": { "id": "E_OURS" }, "is_enterprise_install": true, "user": { "id": "W1", "team_id": "T_OURS" } }),
            (Some("E_OURS"), Some("T_OURS"), true),
        ),
        (
            "org-wide: the view's team",
            json!({ "team": null, "enterprise": { "id": "E_OURS" }, "is_enterprise_install": true, "view": { "team_id": "T_OURS" } }),
            (Some("E_OURS"), Some("T_OURS"), true),
        ),
        (
            "a view opened in a Slack Connect channel",
            json!({ "team": { "id": "T_THEIRS" }, "user": { "id": "U1", "team_id": "T_THEIRS" }, "view": { "team_id": "T_THEIRS", "app_installed_team_id": "T_OURS" } }),
            (None, Some("T_OURS"), false),
        ),
        (
            "the same with an org-wide installation",
            json!({ "team": null, "enterprise": { "id": "E_OURS" }, "is_enterprise_install": true, "user": { "id": "W1", "team_id": "T_THEIRS" }, "view": { "team_id": "T_THEIRS", "app_installed_team_id": "T_OURS" } }),
            (Some("E_OURS"), Some("T_OURS"), true),
        ),
        (
            "a view without an installation",
            json!({ "team": { "id": "T_OURS" }, "view": { "team_id": "T_THEIRS", "app_installed_team_id": null } }),
            (None, Some("T_OURS"), false),
        ),
        (
            "a view installed on an organisation",
            json!({ "team": null, "is_enterprise_install": true, "user": { "id": "W1", "team_id": "T_OURS" }, "view": { "app_installed_team_id": "E_OURS" } }),
            (Some("E_OURS"), Some("T_OURS"), true),
        ),
        (
            "a person known to the organisation only",
            json!({ "team": null, "enterprise": { "id": "E_OURS" }, "is_enterprise_install": true, "user": { "id": "W1", "team_id": "E_OURS" }, "view": { "team_id": "T_OURS" } }),
            (Some("E_OURS"), Some("T_OURS"), true),
        ),
        (
            "a flag as a text",
            json!({ "team": { "id": "T_OURS" }, "is_enterprise_install": "true" }),
            (None, Some("T_OURS"), true),
        ),
        (
            "no flag as a text",
            json!({ "team": { "id": "T_OURS" }, "is_enterprise_install": "false" }),
            (None, Some("T_OURS"), false),
        ),
        ("nothing", json!({}), (None, None, false)),
        (
            "wrong types",
            json!({ "team": 7, "enterprise": "x", "user": [], "view": "V", "is_enterprise_install": 1 }),
            (None, None, false),
        ),
    ];
    for (name, mut payload, expected) in table {
        for kind in [
            "block_actions",
            "view_submission",
            "view_closed",
            "block_suggestion",
            "shortcut",
            "message_action",
            "dialog_submission",
            "news",
        ] {
            payload["type"] = json!(kind);
            check(&format!("{kind}: {name}"), &interaction(&payload).tenant, expected);
        }
    }
}

#[test]
fn a_commands_tenant_is_in_its_fields() {
    let table: Vec<(&[(&str, &str)], Expected<'_>)> = vec![
        (&[("team_id", "T_OURS")], (None, Some("T_OURS"), false)),
        (
            &[("team_id", "T_OURS"), ("enterprise_id", "E_OURS"), ("is_enterprise_install", "false")],
            (Some("E_OURS"), Some("T_OURS"), false),
        ),
        (
            &[("team_id", "T_OURS"), ("enterprise_id", "E_OURS"), ("is_enterprise_install", "true")],
            (Some("E_OURS"), Some("T_OURS"), true),
        ),
        (&[("team_id", ""), ("enterprise_id", "")], (None, None, false)),
        (&[], (None, None, false)),
    ];
    for (fields, expected) in table {
        let all = [("command", "/order")].iter().chain(fields).copied();
        check(&format!("{fields:?}"), &command(all).tenant, expected);
    }
}

#[test]
fn the_published_bodies_belong_where_their_names_say() {
    check(
        "shared channel",
        &event(&fixture("event/message-shared-channel.json")).tenant,
        (None, Some("T0ACME001"), false),
    );
    check(
        "org install",
        &event(&fixture("event/message-org-install.json")).tenant,
        (Some("E0GLOBEX1"), Some("T0GLOBEX1"), true),
    );
    check(
        "org install",
        &interaction(&fixture("interactive/block_actions-org-install.json")).tenant,
        (Some("E0GLOBEX1"), Some("T0GLOBEX1"), true),
    );
    check("message", &event(&fixture("event/message.json")).tenant, (None, Some("T0ACME001"), false));
}
