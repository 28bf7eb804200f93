//! What people do besides speaking, and the events Slack documents for it.

use super::stand_in::{Http, Log, Reply, Seen, act, content_slack, refusal, slack};
use serde_json::{Value, json};
use tack_simulator::{Config, Simulator};

/// A Slack whose app hears everything.
fn hearing_everything() -> (Simulator, Log) {
    let mut config = Config::default();
    config.bot_events.push("member_left_channel".to_owned());
    slack(config, |_| Reply::status(200))
}

/// The inner events so far, and none of them again.
fn events(log: &Log) -> Vec<Value> {
    let seen: Vec<Seen> = std::mem::take(&mut *log.lock().unwrap());
    seen.iter().map(|seen| seen.payload()["event"].clone()).collect()
}

async fn say(simulator: &Simulator, channel: &str, text: &str) -> String {
    let said = act(simulator, json!({"act": "say", "channel": channel, "text": text})).await;
    said.shown.message.unwrap()["ts"].as_str().unwrap().to_owned()
}

fn without(mut event: Value, fields: &[&str]) -> Value {
    for field in fields {
        assert!(event.as_object_mut().unwrap().remove(*field).is_some(), "{field} is missing in {event}");
    }
    event
}

/// <https://docs.slack.dev/reference/events/reaction_added/>, <https://docs.slack.dev/reference/events/reaction_removed/>
#[tokio::test]
async fn reactions_tell_who_reacted_to_whose_message() {
    let (simulator, log) = content_slack();
    let ts = say(&simulator, "#playground", "hi").await;
    events(&log);
    let react = json!({"as": "grace", "act": "react", "channel": "#playground", "ts": ts, "name": "eyes"});
    act(&simulator, react.clone()).await;
    let documented = |kind: &str| {
        json!({
            "type": kind, "user": "U0GRACE01", "reaction": "eyes", "item_user": "U0ADA0001",
            "item": {"type": "message", "channel": "C0PLAY001", "ts": ts},
        })
    };
    let heard = events(&log);
    assert_eq!(heard.len(), 1);
    assert_eq!(without(heard[0].clone(), &["event_ts"]), documented("reaction_added"));
    let shown = simulator.read(|state| state.messages("playground")[0].body["reactions"].clone());
    assert_eq!(shown, json!([{"name": "eyes", "users": ["U0GRACE01"], "count": 1}]));
    assert!(refusal(&simulator, react.clone()).await.contains("already_reacted"));

    let mut unreact = react;
    unreact["act"] = json!("unreact");
    act(&simulator, unreact.clone()).await;
    assert_eq!(without(events(&log)[0].clone(), &["event_ts"]), documented("reaction_removed"));
    assert_eq!(simulator.read(|state| state.messages("playground")[0].body.get("reactions").cloned()), None);
    assert!(refusal(&simulator, unreact).await.contains("no_reaction"));
    let colons = json!({"act": "react", "channel": "#playground", "ts": ts, "name": ":eyes:"});
    assert!(refusal(&simulator, colons).await.contains("without colons"));
}

/// <https://docs.slack.dev/reference/events/member_joined_channel/>, <https://docs.slack.dev/reference/events/message/channel_join/>
#[tokio::test]
async fn who_comes_and_goes_is_told_in_the_channel_and_to_the_app() {
    let (simulator, log) = hearing_everything();
    act(&simulator, json!({"as": "linus", "act": "leave", "channel": "#playground"})).await;
    let left = events(&log);
    assert_eq!(
        without(left[0].clone(), &["event_ts"]),
        json!({"type": "member_left_channel", "user": "U0LINUS01", "channel": "C0PLAY001", "channel_type": "C", "team": "T0ACME001"})
    );
    assert_eq!((&left[1]["subtype"], &left[1]["user"]), (&json!("channel_leave"), &json!("U0LINUS01")));
    let unheard = json!({"as": "linus", "act": "say", "channel": "#playground", "text": "hi"});
    assert!(refusal(&simulator, unheard).await.contains("is not in"));

    act(&simulator, json!({"as": "linus", "act": "join", "channel": "#playground"})).await;
    let joined = events(&log);
    assert_eq!(
        without(joined[0].clone(), &["ts", "event_ts"]),
        json!({
            "type": "message", "subtype": "channel_join", "user": "U0LINUS01", "text": "<@U0LINUS01> has joined the channel",
            "channel": "C0PLAY001", "channel_type": "channel",
        })
    );
    assert_eq!(
        without(joined[1].clone(), &["event_ts"]),
        json!({"type": "member_joined_channel", "user": "U0LINUS01", "channel": "C0PLAY001", "channel_type": "C", "team": "T0ACME001"})
    );
    assert!(refusal(&simulator, json!({"act": "join", "channel": "#playground"})).await.contains("already"));
    assert!(refusal(&simulator, json!({"act": "leave", "channel": "D0ADA0001"})).await.contains("direct messages"));
    act(&simulator, json!({"act": "leave", "channel": "#ops"})).await;
    assert!(refusal(&simulator, json!({"act": "join", "channel": "#ops"})).await.contains("private"));
}

