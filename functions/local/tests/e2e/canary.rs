//! One full life of an app that is installed by OAuth, failures of the flow included, and then a search for its secrets in everything
//! that it left behind. What Slack puts into a body is in the queues, and in the letters that were queue messages.

use crate::message::{message_delivery, now_ms};
use crate::visitor::{Page, Visitor};
use crate::world::{CLIENT_SECRET, Installs, SIGNING_SECRET, Setup, World, in_world, query_of};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::rc::Rc;
use tack_simulator::{Consent, DeliveryRequest, Faults, Target, WebApiFault};

const ACME: &str = "T0ACME001";
/// What the simulated Slack lets anyone read.
const READS: [&str; 9] = [
    "/sim/deliveries",
    "/sim/calls",
    "/sim/faults",
    "/sim/faults/struck",
    "/sim/workspace",
    "/sim/installs",
    "/sim/teams",
    "/sim/views?user=ada",
    "/sim/messages?channel=playground",
];

/// A place and what is written there.
pub(crate) type Place = (String, String);

/// The places in which one of the secrets, or what looks like a whole token, is written.
pub(crate) fn leaks(places: &[Place], secrets: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in places {
        for secret in secrets.iter().filter(|secret| text.contains(secret.as_str())) {
            found.push(format!("{name} holds {secret}: {}", around(text, secret)));
        }
        for prefix in ["xoxb-", "xoxp-", "xoxe-", "xoxe."] {
            for (at, _) in text.match_indices(prefix) {
                let rest = &text[at + prefix.len()..];
                let length =
                    rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte)).count();
                if length >= 16 {
                    found
                        .push(format!("{name} holds a token: {}", around(text, &text[at..at + prefix.len() + length])));
                }
            }
        }
    }
    found
}

fn around(text: &str, part: &str) -> String {
    let (before, after) = text.split_once(part).unwrap();
    let before: String = before.chars().rev().take(80).collect();
    let before: String = before.chars().rev().collect();
    format!("…{before}[{part}]{}…", after.chars().take(80).collect::<String>())
}

/// Items as text, with what is inside their binary attributes.
fn items(world: &World, table: &str) -> Vec<Place> {
    let items = world.stack.aws.dynamodb().items(table);
    let binary =
        items.iter().flat_map(|item| item.as_object().unwrap().values()).filter_map(|value| value["B"].as_str());
    let inside = binary.map(|value| String::from_utf8_lossy(&BASE64.decode(value).unwrap()).into_owned());
    let inside: Vec<String> = inside.collect();
    items.iter().map(Value::to_string).chain(inside).map(|text| (format!("table {table}"), text)).collect()
}

/// Everything that a world leaves behind.
async fn left_behind(world: &World, pages: Vec<Page>) -> Vec<Place> {
    let lines = world.lines();
    assert!(lines.len() > 30, "{} lines", lines.len());
    let mut places: Vec<Place> =
        lines.into_iter().map(|line| (format!("log of {}", line.function), line.line)).collect();
    for table in ["state", "installations"] {
        let items = items(world, table);
        assert!(!items.is_empty(), "{table}");
        places.extend(items);
    }
    for queue in ["events-dlq", "interactions-dlq"] {
        let letters = world.stack.aws.sqs().peek(queue);
        places.extend(letters.iter().map(|letter| (queue.to_owned(), format!("{letter:?}"))));
    }
    places.extend(pages.into_iter().map(|page| ("page of the flow".to_owned(), page.text)));
    let reader = Visitor::new(world.slack_door, Rc::default());
    for path in READS {
        let read = reader.get(path).await;
        assert_eq!(read.status, 200, "{path}: {read:?}");
        places.push((path.to_owned(), read.text));
    }
    for delivery in world.slack.deliveries() {
        let path = format!("/sim/deliveries/{}", delivery.id);
        places.push((path.clone(), reader.get(&path).await.text));
    }
    places
}

fn refused(method: &str, error: &str) -> Faults {
    let fault = WebApiFault { error: Some(error.to_owned()), times: Some(1), ..WebApiFault::default() };
    Faults { web_api: [(method.to_owned(), fault)].into(), ..Faults::default() }
}

