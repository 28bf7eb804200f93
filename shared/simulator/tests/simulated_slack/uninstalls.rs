//! Installs that end: tokens that die at once, the events Slack tells it with, late and in either order.
//! Sources: <https://docs.slack.dev/reference/events/app_uninstalled/>, <https://docs.slack.dev/reference/events/tokens_revoked/>

use super::installs::{
    ACME, CLIENT_ID, CLIENT_SECRET, GLOBEX, HOOLI, HOOLI_LABS, HOOLI_XYZ, QUERY, code, empty_world, exchange, install,
    team, token, whole, world,
};
use super::stand_in::{Log, act, refusal};
use serde_json::{Value, json};
use tack_simulator::{Config, DeliveryFaults, Faults, ReplayMode};

/// The events the app saw: type, and the envelope.
fn seen(log: &Log) -> Vec<(String, Value)> {
    let log = log.lock().unwrap();
    log.iter()
        .map(|seen| seen.payload())
        .map(|body| (body["event"]["type"].as_str().unwrap_or_default().to_owned(), body))
        .collect()
}

fn types(log: &Log) -> Vec<String> {
    seen(log).into_iter().map(|(kind, _)| kind).collect()
}

#[tokio::test]
async fn an_uninstalled_app_has_no_token_and_hears_of_it_but_of_nothing_more() {
    let (simulator, http, log) = world(Config::default()).await;
    let acted = simulator.uninstall(ACME).await.unwrap();
    assert_eq!(acted.deliveries.len(), 2);
    assert_eq!(http.call("auth.test", &json!({})).await["error"], "account_inactive");
    let mut events = seen(&log);
    events.sort_by(|one, other| one.0.cmp(&other.0));
    let [(_, uninstalled), (_, revoked)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&uninstalled["team_id"], &uninstalled["event"]["type"]), (&json!(ACME), &json!("app_uninstalled")));
    assert_eq!((uninstalled.get("authorizations"), uninstalled.get("enterprise_id")), (None, None));
    assert_eq!(revoked["event"]["tokens"], json!({"bot": ["U0TACKBOT"]}));
    act(&simulator, json!({"act": "say", "channel": "#general", "text": "@tack are you there?"})).await;
    assert_eq!(log.lock().unwrap().len(), 2);
    assert!(
        refusal(&simulator, json!({"act": "shortcut", "callback_id": "x"}))
            .await
            .contains("not installed in Acme Local")
    );
    let typed = act(&simulator, json!({"act": "command", "channel": "#general", "text": "/order 1"})).await;
    assert_eq!(typed.shown.outcome, "not_sent");
    let back = install(&simulator, &http, "ada", team(ACME)).await;
    assert_ne!(token(&back), "xoxb-simulated-bot-token");
    act(&simulator, json!({"act": "say", "channel": "#general", "text": "again"})).await;
    assert_eq!(types(&log).last().unwrap(), "message");
    assert_eq!(http.call("auth.test", &json!({})).await["error"], "account_inactive", "an old token stays dead");
}

#[tokio::test]
async fn the_events_come_in_the_other_order_and_once_more_later() {
    let (simulator, http, log) = world(Config::default()).await;
    let reorder = DeliveryFaults { reorder: true, ..DeliveryFaults::default() };
    simulator.set_faults(Faults { deliveries: reorder, ..Faults::default() });
    simulator.uninstall(ACME).await.unwrap();
    let one_way = types(&log);
    assert_eq!(one_way, ["app_uninstalled", "tokens_revoked"]);
    simulator.set_faults(Faults::default());
    install(&simulator, &http, "ada", team(ACME)).await;
    simulator.uninstall(ACME).await.unwrap();
    assert_eq!(types(&log)[2..], ["tokens_revoked", "app_uninstalled"]);
    install(&simulator, &http, "ada", team(ACME)).await;
    let late = simulator.deliveries().into_iter().find(|known| known.name == "app_uninstalled").unwrap();
    simulator.replay(&late.id, ReplayMode::Redeliver).await.unwrap();
    let all = seen(&log);
    assert_eq!(all[4].1["event_id"], all[0].1["event_id"], "the same event as then");
    assert!(simulator.read(|state| state.is_installed(ACME)), "a late event ends no install");
}