#[tokio::test]
async fn the_app_hears_of_its_own_coming_and_going() {
    let (simulator, log) = hearing_everything();
    act(&simulator, json!({"act": "invite_app", "channel": "#random"})).await;
    let heard = events(&log);
    assert_eq!((&heard[0]["subtype"], &heard[0]["inviter"]), (&json!("channel_join"), &json!("U0ADA0001")));
    assert_eq!(
        without(heard[1].clone(), &["event_ts"]),
        json!({
            "type": "member_joined_channel", "user": "U0TACKBOT", "channel": "C0RANDOM1", "channel_type": "C",
            "team": "T0ACME001", "inviter": "U0ADA0001",
        })
    );
    assert!(refusal(&simulator, json!({"act": "invite_app", "channel": "#random"})).await.contains("already"));
    say(&simulator, "#random", "hi").await;
    assert_eq!(events(&log).len(), 1);
    act(&simulator, json!({"act": "remove_app", "channel": "#random"})).await;
    let heard = events(&log);
    assert_eq!(heard.len(), 1, "what is written after it left it does not hear");
    assert_eq!((&heard[0]["type"], &heard[0]["user"]), (&json!("member_left_channel"), &json!("U0TACKBOT")));
    say(&simulator, "#random", "hi").await;
    assert!(events(&log).is_empty());
}

/// <https://docs.slack.dev/reference/events/message/message_changed/>, <https://docs.slack.dev/reference/events/message/message_deleted/>
#[tokio::test]
async fn changed_and_deleted_messages_are_told_with_what_they_were() {
    let (simulator, log) = content_slack();
    let ts = say(&simulator, "#playground", "hi").await;
    events(&log);
    act(&simulator, json!({"act": "edit", "channel": "#playground", "ts": ts, "text": "hi, @grace"})).await;
    let changed = events(&log).remove(0);
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let documented: Value =
        serde_json::from_str(include_str!("../../../../events/slack/event/message-changed.json")).unwrap();
    assert_eq!(fields(&changed), fields(&documented["event"]));
    assert_eq!(fields(&changed["message"]), fields(&documented["event"]["message"]));
    assert_eq!(fields(&changed["previous_message"]), fields(&documented["event"]["previous_message"]));
    assert_eq!((&changed["message"]["text"], &changed["message"]["ts"]), (&json!("hi, <@U0GRACE01>"), &json!(ts)));
    assert_eq!(changed["message"]["edited"]["user"], "U0ADA0001");
    assert_eq!(changed["previous_message"]["text"], "hi");

    let of_another = json!({"as": "grace", "act": "delete", "channel": "#playground", "ts": ts});
    assert!(refusal(&simulator, of_another).await.contains("wrote no message"));
    act(&simulator, json!({"act": "delete", "channel": "#playground", "ts": ts})).await;
    let deleted = events(&log).remove(0);
    assert_eq!((&deleted["subtype"], &deleted["deleted_ts"]), (&json!("message_deleted"), &json!(ts)));
    assert_eq!(deleted["previous_message"]["text"], "hi, <@U0GRACE01>");
    assert!(simulator.read(|state| state.messages("playground").is_empty()));
}

/// <https://docs.slack.dev/reference/events/app_home_opened/>
#[tokio::test]
async fn each_tab_of_the_app_says_which_it_is() {
    let (simulator, log) = content_slack();
    for tab in ["home", "messages"] {
        act(&simulator, json!({"as": "grace", "act": "open_home", "tab": tab})).await;
        assert_eq!(
            without(events(&log).remove(0), &["event_ts"]),
            json!({"type": "app_home_opened", "user": "U0GRACE01", "channel": "D0GRACE01", "tab": tab})
        );
    }
    assert!(refusal(&simulator, json!({"act": "open_home", "tab": "shop"})).await.contains("shop"));
}

#[tokio::test]
async fn a_delivery_remembers_who_acted_where() {
    let (simulator, _) = content_slack();
    let ts = say(&simulator, "#playground", "@tack hi").await;
    act(&simulator, json!({"as": "grace", "act": "command", "channel": "#general", "text": "/order"})).await;
    act(&simulator, json!({"as": "linus", "act": "shortcut", "callback_id": "x"})).await;
    let react = json!({"as": "grace", "act": "react", "channel": "#playground", "ts": ts, "name": "eyes"});
    act(&simulator, react).await;
    let of = |name: &str| {
        let all = simulator.deliveries();
        let found = all.iter().find(|delivery| delivery.name == name).unwrap();
        (found.user.clone(), found.channel.clone(), found.ts.clone())
    };
    let expect = |user: &str, channel: &str, ts: &str| (user.to_owned(), channel.to_owned(), ts.to_owned());
    assert_eq!(of("message"), expect("U0ADA0001", "C0PLAY001", &ts));
    assert_eq!(of("app_mention"), expect("U0ADA0001", "C0PLAY001", &ts));
    assert_eq!(of("/order"), expect("U0GRACE01", "C0GENERAL", ""));
    assert_eq!(of("shortcut"), expect("U0LINUS01", "", ""));
    assert_eq!(of("reaction_added"), expect("U0GRACE01", "C0PLAY001", ""));
}

#[tokio::test]
async fn what_one_person_sees_they_can_dismiss() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    let args = json!({"channel": "C0PLAY001", "user": "U0ADA0001", "text": "psst"});
    let posted = http.call("chat.postEphemeral", &args).await;
    let dismiss =
        |who: &str| json!({"as": who, "act": "dismiss", "channel": "#playground", "ts": posted["message_ts"]});
    assert!(refusal(&simulator, dismiss("grace")).await.contains("nothing like that"));
    act(&simulator, dismiss("ada")).await;
    assert!(simulator.read(|state| state.messages("playground").is_empty()));
    assert!(refusal(&simulator, dismiss("ada")).await.contains("nothing like that"));
    let ts = say(&simulator, "#playground", "hi").await;
    let lasting = json!({"act": "dismiss", "channel": "#playground", "ts": ts});
    assert!(refusal(&simulator, lasting).await.contains("nothing like that"));
}
