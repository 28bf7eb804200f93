//! From the consent page to a token, its renewal and its end, with Slack's refusals on the way.
//! Sources: <https://docs.slack.dev/authentication/installing-with-oauth/>, <https://docs.slack.dev/authentication/using-token-rotation/>,
//! <https://docs.slack.dev/reference/methods/oauth.v2.access/>

use super::installs::{
    ACME, CLIENT_ID, CLIENT_SECRET, GLOBEX, HOOLI, HOOLI_LABS, HOOLI_XYZ, QUERY, code, empty_world, exchange, field,
    install, refresh, team, token, whole, world,
};
use serde_json::{Value, json};
use std::time::Duration;
use tack_simulator::{AuthorizeProblem, Config, Consent};

const CALLBACK: &str = "http://127.0.0.1:3000/slack/oauth_redirect";
const HOUR: Duration = Duration::from_secs(3_600);

/// Time passes.
async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn an_app_that_asks_wrongly_sees_no_consent_page() {
    let (simulator, http, _) = empty_world().await;
    let problem = |query: &str| simulator.authorize(query).err().map(|problem| problem.name());
    assert_eq!(problem(QUERY), None);
    assert_eq!(problem("client_id=1.1&scope=chat:write"), Some("invalid_client_id"));
    assert_eq!(problem("scope=chat:write"), Some("invalid_client_id"));
    assert_eq!(problem(&format!("client_id={CLIENT_ID}")), Some("no_scopes"));
    assert_eq!(problem(&format!("client_id={CLIENT_ID}&scope=Chat%3Awrite")), Some("invalid_scope"));
    let with_uri = |uri: &str| problem(&format!("{QUERY}&redirect_uri={uri}"));
    assert_eq!((with_uri(CALLBACK), with_uri(&format!("{CALLBACK}/below"))), (None, None));
    for uri in [
        "https://evil.example/",
        "http://127.0.0.1:3000/slack",
        "http://127.0.0.1:3000.evil.example/slack/oauth_redirect",
    ] {
        assert_eq!(with_uri(uri), Some("bad_redirect_uri"), "{uri}");
    }
    assert_eq!(
        simulator.authorize(&format!("client_id={CLIENT_ID}&scope=a,%3Cb%3E")).err(),
        Some(AuthorizeProblem::InvalidScope("<b>".to_owned()))
    );
    let asked = http.get(&format!("/sim/oauth/authorize?{QUERY}&user_scope=search:read&team={GLOBEX}")).await;
    assert_eq!((&asked["team"], &asked["has_state"]), (&json!(GLOBEX), &json!(true)));
    assert_eq!((&asked["user_scopes"], &asked["redirect_uri"]), (&json!(["search:read"]), &json!(CALLBACK)));
    assert!(!asked.to_string().contains("s1"), "the state is the app's own: {asked}");
}

#[tokio::test]
async fn only_an_administrator_of_the_place_installs_there() {
    let (simulator, _, _) = empty_world().await;
    let may = |person: &str, target| simulator.allow(QUERY, &Consent::new(person, target)).is_ok();
    assert!(may("ada", team(ACME)) && may("hank", team(GLOBEX)) && may("gavin", team(HOOLI_XYZ)));
    assert!(
        may("gavin", whole(HOOLI)) && may("gavin", team(HOOLI_LABS)),
        "an organisation's admin may everywhere in it"
    );
    assert!(!may("grace", team(ACME)) && !may("ada", team(GLOBEX)) && !may("hank", whole(HOOLI)));
    assert!(!may("jian", team(HOOLI_LABS)) && !may("ada", whole(HOOLI)) && !may("ada", team("T0NOWHERE")));
    let refusal = simulator.allow(QUERY, &Consent::new("grace", team(ACME))).unwrap_err();
    assert!(refusal.0.contains("not authorized to install apps on Acme Local"), "{refusal}");
}

