//! Parameters over plain HTTP, as a client without an SDK sends them. Expected behaviour is the API reference of Systems Manager
//! (<https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html> and `PutParameter` beside it).

use crate::Endpoint;
use serde_json::{Value, json};
use tack_local_aws::ssm::{SsmError, VALUE_BYTES_MAX};
use tack_local_aws::{Effect, Fault};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const CANARY: &str = r#"{"SLACK_CLIENT_SECRET":"canary"}"#;
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=AKIAWORKER/20261124/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=00";

/// The answer's status, head and body.
struct Answered {
    status: u16,
    head: String,
    body: Value,
}

async fn call(endpoint: &Endpoint, action: &str, request: &Value) -> Answered {
    let address = endpoint.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = request.to_string();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: AmazonSSM.{action}\r\nAuthorization: {SIGNED}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answered { status, head: head.to_ascii_lowercase(), body: serde_json::from_str(body).unwrap() }
}

async fn get(endpoint: &Endpoint, name: &str, with_decryption: bool) -> Answered {
    call(endpoint, "GetParameter", &json!({ "Name": name, "WithDecryption": with_decryption })).await
}

fn secure(name: &str, value: &str) -> Value {
    json!({ "Name": name, "Value": value, "Type": "SecureString" })
}

fn refused(answered: &Answered) -> (u16, &str) {
    (answered.status, answered.body["__type"].as_str().unwrap())
}

#[tokio::test]
async fn a_secure_string_is_readable_with_decryption_only() {
    let endpoint = Endpoint::start().await;
    endpoint.aws.ssm().put("/tack/secrets", CANARY.into()).unwrap();
    let read = get(&endpoint, "/tack/secrets", true).await;
    assert_eq!(read.status, 200, "{}", read.body);
    assert!(read.head.contains("content-type: application/x-amz-json-1.1"), "{}", read.head);
    let parameter = &read.body["Parameter"];
    assert_eq!(parameter["Value"], CANARY);
    assert_eq!(parameter["Type"], "SecureString");
    assert_eq!(parameter["Version"], 1);
    assert_eq!(parameter["ARN"], "arn:aws:ssm:us-east-1:000000000000:parameter/tack/secrets");
    assert!(parameter["LastModifiedDate"].as_f64().unwrap() > 1_767_225_600.0);
    let opaque = get(&endpoint, "/tack/secrets", false).await;
    assert_eq!(opaque.status, 200);
    let value = opaque.body["Parameter"]["Value"].as_str().unwrap();
    assert!(!value.is_empty() && !value.contains("canary"));
    let by_arn = get(&endpoint, "arn:aws:ssm:us-east-1:000000000000:parameter/tack/secrets", true).await;
    assert_eq!(by_arn.body["Parameter"]["Value"], CANARY);
}

#[tokio::test]
async fn a_plain_string_needs_no_decryption() {
    let endpoint = Endpoint::start().await;
    let put = json!({ "Name": "colour", "Value": "red", "Type": "String" });
    assert_eq!(call(&endpoint, "PutParameter", &put).await.status, 200);
    assert_eq!(get(&endpoint, "colour", false).await.body["Parameter"]["Value"], "red");
    assert_eq!(get(&endpoint, "colour", true).await.body["Parameter"]["Value"], "red");
}

