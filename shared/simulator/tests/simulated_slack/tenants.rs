//! Several workspaces side by side: each with its own token, its own events, its own names; a Grid organisation; a shared channel.
//! Sources: <https://docs.slack.dev/enterprise/developing-for-enterprise-orgs/>, <https://docs.slack.dev/apis/slack-connect/>

use super::installs::{ACME, GLOBEX, HOOLI, HOOLI_XYZ, empty_world, install, team, token, whole, world};
use super::stand_in::{Http, text};
use super::stand_in::{Log, Reply, act, slack};
use serde_json::{Value, json};
use tack_simulator::Config;

fn bodies(log: &Log) -> Vec<Value> {
    log.lock().unwrap().iter().map(super::stand_in::Seen::payload).collect()
}

fn last(log: &Log) -> Value {
    bodies(log).pop().unwrap()
}

#[tokio::test]
async fn two_workspaces_have_each_their_own_token_and_events() {
    let (simulator, http, log) = world(Config::default()).await;
    let globex = token(&install(&simulator, &http, "hank", team(GLOBEX)).await);
    act(&simulator, json!({"as": "hank", "act": "say", "channel": "#general", "text": "@tack hi @ada in #lobby"}))
        .await;
    let mention = bodies(&log).into_iter().find(|body| body["event"]["type"] == "app_mention").unwrap();
    assert_eq!(mention["event"]["text"], "<@U0TACKGLO> hi @ada in <#C0GLOBLOB>".replace("@ada", "<@U0ADA0001>"));
    assert_eq!((&mention["team_id"], &mention["event"]["channel"]), (&json!(GLOBEX), &json!("C0GLOBGEN")));
    assert_eq!(
        mention["authorizations"],
        json!([{"enterprise_id": null, "team_id": GLOBEX, "user_id": "U0TACKGLO", "is_bot": true, "is_enterprise_install": false}])
    );
    assert_eq!((&mention["context_team_id"], mention.get("enterprise_id")), (&json!(GLOBEX), None));
    act(&simulator, json!({"act": "say", "channel": "#general", "text": "hi"})).await;
    assert_eq!((&last(&log)["team_id"], &last(&log)["event"]["channel"]), (&json!(ACME), &json!("C0GENERAL")));
    let post = async |token: &str, channel: &str| {
        http.call_as(token, "chat.postMessage", &json!({"channel": channel, "text": "hi"})).await
    };
    let own = post(&globex, "C0GLOBGEN").await;
    assert_eq!(
        (&own["ok"], &own["message"]["user"], &own["message"]["bot_id"]),
        (&json!(true), &json!("U0TACKGLO"), &json!("B0TACKGLO"))
    );
    assert_eq!(post(&globex, "C0GENERAL").await["error"], "channel_not_found");
    assert_eq!(post("xoxb-simulated-bot-token", "C0GLOBGEN").await["error"], "channel_not_found");
    assert_eq!(post(&globex, "general").await["channel"], "C0GLOBGEN");
    let args = json!({"channel": "C0GENERAL"});
    assert_eq!(http.call_as(&globex, "conversations.info", &args).await["error"], "channel_not_found");
    let users = http.call_as(&globex, "users.list", &json!({})).await;
    let ids: Vec<_> = users["members"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["U0HANK001", "U0SCORP01", "U0TACKGLO"]);
    assert_eq!(http.call_as(&globex, "users.info", &json!({"user": "U0GAVIN01"})).await["error"], "user_not_found");
    let home = json!({"user_id": "U0ADA0001", "view": {"type": "home", "blocks": []}});
    assert_eq!(http.call("views.publish", &home).await["ok"], true);
    let calls = http.get("/sim/calls").await;
    let teams: Vec<_> = calls["calls"].as_array().unwrap().iter().map(|call| call["team"].as_str().unwrap()).collect();
    assert_eq!(teams[1..4], [GLOBEX, GLOBEX, ACME]);
}

#[tokio::test]
async fn a_workspace_without_the_app_sends_it_nothing() {
    let (simulator, http, log) = empty_world().await;
    act(&simulator, json!({"act": "say", "channel": "#general", "text": "@tack hi"})).await;
    act(&simulator, json!({"as": "hank", "act": "command", "channel": "#general", "text": "/order 1"})).await;
    assert!(log.lock().unwrap().is_empty());
    assert_eq!(http.call("auth.test", &json!({})).await["error"], "invalid_auth");
    assert_eq!(http.send("POST", "/api/auth.test", &[], "").await.json()["error"], "not_authed");
}