#[tokio::test]
async fn allowing_and_denying_lead_back_to_the_app() {
    let (simulator, http, _) = empty_world().await;
    let query = "client_id=1234567890.1234567890&scope=commands&state=a%26b%20%3D";
    let allowed = simulator.allow(query, &Consent::new("ada", team(ACME))).unwrap();
    assert!(allowed.starts_with(&format!("{CALLBACK}?code=")), "{allowed}");
    assert_eq!(field(&allowed, "state").as_deref(), Some("a&b ="));
    let denied = simulator.deny(query).unwrap();
    assert_eq!(
        (field(&denied, "error").as_deref(), field(&denied, "state").as_deref()),
        (Some("access_denied"), Some("a&b ="))
    );
    assert_eq!(field(&denied, "code"), None);
    let from_marketplace = Consent { without_state: true, ..Consent::new("ada", team(ACME)) };
    assert_eq!(field(&simulator.allow(query, &from_marketplace).unwrap(), "state"), None);
    let body = json!({"query": query, "as": "hank", "team": GLOBEX});
    let by_http = http.post("/sim/oauth/allow", &body).await.json();
    assert!(field(by_http["redirect"].as_str().unwrap(), "code").is_some());
    let denied = http.post("/sim/oauth/deny", &json!({"query": query})).await.json();
    assert_eq!(field(denied["redirect"].as_str().unwrap(), "error").as_deref(), Some("access_denied"));
    assert_eq!(http.post("/sim/oauth/allow", &json!({"query": query, "as": "ada"})).await.status, 400);
    assert_eq!(http.get("/sim/installs").await, json!({"installs": []}), "nothing is installed before the exchange");
}

#[tokio::test]
async fn a_code_becomes_an_install_in_slacks_shape() {
    let (simulator, http, _) = empty_world().await;
    let answer = install(&simulator, &http, "ada", team(ACME)).await;
    let all = [
        "access_token",
        "app_id",
        "authed_user",
        "bot_user_id",
        "enterprise",
        "is_enterprise_install",
        "ok",
        "scope",
        "team",
        "token_type",
    ];
    assert_eq!(keys(&answer), all);
    assert_eq!((&answer["token_type"], &answer["bot_user_id"]), (&json!("bot"), &json!("U0TACKBOT")));
    assert_eq!(answer["team"], json!({"id": ACME, "name": "Acme Local"}));
    assert_eq!((&answer["enterprise"], &answer["is_enterprise_install"]), (&Value::Null, &json!(false)));
    assert_eq!(answer["authed_user"], json!({"id": "U0ADA0001"}));
    assert_eq!(answer["scope"], "app_mentions:read,chat:write,channels:history,channels:read,commands,users:read");
    assert!(token(&answer).starts_with("xoxb-"));
    let test = http.call_as(&token(&answer), "auth.test", &json!({})).await;
    assert_eq!(
        (&test["team_id"], &test["user_id"], &test["bot_id"]),
        (&json!(ACME), &json!("U0TACKBOT"), &json!("B0TACK001"))
    );
    let again = install(&simulator, &http, "ada", team(ACME)).await;
    assert_eq!(token(&again), token(&answer), "a token that does not rotate stays the same");
}

