//! Commands the app does not have: a Slack client says so, and the app hears nothing.

use super::stand_in::{Http, act, content_slack};
use serde_json::{Value, json};
use tack_simulator::Simulator;

fn typed(channel: &str, text: &str) -> Value {
    json!({"act": "command", "channel": channel, "text": text})
}

fn known(simulator: &Simulator, commands: &[&str]) {
    simulator.set_commands(Some(commands.iter().map(|command| (*command).to_owned()).collect()));
}

#[tokio::test]
async fn a_mistyped_command_reaches_nobody_and_says_why() {
    let (simulator, log) = content_slack();
    known(&simulator, &["/order", "/sample-command"]);
    let acted = act(&simulator, typed("#playground", "/oder 3")).await;
    assert_eq!((acted.shown.outcome, acted.deliveries.len()), ("not_sent", 0));
    assert!(acted.shown.text.as_deref().unwrap().starts_with("/oder is not a valid command."), "{:?}", acted.shown);
    assert!(log.lock().unwrap().is_empty());
    let notices = simulator.read(|state| state.notices_of("ada").to_vec());
    assert_eq!((notices.len(), notices[0].channel.as_str(), notices[0].delivery_id.as_str()), (1, "C0PLAY001", ""));
    assert_eq!(Some(&notices[0].text), acted.shown.text.as_ref());
    assert_eq!(notices[0].why, "the app has no listener for /oder; it has /order, /sample-command");
    assert_eq!(act(&simulator, typed("#playground", "/order 3")).await.deliveries.len(), 1);
    assert_eq!(log.lock().unwrap()[0].payload()["command"], "/order");
}

#[tokio::test]
async fn commands_nobody_named_are_all_sent_and_none_are_when_there_is_none() {
    let (simulator, log) = content_slack();
    act(&simulator, typed("#general", "/anything")).await;
    assert_eq!(log.lock().unwrap().len(), 1);
    known(&simulator, &[]);
    assert_eq!(act(&simulator, typed("#general", "/anything")).await.shown.outcome, "not_sent");
    let why = simulator.read(|state| state.notices_of("ada")[0].why.clone());
    assert_eq!(why, "the app has no listener for /anything; it has none for any command");
    simulator.set_commands(None);
    act(&simulator, typed("#general", "/anything")).await;
    assert_eq!(log.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_reset_keeps_the_commands_and_takes_the_notices() {
    let (simulator, log) = content_slack();
    known(&simulator, &["/order"]);
    act(&simulator, typed("#general", "/oder")).await;
    simulator.reset();
    assert!(simulator.read(|state| state.notices_of("ada").is_empty()));
    assert_eq!(act(&simulator, typed("#general", "/oder")).await.shown.outcome, "not_sent");
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_notice_of_a_mistyped_command_can_be_dismissed_where_it_stands() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    known(&simulator, &["/order"]);
    for channel in ["#general", "#playground"] {
        let answer = http.post("/sim/act", &typed(channel, "/oder")).await.json();
        assert_eq!((&answer["outcome"], &answer["deliveries"]), (&json!("not_sent"), &json!([])));
        assert!(answer["text"].is_string() && answer.get("errors").is_none(), "{answer}");
    }
    act(&simulator, json!({"act": "dismiss", "channel": "#general", "delivery_id": ""})).await;
    let left = simulator.read(|state| state.notices_of("ada").to_vec());
    assert_eq!(left.iter().map(|notice| notice.channel.as_str()).collect::<Vec<_>>(), ["C0PLAY001"]);
}
