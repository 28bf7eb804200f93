//! The gateway over real HTTP, in front of a real process.

use crate::gate::Gate;
use crate::process::{config, start};
use serde_json::{Value, json};
use std::time::Duration;
use tack_local_aws::gateway::{AnsweredRequest, Gateway, RequestFailure, Route};
use tack_local_aws::lambda::{Function, FunctionConfig, InvokeError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

struct Served {
    address: std::net::SocketAddr,
    function: Function,
    answered: UnboundedReceiver<AnsweredRequest>,
}

async fn serve(config: FunctionConfig) -> Served {
    let (function, _) = start(config);
    let (observer, answered) = unbounded_channel();
    let route = Route { method: http::Method::POST, path: "/slack/events".into(), function: function.clone() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Gateway::new(vec![route]).observed_by(observer).serve(listener));
    Served { address, function, answered }
}

impl Served {
    /// The answer to a request with these header lines, as text.
    async fn send(&self, request_line: &str, headers: &[&str], body: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut head = format!(
            "{request_line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // A body over the limit is refused before it was sent completely.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    async fn post(&self, headers: &[&str], body: &[u8]) -> String {
        self.send("POST /slack/events", headers, body).await
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn a_function_gets_the_request_as_an_event_and_its_answer_goes_out() {
    let mut served = serve(config()).await;
    let sent = [
        "X-Slack-Signature: v0=a",
        "X-Twice: 1",
        "X-Twice: 2",
        "Cookie: a=b; c=d",
        "Content-Type: application/json",
        "User-Agent: Slackbot 1.0",
    ];
    let answer = served.send("POST /slack/events?a=1&b=%20", &sent, b"{\"type\": \"event_callback\"}").await;
    assert_eq!(status(&answer), "200");
    assert!(answer.to_lowercase().contains("apigw-requestid: "));
    let event: Value = serde_json::from_str(body(&answer)).unwrap();
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "POST /slack/events");
    assert_eq!(event["rawPath"], "/slack/events");
    assert_eq!(event["rawQueryString"], "a=1&b=%20");
    assert_eq!(event["headers"]["x-slack-signature"], "v0=a");
    assert_eq!(event["headers"]["x-twice"], "1,2");
    assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
    assert_eq!(event["cookies"], json!(["a=b", "c=d"]));
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(event["requestContext"]["http"]["userAgent"], "Slackbot 1.0");
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{\"type\": \"event_callback\"}"), &json!(false)));
    let seen = served.answered.recv().await.unwrap();
    assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.status), ("POST", "/slack/events", 200));
    assert_eq!(event["requestContext"]["requestId"], seen.request_id);
    assert_eq!(event["requestContext"]["timeEpoch"], seen.received_ms);
    served.function.shutdown().await;
}

#[tokio::test]
async fn the_observer_sees_the_request_as_it_came_the_answer_and_who_gave_it() {
    let mut served = serve(config()).await;
    let wanted = json!({"statusCode": 201, "headers": {"X-Made": "yes"}, "body": "Grüße"}).to_string();
    let headers = ["X-Do: answer".to_owned(), format!("X-Answer: {wanted}"), "X-Twice: 1".into(), "X-Twice: 2".into()];
    let headers = headers.each_ref().map(String::as_str);
    served.send("POST /slack/events?a=1&b=%20", &headers, b"token=\xff").await;
    let seen = served.answered.recv().await.unwrap();
    assert_eq!((seen.query.as_str(), seen.source_ip.as_str()), ("a=1&b=%20", "127.0.0.1"));
    assert_eq!(seen.body, b"token=\xff".as_slice());
    let (names, values): (Vec<_>, Vec<_>) = seen.headers.iter().map(|(name, value)| (&**name, &**value)).unzip();
    assert_eq!(names, ["host", "connection", "content-length", "x-do", "x-answer", "x-twice", "x-twice"]);
    assert_eq!(values[3..], ["answer", &wanted, "1", "2"]);
    assert_eq!((seen.status, seen.answer_body.as_ref()), (201, "Grüße".as_bytes()));
    for header in [("x-made", "yes"), ("apigw-requestid", &seen.request_id)] {
        assert!(seen.answer_headers.contains(&(header.0.into(), header.1.into())), "{header:?}");
    }
    assert_eq!(seen.failure, None);
    let invocation = seen.invocation.unwrap();
    let process = served.function.processes().pop().unwrap();
    assert_eq!((invocation.function.as_str(), invocation.pid), ("worker", Some(process.pid)));
    assert_eq!(Some(invocation.request_id), process.last_request_id);
    served.function.shutdown().await;
}

