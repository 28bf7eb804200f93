//! Settings that are kept in Systems Manager instead of plain variables: `SLACK_SECRETS_PARAMETER` names a SecureString with
//! our secret ones, `APP_CONFIG_PARAMETER` one with the adopter's own. Each holds a JSON object; a plain variable of the same
//! name wins. Read once, at start; the signing secret again when a signature does not match.
//! Invariant: no value is in an error or a log line.

use crate::client::AwsClients;
use crate::config::{
    APP_CONFIG_PARAMETER, EVENTS_DLQ_URL, EVENTS_QUEUE_URL, INSTALLATIONS_TABLE, INTERACTIONS_DLQ_URL,
    INTERACTIONS_QUEUE_URL, SLACK_APP_TOKEN, SLACK_BOT_TOKEN, SLACK_CLIENT_ID, SLACK_CLIENT_SECRET,
    SLACK_SECRETS_PARAMETER, SLACK_SIGNING_SECRET, STATE_TABLE, TOKEN_KEY_ID,
};
use crate::function::Start;
use crate::parameter_store::{ParameterError, ParameterStore};
use futures_util::future::{LocalBoxFuture, join};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use std::collections::HashMap;
use tack_app::Settings;
use tack_app::ports::{RereadError, SigningSecretSource};
use tack_protocol::SigningSecrets;

/// What is taken from `SLACK_SECRETS_PARAMETER`, and nothing else.
const SECRETS: [&str; 5] =
    [SLACK_SIGNING_SECRET, SLACK_BOT_TOKEN, SLACK_CLIENT_ID, SLACK_CLIENT_SECRET, SLACK_APP_TOKEN];

/// What the adopter's parameter may not set: where we send, what we accept, and how.
const RESERVED: [&str; 3] = ["AWS_", "SLACK_", "TACK_"];

/// Ours that do not begin so.
const RESERVED_NAMES: [&str; 8] = [
    APP_CONFIG_PARAMETER,
    EVENTS_DLQ_URL,
    EVENTS_QUEUE_URL,
    INSTALLATIONS_TABLE,
    INTERACTIONS_DLQ_URL,
    INTERACTIONS_QUEUE_URL,
    STATE_TABLE,
    TOKEN_KEY_ID,
];

fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| name.starts_with(reserved)) || RESERVED_NAMES.contains(&name)
}

/// Values by the name of their variable.
pub(crate) type Values = HashMap<String, SecretString>;

/// What the two parameters hold, or every problem with them.
pub(crate) async fn read(plain: &Settings, store: &ParameterStore) -> Result<Values, Vec<String>> {
    let (ours, theirs) = join(
        one(plain, store, SLACK_SECRETS_PARAMETER, |name| SECRETS.contains(&name)),
        one(plain, store, APP_CONFIG_PARAMETER, |name| !is_reserved(name)),
    )
    .await;
    match (ours, theirs) {
        (Ok(mut values), Ok(more)) => {
            values.extend(more);
            Ok(values)
        }
        (ours, theirs) => Err([ours.err(), theirs.err()].into_iter().flatten().collect()),
    }
}

/// What a parameter holds, if a variable names one.
async fn one(
    plain: &Settings,
    store: &ParameterStore,
    variable: &str,
    is_taken: impl Fn(&str) -> bool,
) -> Result<Values, String> {
    let Some(parameter) = plain.optional(variable) else { return Ok(Values::new()) };
    let json = store.get(&parameter).await.map_err(|error| explain(variable, &parameter, &error))?;
    let (values, ignored) = parse(variable, &parameter, &json, is_taken)?;
    if !ignored.is_empty() {
        tracing::warn!(
            parameter,
            names = ignored.join(","),
            "names in a parameter that are no settings of it were ignored"
        );
    }
    Ok(values)
}