#[tokio::test]
async fn revoked_tokens_are_told_by_the_ids_of_users() {
    let (simulator, http, log) = empty_world().await;
    let answer = exchange(&http, &code(&simulator, &format!("{QUERY}&user_scope=chat:write"), "ada", team(ACME))).await;
    act(&simulator, json!({"act": "revoke", "user": "ada"})).await;
    assert_eq!(seen(&log)[0].1["event"]["tokens"], json!({"oauth": ["U0ADA0001"]}));
    assert_eq!(http.call_as(&token(&answer["authed_user"]), "auth.test", &json!({})).await["error"], "token_revoked");
    assert_eq!(http.call_as(&token(&answer), "auth.test", &json!({})).await["ok"], true);
    simulator.revoke(ACME, None).await.unwrap();
    assert_eq!(seen(&log)[1].1["event"]["tokens"], json!({"bot": ["U0TACKBOT"]}));
    assert_eq!(http.call_as(&token(&answer), "auth.test", &json!({})).await["error"], "token_revoked");
    assert!(refusal(&simulator, json!({"act": "revoke"})).await.contains("no token"));
    assert!(refusal(&simulator, json!({"as": "grace", "act": "uninstall"})).await.contains("not authorized"));
    assert!(refusal(&simulator, json!({"act": "uninstall", "team": GLOBEX})).await.contains("not authorized"));
    act(&simulator, json!({"act": "uninstall"})).await;
    assert!(!simulator.read(|state| state.is_installed(ACME)));
}

#[tokio::test]
async fn an_app_ends_itself() {
    let (simulator, http, log) = world(Config::default()).await;
    let own = "xoxb-simulated-bot-token";
    assert_eq!(http.call_as(own, "auth.revoke", &json!({"test": true})).await, json!({"ok": true, "revoked": false}));
    assert_eq!(http.call_as(own, "auth.revoke", &json!({})).await, json!({"ok": true, "revoked": true}));
    assert_eq!(http.call_as(own, "auth.test", &json!({})).await["error"], "account_inactive");
    let told =
        simulator.wait_for(std::time::Duration::from_secs(5), |state| (state.deliveries().count() == 2).then_some(()));
    told.await.unwrap();
    let answer = install(&simulator, &http, "ada", team(ACME)).await;
    let args = |id: &str, secret: &str| json!({"client_id": id, "client_secret": secret});
    let uninstall =
        async |id: &str, secret: &str| http.call_as(&token(&answer), "apps.uninstall", &args(id, secret)).await;
    assert_eq!(uninstall("1.1", CLIENT_SECRET).await["error"], "invalid_client_id");
    assert_eq!(uninstall(CLIENT_ID, "wrong").await["error"], "bad_client_secret");
    assert_eq!(uninstall(CLIENT_ID, CLIENT_SECRET).await, json!({"ok": true}));
    assert!(!simulator.read(|state| state.is_installed(ACME)));
    drop(log);
}