#[tokio::test]
async fn the_observer_hears_of_a_request_whose_client_has_hung_up() {
    let mut served = serve(config()).await;
    let gate = Gate::new().await;
    let gate_header = format!("X-Gate: {}", gate.address());
    let headers = ["X-Do: gate", gate_header.as_str()];
    let waiting = tokio::select! {
        _ = served.post(&headers, b"") => panic!("it was answered"),
        waiting = gate.arrival() => waiting,
    };
    let pid = waiting.pid;
    drop(waiting);
    let seen = served.answered.recv().await.unwrap();
    assert_eq!((seen.status, seen.invocation.unwrap().pid), (200, Some(pid)));
    served.function.shutdown().await;
}

#[tokio::test]
async fn the_observer_hears_why_there_was_no_answer_of_the_function() {
    let mut served = serve(FunctionConfig { timeout: Duration::from_millis(1500), ..config() }).await;
    let gate = Gate::new().await;
    let gate_header = format!("X-Gate: {}", gate.address());
    let status = "exit status: 7".to_owned();
    let after = Duration::from_millis(1500);
    served.post(&["X-Do: exit"], b"").await;
    let seen = served.answered.recv().await.unwrap();
    assert_eq!(seen.failure, Some(RequestFailure::Invocation(InvokeError::ProcessExited { status })));
    let exit = served.function.exits().pop().unwrap();
    let invocation = seen.invocation.unwrap();
    assert_eq!((invocation.pid, Some(invocation.request_id)), (Some(exit.pid), exit.request_id));
    let waits = ["X-Do: gate", gate_header.as_str()];
    let (_, waiting) = tokio::join!(served.post(&waits, b""), gate.arrival());
    let seen = served.answered.recv().await.unwrap();
    assert_eq!(seen.failure, Some(RequestFailure::Invocation(InvokeError::TimedOut { after })));
    assert_eq!(seen.invocation.unwrap().pid, Some(waiting.pid));
    served.post(&["X-Do: answer", r#"X-Answer: {"statusCode": "abc"}"#], b"").await;
    let seen = served.answered.recv().await.unwrap();
    assert!(matches!(seen.failure, Some(RequestFailure::Malformed(_))), "{:?}", seen.failure);
    served.function.shutdown().await;
}

#[tokio::test]
async fn forms_and_binary_bodies_reach_the_function_in_base64() {
    let served = serve(config()).await;
    let form = served.post(&["Content-Type: application/x-www-form-urlencoded"], b"text=%C3%BC+x").await;
    let event: Value = serde_json::from_str(body(&form)).unwrap();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("dGV4dD0lQzMlQkMreA=="), &json!(true)));
    let binary = served.post(&["Content-Type: text/plain"], b"\x00\xff").await;
    let event: Value = serde_json::from_str(body(&binary)).unwrap();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("AP8="), &json!(true)));
    served.function.shutdown().await;
}

#[tokio::test]
async fn status_headers_cookies_and_body_of_the_function_go_out() {
    let served = serve(config()).await;
    let wanted = json!({"statusCode": 302, "headers": {"Location": "/done"}, "cookies": ["a=b", "c=d"], "isBase64Encoded": true, "body": "SGVsbG8="});
    let answer = served.post(&["X-Do: answer", &format!("X-Answer: {wanted}")], b"").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(status(head), "302");
    for line in [
        "location: /done",
        "set-cookie: a=b",
        "set-cookie: c=d",
        "content-length: 5",
        "content-type: text/plain;charset=UTF-8",
    ] {
        assert!(head.lines().any(|other| other == line), "{line} in {head}");
    }
    assert_eq!(body, "Hello");
    served.function.shutdown().await;
}

