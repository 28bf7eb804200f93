//! What the app itself caused must not start it again: <https://docs.slack.dev/apis/events-api/>, and Bolt's `ignoring_self_events`.

use crate::fixtures::json as fixture;
use crate::wire::{command, event, interaction};
use serde_json::{Value, json};

/// An event for app `A_OURS` whose installation acts as `U_BOT`, or as the person `U_INSTALLER`.
fn own(inner: &Value, is_bot: bool) -> bool {
    let user = if is_bot { "U_BOT" } else { "U_INSTALLER" };
    event(&json!({
        "type": "event_callback",
        "api_app_id": "A_OURS",
        "team_id": "T1",
        "event": inner,
        "authorizations": [{ "enterprise_id": null, "team_id": "T1", "user_id": user, "is_bot": is_bot, "is_enterprise_install": false }],
    }))
    .is_own()
}

#[test]
fn an_event_is_the_apps_own_by_its_bot_user_or_its_app_id() {
    for (name, inner, expected) in [
        ("a message of the bot user", json!({ "type": "message", "user": "U_BOT" }), true),
        ("a reaction of the bot user", json!({ "type": "reaction_added", "user": "U_BOT" }), true),
        ("a mention by the bot user", json!({ "type": "app_mention", "user": "U_BOT" }), true),
        ("a message with our app id", json!({ "type": "message", "user": "U_ADA", "app_id": "A_OURS" }), true),
        (
            "a bot_message with our app id",
            json!({ "type": "message", "subtype": "bot_message", "bot_id": "B1", "app_id": "A_OURS" }),
            true,
        ),
        (
            "a message with our bot profile",
            json!({ "type": "message", "bot_id": "B1", "bot_profile": { "id": "B1", "app_id": "A_OURS" } }),
            true,
        ),
        (
            "metadata we posted",
            json!({ "type": "message_metadata_posted", "app_id": "A_OURS", "user_id": "U_OTHER" }),
            true,
        ),
        (
            "the bot user in a channel_join message",
            json!({ "type": "message", "subtype": "channel_join", "user": "U_BOT" }),
            true,
        ),
        ("a person's message", json!({ "type": "message", "user": "U_ADA" }), false),
        ("a person who mentions the bot", json!({ "type": "app_mention", "user": "U_ADA", "text": "<@U_BOT>" }), false),
        (
            "a reaction to the bot's message",
            json!({ "type": "reaction_added", "user": "U_ADA", "item_user": "U_BOT" }),
            false,
        ),
        (
            "another app's message",
            json!({ "type": "message", "user": "U_OTHER", "bot_id": "B2", "app_id": "A_OTHER", "bot_profile": { "app_id": "A_OTHER" } }),
            false,
        ),
        (
            "an edit, which is news to the app",
            json!({ "type": "message", "subtype": "message_changed", "message": { "user": "U_BOT", "app_id": "A_OURS" } }),
            false,
        ),
        ("the bot joins", json!({ "type": "member_joined_channel", "user": "U_BOT" }), false),
        ("the bot leaves", json!({ "type": "member_left_channel", "user": "U_BOT" }), false),
        (
            "the bot joins, with our app id",
            json!({ "type": "member_joined_channel", "user": "U_BOT", "app_id": "A_OURS" }),
            false,
        ),
        (
            "a step of ours, which names the app one level down",
            json!({ "type": "function_executed", "function": { "app_id": "A_OURS" } }),
            false,
        ),
        ("nobody", json!({ "type": "app_uninstalled" }), false),
        ("an empty user", json!({ "type": "message", "user": "" }), false),
        (
            "fields that are null",
            json!({ "type": "message", "user": null, "app_id": null, "bot_profile": null }),
            false,
        ),
        (
            "fields of other types",
            json!({ "type": "message", "user": 1, "app_id": {}, "bot_profile": "A_OURS" }),
            false,
        ),
        ("ids that only begin alike", json!({ "type": "message", "user": "U_BOT2", "app_id": "A_OURS2" }), false),
        ("ids in another case", json!({ "type": "message", "user": "u_bot", "app_id": "a_ours" }), false),
    ] {
        assert_eq!(own(&inner, true), expected, "{name}");
    }
}

