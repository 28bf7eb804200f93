//! `infra/slack-manifest.json` against the starter's listeners: what a workspace is told of, somebody answers, and what
//! listens is told of.
//! Source: <https://docs.slack.dev/reference/app-manifest>

use crate::sources::{read, sources};
use serde_json::Value;
use std::collections::BTreeSet;
use tack_app::Listed;
use tack_listeners::Starter;

/// What Bolt's starter has in its manifest, which must fit as it is.
/// Source: <https://github.com/slack-samples/bolt-js-starter-template>
const BOLTS: [(&str, &[&str]); 4] = [
    ("command", &["/sample-command"]),
    ("shortcut", &["sample_shortcut_id"]),
    ("event", &["app_home_opened", "message.channels"]),
    ("scope", &["channels:history", "chat:write", "commands"]),
];

/// The ids within Bolt's views, which no manifest names.
const BOLTS_IDS: [(&str, &str); 2] = [("action", "sample_action_id"), ("view", "sample_view_id")];

/// The bot scope that a method needs, as its page below <https://docs.slack.dev/reference/methods/> has it.
const SCOPE_OF_METHOD: [(&str, Option<&str>); 4] =
    [("chat.postMessage", Some("chat:write")), ("views.open", None), ("views.publish", None), ("views.update", None)];

/// The bot scope that an event needs, as its page below <https://docs.slack.dev/reference/events/> has it.
const SCOPE_OF_EVENT: [(&str, Option<&str>); 2] =
    [("app_home_opened", None), ("message.channels", Some("channels:history"))];

fn manifest() -> Value {
    serde_json::from_str(&read("infra/slack-manifest.json")).expect("JSON")
}

fn listing() -> Vec<Listed> {
    tack_app::listing::<Starter>().expect("the starter does not contradict itself")
}

/// The texts in an array, or those of one field of its objects.
fn texts(array: &Value, field: Option<&str>) -> BTreeSet<String> {
    let items = array.as_array().unwrap_or_else(|| panic!("not an array: {array}"));
    let text = |item: &Value| field.map_or(item, |field| &item[field]).as_str().expect("a text").to_owned();
    items.iter().map(text).collect()
}

/// What the manifest has of a kind, in the words of the listing.
fn told(kind: &str) -> BTreeSet<String> {
    let manifest = manifest();
    let shortcuts_of = |wanted: &str| {
        let all = manifest["features"]["shortcuts"].as_array().cloned().unwrap_or_default();
        let wanted: Vec<Value> = all.into_iter().filter(|shortcut| shortcut["type"] == wanted).collect();
        texts(&Value::from(wanted), Some("callback_id"))
    };
    match kind {
        "command" => texts(&manifest["features"]["slash_commands"], Some("command")),
        "shortcut" => shortcuts_of("global"),
        "message_shortcut" => shortcuts_of("message"),
        "event" => texts(&manifest["settings"]["event_subscriptions"]["bot_events"], None),
        "scope" => texts(&manifest["oauth_config"]["scopes"]["bot"], None),
        other => panic!("{other} is not in a manifest"),
    }
}

/// What listens to a kind, in the same words: a listener for messages wants a subscription to messages of some sort.
fn heard(kind: &str) -> BTreeSet<String> {
    listing().into_iter().filter(|one| one.kind == kind).map(|one| one.pattern).collect()
}

#[test]
fn whatever_the_manifest_tells_of_has_a_listener_and_the_reverse() {
    for kind in ["command", "shortcut", "message_shortcut"] {
        assert_eq!(told(kind), heard(kind), "left: infra/slack-manifest.json, right: register, of every {kind}");
    }
    let (messages, events): (BTreeSet<_>, _) = told("event").into_iter().partition(|name| name.starts_with("message."));
    assert_eq!(events, heard("event"), "left: infra/slack-manifest.json, right: register");
    assert_eq!(messages.is_empty(), heard("message").is_empty(), "{messages:?}: subscribed to, or listened to, alone");
}

#[test]
fn the_manifest_of_bolts_starter_fits() {
    for (kind, names) in BOLTS {
        let told = told(kind);
        for name in names {
            assert!(told.contains(*name), "{kind} {name} of Bolt's starter is not in infra/slack-manifest.json");
        }
    }
    for (kind, id) in BOLTS_IDS {
        assert!(heard(kind).contains(id), "nothing listens to {kind} {id} of Bolt's starter");
    }
}

#[test]
fn the_app_asks_for_the_scopes_that_it_needs_and_no_others() {
    let mut needed = BTreeSet::new();
    for source in sources().into_iter().filter(|source| source.path.starts_with("shared/listeners/")) {
        for line in &source.code {
            let mut methods: Vec<&str> =
                line.split(".call(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            if line.contains(".say(") {
                methods.push("chat.postMessage");
            }
            for method in methods {
                let known = SCOPE_OF_METHOD.iter().find(|(name, _)| *name == method);
                let (_, scope) = known.unwrap_or_else(|| {
                    panic!("{} calls {method}: say in tests/it/manifest.rs which scope it needs", source.path)
                });
                needed.extend(*scope);
            }
        }
    }
    for event in told("event") {
        let known = SCOPE_OF_EVENT.iter().find(|(name, _)| *name == event);
        let (_, scope) =
            known.unwrap_or_else(|| panic!("{event}: say in tests/it/manifest.rs which scope its subscription needs"));
        needed.extend(*scope);
    }
    // https://docs.slack.dev/reference/scopes/commands: slash commands and shortcuts
    if ["command", "shortcut", "message_shortcut"].iter().any(|kind| !told(kind).is_empty()) {
        needed.insert("commands");
    }
    let needed: BTreeSet<String> = needed.into_iter().map(str::to_owned).collect();
    assert_eq!(told("scope"), needed, "left: infra/slack-manifest.json, right: what the listeners use");
}

#[test]
fn what_the_app_publishes_and_loads_is_switched_on() {
    let manifest = manifest();
    assert_eq!(manifest["features"]["app_home"]["home_tab_enabled"], heard("event").contains("app_home_opened"));
    let interactive = ["action", "view", "shortcut", "message_shortcut", "options"];
    assert_eq!(
        manifest["settings"]["interactivity"]["is_enabled"],
        interactive.iter().any(|kind| !heard(kind).is_empty())
    );
    let options = manifest["settings"]["interactivity"]["message_menu_options_url"].is_string();
    assert_eq!(options, !heard("options").is_empty(), "Slack asks for options only at an address of their own");
}

#[test]
fn every_address_is_the_one_door_and_says_what_to_fill_in() {
    fn addresses(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) if text.starts_with("https://") => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| addresses(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| addresses(field, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    addresses(&manifest(), &mut found);
    let commands = told("command").len();
    assert_eq!(found.len(), commands + 3, "{found:?}");
    for address in found {
        assert!(address.contains("RequestUrl") && address.ends_with("/slack/events"), "{address}");
    }
    assert!(read("infra/template.yaml").contains("\n  RequestUrl:\n"), "the stack says it under this name");
}