#[tokio::test]
async fn another_path_or_method_is_not_found_and_starts_nothing() {
    let mut served = serve(config()).await;
    for line in ["POST /slack/other", "POST /slack/events/", "GET /slack/events"] {
        let answer = served.send(line, &[], b"").await;
        assert_eq!((status(&answer), body(&answer)), ("404", r#"{"message":"Not Found"}"#), "{line}");
        let seen = served.answered.recv().await.unwrap();
        assert_eq!((seen.status, seen.failure, seen.invocation), (404, Some(RequestFailure::NoRoute), None));
    }
    assert_eq!(served.function.stats().processes, 0);
}

#[tokio::test]
async fn an_error_an_exit_and_a_malformed_answer_are_500() {
    let served = serve(config()).await;
    for headers in [
        ["X-Do: fail", "X-Unused: 1"],
        ["X-Do: exit", "X-Unused: 1"],
        ["X-Do: answer", r#"X-Answer: {"statusCode": "abc"}"#],
    ] {
        let answer = served.post(&headers, b"").await;
        assert_eq!((status(&answer), body(&answer)), ("500", r#"{"message":"Internal Server Error"}"#), "{headers:?}");
    }
    served.function.shutdown().await;
}

#[tokio::test]
async fn a_throttled_request_is_503() {
    let served = serve(FunctionConfig { max_processes: 0, ..config() }).await;
    let answer = served.post(&[], b"").await;
    assert_eq!((status(&answer), body(&answer)), ("503", r#"{"message":"Service Unavailable"}"#));
}

#[tokio::test]
async fn a_body_over_ten_megabytes_and_an_event_over_six_are_413() {
    let mut served = serve(config()).await;
    let event_too_large = vec![b'x'; 7_000_000];
    let answer = served.post(&["Content-Type: text/plain"], &event_too_large).await;
    assert_eq!(status(&answer), "413");
    let body_too_large = vec![b'x'; 10 * 1024 * 1024 + 1];
    served.post(&["Content-Type: text/plain"], &body_too_large).await;
    // The client may lose this answer with the connection, having more to send than anyone reads.
    let (event, body) = (served.answered.recv().await.unwrap(), served.answered.recv().await.unwrap());
    assert_eq!([event.status, body.status], [413, 413]);
    assert_eq!(body.failure, Some(RequestFailure::TooLarge));
    assert_eq!(served.function.stats().invocations, 0);
}

#[tokio::test]
async fn a_function_that_takes_longer_than_the_gateway_waits_is_503_and_runs_on() {
    let mut served = serve(FunctionConfig { timeout: Duration::from_secs(900), ..config() }).await;
    let gate = Gate::new().await;
    let gate_header = format!("X-Gate: {}", gate.address());
    let headers = ["X-Do: gate", gate_header.as_str()];
    let request = served.post(&headers, b"");
    let drill = async {
        let waiting = gate.arrival().await;
        // From here on the clock jumps to whatever is due next, which is the gateway's 30 s.
        tokio::time::pause();
        waiting
    };
    let (answer, waiting) = tokio::join!(request, drill);
    tokio::time::resume();
    assert_eq!((status(&answer), body(&answer)), ("503", r#"{"message":"Service Unavailable"}"#));
    assert_eq!(served.function.stats().busy, 1);
    let seen = served.answered.recv().await.unwrap();
    assert_eq!(seen.failure, Some(RequestFailure::TookTooLong));
    assert_eq!(seen.invocation.unwrap().pid, Some(waiting.pid));
    drop(waiting);
    served.function.shutdown().await;
}