/// The flow, ended in every way that a person can end it. The last one is good.
async fn every_end_of_the_flow(world: &World) -> Vec<Page> {
    let consent = Consent::new("ada", Target::Workspace(ACME.to_owned()));
    let mut pages = vec![world.visitor().get("/slack/install").await];
    let mut ended = |page: Page, status: u16| {
        assert_eq!(page.status, status, "{page:?}");
        pages.push(page);
    };
    let begun = async || {
        let visitor = world.visitor();
        let authorize = visitor.get("/slack/install?direct=1&ref=the-campaign-of-autumn").await.location();
        (visitor, authorize)
    };

    let (visitor, authorize) = begun().await;
    let denied = world.slack.deny(query_of(&authorize)).unwrap();
    ended(visitor.get(&denied).await, 400);
    ended(visitor.get(&denied).await, 400);

    let (_, authorize) = begun().await;
    let back = world.slack.allow(query_of(&authorize), &consent).unwrap();
    ended(world.visitor().get(&back).await, 400);

    let (visitor, authorize) = begun().await;
    let back = world.slack.allow(query_of(&authorize), &consent).unwrap();
    ended(visitor.get(&format!("{back}x")).await, 400);
    ended(visitor.get(&back.replace("code=", "code=x")).await, 400);

    for error in ["invalid_code", "bad_client_secret", "fatal_error", "a_new_error"] {
        let (visitor, authorize) = begun().await;
        let back = world.slack.allow(query_of(&authorize), &consent).unwrap();
        world.slack.set_faults(refused("oauth.v2.access", error));
        let page = visitor.get(&back).await;
        assert!(page.status >= 400, "{error}: {page:?}");
        pages.push(page);
        world.slack.set_faults(Faults::default());
    }

    let (visitor, authorize) = begun().await;
    let stateless = Consent { without_state: true, ..consent.clone() };
    let back = world.slack.allow(query_of(&authorize), &stateless).unwrap();
    let again = visitor.get(&back).await.location();
    let back = world.slack.allow(query_of(&again), &consent).unwrap();
    let mut ended = |page: Page, status: u16| {
        assert_eq!(page.status, status, "{page:?}");
        pages.push(page);
    };
    ended(visitor.get(&back).await, 200);
    ended(visitor.get(&back).await, 400);
    pages
}