#[tokio::test]
async fn a_code_is_refused_in_slacks_words() {
    let (simulator, http, _) = empty_world().await;
    let own = code(&simulator, &format!("{QUERY}&redirect_uri={CALLBACK}"), "ada", team(ACME));
    let call = |id: &'static str, secret: &'static str, code: String, uri: &'static str| {
        let http = &http;
        async move {
            let fields = [("client_id", id), ("client_secret", secret), ("code", &code), ("redirect_uri", uri)];
            http.form("oauth.v2.access", &fields).await["error"].as_str().unwrap_or("none").to_owned()
        }
    };
    assert_eq!(call("1.1", CLIENT_SECRET, own.clone(), CALLBACK).await, "invalid_client_id");
    assert_eq!(call(CLIENT_ID, "wrong", own.clone(), CALLBACK).await, "bad_client_secret");
    assert_eq!(
        call(CLIENT_ID, CLIENT_SECRET, own.clone(), "http://127.0.0.1:3000/slack/oauth_redirect/x").await,
        "bad_redirect_uri"
    );
    assert_eq!(call(CLIENT_ID, CLIENT_SECRET, own.clone(), "").await, "bad_redirect_uri");
    assert_eq!(call(CLIENT_ID, CLIENT_SECRET, "made-up".to_owned(), CALLBACK).await, "invalid_code");
    assert_eq!(call(CLIENT_ID, CLIENT_SECRET, own.clone(), CALLBACK).await, "none");
    assert_eq!(call(CLIENT_ID, CLIENT_SECRET, own, CALLBACK).await, "invalid_code", "a code works once");
    let late = code(&simulator, QUERY, "ada", team(ACME));
    let early = code(&simulator, QUERY, "ada", team(ACME));
    later(Duration::from_secs(599)).await;
    assert_eq!(exchange(&http, &early).await["ok"], true);
    later(Duration::from_secs(2)).await;
    assert_eq!(exchange(&http, &late).await["error"], "invalid_code", "a code lives ten minutes");
    let odd = [("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET), ("grant_type", "password")];
    assert_eq!(http.form("oauth.v2.access", &odd).await["error"], "invalid_grant_type");
}

#[tokio::test]
async fn an_app_may_prove_itself_in_the_header() {
    let (simulator, http, _) = empty_world().await;
    let code = code(&simulator, QUERY, "ada", team(ACME));
    // `1234567890.1234567890:simulated-client-secret` in Base64.
    let basic = "Basic MTIzNDU2Nzg5MC4xMjM0NTY3ODkwOnNpbXVsYXRlZC1jbGllbnQtc2VjcmV0";
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", basic)];
    let answer = http.send("POST", "/api/oauth.v2.access", &headers, &format!("code={code}")).await.json();
    assert_eq!(answer["ok"], true, "{answer}");
}

#[tokio::test]
async fn people_grant_for_themselves_and_scopes_add_up() {
    let (simulator, http, _) = empty_world().await;
    let query = format!("client_id={CLIENT_ID}&user_scope=chat:write");
    let answer = exchange(&http, &code(&simulator, &query, "ada", team(ACME))).await;
    assert_eq!(keys(&answer["authed_user"]), ["access_token", "id", "scope", "token_type"]);
    assert_eq!((answer.get("access_token"), &answer["authed_user"]["token_type"]), (None, &json!("user")));
    let own = token(&answer["authed_user"]);
    assert!(own.starts_with("xoxp-"), "{own}");
    let said = http.call_as(&own, "chat.postMessage", &json!({"channel": "C0RANDOM1", "text": "hi"})).await;
    assert_eq!((&said["ok"], &said["message"]["user"]), (&json!(true), &json!("U0ADA0001")));
    let listed = http.call_as(&own, "users.list", &json!({})).await;
    assert_eq!(
        (&listed["error"], &listed["needed"], &listed["provided"]),
        (&json!("missing_scope"), &json!("users:read"), &json!("chat:write"))
    );
    let more = format!("client_id={CLIENT_ID}&user_scope=users:read");
    let answer = exchange(&http, &code(&simulator, &more, "ada", team(ACME))).await;
    assert_eq!(answer["authed_user"]["scope"], "chat:write,users:read");
    assert_eq!(http.call_as(&own, "users.list", &json!({})).await["ok"], true);
}

#[tokio::test]
async fn an_incoming_webhook_posts_into_its_channel() {
    let (simulator, http, _) = empty_world().await;
    let query = format!("client_id={CLIENT_ID}&scope=incoming-webhook,chat:write");
    let consent = Consent { channel: Some("#lobby".to_owned()), ..Consent::new("hank", team(GLOBEX)) };
    let code = field(&simulator.allow(&query, &consent).unwrap(), "code").unwrap();
    let hook = exchange(&http, &code).await["incoming_webhook"].clone();
    assert_eq!(keys(&hook), ["channel", "channel_id", "configuration_url", "url"]);
    assert_eq!((&hook["channel"], &hook["channel_id"]), (&json!("#lobby"), &json!("C0GLOBLOB")));
    let path = hook["url"].as_str().unwrap().strip_prefix("http://localhost:4000").unwrap().to_owned();
    let answer = http.post(&path, &json!({"text": "from the hook"})).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));
    assert_eq!(http.post(&path, &json!({})).await.text, "no_text");
    assert_eq!(http.post("/services/T0GLOBEX1/B0TACKGLO/guess", &json!({"text": "x"})).await.text, "no_service");
    simulator.read(|state| {
        let message = state.messages("C0GLOBLOB").last().unwrap();
        assert_eq!((message.text(), &message.body["bot_id"]), ("from the hook", &json!("B0TACKGLO")));
    });
    simulator.uninstall(GLOBEX).await.unwrap();
    assert_eq!(http.post(&path, &json!({"text": "late"})).await.text, "no_service");
}

