//! Installations in DynamoDB where the network is not kind and where someone else may write: replies that get lost after the
//! write was done, ciphertexts in the wrong place, keys that are not there; and what a read costs.

use crate::installations_contract::{
    NOW, access, bot_token, everything, lease, new, read, remove, renew, save, take, team, token, with_user,
    with_webhook,
};
use aws_sdk_dynamodb::types::AttributeValue;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;
use tack_app::idempotency::Held;
use tack_app::install::{InstallKey, Installation, Removal, Removed, Token, TokenHolder, Tokens, TokensParts};
use tack_app::memory::{ManualClock, SeededRandom};
use tack_app::message::QueueName;
use tack_app::ports::{InstallationStore, Leased};
use tack_app::{App, Authorize, HttpClient, LazyPhase, Limits, Record, Worker, WorkerParts};
use tack_aws::DynamoInstallationStore;
use tack_local_aws::{Effect, Fault};
use tack_protocol::EpochSeconds;
use tack_tests::{APP, Aws, INSTALLATIONS_TABLE, TOKEN_KEY};

const SECOND: Duration = Duration::from_secs(1);

fn stack() -> Aws {
    Aws::new(NOW.0).expect("a stack")
}

fn fault(aws: &Aws, service: &str, action: &str, effect: Effect, times: Option<u32>) {
    aws.local().faults().add(Fault {
        service: service.to_owned(),
        action: action.to_owned(),
        resource: None,
        caller: None,
        contains: None,
        effect,
        times,
    });
}

/// The calls since the last look, by service and action.
fn calls(aws: &Aws) -> Vec<String> {
    let calls = aws.local().calls().snapshot();
    aws.local().calls().clear();
    calls.iter().map(|call| format!("{} {}", call.service, call.action)).collect()
}

/// The sort keys under a name.
fn rows(aws: &Aws, key: &InstallKey) -> Vec<String> {
    let items = aws.local().dynamodb().items(INSTALLATIONS_TABLE);
    let ours = items.iter().filter(|item| item["pk"]["S"].as_str() == Some(&key.to_string()));
    let names: BTreeSet<_> = ours.filter_map(|item| item["sk"]["S"].as_str()).map(str::to_owned).collect();
    names.into_iter().collect()
}

fn item(aws: &Aws, key: &InstallKey, sort_key: &str) -> Value {
    let items = aws.local().dynamodb().items(INSTALLATIONS_TABLE);
    let is = |item: &&Value| item["pk"]["S"].as_str() == Some(&key.to_string()) && item["sk"]["S"] == sort_key;
    items.iter().find(is).expect("the row").clone()
}

/// Someone who may write the table puts one row's attribute into another.
async fn move_attribute(aws: &Aws, attribute: &str, from: (&InstallKey, &str), to: (&InstallKey, &str)) {
    let client = aws.clients().dynamodb();
    let name = |text: &str| AttributeValue::S(text.to_owned());
    let at = |key: &InstallKey, sort_key: &str| (name(&key.to_string()), name(sort_key));
    let (pk, sk) = at(from.0, from.1);
    let got = client.get_item().table_name(INSTALLATIONS_TABLE).key("pk", pk).key("sk", sk).send().await;
    let value = got.expect("an answer").item.expect("a row")[attribute].clone();
    let (pk, sk) = at(to.0, to.1);
    let moved = client
        .update_item()
        .table_name(INSTALLATIONS_TABLE)
        .key("pk", pk)
        .key("sk", sk)
        .update_expression(format!("SET {attribute} = :moved"))
        .expression_attribute_values(":moved", value);
    moved.send().await.expect("an answer");
}

/// Why a read failed.
async fn unreadable(store: &DynamoInstallationStore, key: &InstallKey) -> String {
    store.read(std::slice::from_ref(key)).await.expect_err("it must not be readable").to_string()
}