#[test]
fn the_search_finds_a_secret_and_a_token_and_takes_a_masked_one_for_none() {
    let secrets = BTreeSet::from(["a-state-of-43-characters".to_owned()]);
    let found = |text: &str| leaks(&[("here".to_owned(), text.to_owned())], &secrets).len();
    assert_eq!(found("/slack/oauth_redirect?code=…&state=a-state-of-43-characters"), 1);
    assert_eq!(found(r#"{"access":"xoxb-4a577c0c28a24bc981b7788fa215a995"}"#), 1);
    assert_eq!(found("xoxe.xoxb-1-4a577c0c28a24bc981b7788fa215a995"), 2);
    assert_eq!(found("xoxb-…a995, xoxe-…, and xoxb- is how they begin"), 0);
}

#[test]
fn no_secret_of_a_whole_life_is_in_a_table_a_log_line_a_page_a_letter_or_what_slack_shows() {
    let installs = Installs {
        rotation: true,
        user_scopes: "chat:write",
        more_scopes: &["incoming-webhook"],
        ..Installs::default()
    };
    let mut setup = Setup::installed_drill(installs);
    setup.limits.attempts = 1;
    in_world(setup, async |world| {
        let mut pages = every_end_of_the_flow(world).await;
        world.settled().await;
        // Who starts over without a state has no ref either.
        assert_eq!(world.posted(), ["welcome, sent by nobody"]);

        for (number, text) in ["drill say x", "drill fail x", "drill panic x", "drill enqueue 2"].iter().enumerate() {
            world.deliver(message_delivery(&format!("Ev0CANARY0{number}"), text)).await;
        }
        world.settled().await;
        for error in ["invalid_auth", "token_expired", "token_revoked", "internal_error", "a_new_error"] {
            world.slack.set_faults(refused("chat.postMessage", error));
            world.deliver(message_delivery(&format!("Ev0CANARY{}", error.len()), "drill say refused")).await;
            world.settled().await;
        }
        world.slack.set_faults(Faults::default());
        world.deliver(DeliveryRequest::raw("{}").header("x-slack-signature", "v0=00")).await;

        // A refresh that Slack refuses, and one that it does not.
        let ends = json!({
            "TableName": "installations",
            "Key": { "pk": { "S": format!("T#{ACME}") }, "sk": { "S": "BOT" } },
            "UpdateExpression": "SET tex = :at",
            "ExpressionAttributeValues": { ":at": { "N": (now_ms() - 1).to_string() } },
        });
        for answer in ["invalid_refresh_token", ""] {
            for pid in world.stack.events.pids() {
                world.stack.events.kill(pid).await;
            }
            world.ask_aws("dynamodb", "DynamoDB_20120810.UpdateItem", &ends).await;
            if !answer.is_empty() {
                world.slack.set_faults(refused("oauth.v2.access", answer));
            }
            world.deliver(message_delivery(&format!("Ev0CANARYR{}", answer.len()), "drill say after a refresh")).await;
            world.settled().await;
            world.slack.set_faults(Faults::default());
        }
        assert!(world.wire.refreshes().iter().any(|call| call.answer["ok"] == true));

        let person = world.slack.revoke(ACME, Some("U0ADA0001")).await.unwrap();
        let gone = world.slack.uninstall(ACME).await.unwrap();
        assert!(!person.deliveries.is_empty() && !gone.deliveries.is_empty());
        world.settled().await;
        let now = now_ms() / 1000;
        world.wait_for("the next second", || (now_ms() / 1000 > now).then_some(())).await;
        pages.push(world.install("ada", Target::Workspace(ACME.to_owned())).await);
        world.settled().await;

        let mut secrets: BTreeSet<String> = world.wire.secrets();
        assert!(secrets.len() >= 10 && secrets.iter().any(|secret| secret.contains("/services/")), "{secrets:?}");
        let held = world.held.borrow().clone();
        assert!(held.len() >= 15, "{held:?}");
        secrets.extend(held);
        secrets.extend([CLIENT_SECRET, SIGNING_SECRET].map(str::to_owned));
        assert!(!world.dead_letters().is_empty());
        let places = left_behind(world, pages).await;
        let found = leaks(&places, &secrets);
        assert!(found.is_empty(), "{} of {} secrets:\n{}", found.len(), secrets.len(), found.join("\n"));
        println!("{} places searched for {} secrets", places.len(), secrets.len());
    });
}

#[test]
fn a_wrong_client_secret_is_named_in_the_log_and_on_no_page_and_is_written_nowhere() {
    let wrong = "another-client-secret-that-nobody-may-see";
    in_world(Setup::installed_starter(Installs { client_secret: wrong, ..Installs::default() }), async |world| {
        let page = world.install("ada", Target::Workspace(ACME.to_owned())).await;
        assert!(page.status >= 400 && !page.text.contains("SECRET"), "{page:?}");
        let named =
            |step: &tack_app::step::Step| step.hint.as_deref().is_some_and(|hint| hint.contains("SLACK_CLIENT_SECRET"));
        let step = world.step("a hint", named).await;
        assert_eq!((step.step.as_str(), step.verdict.as_deref()), ("oauth", Some("misconfigured")));
        let secrets =
            [wrong, CLIENT_SECRET].map(str::to_owned).into_iter().chain(world.held.borrow().clone()).collect();
        let mut places: Vec<Place> = world.lines().into_iter().map(|line| ("log".to_owned(), line.line)).collect();
        places.extend(items(world, "state"));
        places.push(("page".to_owned(), page.text));
        assert_eq!(leaks(&places, &secrets), Vec::<String>::new());
        assert!(world.stack.aws.dynamodb().items("installations").is_empty());
    });
}