#[tokio::test]
async fn a_parameter_is_overwritten_when_asked_and_only_then() {
    let endpoint = Endpoint::start().await;
    let put = secure("/tack/secrets", "first");
    assert_eq!(call(&endpoint, "PutParameter", &put).await.body, json!({ "Tier": "Standard", "Version": 1 }));
    let again = call(&endpoint, "PutParameter", &secure("/tack/secrets", "second")).await;
    assert_eq!(refused(&again), (400, "ParameterAlreadyExists"));
    assert_eq!(get(&endpoint, "/tack/secrets", true).await.body["Parameter"]["Value"], "first");
    // To overwrite, the type may be left out.
    let overwrite = json!({ "Name": "/tack/secrets", "Value": "second", "Overwrite": true });
    assert_eq!(call(&endpoint, "PutParameter", &overwrite).await.body["Version"], 2);
    let read = get(&endpoint, "/tack/secrets", true).await;
    assert_eq!((&read.body["Parameter"]["Value"], &read.body["Parameter"]["Version"]), (&json!("second"), &json!(2)));
    let mut other_type = secure("/tack/secrets", "third");
    other_type["Type"] = json!("String");
    other_type["Overwrite"] = json!(true);
    let mismatch = call(&endpoint, "PutParameter", &other_type).await;
    assert_eq!(refused(&mismatch), (400, "HierarchyTypeMismatchException"));
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_refused_by_name() {
    let endpoint = Endpoint::start().await;
    assert_eq!(refused(&get(&endpoint, "/tack/secrets", true).await), (400, "ParameterNotFound"));
    let long = "x".repeat(VALUE_BYTES_MAX + 1);
    let puts = [
        (secure("aws.mine", "x"), "ValidationException"),
        (secure("/a", ""), "ValidationException"),
        (secure("/a", &long), "ValidationException"),
        (json!({ "Name": "/a", "Value": "x" }), "ValidationException"),
        (json!({ "Name": "/a", "Type": "String" }), "ValidationException"),
        (json!({ "Name": "/a", "Value": "x", "Type": "Number" }), "UnsupportedParameterType"),
        (json!({ "Name": "/a", "Value": "x", "Type": "SecureString", "KeyId": "alias/nothing" }), "InvalidKeyId"),
    ];
    for (put, code) in puts {
        assert_eq!(refused(&call(&endpoint, "PutParameter", &put).await), (400, code), "{put}");
    }
    let deleted = call(&endpoint, "DeleteParameter", &json!({ "Name": "/a" })).await;
    assert!(deleted.body["__type"].as_str().unwrap().ends_with("UnknownOperationException"));
    let unreadable = call(&endpoint, "PutParameter", &json!({ "Name": "/a", "Value": { "canary": 1 } })).await;
    assert!(unreadable.body["__type"].as_str().unwrap().ends_with("SerializationException"));
    let quoted = call(&endpoint, "PutParameter", &json!({ "Name": "/a", "Value": "x", "Overwrite": "canary" })).await;
    assert!(!quoted.body.to_string().contains("canary"), "{}", quoted.body);
}

#[tokio::test]
async fn a_secure_string_under_a_disabled_key_cannot_be_read() {
    let endpoint = Endpoint::start().await;
    let key = endpoint.aws.kms().create_key("secrets").unwrap();
    let mut put = secure("/tack/secrets", CANARY);
    put["KeyId"] = json!(key);
    assert_eq!(call(&endpoint, "PutParameter", &put).await.status, 200);
    endpoint.aws.kms().disable_key(&key).unwrap();
    assert_eq!(refused(&get(&endpoint, "/tack/secrets", true).await), (400, "InvalidKeyId"));
    endpoint.aws.kms().enable_key(&key).unwrap();
    assert_eq!(get(&endpoint, "/tack/secrets", true).await.body["Parameter"]["Value"], CANARY);
}

#[tokio::test]
async fn calls_are_on_record_with_parameter_and_caller_and_without_the_value() {
    let endpoint = Endpoint::start().await;
    call(&endpoint, "PutParameter", &secure("/tack/secrets", CANARY)).await;
    get(&endpoint, "arn:aws:ssm:us-east-1:000000000000:parameter/tack/secrets", true).await;
    get(&endpoint, "/nothing", true).await;
    let calls = endpoint.aws.calls().snapshot();
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call.action.as_str(), call.resource.as_deref(), call.status, call.error.as_deref()))
        .collect();
    let expected = [
        ("PutParameter", Some("/tack/secrets"), Some(200), None),
        ("GetParameter", Some("/tack/secrets"), Some(200), None),
        ("GetParameter", Some("/nothing"), Some(400), Some("ParameterNotFound")),
    ];
    assert_eq!(told, expected);
    assert!(calls.iter().all(|call| call.service == "ssm" && call.caller.as_deref() == Some("worker")));
    assert!(!format!("{calls:?}").contains("canary"));
}

#[tokio::test]
async fn a_throttle_goes_by_the_name_that_ssm_has_for_it() {
    let endpoint = Endpoint::start().await;
    endpoint.aws.ssm().put("/tack/secrets", CANARY.into()).unwrap();
    endpoint.aws.faults().add(Fault {
        service: "ssm".to_owned(),
        action: "GetParameter".to_owned(),
        resource: Some("/tack/secrets".to_owned()),
        caller: None,
        contains: None,
        effect: Effect::Throttle,
        times: Some(1),
    });
    assert_eq!(refused(&get(&endpoint, "/tack/secrets", true).await), (400, "ThrottlingException"));
    assert_eq!(get(&endpoint, "/tack/secrets", true).await.status, 200);
}

#[test]
fn a_secret_that_is_set_from_rust_obeys_the_same_limits() {
    let aws = tack_local_aws::LocalAws::new(tack_local_aws::Clock::system());
    let set = |name: &str, length: usize| aws.ssm().put(name, "x".repeat(length).into());
    assert_eq!(set("/tack/secrets", VALUE_BYTES_MAX), Ok(1));
    assert_eq!(set("/tack/secrets", 1), Ok(2));
    assert!(matches!(set("/tack/secrets", VALUE_BYTES_MAX + 1), Err(SsmError::Validation(_))));
    assert!(matches!(set("no spaces", 1), Err(SsmError::Validation(_))));
}
