//! Text that tries to break out, wherever a function, Slack or a person can put some: the pages' tags stay the same as with harmless text.

use super::world::{World, in_world};
use crate::history::{Arrived, BatchBegan, BatchEnded, Message};
use crate::listing::Listed;
use crate::pages::console::names::delivery_path;
use bytes::Bytes;
use serde_json::{Value, json};
use tack_local_aws::lambda::{OutputLine, Stream};
use tack_local_aws::sqs::{MessageAttribute, NewMessage};

const HARMLESS: &str = "harmless";

const HOSTILE: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "\" autofocus onfocus=alert(1) x=\"",
    "</textarea><script>alert(1)</script>",
    "</code></pre></details><script>alert(1)</script>",
    "</title></style></noscript><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "javascript:alert(1)",
    "//evil.example",
    "&lt;script&gt;&#60;b&#62;",
    "\u{1b}[31m\u{202e}\r\n\r\n<b>",
    "../../x?y=1&z=2#w",
];

/// The tags of a page without the values of their attributes. Whatever is between `<` and `>` is a tag, since no text may hold either.
fn skeleton(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let mut tag = String::new();
        let mut letters = after.char_indices();
        let mut is_quoted = false;
        let end = loop {
            let (at, letter) = letters.next().unwrap_or_else(|| panic!("a tag without end: {after:.80}"));
            match letter {
                '"' => is_quoted = !is_quoted,
                '>' if !is_quoted => break at,
                _ if is_quoted => {}
                other => tag.push(other),
            }
        };
        tags.push(tag);
        rest = &after[end + 1..];
    }
    tags
}

/// Every place that a link, a form or a button leads to.
fn targets(html: &str) -> Vec<&str> {
    let after = ["href=\"", "action=\"", "formaction=\"", "src=\""].iter().flat_map(|name| html.split(name).skip(1));
    after.map(|after| after.split('"').next().unwrap_or_default()).collect()
}

fn check(path: &str, harmless: &str, hostile: &str, text: &str) {
    for (plain, other) in skeleton(harmless).iter().zip(skeleton(hostile).iter()) {
        assert_eq!(plain, other, "{path} with {text:?}");
    }
    assert_eq!(skeleton(harmless).len(), skeleton(hostile).len(), "{path} with {text:?}");
    let is_ours = |target: &&str| {
        (target.starts_with('/') && !target.starts_with("//"))
            || target.starts_with('#')
            || target.starts_with("https://docs.slack.dev/")
    };
    let foreign: Vec<_> = targets(hostile).into_iter().filter(|target| !is_ours(target)).collect();
    assert!(foreign.is_empty(), "{path} with {text:?}: {foreign:?}");
}

/// A delivery with `text` in everything that came from outside. Its id.
fn happen(world: &World, text: &str) -> String {
    let history = &world.workbench.history;
    // One line of a header, and a job's name has no comma.
    let id = format!("0192f0c1-1111-7222-8333-444455556666{text}");
    let body = json!({ "token": text, "team_id": text, "event_id": text, "event": {
        "type": text, "subtype": text, "user": text, "channel": text, "text": text, text: [text, { text: text }],
    } });
    history.arrived(Arrived {
        request_id: "door".to_owned(),
        at_ms: 1_795_511_642_118,
        ms: 3,
        method: text.to_owned(),
        path: format!("/slack/events{text}"),
        headers: vec![("content-type".to_owned(), "application/json".to_owned()), (text.to_owned(), text.to_owned())],
        body: Bytes::from(body.to_string()),
        status: 200,
        answer_headers: vec![(text.to_owned(), text.to_owned())],
        answer_body: Bytes::copy_from_slice(text.as_bytes()),
        invocation: Some("invocation".to_owned()),
        problem: Some(text.to_owned()),
    });
    let line = |line: Value| {
        let line = OutputLine {
            function: format!("worker{text}"),
            pid: 7,
            stream: Stream::Stdout,
            line: line.to_string(),
            request_id: Some("invocation".to_owned()),
        };
        history.line(&line, 1_795_511_642_200);
    };
    line(
        json!({ "step": "ack", "request": "door", "delivery": id, "key": text, "verdict": "queued", "status": 200, "jobs": text, "kind": text, "reason": text, "hint": text }),
    );
    history.began(&BatchBegan {
        invocation: "batch".to_owned(),
        function: text.to_owned(),
        at_ms: 1_795_511_642_130,
        messages: vec![Message { body: json!({ "id": id }).to_string() }],
    });
    line(
        json!({ "step": "call", "delivery": id, "job": text, "method": text, "outcome": text, "ms": 1.5, "request": text }),
    );
    line(
        json!({ "step": "job", "delivery": id, "job": text, "attempt": 1, "outcome": "parked", "reason": text, "ms": 4.5, "again_ms": 6 }),
    );
    line(json!({ "level": text, "message": text, "place": text, "delivery": id }));
    line(json!(text));
    history.ended(&BatchEnded {
        invocation: "batch".to_owned(),
        at_ms: 1_795_511_642_180,
        failure: Some(text.to_owned()),
    });

    let listed = json!([{ "kind": text, "pattern": text, "acks": true, "jobs": [text], "place": text }]);
    world.workbench.listing.set(serde_json::from_value::<Vec<Listed>>(listed).unwrap());
    // SQS takes few control characters, and the worker sends none.
    let clean: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let value =
        |text: &str| MessageAttribute { data_type: "String".to_owned(), string: Some(text.to_owned()), binary: None };
    let attributes = [("reason", &clean), ("job", &clean), ("delivery", &format!("x{clean}"))];
    let attributes = attributes.map(|(name, text)| (name.to_owned(), value(text))).into();
    let letter = NewMessage { body: clean.clone(), attributes, ..NewMessage::default() };
    world.workbench.stack.aws.sqs().send("events-dlq", letter).unwrap();
    let faults = json!({ "web_api": { format!("x{text}"): { "error": format!("x{text}") } } });
    world.workbench.simulator.set_faults(serde_json::from_value(faults).unwrap());
    id
}