#[tokio::test]
async fn a_trigger_works_for_the_install_it_was_sent_to() {
    let (simulator, log) = slack(Config::default(), |_| Reply::status(200));
    let http = Http::serve(&simulator).await;
    let globex = token(&install(&simulator, &http, "hank", team(GLOBEX)).await);
    act(&simulator, json!({"act": "shortcut", "callback_id": "x"})).await;
    let view = json!({"type": "modal", "title": text("T"), "blocks": []});
    let args = json!({"trigger_id": last(&log)["trigger_id"], "view": view});
    assert_eq!(http.call_as(&globex, "views.open", &args).await["error"], "invalid_trigger_id");
    let opened = http.call("views.open", &args).await;
    assert_eq!((&opened["ok"], &opened["view"]["app_installed_team_id"]), (&json!(true), &json!(ACME)));
    let update = json!({"view_id": opened["view"]["id"], "view": view});
    assert_eq!(http.call_as(&globex, "views.update", &update).await["error"], "not_found");
}

#[tokio::test]
async fn an_org_wide_install_speaks_of_its_organisation() {
    let (simulator, http, log) = empty_world().await;
    let answer = install(&simulator, &http, "gavin", whole(HOOLI)).await;
    assert_eq!((&answer["team"], &answer["is_enterprise_install"]), (&Value::Null, &json!(true)));
    assert_eq!(answer["enterprise"], json!({"id": HOOLI, "name": "Hooli"}));
    simulator.grant_team(HOOLI_XYZ).await.unwrap();
    act(&simulator, json!({"as": "gavin", "act": "say", "channel": "#general", "text": "hi"})).await;
    let event = last(&log);
    assert_eq!((&event["team_id"], &event["enterprise_id"]), (&json!(HOOLI_XYZ), &json!(HOOLI)));
    assert_eq!((&event["context_team_id"], &event["context_enterprise_id"]), (&json!(HOOLI_XYZ), &json!(HOOLI)));
    assert_eq!(
        event["authorizations"],
        json!([{"enterprise_id": HOOLI, "team_id": null, "user_id": "U0TACKHOO", "is_bot": true, "is_enterprise_install": true}])
    );
    act(&simulator, json!({"as": "gavin", "act": "command", "channel": "#general", "text": "/order 2"})).await;
    let command = last(&log);
    assert_eq!((&command["team_id"], &command["team_domain"]), (&json!(HOOLI_XYZ), &json!("hooli-xyz")));
    assert_eq!((&command["enterprise_id"], &command["enterprise_name"]), (&json!(HOOLI), &json!("Hooli")));
    assert_eq!(command["is_enterprise_install"], "true");
    act(&simulator, json!({"as": "gavin", "act": "shortcut", "callback_id": "x"})).await;
    let shortcut = last(&log);
    assert_eq!((&shortcut["team"], &shortcut["is_enterprise_install"]), (&Value::Null, &json!(true)));
    assert_eq!(
        (&shortcut["enterprise"], &shortcut["user"]["team_id"]),
        (&json!({"id": HOOLI, "name": "Hooli"}), &json!(HOOLI_XYZ))
    );
    let own = token(&answer);
    let test = http.call_as(&own, "auth.test", &json!({})).await;
    assert_eq!(
        (&test["team_id"], &test["enterprise_id"], &test["is_enterprise_install"]),
        (&json!(HOOLI), &json!(HOOLI), &json!(true))
    );
    assert_eq!(http.call_as(&own, "users.list", &json!({})).await["error"], "missing_argument");
    assert_eq!(
        http.call_as(&own, "users.list", &json!({"team_id": "T0HOOLIL1"})).await["error"],
        "team_access_not_granted"
    );
    let listed = http.call_as(&own, "conversations.list", &json!({"team_id": HOOLI_XYZ})).await;
    assert_eq!(listed["channels"][0]["id"], "C0HOOXGEN", "{listed}");
    let opened = http
        .call_as(
            &own,
            "views.open",
            &json!({"trigger_id": shortcut["trigger_id"], "view": {"type": "modal", "title": text("T"), "blocks": []}}),
        )
        .await;
    assert_eq!(
        (&opened["view"]["team_id"], &opened["view"]["app_installed_team_id"]),
        (&json!(HOOLI_XYZ), &json!(HOOLI))
    );
    act(&simulator, json!({"as": "gavin", "act": "submit"})).await;
    assert_eq!(
        (&last(&log)["type"], &last(&log)["view"]["app_installed_team_id"]),
        (&json!("view_submission"), &json!(HOOLI))
    );
}