#[tokio::test]
async fn tokens_that_rotate_expire_and_are_refreshed_once() {
    let (simulator, http, _) = world(Config { installed: false, token_rotation: true, ..Config::default() }).await;
    let first = install(&simulator, &http, "ada", team(ACME)).await;
    assert_eq!(first["expires_in"], 43_200);
    let (access, renewal) = (token(&first), first["refresh_token"].as_str().unwrap().to_owned());
    assert!(access.starts_with("xoxe.xoxb-") && renewal.starts_with("xoxe-1-"));
    later(HOUR * 10).await;
    let second = refresh(&http, &renewal).await;
    let all = [
        "access_token",
        "app_id",
        "bot_user_id",
        "enterprise",
        "expires_in",
        "is_enterprise_install",
        "ok",
        "refresh_token",
        "scope",
        "team",
        "token_type",
    ];
    assert_eq!(keys(&second), all);
    assert_eq!(http.call_as(&access, "auth.test", &json!({})).await["ok"], true, "the old token is not ended by it");
    assert_eq!(refresh(&http, &renewal).await["ok"], true, "within its grace it works again");
    assert_eq!(
        http.call_as(&access, "auth.test", &json!({})).await["error"],
        "token_revoked",
        "the oldest of three is taken back"
    );
    later(Duration::from_secs(31)).await;
    assert_eq!(refresh(&http, &renewal).await["error"], "invalid_refresh_token");
    assert_eq!(refresh(&http, "xoxe-1-made-up").await["error"], "invalid_refresh_token");
    later(HOUR * 12).await;
    assert_eq!(http.call_as(&token(&second), "auth.test", &json!({})).await["error"], "token_expired");
    let third = refresh(&http, second["refresh_token"].as_str().unwrap()).await;
    assert_eq!(http.call_as(&token(&third), "auth.test", &json!({})).await["ok"], true);
}

#[tokio::test]
async fn tokens_of_people_rotate_by_themselves() {
    let (simulator, http, _) = world(Config { installed: false, token_rotation: true, ..Config::default() }).await;
    let query = format!("{QUERY}&user_scope=chat:write");
    let answer = exchange(&http, &code(&simulator, &query, "ada", team(ACME))).await;
    assert_eq!(answer["authed_user"]["expires_in"], 43_200);
    let renewed = refresh(&http, answer["authed_user"]["refresh_token"].as_str().unwrap()).await;
    assert_eq!((&renewed["token_type"], &renewed["scope"]), (&json!("user"), &json!("chat:write")));
    assert!(token(&renewed).starts_with("xoxe.xoxp-"));
    assert_eq!(refresh(&http, answer["refresh_token"].as_str().unwrap()).await["token_type"], "bot");
}

#[tokio::test]
async fn a_lasting_token_is_exchanged_once() {
    let client = [("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET), ("token", "xoxb-simulated-bot-token")];
    let (_, http, _) = world(Config::default()).await;
    assert_eq!(http.form("oauth.v2.exchange", &client).await["error"], "token_rotation_not_enabled");
    let (_, http, _) = world(Config { token_rotation: true, ..Config::default() }).await;
    let pair = http.form("oauth.v2.exchange", &client).await;
    assert_eq!((&pair["ok"], &pair["token_type"], &pair["expires_in"]), (&json!(true), &json!("bot"), &json!(43_200)));
    assert_eq!(http.form("oauth.v2.exchange", &client).await["error"], "token_already_exchanged");
    assert_eq!(http.call("auth.test", &json!({})).await["ok"], true);
    refresh(&http, pair["refresh_token"].as_str().unwrap()).await;
    assert_eq!(http.call("auth.test", &json!({})).await["error"], "token_revoked", "it ends with the first refresh");
}

#[tokio::test]
async fn no_token_code_or_secret_is_shown_whole() {
    let (simulator, http, _) = world(Config { installed: false, token_rotation: true, ..Config::default() }).await;
    let mut stream = simulator.subscribe();
    let query = format!("{QUERY}&user_scope=chat:write").replace("commands", "incoming-webhook");
    let code = code(&simulator, &query, "ada", team(ACME));
    let answer = exchange(&http, &code).await;
    let renewed = refresh(&http, answer["refresh_token"].as_str().unwrap()).await;
    http.call_as(&token(&renewed), "auth.test", &json!({})).await;
    simulator.uninstall(ACME).await.unwrap();
    let mut shown = String::new();
    for path in ["/sim/calls", "/sim/deliveries", "/sim/installs", "/sim/teams"] {
        shown.push_str(&http.get(path).await.to_string());
    }
    while let Ok(event) = stream.try_recv() {
        shown.push_str(&event.data.to_string());
    }
    let user = &answer["authed_user"];
    let hook = answer["incoming_webhook"]["url"].as_str().unwrap().rsplit('/').next().unwrap();
    let mut secrets = vec![code.as_str(), CLIENT_SECRET, hook];
    secrets.extend(
        [&answer["access_token"], &answer["refresh_token"], &user["access_token"], &user["refresh_token"]]
            .map(|it| it.as_str().unwrap()),
    );
    secrets.extend([&renewed["access_token"], &renewed["refresh_token"]].map(|it| it.as_str().unwrap()));
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
    assert!(shown.contains("xoxe.xoxb-…") && shown.contains("oauth.v2.access"));
}