/// All pages of a world in which `text` came from everywhere.
fn pages(text: &'static str) -> Vec<(&'static str, String)> {
    let mut pages = Vec::new();
    in_world(async |world| {
        let id = happen(world, text);
        let letter = world.workbench.stack.aws.sqs().peek("events-dlq").remove(0).message_id;
        for (name, path) in [
            ("deliveries", "/console/deliveries".to_owned()),
            ("delivery", delivery_path(&id)),
            ("dead letters", "/console/dead-letters".to_owned()),
            ("dead letter", format!("/console/dead-letters/{}", letter)),
            ("listeners", "/console/listeners".to_owned()),
            ("faults", "/console/faults".to_owned()),
        ] {
            let page = world.page(&path).await;
            assert_eq!(page.status, 200, "{name} with {text:?}: {page:?}");
            pages.push((name, page.body));
        }
        let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let search = format!("/console/deliveries?state=dead&listener={query}&kind={query}&team={query}&q=x{query}");
        pages.push(("search", world.page(&search).await.body));
        pages.push(("bad filter", world.page(&format!("/console/deliveries?state=x{query}")).await.body));
        pages.push(("no delivery", world.page(&delivery_path(&format!("x{text}"))).await.body));
        let path = format!("{}/replay", delivery_path(&id));
        pages.push(("bad mode", world.submit(&path, &format!("mode=x{query}")).await.body));
        pages.push(("bad fault", world.submit("/console/faults", &format!("on=1&fault=x{query}")).await.body));
        pages.push((
            "bad letter",
            world.page(&format!("/console/dead-letters/{}", query.replace('+', "%20"))).await.body,
        ));
    });
    pages
}

#[test]
fn no_text_from_outside_breaks_out_of_a_page() {
    let harmless = pages(HARMLESS);
    assert!(harmless.iter().all(|(name, page)| page.contains(HARMLESS) || *name == "bad letter"), "each page shows it");
    for text in HOSTILE {
        for ((name, plain), (_, page)) in harmless.iter().zip(pages(text)) {
            // A word may stand in a filter several times over, each as a part of its own.
            if *name == "search" && text.contains(char::is_whitespace) {
                assert!(!page.contains("<script>alert") && !page.contains("<img src=x") && !page.contains("<b>"));
                continue;
            }
            check(name, plain, &page, text);
        }
    }
}

#[test]
fn no_token_is_shown_wherever_it_turns_up() {
    const TOKEN: &str = "xoxb-1234-secretsecretsecret-abcd";
    const ID: &str = "0192f0c1-1111-7222-8333-444455556666";
    in_world(async |world| {
        let history = &world.workbench.history;
        let form = [
            ("token", "verification-token"),
            ("command", "/login"),
            ("text", TOKEN),
            ("response_url", "https://hooks.slack.com/secretsecretsecret"),
        ];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-slack-signature", "v0=secretsecretsecret"),
            ("x-other", TOKEN),
        ];
        let owned = |headers: &[(&str, &str)]| {
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        history.arrived(Arrived {
            request_id: "door".to_owned(),
            at_ms: 1_795_511_642_118,
            ms: 3,
            method: "POST".to_owned(),
            path: "/slack/events".to_owned(),
            headers: owned(&headers),
            body: Bytes::from(body),
            status: 200,
            answer_headers: owned(&[("x-other", TOKEN)]),
            answer_body: Bytes::from_static(TOKEN.as_bytes()),
            invocation: None,
            problem: None,
        });
        for line in [
            json!({ "step": "ack", "request": "door", "delivery": ID, "verdict": "queued", "status": 200, "jobs": "login" }),
            json!({ "step": "job", "delivery": ID, "job": "login", "attempt": 1, "outcome": "parked", "reason": format!("refused {TOKEN}") }),
            json!({ "level": "INFO", "message": format!("said {TOKEN}"), "delivery": ID }),
        ] {
            let line = OutputLine {
                function: "worker".to_owned(),
                pid: 7,
                stream: Stream::Stdout,
                line: line.to_string(),
                request_id: None,
            };
            history.line(&line, 1_795_511_642_200);
        }
        for path in ["/console/deliveries".to_owned(), delivery_path(ID)] {
            for answer in [world.page(&path).await.body, world.facts(&path).await.body] {
                assert!(answer.contains("login") && answer.contains("abcd"), "{path}: {answer}");
                assert!(
                    !answer.contains("secretsecretsecret") && !answer.contains("verification-token"),
                    "{path}: {answer}"
                );
            }
        }
    });
}