#[test]
fn an_installer_who_is_a_person_is_never_taken_for_the_app() {
    for (name, inner, expected) in [
        ("the installer writes", json!({ "type": "message", "user": "U_INSTALLER" }), false),
        ("the installer reacts", json!({ "type": "reaction_added", "user": "U_INSTALLER" }), false),
        ("the installer opens the Home tab", json!({ "type": "app_home_opened", "user": "U_INSTALLER" }), false),
        (
            "the app writes in the installer's name",
            json!({ "type": "message", "user": "U_INSTALLER", "app_id": "A_OURS" }),
            true,
        ),
        (
            "the app's bot writes",
            json!({ "type": "message", "user": "U_BOT", "bot_profile": { "app_id": "A_OURS" } }),
            true,
        ),
    ] {
        assert_eq!(own(&inner, false), expected, "{name}");
    }
}

#[test]
fn without_the_fields_that_tell_nothing_is_the_apps_own() {
    let message = json!({ "type": "message", "user": "U_BOT" });
    let by_app = json!({ "type": "message", "app_id": "A_OURS" });
    for (name, root) in [
        ("no authorizations", json!({ "event": message })),
        ("an empty list", json!({ "event": message, "authorizations": [] })),
        ("authorizations that are null", json!({ "event": message, "authorizations": null })),
        (
            "an object for the list",
            json!({ "event": message, "authorizations": { "0": { "user_id": "U_BOT", "is_bot": true } } }),
        ),
        ("no is_bot", json!({ "event": message, "authorizations": [{ "user_id": "U_BOT" }] })),
        ("is_bot as a text", json!({ "event": message, "authorizations": [{ "user_id": "U_BOT", "is_bot": "true" }] })),
        ("no user_id", json!({ "event": message, "authorizations": [{ "is_bot": true }] })),
        (
            "the second authorization",
            json!({ "event": message, "authorizations": [{ "user_id": "U_X", "is_bot": true }, { "user_id": "U_BOT", "is_bot": true }] }),
        ),
        ("neither user", json!({ "event": { "type": "message" }, "authorizations": [{ "is_bot": true }] })),
        (
            "both users empty",
            json!({ "event": { "type": "message", "user": "" }, "authorizations": [{ "user_id": "", "is_bot": true }] }),
        ),
        ("no api_app_id", json!({ "event": by_app })),
        ("no app id on either side", json!({ "event": message, "api_app_id": "" })),
        ("both app ids empty", json!({ "event": { "type": "message", "app_id": "" }, "api_app_id": "" })),
        ("another app", json!({ "event": by_app, "api_app_id": "A_OTHER" })),
    ] {
        let mut root = root;
        root["type"] = json!("event_callback");
        assert!(!event(&root).is_own(), "{name}");
    }
}

#[test]
fn the_published_echo_is_the_apps_own_and_the_others_are_not() {
    assert!(event(&fixture("event/message-own-echo.json")).is_own());
    for name in [
        "message",
        "message-in-dm",
        "message-changed",
        "message-bot-subtype",
        "app_mention",
        "app_home_opened",
        "member_joined_channel",
        "reaction_added",
        "function_executed",
        "message-shared-channel",
        "message-org-install",
        "unknown-type",
        "app_uninstalled",
        "tokens_revoked",
    ] {
        assert!(!event(&fixture(&format!("event/{name}.json"))).is_own(), "{name}");
    }
}

#[test]
fn only_events_can_be_the_apps_own() {
    assert!(
        !command([("command", "/order"), ("user_id", "U_BOT"), ("api_app_id", "A_OURS"), ("app_id", "A_OURS")])
            .is_own()
    );
    for kind in ["block_actions", "view_submission", "view_closed", "shortcut", "message_action", "block_suggestion"] {
        let payload = json!({ "type": kind, "api_app_id": "A_OURS", "app_id": "A_OURS", "user": { "id": "U_BOT" }, "authorizations": [{ "user_id": "U_BOT", "is_bot": true }] });
        assert!(!interaction(&payload).is_own(), "{kind}");
    }
}
