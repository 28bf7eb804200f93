//! A delivery as lines for a shell, which sign it anew. The signing secret is a variable of that shell and never part of them.
//! Source: <https://docs.slack.dev/authentication/verifying-requests-from-slack/>

use crate::history::payload_of;
use bytes::Bytes;
use serde_json::Value;
use tack_simulator::{mask, mask_text};

/// Lines that run in any POSIX shell with curl and openssl. `None` for a body that no shell can hold.
pub(super) fn curl(url: &str, content_type: &str, body: &Bytes) -> Option<String> {
    let body = shown(content_type, body)?;
    let lines = [
        ": \"${SLACK_SIGNING_SECRET:?set it to the signing secret that tack printed}\"".to_owned(),
        format!("body={}", quoted(&body)),
        "time=$(date +%s)".to_owned(),
        "signature=$(printf 'v0:%s:%s' \"$time\" \"$body\" | openssl dgst -sha256 -hmac \"$SLACK_SIGNING_SECRET\" | sed 's/^.* //')".to_owned(),
        format!("printf '%s' \"$body\" | curl -sS -i {} \\", quoted(url)),
        format!("  -H {} \\", quoted(&format!("content-type: {}", one_line(content_type)))),
        "  -H \"x-slack-request-timestamp: $time\" -H \"x-slack-signature: v0=$signature\" --data-binary @-".to_owned(),
    ];
    Some(lines.join("\n"))
}

/// The body with its secrets masked: as it came if it has none.
fn shown(content_type: &str, body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.contains('\0'))?;
    let payload = payload_of(content_type, body);
    let masked = mask(&payload);
    if payload.is_null() {
        return Some(mask_text(text));
    }
    if masked == payload {
        return Some(text.to_owned());
    }
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return Some(masked.to_string());
    }
    let mut form = form_urlencoded::Serializer::new(String::new());
    if form_urlencoded::parse(body).any(|(name, _)| name == "payload") {
        form.append_pair("payload", &masked.to_string());
    } else {
        let fields = masked.as_object().into_iter().flatten();
        fields.for_each(|(name, value)| {
            form.append_pair(name, value.as_str().unwrap_or_default());
        });
    }
    Some(form.finish())
}

/// A header is one line, whatever came.
fn one_line(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// In single quotes nothing means anything, and a quote ends them.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What the lines leave out.
pub(super) fn has_secrets(content_type: &str, body: &[u8]) -> bool {
    let payload = payload_of(content_type, body);
    match payload {
        Value::Null => false,
        payload => mask(&payload) != payload,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::process::{Command, Stdio};

    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";

    fn lines(content_type: &str, body: &str) -> String {
        curl("http://127.0.0.1:3000/slack/events", content_type, &Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }

    #[test]
    fn a_body_without_secrets_stays_byte_for_byte() {
        let body = r#"{ "event":{"type":"message","text":"it's $(rm -rf /) `x` \\ \"q\"" } }"#;
        let lines = lines(JSON, body);
        assert!(lines.contains(&body.replace('\'', r"'\''")), "{lines}");
    }

    #[test]
    fn tokens_of_a_body_are_masked_in_json_and_in_forms() {
        let secret = "verification-token-abcd";
        let json = format!(r#"{{"token":"{secret}","event":{{"type":"message"}}}}"#);
        let form =
            |name: &str, value: &str| form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        let command = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("token", secret), ("command", "/order"), ("text", "3 & 4")])
            .finish();
        for (content_type, body) in [(JSON, json.clone()), (FORM, form("payload", &json)), (FORM, command)] {
            let lines = lines(content_type, &body);
            assert!(!lines.contains(secret), "{lines}");
            assert!(has_secrets(content_type, body.as_bytes()));
        }
    }

    #[test]
    fn what_no_shell_can_hold_has_no_lines() {
        assert_eq!(curl("http://127.0.0.1:3000", JSON, &Bytes::from_static(b"a\0b")), None);
        assert_eq!(curl("http://127.0.0.1:3000", JSON, &Bytes::from_static(b"\xff\xfe")), None);
    }

    #[test]
    fn a_content_type_cannot_end_its_header() {
        let lines = lines("text/plain'\r\nx-evil: 1", "a");
        assert!(lines.contains(r"'content-type: text/plain'\''x-evil: 1'"), "{lines}");
    }

    /// Runs the lines as a person would, and looks at what arrives.
    #[test]
    fn a_shell_signs_what_the_lines_say() {
        let has =
            |tool: &str| Command::new(tool).arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
        if !(has("curl") && has("openssl")) {
            println!("skipped: no curl or no openssl here");
            return;
        }
        const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
        let body = "@it's\n {\"a\":\"$HOME `x` \\\\ % %s é\"}\n\n";
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/slack/events", listener.local_addr().unwrap());
        let lines = curl(&url, "text/plain", &Bytes::from_static(body.as_bytes())).unwrap();
        let mut shell = Command::new("sh")
            .arg("-c")
            .arg(&lines)
            .env("SLACK_SIGNING_SECRET", SECRET)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(body.as_bytes()) {
            let mut part = [0; 4096];
            let read = stream.read(&mut part).unwrap();
            assert!(read > 0, "{:?}", String::from_utf8_lossy(&request));
            request.extend_from_slice(&part[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        assert!(shell.wait().unwrap().success());
        let request = String::from_utf8(request).unwrap();
        let header = |name: &str| {
            let line = request.lines().find(|line| line.to_lowercase().starts_with(name)).unwrap();
            line.split_once(": ").unwrap().1.trim().to_owned()
        };
        let expected = tack_simulator::sign(SECRET, &header("x-slack-request-timestamp"), body.as_bytes());
        assert_eq!(header("x-slack-signature"), expected);
        assert_eq!(header("content-type"), "text/plain");
    }

    #[test]
    fn without_the_secret_a_shell_sends_nothing_and_says_why() {
        let lines = lines("text/plain", "a");
        let output = Command::new("sh").arg("-c").arg(&lines).env_clear().output().unwrap();
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("SLACK_SIGNING_SECRET"));
    }
}