/// The values, and the names that were left out.
fn parse(
    variable: &str,
    parameter: &str,
    json: &SecretString,
    is_taken: impl Fn(&str) -> bool,
) -> Result<(Values, Vec<String>), String> {
    // The error of serde would repeat what it stumbled over.
    let object: Map<String, Value> = serde_json::from_str(json.expose_secret())
        .map_err(|_| format!("{variable}: the parameter {parameter} must hold a JSON object of settings by name"))?;
    let (mut values, mut ignored) = (Values::new(), Vec::new());
    for (name, value) in object {
        if !is_taken(&name) {
            ignored.push(if is_variable_name(&name) { name } else { "(not a name)".to_owned() });
            continue;
        }
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(is) => is.to_string(),
            _ => return Err(format!("{variable}: {name} in the parameter {parameter} must be text")),
        };
        values.insert(name, text.into());
    }
    Ok((values, ignored))
}

/// Someone may have put a value where the name belongs.
fn is_variable_name(name: &str) -> bool {
    name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn explain(variable: &str, parameter: &str, error: &ParameterError) -> String {
    let head = format!("{variable}: the parameter {parameter} cannot be read");
    match error {
        ParameterError::Refused { code, .. } if code == "ParameterNotFound" => {
            format!("{head}: there is none of this name in this account and region")
        }
        ParameterError::Refused { code, message } if code == "AccessDeniedException" => format!(
            "{head}: {message}; allow ssm:GetParameter on the parameter, and kms:Decrypt on its key if that is not aws/ssm, to \
             this function's role"
        ),
        ParameterError::Refused { code, message } if code == "InvalidKeyId" => {
            format!(
                "{head}: {message}; allow kms:Decrypt on the parameter's key to this function's role, and see that the key is enabled"
            )
        }
        ParameterError::Refused { code, message } => format!("{head}: {code}: {message}"),
        ParameterError::Trouble(what) => format!("{head}: {what}"),
    }
}

/// The plain settings with what the parameters hold behind them. A plain variable wins.
pub(crate) fn behind(plain: Settings, values: Values) -> Settings {
    let problems = plain.problems();
    let settings = Settings::new(move |name| {
        plain.optional(name).or_else(|| values.get(name).map(|value| value.expose_secret().to_owned()))
    });
    for problem in problems {
        let _known = settings.problem(problem);
    }
    settings
}

/// The signing secrets in `SLACK_SECRETS_PARAMETER`.
pub(crate) struct SigningSecretParameter {
    store: ParameterStore,
    parameter: String,
}

impl SigningSecretParameter {
    /// Where the signing secrets came from; `None` where they are a plain variable, which no reading changes.
    pub(crate) fn of(start: &Start, clients: &AwsClients) -> Option<Self> {
        let parameter = start.settings.optional(SLACK_SECRETS_PARAMETER)?;
        (!start.has_plain_signing_secret).then(|| Self { store: clients.parameters(), parameter })
    }
}

impl SigningSecretSource for SigningSecretParameter {
    fn reread(&self) -> LocalBoxFuture<'_, Result<SigningSecrets, RereadError>> {
        Box::pin(async move {
            let wrong = |reason: String| RereadError { reason };
            let json = self.store.get(&self.parameter).await;
            let json = json.map_err(|error| wrong(explain(SLACK_SECRETS_PARAMETER, &self.parameter, &error)))?;
            let (values, _) =
                parse(SLACK_SECRETS_PARAMETER, &self.parameter, &json, |name| name == SLACK_SIGNING_SECRET)
                    .map_err(wrong)?;
            let secrets = values.get(SLACK_SIGNING_SECRET).map(ExposeSecret::expose_secret);
            secrets
                .and_then(SigningSecrets::parse)
                .ok_or_else(|| wrong(format!("the parameter {} holds no {SLACK_SIGNING_SECRET}", self.parameter)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::config::Credentials;
    use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;
    use lambda_http::http::Response;
    use serde_json::json;
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;
    use tack_app::SetupError;
    use tokio::time::Instant;

    const OURS: &str = "/tack/prod/secrets";

    /// What Systems Manager does with one request.
    #[derive(Clone, Debug)]
    enum Does {
        Holds(Value),
        Says(u16, &'static str),
        Breaks,
        Hangs,
    }

    /// Systems Manager, in short: what it does next, and what it was asked.
    #[derive(Clone, Debug, Default)]
    struct Manager {
        next: Arc<Mutex<VecDeque<Does>>>,
        asked: Arc<Mutex<Vec<HttpRequest>>>,
    }

    impl HttpConnector for Manager {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            self.asked.lock().unwrap().push(request);
            let does = self.next.lock().unwrap().pop_front().expect("no further request");
            HttpConnectorFuture::new(async move {
                let (status, body) = match does {
                    Does::Holds(value) => (
                        200,
                        json!({ "Parameter": { "Type": "SecureString", "Value": value.to_string() } }).to_string(),
                    ),
                    Does::Says(status, body) => (status, body.to_owned()),
                    Does::Breaks => return Err(ConnectorError::io("connection reset".into())),
                    Does::Hangs => std::future::pending().await,
                };
                let response = Response::builder().status(status).body(SdkBody::from(body)).unwrap();
                Ok(HttpResponse::try_from(response).unwrap())
            })
        }
    }

    impl Manager {
        fn that(does: impl IntoIterator<Item = Does>) -> Self {
            let manager = Self::default();
            manager.next.lock().unwrap().extend(does);
            manager
        }

        fn store(&self) -> ParameterStore {
            let credentials = Credentials::new("AKIATEST", "secret", Some("session".to_owned()), None, "test");
            ParameterStore::new(SharedHttpConnector::new(self.clone()), credentials, "eu-central-1".to_owned(), None)
        }

        fn requests(&self) -> usize {
            self.asked.lock().unwrap().len()
        }
    }

    fn plain(pairs: &'static [(&'static str, &'static str)]) -> Settings {
        Settings::new(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    const NAMED: &[(&str, &str)] = &[(SLACK_SECRETS_PARAMETER, OURS)];

    async fn settings(plain: Settings, manager: &Manager) -> Settings {
        let values = read(&plain, &manager.store()).await.unwrap();
        behind(plain, values)
    }

    async fn problems(does: impl IntoIterator<Item = Does>) -> Vec<String> {
        read(&plain(NAMED), &Manager::that(does).store()).await.err().unwrap()
    }

    #[tokio::test]
    async fn without_a_parameter_nothing_is_asked() {
        let manager = Manager::default();
        let settings = settings(plain(&[(SLACK_SIGNING_SECRET, "plain")]), &manager).await;
        assert_eq!((settings.optional(SLACK_SIGNING_SECRET).as_deref(), manager.requests()), (Some("plain"), 0));
    }

    // The shape is that of https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
    #[tokio::test]
    async fn the_parameter_is_asked_for_decrypted_and_with_a_signature() {
        let manager = Manager::that([Does::Holds(json!({}))]);
        settings(plain(NAMED), &manager).await;
        let asked = manager.asked.lock().unwrap();
        let [request] = &asked[..] else { panic!("one request") };
        assert_eq!((request.method(), request.uri()), ("POST", "https://ssm.eu-central-1.amazonaws.com/"));
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        assert_eq!(body, json!({ "Name": OURS, "WithDecryption": true }));
        let header = |name| request.headers().get(name).unwrap_or_default();
        assert_eq!(header("content-type"), "application/x-amz-json-1.1");
        assert_eq!(header("x-amz-target"), "AmazonSSM.GetParameter");
        assert_eq!(header("x-amz-security-token"), "session");
        let signed = header("authorization");
        assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIATEST/"), "{signed}");
        assert!(signed.contains("/eu-central-1/ssm/aws4_request"), "{signed}");
        for name in ["content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"] {
            assert!(signed.contains(name), "{name}: {signed}");
        }
        // AWS refuses what is dated more than some minutes away, so it is the clock's time and not some other.
        let day = &header("x-amz-date")[..8];
        assert!(signed.contains(&format!("AKIATEST/{day}/")) && !day.starts_with("1970"), "{day}");
    }

    #[tokio::test]
    async fn our_secrets_come_from_the_parameter_and_a_plain_variable_wins() {
        let manager = Manager::that([Does::Holds(json!({
            SLACK_SIGNING_SECRET: "kept",
            SLACK_BOT_TOKEN: "xoxb-kept",
            "STATE_TABLE": "another",
            "AWS_ENDPOINT_URL": "http://elsewhere",
            "ORDERS_TABLE": "orders",
        }))]);
        let plain =
            plain(&[(SLACK_SECRETS_PARAMETER, OURS), (SLACK_BOT_TOKEN, "xoxb-plain"), (SLACK_SIGNING_SECRET, " ")]);
        let settings = settings(plain, &manager).await;
        assert_eq!(settings.optional(SLACK_BOT_TOKEN).as_deref(), Some("xoxb-plain"));
        assert_eq!(settings.optional(SLACK_SIGNING_SECRET).as_deref(), Some("kept"), "a blank variable is none");
        for other in ["STATE_TABLE", "AWS_ENDPOINT_URL", "ORDERS_TABLE"] {
            assert_eq!(settings.optional(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn the_adopters_settings_come_from_theirs_which_cannot_touch_ours() {
        let manager = Manager::that([Does::Holds(json!({
            "ORDERS_TABLE": "orders",
            "ORDERS_LIMIT": 25,
            "ORDERS_OPEN": true,
            SLACK_SIGNING_SECRET: "forged",
            "AWS_ENDPOINT_URL": "http://elsewhere",
            "TACK_LIMITS": "{}",
            STATE_TABLE: "theirs",
            INSTALLATIONS_TABLE: "theirs",
            TOKEN_KEY_ID: "theirs",
            EVENTS_QUEUE_URL: "https://theirs",
            INTERACTIONS_QUEUE_URL: "https://theirs",
            EVENTS_DLQ_URL: "https://theirs",
            INTERACTIONS_DLQ_URL: "https://theirs",
        }))]);
        let settings = settings(plain(&[(APP_CONFIG_PARAMETER, "/orders")]), &manager).await;
        let value = |name| settings.optional(name);
        assert_eq!(value("ORDERS_TABLE").as_deref(), Some("orders"));
        assert_eq!(settings.parsed::<u32>("ORDERS_LIMIT"), Ok(25));
        assert_eq!(settings.parsed::<bool>("ORDERS_OPEN"), Ok(true));
        assert_eq!((value(SLACK_SIGNING_SECRET), value("AWS_ENDPOINT_URL"), value("TACK_LIMITS")), (None, None, None));
        for ours in RESERVED_NAMES {
            assert_eq!(value(ours).filter(|value| value.contains("theirs")), None, "{ours}");
        }
    }

    #[tokio::test]
    async fn problems_found_before_are_not_forgotten() {
        let plain = plain(NAMED);
        let SetupError = plain.problem("AWS_REGION is missing");
        let settings = settings(plain, &Manager::that([Does::Holds(json!({}))])).await;
        assert_eq!(settings.problems(), ["AWS_REGION is missing"]);
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_parameter_is_told_in_words_that_say_what_to_do() {
        let denied = r#"{"__type":"AccessDeniedException","Message":"User: arn:aws:sts::1:assumed-role/ingress is not authorized to perform: ssm:GetParameter"}"#;
        for (does, words) in [
            (Does::Says(400, r#"{"__type":"ParameterNotFound","message":""}"#), ["none of this name", "region"]),
            (Does::Says(400, denied), ["allow ssm:GetParameter", "kms:Decrypt"]),
            (Does::Says(400, r#"{"__type":"InvalidKeyId","message":"x"}"#), ["kms:Decrypt", "enabled"]),
            (
                Does::Says(400, r#"{"__type":"com.amazon#ValidationException","message":"a name"}"#),
                ["ValidationException", "a name"],
            ),
            (Does::Says(404, "<html>"), ["cannot be read", ""]),
            (Does::Says(200, "<html>"), ["holds no parameter", ""]),
            (Does::Holds(json!(["xoxb-canary"])), ["JSON object", ""]),
            (Does::Holds(json!({ SLACK_BOT_TOKEN: ["xoxb-canary"] })), [SLACK_BOT_TOKEN, "must be text"]),
            (Does::Holds(json!("xoxb-canary")), ["JSON object", ""]),
        ] {
            let told = problems([does.clone(), does.clone()]).await;
            let [problem] = &told[..] else { panic!("{told:?}") };
            assert!(problem.contains(SLACK_SECRETS_PARAMETER) && problem.contains(OURS), "{problem}");
            assert!(words.iter().all(|word| problem.contains(word)), "{does:?}: {problem}");
            assert!(!problem.contains("canary"), "{problem}");
        }
    }

    #[tokio::test]
    async fn both_parameters_problems_are_told_at_once() {
        let none = Does::Says(400, r#"{"__type":"ParameterNotFound"}"#);
        let plain = plain(&[(SLACK_SECRETS_PARAMETER, OURS), (APP_CONFIG_PARAMETER, "/orders")]);
        let told = read(&plain, &Manager::that([none.clone(), none]).store()).await.err().unwrap();
        assert_eq!(told.len(), 2, "{told:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_way_an_overload_and_silence_are_tried_once_more() {
        let throttled = Does::Says(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#);
        let failed = Does::Says(500, r#"{"__type":"InternalServerError"}"#);
        for does in [throttled, failed, Does::Breaks, Does::Hangs] {
            let manager = Manager::that([does.clone(), Does::Holds(json!({ SLACK_SIGNING_SECRET: "kept" }))]);
            let started = Instant::now();
            let settings = settings(plain(NAMED), &manager).await;
            assert_eq!(settings.optional(SLACK_SIGNING_SECRET).as_deref(), Some("kept"), "{does:?}");
            assert!(started.elapsed() < Duration::from_secs(3), "{does:?}");
            let manager = Manager::that([does.clone(), does.clone()]);
            assert_eq!(read(&plain(NAMED), &manager.store()).await.err().unwrap().len(), 1);
            assert_eq!(manager.requests(), 2, "{does:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_not_tried_again() {
        let manager = Manager::that([Does::Says(400, r#"{"__type":"ParameterNotFound"}"#)]);
        assert!(read(&plain(NAMED), &manager.store()).await.is_err());
        assert_eq!(manager.requests(), 1);
    }

    fn source(does: impl IntoIterator<Item = Does>) -> SigningSecretParameter {
        SigningSecretParameter { store: Manager::that(does).store(), parameter: OURS.to_owned() }
    }

    #[tokio::test]
    async fn a_signing_secret_is_read_again_and_nothing_else_is_needed_for_it() {
        let kept = json!({ SLACK_SIGNING_SECRET: "old,new", SLACK_BOT_TOKEN: ["odd"], "OTHER": null });
        let secrets = source([Does::Holds(kept)]).reread().await.unwrap();
        assert_eq!(format!("{secrets:?}"), "SigningSecrets(2 hidden)");
        for (kept, word) in [
            (json!({}), "holds no SLACK_SIGNING_SECRET"),
            (json!({ SLACK_SIGNING_SECRET: " , " }), "holds no SLACK_SIGNING_SECRET"),
            (json!([]), "JSON object"),
        ] {
            let error = source([Does::Holds(kept)]).reread().await.unwrap_err().to_string();
            assert!(error.contains(word) && error.contains(OURS), "{error}");
        }
    }
}