#[tokio::test(start_paused = true)]
async fn a_ciphertext_that_was_moved_to_another_workspace_does_not_decrypt() {
    let aws = stack();
    let store = aws.installations();
    let (rich, poor) = (team("T0RICH"), team("T0POOR"));
    for key in [&rich, &poor] {
        save(&store, &with_webhook(new(key, NOW, key.id()), "https://hooks.slack.com/services/1")).await;
    }
    for attribute in ["ct", "hook"] {
        move_attribute(&aws, attribute, (&rich, "BOT"), (&poor, "BOT")).await;
        let error = match attribute {
            "ct" => unreadable(&store, &poor).await,
            _ => store.read_webhook(&poor).await.expect_err("it must not be readable").to_string(),
        };
        assert!(error.contains("InvalidCiphertextException") && error.contains("moved"), "{attribute}: {error}");
        assert!(error.contains("T#T0POOR"), "{error}");
        assert_eq!(bot_token(&store, &rich).await.as_deref(), Some("T0RICH"));
        save(&store, &with_webhook(new(&poor, NOW.plus(SECOND), "T0POOR"), "https://hooks.slack.com/services/2")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_ciphertext_that_was_moved_to_another_holder_does_not_decrypt() {
    let aws = stack();
    let store = aws.installations();
    let key = team("T0ACME001");
    save(&store, &with_user(new(&key, NOW, "bot"), "U0ADA", "ada")).await;
    save(&store, &with_user(new(&key, NOW.plus(SECOND), "bot"), "U0BOB", "bob")).await;
    move_attribute(&aws, "ct", (&key, "USER#U0ADA"), (&key, "USER#U0BOB")).await;
    let error = store.read_user(&key, &"U0BOB".into()).await.expect_err("Ada's token is not Bob's").to_string();
    assert!(error.contains("InvalidCiphertextException") && error.contains("USER#U0BOB"), "{error}");
    move_attribute(&aws, "ct", (&key, "USER#U0ADA"), (&key, "BOT")).await;
    assert!(unreadable(&store, &key).await.contains("BOT"));
    let ada = store.read_user(&key, &"U0ADA".into()).await.expect("an answer").expect("a grant");
    assert_eq!(access(ada.token.as_ref()), Some("ada"));
}

#[tokio::test(start_paused = true)]
async fn another_app_cannot_open_a_token_even_with_the_same_key() {
    let aws = stack();
    let key = team("T0ACME001");
    save(&aws.installations(), &new(&key, NOW, "bot")).await;
    for other in [Some("A0OTHER01"), None] {
        let error = unreadable(&aws.installations_of(other, TOKEN_KEY), &key).await;
        assert!(error.contains("SLACK_APP_ID"), "{error}");
    }
    assert_eq!(bot_token(&aws.installations(), &key).await.as_deref(), Some("bot"));
}

// Whoever may write the table, but not use our key, must not be able to make the app speak with a token of theirs.
#[tokio::test(start_paused = true)]
async fn a_token_under_another_key_is_refused_and_the_error_names_the_setting() {
    let aws = stack();
    let other = aws.local().kms().create_key("theirs").expect("a key");
    let key = team("T0ACME001");
    save(&aws.installations_of(Some(APP), &other), &new(&key, NOW, "theirs")).await;
    let error = unreadable(&aws.installations(), &key).await;
    assert!(error.contains("IncorrectKeyException") && error.contains("TOKEN_KEY_ID"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_key_is_told_in_words_that_say_what_to_do() {
    let key = team("T0ACME001");
    let aws = stack();
    save(&aws.installations(), &new(&key, NOW, "bot")).await;
    let missing = unreadable(&aws.installations_of(Some(APP), "alias/mistyped"), &key).await;
    assert!(missing.contains("TOKEN_KEY_ID is alias/mistyped") && missing.contains("no key"), "{missing}");
    aws.local().kms().disable_key(TOKEN_KEY).expect("a key");
    let disabled = unreadable(&aws.installations(), &key).await;
    assert!(disabled.contains("enable it again"), "{disabled}");
    let unsaved = aws.installations().save(&new(&key, NOW.plus(SECOND), "xoxb-canary")).await.expect_err("no key");
    assert!(unsaved.to_string().contains("kms:Encrypt"), "{unsaved}");
    assert!(!format!("{unsaved} {unsaved:?}").contains("canary"), "{unsaved}");
    aws.local().kms().enable_key(TOKEN_KEY).expect("a key");
    fault(&aws, "kms", "Decrypt", Effect::Error { status: 400, code: "AccessDeniedException".to_owned() }, Some(1));
    let denied = unreadable(&aws.installations(), &key).await;
    assert!(denied.contains("allow kms:Decrypt"), "{denied}");
}

#[tokio::test(start_paused = true)]
async fn a_read_is_one_call_of_the_table_and_one_of_kms_for_each_secret() {
    let aws = stack();
    let store = aws.installations();
    let (workspace, whole) = (team("T0ACME001"), InstallKey::Enterprise("E0ACME".into()));
    save(&store, &with_webhook(new(&workspace, NOW, "bot"), "https://hooks.slack.com/services/1")).await;
    calls(&aws);
    let read = store.read(&[workspace.clone(), whole.clone()]).await.expect("an answer");
    assert_eq!((read.len(), calls(&aws)), (1, vec!["dynamodb BatchGetItem".to_owned(), "kms Decrypt".to_owned()]));
    assert_eq!(store.list().await.expect("an answer").len(), 1);
    assert_eq!(calls(&aws), ["dynamodb Scan"], "a list opens nothing");
    for expected in [&["dynamodb GetItem", "kms Decrypt"][..], &["dynamodb GetItem"]] {
        let url = store.read_webhook(&workspace).await.expect("an answer").expect("a webhook");
        assert_eq!((url.expose_secret(), calls(&aws)), ("https://hooks.slack.com/services/1", owned(expected)));
    }
    assert_eq!(store.sort_keys(&workspace).await.expect("an answer"), ["BOT"]);
    assert_eq!(calls(&aws), ["dynamodb Query"], "one workspace costs no look at the others");
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

// Without it DynamoDB may answer as of before our own writes: a new installation would not be there, a removal not done.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
#[tokio::test(start_paused = true)]
async fn a_read_asks_for_what_is_there_now() {
    let aws = stack();
    let store = aws.installations();
    let key = team("T0ACME001");
    save(&store, &new(&key, NOW, "bot")).await;
    aws.local().faults().add(Fault {
        service: "dynamodb".to_owned(),
        action: "BatchGetItem".to_owned(),
        resource: None,
        caller: None,
        contains: Some("\"ConsistentRead\":true".to_owned()),
        effect: Effect::Error { status: 400, code: "AccessDeniedException".to_owned() },
        times: Some(1),
    });
    assert!(store.read(std::slice::from_ref(&key)).await.is_err(), "the request did not ask for it");
    assert_eq!(bot_token(&store, &key).await.as_deref(), Some("bot"));
}

#[tokio::test(start_paused = true)]
async fn one_row_that_cannot_be_read_keeps_no_other_out_of_the_list_and_a_new_installation_mends_it() {
    let aws = stack();
    let store = aws.installations();
    let (broken, whole) = (team("T0BROKEN"), team("T0ACME001"));
    for key in [&broken, &whole] {
        save(&store, &new(key, NOW, "bot")).await;
    }
    let name = |text: &str| AttributeValue::S(text.to_owned());
    let damage = aws.clients().dynamodb().update_item().table_name(INSTALLATIONS_TABLE);
    let damage = damage.key("pk", name("T#T0BROKEN")).key("sk", name("BOT"));
    let damage = damage.update_expression("SET doc = :doc").expression_attribute_values(":doc", name("{"));
    damage.send().await.expect("an answer");
    let keys = |all: &[Installation]| all.iter().filter_map(Installation::key).collect::<Vec<_>>();
    let (all, unreadable) = store.list_with_unreadable().await.expect("an answer");
    assert_eq!((keys(&all), unreadable.len()), (vec![whole], 1));
    assert_eq!(store.list().await.expect("an answer"), all);
    assert!(unreadable[0].contains("T#T0BROKEN"), "{unreadable:?}");
    save(&store, &with_user(new(&broken, NOW.plus(SECOND), "bot 2"), "U0ADA", "ada")).await;
    assert_eq!(bot_token(&store, &broken).await.as_deref(), Some("bot 2"));
}

#[tokio::test(start_paused = true)]
async fn what_is_uninstalled_while_it_is_saved_leaves_no_token() {
    // The event comes when the person's row, the history, the bot's row is about to be written.
    for row in ["USER#U0ADA", "H#", "\"BOT\""] {
        let aws = stack();
        let store = aws.installations();
        let key = team("T0ACME001");
        save(&store, &new(&key, NOW, "bot 1")).await;
        aws.local().faults().add(Fault {
            service: "dynamodb".to_owned(),
            action: "PutItem".to_owned(),
            resource: None,
            caller: None,
            contains: Some(row.to_owned()),
            effect: Effect::Delay(Duration::from_millis(100)),
            times: Some(1),
        });
        let late = with_user(new(&key, NOW.plus(SECOND), "bot 2"), "U0ADA", "ada");
        let removal = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            remove(&store, &key, &everything(NOW), NOW.plus(SECOND * 5).seconds()).await
        };
        let ((), removed) = tokio::join!(save(&store, &late), removal);
        assert_eq!(removed, Removed::Yes, "{row}");
        assert!(aws.local().faults().snapshot().is_empty(), "it came in between: {row}");
        assert_eq!(rows(&aws, &key), ["BOT"], "{row}");
        assert!(item(&aws, &key, "BOT").get("ct").is_none(), "{row}");
    }
}

#[tokio::test(start_paused = true)]
async fn kms_opens_a_ciphertext_once_an_hour_and_every_new_one() {
    let aws = stack();
    let store = aws.installations();
    let key = team("T0ACME001");
    save(&store, &new(&key, NOW, "bot")).await;
    calls(&aws);
    let mut opened = Vec::new();
    for wait in [0, 60, 60, 3600, 60] {
        tokio::time::advance(SECOND * wait).await;
        assert_eq!(bot_token(&store, &key).await.as_deref(), Some("bot"));
        opened.push(calls(&aws).iter().filter(|call| *call == "kms Decrypt").count());
    }
    assert_eq!(opened, [1, 0, 0, 1, 0]);
    save(&store, &new(&key, NOW.plus(SECOND), "bot 2")).await;
    assert_eq!(bot_token(&store, &key).await.as_deref(), Some("bot 2"));
    // What is remembered for one place opens no other.
    let other = team("T0POOR");
    save(&store, &new(&other, NOW, "poor")).await;
    move_attribute(&aws, "ct", (&key, "BOT"), (&other, "BOT")).await;
    assert!(unreadable(&store, &other).await.contains("moved"));
}

/// One workspace's own work, as an adopter may send it.
fn work(number: u32) -> Record {
    let body = format!(r#"{{"v":1,"origin":"app","job":"greet","team":"T0ACME001","key":"{number}","payload":{{}}}}"#);
    Record {
        message_id: number.to_string(),
        receipt: number.to_string(),
        queue: QueueName::Events,
        group: None,
        receive_count: 1,
        sent_at: NOW,
        body,
    }
}

#[tokio::test(start_paused = true)]
async fn a_warm_worker_asks_neither_the_table_of_installations_nor_kms_for_an_event() {
    let aws = stack();
    save(&aws.installations(), &new(&team("T0ACME001"), NOW, "bot")).await;
    calls(&aws);
    let clock = Rc::new(ManualClock::at(NOW));
    let http = HttpClient::new(Vec::new()).expect("an HTTP client");
    let tokens = Tokens::new(TokensParts {
        store: Rc::new(aws.installations()),
        credentials: None,
        http: http.clone(),
        slack_api_url: "http://127.0.0.1:9/api/".to_owned(),
        clock: Rc::clone(&clock) as _,
        random: Rc::new(SeededRandom::new(1)),
    });
    let queue = Rc::new(aws.worker_queue());
    let ran = Rc::new(Cell::new(0));
    let count = Rc::clone(&ran);
    let app = App::build(move |app: &mut App<LazyPhase, (), ()>| {
        app.job("greet", async move |_, _: &Value| {
            count.set(count.get() + 1);
            Ok(())
        });
    });
    let worker = Worker::new(
        app.expect("an app"),
        WorkerParts {
            resources: (),
            authorize: Authorize::Installations(Rc::new(tokens)),
            app_id: Some(APP.into()),
            http,
            slack_api_url: "http://127.0.0.1:9/api/".to_owned(),
            store: Rc::new(aws.store()),
            queue: Rc::clone(&queue) as _,
            consumer: queue,
            clock: Rc::clone(&clock) as _,
            random: Rc::new(SeededRandom::new(2)),
            limits: Limits::default(),
        },
    );
    // Two batches at once cold, then warm ones; after a minute the table is asked again, and KMS is not.
    for (number, wait, reads, opens) in [(0, 0, 1, 1), (1, 30, 0, 0), (2, 29, 0, 0), (3, 2, 1, 0), (4, 1, 0, 0)] {
        clock.advance(SECOND * wait);
        tokio::time::advance(SECOND * wait).await;
        let batch = |half: u32| (0..10).map(move |at| work(number * 100 + half * 50 + at)).collect::<Vec<_>>();
        let remaining = Duration::from_secs(30);
        let (left, right) = tokio::join!(worker.run_batch(batch(0), remaining), worker.run_batch(batch(1), remaining));
        assert!(left.is_empty() && right.is_empty(), "{left:?} {right:?}");
        assert_eq!(ran.get(), (number + 1) * 20);
        let calls = calls(&aws);
        let times = |call: &str| calls.iter().filter(|made| *made == call).count();
        assert_eq!((times("dynamodb BatchGetItem"), times("kms Decrypt")), (reads, opens), "batch {number}");
        assert_eq!(times("dynamodb UpdateItem"), 40, "two writes a job");
    }
}

#[tokio::test(start_paused = true)]
async fn throttles_and_inner_failures_are_tried_again() {
    for effect in [Effect::Throttle, Effect::Error { status: 500, code: "InternalServerError".to_owned() }] {
        let aws = stack();
        let store = aws.installations();
        let key = team("T0ACME001");
        for (service, action) in
            [("kms", "Encrypt"), ("kms", "Decrypt"), ("dynamodb", "PutItem"), ("dynamodb", "BatchGetItem")]
        {
            fault(&aws, service, action, effect.clone(), Some(2));
        }
        save(&store, &new(&key, NOW, "bot")).await;
        assert_eq!(bot_token(&store, &key).await.as_deref(), Some("bot"), "{effect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_save_whose_reply_was_lost_is_saved_once() {
    // The person's row, the history, the bot's row.
    for row in ["USER#U0ADA", "H#", "\"BOT\""] {
        let aws = stack();
        let store = aws.installations();
        let key = team("T0ACME001");
        save(&store, &with_user(new(&key, NOW, "bot 1"), "U0ADA", "ada 1")).await;
        aws.local().faults().add(Fault {
            service: "dynamodb".to_owned(),
            action: "PutItem".to_owned(),
            resource: None,
            caller: None,
            contains: Some(row.to_owned()),
            effect: Effect::LoseReply,
            times: Some(1),
        });
        save(&store, &with_user(new(&key, NOW.plus(SECOND), "bot 2"), "U0ADA", "ada 2")).await;
        assert_eq!(bot_token(&store, &key).await.as_deref(), Some("bot 2"));
        assert_eq!(rows(&aws, &key), ["BOT", &format!("H#{}", NOW.0), "USER#U0ADA"], "{row}");
        assert!(aws.local().faults().snapshot().is_empty(), "the reply was lost: {row}");
        let ada = store.read_user(&key, &"U0ADA".into()).await.expect("an answer").expect("a grant");
        assert_eq!(access(ada.token.as_ref()), Some("ada 2"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_and_a_renewal_whose_replies_were_lost_are_known_to_be_ours() {
    let aws = stack();
    let store = aws.installations();
    let key = team("T0ACME001");
    save(&store, &new(&key, NOW, "bot")).await;
    let ours = lease(&key, TokenHolder::Bot, Token::first_version(NOW), 1, NOW);
    fault(&aws, "dynamodb", "UpdateItem", Effect::LoseReply, Some(1));
    assert_eq!(take(&store, &ours, NOW).await, Leased::Won);
    fault(&aws, "dynamodb", "UpdateItem", Effect::LoseReply, Some(1));
    let theirs = lease(&key, TokenHolder::Bot, Token::first_version(NOW), 2, NOW);
    assert!(matches!(take(&store, &theirs, NOW).await, Leased::Busy { .. }));
    fault(&aws, "dynamodb", "UpdateItem", Effect::LoseReply, Some(1));
    assert_eq!(renew(&store, &ours, &token("renewed", NOW)).await, Held::Yes);
    assert_eq!(bot_token(&store, &key).await.as_deref(), Some("renewed"));
}

// The refresh token was used up at Slack: without the old pair in the row nobody could try again within Slack's grace.
#[tokio::test(start_paused = true)]
async fn until_the_new_pair_is_stored_the_old_one_is() {
    let aws = stack();
    let store = aws.installations();
    let key = team("T0ACME001");
    save(&store, &new(&key, NOW, "bot")).await;
    let ours = lease(&key, TokenHolder::Bot, Token::first_version(NOW), 1, NOW);
    assert_eq!(take(&store, &ours, NOW).await, Leased::Won);
    let denied = Effect::Error { status: 400, code: "AccessDeniedException".to_owned() };
    for (service, action) in [("kms", "Encrypt"), ("dynamodb", "UpdateItem")] {
        fault(&aws, service, action, denied.clone(), Some(1));
        assert!(store.renew(&ours, &token("renewed", NOW)).await.is_err(), "{service}");
        assert_eq!(bot_token(&store, &key).await.as_deref(), Some("bot"), "{service}");
    }
    assert_eq!(renew(&store, &ours, &token("renewed", NOW)).await, Held::Yes);
}

#[tokio::test(start_paused = true)]
async fn a_removal_whose_replies_were_lost_and_one_that_was_cut_short_come_to_the_same_end() {
    for effect in [Effect::LoseReply, Effect::Error { status: 400, code: "AccessDeniedException".to_owned() }] {
        let aws = stack();
        let store = aws.installations();
        let key = team("T0ACME001");
        save(&store, &with_user(new(&key, NOW, "bot 1"), "U0ADA", "ada")).await;
        save(&store, &new(&key, NOW.plus(SECOND), "bot 2")).await;
        let at = NOW.plus(SECOND).seconds();
        for action in ["UpdateItem", "DeleteItem"] {
            fault(&aws, "dynamodb", action, effect.clone(), Some(1));
        }
        // The event comes again for as long as it fails.
        let mut ends = 0;
        while store.remove(&key, &everything(NOW), at).await.is_err() {
            ends += 1;
            assert!(ends < 5, "{effect:?}");
        }
        assert_eq!(rows(&aws, &key), ["BOT"], "{effect:?}");
        assert_eq!(item(&aws, &key, "BOT")["gone_why"]["S"], "uninstalled");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_that_opens_a_token_outlives_its_removal() {
    for removal in [everything(NOW.plus(SECOND * 60)), Removal::Bot] {
        let aws = stack();
        let store = aws.installations();
        let key = team("T0ACME001");
        save(&store, &new(&key, NOW, "bot 1")).await;
        save(&store, &with_webhook(new(&key, NOW.plus(SECOND), "bot 2"), "https://hooks.slack.com/services/1")).await;
        assert_eq!(remove(&store, &key, &removal, NOW.plus(SECOND).seconds()).await, Removed::Yes);
        assert_eq!(rows(&aws, &key), ["BOT"]);
        let row = item(&aws, &key, "BOT");
        assert!(row.as_object().expect("a row").values().all(|value| value.get("B").is_none()), "{row}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_purge_leaves_no_row_and_one_whose_replies_were_lost_says_that_it_did_it() {
    let aws = stack();
    let store = aws.installations();
    let key = InstallKey::Enterprise("E0ACME".into());
    save(&store, &with_user(new(&key, NOW, "bot"), "U0ADA", "ada")).await;
    store.set_access(&key, &"T0ACME001".into(), true, NOW.seconds()).await.expect("an answer");
    assert_eq!(remove(&store, &key, &everything(NOW), NOW.seconds()).await, Removed::Yes);
    fault(&aws, "dynamodb", "DeleteItem", Effect::LoseReply, Some(1));
    assert!(store.purge(&key, NOW).await.expect("an answer"));
    assert_eq!(rows(&aws, &key), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn of_the_former_versions_the_last_five_are_kept() {
    let aws = stack();
    let store = aws.installations();
    let key = team("T0ACME001");
    for round in 0..9 {
        save(&store, &new(&key, NOW.plus(SECOND * round), &format!("bot {round}"))).await;
    }
    let kept: Vec<String> = (3..8).map(|round| format!("H#{}", NOW.plus(SECOND * round).0)).collect();
    assert_eq!(rows(&aws, &key), [&["BOT".to_owned()][..], &kept].concat());
    // What was put away opens again where it was: a former version can be put back by hand.
    move_attribute(&aws, "ct", (&key, &kept[4]), (&key, "BOT")).await;
    assert_eq!(bot_token(&store, &key).await.as_deref(), Some("bot 7"));
}

#[tokio::test(start_paused = true)]
async fn the_last_word_on_an_organisations_workspace_counts() {
    let aws = stack();
    let store = aws.installations();
    let key = InstallKey::Enterprise("E0ACME".into());
    save(&store, &new(&key, NOW, "whole")).await;
    let at = |seconds| EpochSeconds(NOW.seconds().0 + seconds);
    for (team, granted, seconds) in
        [("T0A", true, 0), ("T0B", true, 5), ("T0B", false, 9), ("T0B", true, 7), ("T0C", false, 3), ("T0C", true, 3)]
    {
        store.set_access(&key, &team.into(), granted, at(seconds)).await.expect("an answer");
    }
    let teams = store.teams(&key).await.expect("an answer");
    assert_eq!(teams, [("T0A".into(), true, at(0)), ("T0B".into(), false, at(9)), ("T0C".into(), true, at(3))]);
    assert!(store.teams(&team("T0A")).await.expect("an answer").is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_in_the_table_is_a_token_in_clear() {
    let aws = stack();
    let store = aws.installations();
    let key = team("T0ACME001");
    save(&store, &with_webhook(with_user(new(&key, NOW, "xoxb-canary"), "U0ADA", "xoxp-canary"), "https://canary/"))
        .await;
    let ours = lease(&key, TokenHolder::Bot, Token::first_version(NOW), 1, NOW);
    assert_eq!(take(&store, &ours, NOW).await, Leased::Won);
    assert_eq!(renew(&store, &ours, &token("xoxe.xoxb-canary", NOW)).await, Held::Yes);
    save(&store, &new(&key, NOW.plus(SECOND), "xoxb-canary-2")).await;
    let dump = format!("{:?}", aws.local().dynamodb().items(INSTALLATIONS_TABLE));
    let export = format!("{:?}", store.export().await.expect("an answer"));
    let listed = format!("{:?}", store.list().await.expect("an answer"));
    let printed = format!("{:?}", read(&store, &key).await);
    for (name, text) in [("table", dump), ("export", export), ("list", listed), ("an installation", printed)] {
        assert!(!text.contains("canary") && text.contains("T0ACME001"), "{name}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_export_is_read_back_by_a_table_of_the_same_key_and_never_over_what_is_newer() {
    let aws = stack();
    let store = aws.installations();
    let (key, whole) = (team("T0ACME001"), InstallKey::Enterprise("E0ACME".into()));
    save(&store, &with_user(new(&key, NOW, "bot 1"), "U0ADA", "ada")).await;
    save(&store, &new(&key, NOW.plus(SECOND), "bot 2")).await;
    save(&store, &new(&whole, NOW, "whole")).await;
    store.set_access(&whole, &"T0ACME001".into(), true, NOW.seconds()).await.expect("an answer");
    let export = store.export().await.expect("an answer");
    assert_eq!(export.len(), 5, "{export:?}");
    // Lost, all but one workspace that was installed again since.
    let gone = NOW.plus(SECOND);
    assert_eq!(remove(&store, &whole, &everything(gone), gone.seconds()).await, Removed::Yes);
    assert!(store.purge(&whole, gone).await.expect("an answer"));
    save(&store, &new(&key, NOW.plus(SECOND * 2), "bot 3")).await;
    let mut written = 0;
    for row in &export {
        // As it comes back from a file.
        let row: Value = serde_json::from_str(&row.to_string()).expect("JSON");
        written += usize::from(store.import_item(&row).await.expect("an answer"));
    }
    assert_eq!(written, 4, "all but the bot that is newer");
    assert_eq!(bot_token(&store, &key).await.as_deref(), Some("bot 3"));
    assert_eq!(bot_token(&store, &whole).await.as_deref(), Some("whole"));
    assert_eq!(store.teams(&whole).await.expect("an answer").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_row_of_an_export_is_not_imported() {
    let aws = stack();
    let store = aws.installations();
    for odd in [
        "[]",
        "{}",
        r#"{"pk":{"S":"T#T0ACME001"},"sk":{"S":"BOT"}}"#,
        r#"{"pk":{"S":"D#A0#event"},"sk":{"S":"BOT"},"ins":{"N":"1"}}"#,
        r#"{"pk":{"S":"T#T0ACME001"},"ins":{"N":"1"}}"#,
        r#"{"pk":{"S":"T#T0ACME001"},"sk":{"S":"BOT"},"ins":{"N":"soon"}}"#,
        r#"{"pk":{"S":"T#T0ACME001"},"sk":{"S":"BOT"},"ins":{"N":"1"},"ct":{"B":"!"}}"#,
        r#"{"pk":{"S":"T#T0ACME001"},"sk":{"S":"BOT"},"ins":{"N":"1"},"ct":"xoxb-1"}"#,
    ] {
        let odd: Value = serde_json::from_str(odd).expect("JSON");
        assert!(store.import_item(&odd).await.is_err(), "{odd}");
    }
    assert!(aws.local().dynamodb().items(INSTALLATIONS_TABLE).is_empty());
}