#[tokio::test]
async fn a_workspace_of_an_organisation_may_have_an_install_of_its_own() {
    let (simulator, http, log) = empty_world().await;
    let answer = install(&simulator, &http, "gavin", team(HOOLI_XYZ)).await;
    assert_eq!((&answer["team"]["id"], &answer["enterprise"]["id"]), (&json!(HOOLI_XYZ), &json!(HOOLI)));
    assert_eq!(answer["is_enterprise_install"], false);
    act(&simulator, json!({"as": "gavin", "act": "say", "channel": "#general", "text": "hi"})).await;
    assert_eq!(
        last(&log)["authorizations"],
        json!([{"enterprise_id": HOOLI, "team_id": HOOLI_XYZ, "user_id": "U0TACKHOX", "is_bot": true, "is_enterprise_install": false}])
    );
}

#[tokio::test]
async fn of_a_shared_channel_one_event_comes_with_one_authorization() {
    let (simulator, http, log) = world(Config::default()).await;
    act(&simulator, json!({"act": "invite_app", "channel": "#acme-globex"})).await;
    let before = bodies(&log).len();
    act(&simulator, json!({"as": "hank", "act": "say", "channel": "acme-globex", "text": "greetings from next door"}))
        .await;
    let heard = bodies(&log).split_off(before);
    assert_eq!(heard.len(), 1);
    let (event, inner) = (&heard[0], &heard[0]["event"]);
    // As the published sample of a shared channel has it: the author's workspace outside, the installed one in the authorization.
    assert_eq!((&event["team_id"], &event["context_team_id"]), (&json!(GLOBEX), &json!(ACME)));
    assert_eq!((&event["is_ext_shared_channel"], &event["authorizations"][0]["team_id"]), (&json!(true), &json!(ACME)));
    assert_eq!(
        (&inner["team"], &inner["user_team"], &inner["source_team"]),
        (&json!(GLOBEX), &json!(GLOBEX), &json!(GLOBEX))
    );
    let info = http.call("users.info", &json!({"user": "U0HANK001"})).await;
    assert_eq!((&info["user"]["team_id"], &info["user"]["is_stranger"]), (&json!(GLOBEX), &json!(true)));
    let posted = http.call("chat.postMessage", &json!({"channel": "C0SHARED1", "text": "welcome"})).await;
    assert_eq!(posted["ok"], true);
    install(&simulator, &http, "hank", team(GLOBEX)).await;
    act(&simulator, json!({"as": "hank", "act": "invite_app", "channel": "#acme-globex"})).await;
    let before = bodies(&log).len();
    act(&simulator, json!({"as": "hank", "act": "say", "channel": "acme-globex", "text": "once"})).await;
    act(&simulator, json!({"act": "say", "channel": "acme-globex", "text": "once"})).await;
    let teams: Vec<_> =
        bodies(&log).split_off(before).iter().map(|body| body["authorizations"][0]["team_id"].clone()).collect();
    assert_eq!(teams, [GLOBEX, ACME], "installed on both sides it is still one event, through the author's own");
}

#[tokio::test]
async fn a_reset_goes_back_to_the_installs_of_the_start() {
    let (simulator, http, _) = world(Config::default()).await;
    let globex = token(&install(&simulator, &http, "hank", team(GLOBEX)).await);
    let mut stream = simulator.subscribe();
    simulator.uninstall(ACME).await.unwrap();
    assert!(std::iter::from_fn(|| stream.try_recv().ok()).any(|event| event.name == "slack.install"));
    simulator.reset();
    let installs = http.get("/sim/installs").await;
    assert_eq!((&installs["installs"][0]["id"], installs["installs"].as_array().unwrap().len()), (&json!(ACME), 1));
    assert_eq!(installs["installs"][0]["bot_token"], "xoxb-…oken");
    assert_eq!(http.call("auth.test", &json!({})).await["ok"], true);
    assert_eq!(http.call_as(&globex, "auth.test", &json!({})).await["error"], "invalid_auth");
    let teams = http.get("/sim/teams").await;
    let installed: Vec<_> =
        teams["teams"].as_array().unwrap().iter().map(|team| team["is_installed"].clone()).collect();
    assert_eq!(installed, [true, false, false, false]);
    assert_eq!(teams["enterprises"][0]["id"], HOOLI);
}
