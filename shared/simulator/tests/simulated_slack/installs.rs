//! An app installed by hand: what the other files of installs begin with.

use super::stand_in::{Http, Log, Reply, slack};
use serde_json::Value;
use tack_simulator::{Config, Consent, Simulator, Target};

pub(crate) const ACME: &str = "T0ACME001";
pub(crate) const GLOBEX: &str = "T0GLOBEX1";
pub(crate) const HOOLI: &str = "E0HOOLI01";
pub(crate) const HOOLI_XYZ: &str = "T0HOOLIX1";
pub(crate) const HOOLI_LABS: &str = "T0HOOLIL1";

pub(crate) const CLIENT_ID: &str = "1234567890.1234567890";
pub(crate) const CLIENT_SECRET: &str = "simulated-client-secret";
pub(crate) const QUERY: &str = "client_id=1234567890.1234567890&scope=app_mentions:read,chat:write,channels:history,channels:read,\
    commands,users:read&state=s1";

/// A simulated Slack with an app that takes everything.
pub(crate) async fn world(config: Config) -> (Simulator, Http, Log) {
    let (simulator, log) = slack(config, |_| Reply::status(200));
    let http = Http::serve(&simulator).await;
    (simulator, http, log)
}

/// The same with the app installed nowhere.
pub(crate) async fn empty_world() -> (Simulator, Http, Log) {
    world(Config { installed: false, ..Config::default() }).await
}

pub(crate) fn team(id: &str) -> Target {
    Target::Workspace(id.to_owned())
}

pub(crate) fn whole(id: &str) -> Target {
    Target::Organisation(id.to_owned())
}

/// A field of the query of a URL.
pub(crate) fn field(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// A code that `person` agreed to.
pub(crate) fn code(simulator: &Simulator, query: &str, person: &str, target: Target) -> String {
    field(&simulator.allow(query, &Consent::new(person, target)).unwrap(), "code").unwrap()
}

/// Exchanges a code.
pub(crate) async fn exchange(http: &Http, code: &str) -> Value {
    let fields = [("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET), ("code", code)];
    http.form("oauth.v2.access", &fields).await
}

/// Refreshes a token.
pub(crate) async fn refresh(http: &Http, token: &str) -> Value {
    let client = [("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)];
    let fields = [client[0], client[1], ("grant_type", "refresh_token"), ("refresh_token", token)];
    http.form("oauth.v2.access", &fields).await
}

/// Installs the app; the answer to the exchange.
pub(crate) async fn install(simulator: &Simulator, http: &Http, person: &str, target: Target) -> Value {
    let answer = exchange(http, &code(simulator, QUERY, person, target)).await;
    assert_eq!(answer["ok"], true, "{answer}");
    answer
}

/// The access token of an answer.
pub(crate) fn token(answer: &Value) -> String {
    answer["access_token"].as_str().unwrap().to_owned()
}