#[tokio::test]
async fn a_response_url_goes_with_the_install() {
    let (simulator, http, log) = world(Config::default()).await;
    act(&simulator, json!({"act": "command", "channel": "#general", "text": "/order 1"})).await;
    let url = log.lock().unwrap()[0].payload()["response_url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("http://localhost:4000").unwrap();
    assert_eq!(http.post(path, &json!({"text": "hi"})).await.status, 200);
    simulator.uninstall(ACME).await.unwrap();
    assert_eq!(http.post(path, &json!({"text": "hi"})).await.status, 404);
}

#[tokio::test]
async fn what_people_granted_in_a_workspace_leaves_the_organisations_app_in_it() {
    let (simulator, http, log) = empty_world().await;
    install(&simulator, &http, "gavin", whole(HOOLI)).await;
    simulator.grant_team(HOOLI_XYZ).await.unwrap();
    let query = format!("client_id={CLIENT_ID}&user_scope=chat:write");
    exchange(&http, &code(&simulator, &query, "gavin", team(HOOLI_XYZ))).await;
    act(&simulator, json!({"as": "gavin", "act": "say", "channel": "#general", "text": "hi"})).await;
    assert_eq!(seen(&log).last().unwrap().1["authorizations"][0]["is_enterprise_install"], true);
}

#[tokio::test]
async fn with_rotation_a_revoked_token_is_only_one_token() {
    let (simulator, http, log) = world(Config { installed: false, token_rotation: true, ..Config::default() }).await;
    let answer = install(&simulator, &http, "ada", team(ACME)).await;
    assert_eq!(http.call_as(&token(&answer), "auth.revoke", &json!({})).await["revoked"], true);
    assert_eq!(http.call_as(&token(&answer), "auth.test", &json!({})).await["error"], "token_revoked");
    act(&simulator, json!({"act": "say", "channel": "#general", "text": "still here"})).await;
    assert_eq!(types(&log), ["message"], "the app stays installed and its events flow");
}

#[tokio::test]
async fn an_organisation_grants_and_takes_workspaces() {
    let (simulator, http, log) = empty_world().await;
    let answer = install(&simulator, &http, "gavin", whole(HOOLI)).await;
    let own = token(&answer);
    let gavin = |text: &str| json!({"as": "gavin", "act": "say", "channel": "general", "text": text});
    act(&simulator, gavin("before")).await;
    assert!(log.lock().unwrap().is_empty(), "it is in no workspace at first");
    let posted =
        async |channel: &str| http.call_as(&own, "chat.postMessage", &json!({"channel": channel, "text": "hi"})).await;
    assert_eq!(posted("C0HOOXGEN").await["error"], "team_access_not_granted");
    act(&simulator, json!({"as": "gavin", "act": "grant_team", "team": HOOLI_XYZ})).await;
    let granted = seen(&log)[0].1.clone();
    assert_eq!(granted["event"]["team_ids"], json!([HOOLI_XYZ]));
    assert_eq!(
        (&granted["event"]["type"], &granted["enterprise_id"], granted.get("team_id")),
        (&json!("team_access_granted"), &json!(HOOLI), None)
    );
    assert_eq!(posted("C0HOOXGEN").await["ok"], true);
    assert_eq!(posted("C0HOOLGEN").await["error"], "team_access_not_granted");
    assert_eq!(posted("C0GENERAL").await["error"], "channel_not_found");
    let teams = http.call_as(&own, "auth.teams.list", &json!({})).await;
    assert_eq!(teams["teams"], json!([{"id": HOOLI_XYZ, "name": "Hooli XYZ", "domain": "hooli-xyz"}]));
    simulator.revoke_team(HOOLI_XYZ).await.unwrap();
    assert_eq!(types(&log).last().unwrap(), "team_access_revoked");
    assert_eq!(posted("C0HOOXGEN").await["error"], "team_access_not_granted");
    let before = log.lock().unwrap().len();
    act(&simulator, gavin("after")).await;
    assert_eq!(log.lock().unwrap().len(), before);
    simulator.grant_team(HOOLI_LABS).await.unwrap();
    simulator.uninstall(HOOLI_LABS).await.unwrap();
    let mut last: Vec<_> = seen(&log)[before + 1..].to_vec();
    last.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!((last[0].0.as_str(), last[1].0.as_str()), ("app_uninstalled_team", "team_access_revoked"));
    assert_eq!((&last[0].1["team_id"], &last[0].1["enterprise_id"]), (&json!(HOOLI_LABS), &json!(HOOLI)));
    simulator.uninstall(HOOLI).await.unwrap();
    for (kind, body) in &seen(&log)[before + 3..] {
        assert_eq!((&body["enterprise_id"], body.get("team_id")), (&json!(HOOLI), None), "{kind}");
    }
    assert_eq!(http.call_as(&own, "auth.test", &json!({})).await["error"], "account_inactive");
    assert!(simulator.grant_team(HOOLI_XYZ).await.is_err() && simulator.grant_team(ACME).await.is_err());
}

#[tokio::test]
async fn a_reset_forgets_what_was_said_and_leaves_the_app_where_its_pages_installed_it() {
    let (simulator, http, log) = empty_world().await;
    let token = token(&install(&simulator, &http, "hank", team(GLOBEX)).await);
    simulator.reset();
    assert_eq!(http.call_as(&token, "auth.test", &json!({})).await["team_id"], GLOBEX);
    act(&simulator, json!({"act": "say", "as": "hank", "channel": "#general", "text": "still there?"})).await;
    assert!(types(&log).contains(&"message".to_owned()), "it is in the channel as before: {:?}", types(&log));
}
