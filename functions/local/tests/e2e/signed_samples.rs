//! `tack events sign`: what it prints is taken by a running app as if Slack had sent it.

use crate::door::Post;
use crate::world::{SIGNING_SECRET, Setup, in_world};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use tack_simulator::sign;

fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/slack").join(name);
    path.to_str().unwrap().to_owned()
}

fn tack_events_sign(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tack"));
    let ended = command.args(["events", "sign"]).args(arguments).env("SLACK_SIGNING_SECRET", SIGNING_SECRET).output();
    let ended = ended.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap()
}

/// The words of a shell command whose quotes are single ones.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = command.trim().chars();
    while let Some(c) = characters.next() {
        let word = words.last_mut().unwrap();
        match c {
            '\'' => is_quoted = !is_quoted,
            '\\' if !is_quoted => word.extend(characters.next().filter(|c| *c != '\n')),
            c if c.is_whitespace() && !is_quoted => words.push(String::new()),
            c => word.push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn the_curl_command_is_one_that_the_door_takes() {
    in_world(Setup::starter(), async |world| {
        for name in ["event/message.json", "command/order-non-ascii.form", "interactive/view_closed.json"] {
            let url = format!("http://{}/slack/events", world.door);
            let command = words(&tack_events_sign(&[&sample(name), "--url", &url]));
            assert_eq!((command[0].as_str(), command.contains(&url)), ("curl", true), "{command:?}");
            let values_of =
                |flag: &'static str| command.windows(2).filter(move |pair| pair[0] == flag).map(|pair| &*pair[1]);
            let mut post = Post::bare(values_of("--data-binary").next().unwrap());
            for header in values_of("-H") {
                let (header, value) = header.split_once(": ").unwrap();
                post = post.header(header, value);
            }
            assert_eq!(post.to(world.door).await.status, 200, "{name}: {command:?}");
        }
        // The message came through to its listener.
        world.settled().await;
        assert_eq!(world.effects("hi, how are you?"), 1);
    });
}

#[test]
fn the_api_gateway_event_is_one_that_the_ingress_takes() {
    in_world(Setup::starter(), async |world| {
        for name in
            ["event/url_verification.json", "event/message.json", "command/order.form", "options/block_suggestion.json"]
        {
            let printed = tack_events_sign(&[&sample(name), "--as", "apigw"]);
            let event: Value = serde_json::from_str(&printed).unwrap();
            let (headers, body) = (&event["headers"], event["body"].as_str().unwrap());
            let timestamp = headers["x-slack-request-timestamp"].as_str().unwrap();
            assert_eq!(headers["x-slack-signature"], sign(SIGNING_SECRET, timestamp, body.as_bytes()), "{name}");
            let answer = world.stack.ingress.invoke(printed.into()).await.unwrap();
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert_eq!(answer["statusCode"], 200, "{name}: {answer}");
        }
    });
}

#[test]
fn without_a_secret_there_is_nothing_to_sign_with_and_the_variable_is_named() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tack"));
    let ended =
        command.args(["events", "sign", &sample("event/message.json")]).env_remove("SLACK_SIGNING_SECRET").output();
    let ended = ended.unwrap();
    assert_eq!(ended.status.code(), Some(3));
    assert!(ended.stdout.is_empty());
    assert!(String::from_utf8_lossy(&ended.stderr).contains("SLACK_SIGNING_SECRET"));
}
