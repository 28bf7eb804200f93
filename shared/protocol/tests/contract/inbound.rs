//! The handshake, the rate limit, the certificate check, and everything that is none of these.

use crate::wire::{FORM, JSON, NOW, envelope, form, inbound, verified};
use serde_json::json;
use tack_protocol::payload::Payload;
use tack_protocol::{Envelope, EnvelopeKind, EpochSeconds, Inbound, Retry};

fn challenge(content_type: &str, body: &str) -> Option<String> {
    match inbound(content_type, body.to_owned()) {
        Inbound::UrlVerification { challenge } => Some(challenge),
        _ => None,
    }
}

#[test]
fn the_handshake_gives_the_challenge_as_it_came() {
    // The example of Slack's page, and characters that must survive.
    let body = r#"{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
    assert_eq!(challenge(JSON, body).as_deref(), Some("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"));
    for text in ["", " ", "<script>", "\"\\\n", "\u{1f36e}", "a\0b"] {
        let body = json!({ "type": "url_verification", "challenge": text }).to_string();
        assert_eq!(challenge("application/json; charset=utf-8", &body).as_deref(), Some(text));
    }
}

#[test]
fn the_handshake_is_known_at_the_top_level_only() {
    let inner = json!({ "type": "event_callback", "event": { "type": "url_verification", "challenge": "x" } });
    assert_eq!(challenge(JSON, &inner.to_string()), None);
    let listed = json!([{ "type": "url_verification", "challenge": "x" }]);
    assert_eq!(challenge(JSON, &listed.to_string()), None);
    let interaction = form([("payload", r#"{"type":"url_verification","challenge":"x"}"#)]);
    assert_eq!(challenge(FORM, &interaction), None);
    assert_eq!(challenge(FORM, "type=url_verification&challenge=x"), None);
    assert_eq!(challenge(JSON, r#"{"type":"URL_VERIFICATION","challenge":"x"}"#), None);
}

#[test]
fn the_rate_limit_names_workspace_app_and_minute() {
    // The example of Slack's page.
    let body = r#"{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","type":"app_rate_limited","team_id":"T123456","minute_rate_limited":1518467820,"api_app_id":"A123456"}"#;
    let Inbound::AppRateLimited { app, team, minute } = inbound(JSON, body) else {
        panic!("not the rate limit");
    };
    assert_eq!(app, Some("A123456".into()));
    assert_eq!(team, Some("T123456".into()));
    assert_eq!(minute, Some(EpochSeconds(1_518_467_820)));
}

#[test]
fn a_rate_limit_without_fields_is_still_one() {
    for body in [
        r#"{"type":"app_rate_limited"}"#,
        r#"{"type":"app_rate_limited","team_id":null,"minute_rate_limited":"1518467820","api_app_id":7}"#,
        r#"{"type":"app_rate_limited","team_id":"","minute_rate_limited":-1,"api_app_id":[]}"#,
    ] {
        let Inbound::AppRateLimited { app, team, minute } = inbound(JSON, body) else {
            panic!("{body}");
        };
        assert_eq!((app, team, minute), (None, None, None), "{body}");
    }
}

#[test]
fn a_signed_certificate_check_is_no_command() {
    for body in ["ssl_check=1&token=x", "command=%2Forder&ssl_check=1", "ssl%5fcheck=1"] {
        assert!(matches!(inbound(FORM, body), Inbound::SslCheck), "{body}");
    }
    for body in ["ssl_check=0", "command=%2Forder&text=ssl_check%3D1"] {
        assert!(matches!(inbound(FORM, body), Inbound::Envelope(_)), "{body}");
    }
}

#[test]
fn whatever_is_not_understood_is_an_envelope_with_its_bytes() {
    let deep_list = "[".repeat(100_000);
    let deep_object = format!("{}1{}", r#"{"type":"event_callback","event":"#.repeat(500), "}".repeat(500));
    let bodies: [(&str, &[u8]); 20] = [
        ("nothing", b""),
        ("a blank", b" "),
        ("null", b"null"),
        ("a number", b"1531420618"),
        ("a text", b"\"event_callback\""),
        ("an empty object", b"{}"),
        ("an empty list", b"[]"),
        ("a list of events", b"[{\"type\":\"event_callback\",\"event\":{\"type\":\"message\"}}]"),
        ("an object that is cut", b"{\"type\":\"event_callback\",\"event\":{"),
        ("two objects", b"{\"type\":\"event_callback\",\"event\":{}}{}"),
        ("a comma too many", b"{\"type\":\"event_callback\",\"event\":{},}"),
        ("single quotes", b"{'type':'event_callback'}"),
        ("a comment", b"{}//"),
        ("a form called JSON", b"payload=%7B%22type%22%3A%22shortcut%22%7D"),
        ("only bytes that are no UTF-8", b"\xff\xfe\x00\x80"),
        ("a byte order mark", b"\xef\xbb\xbf{\"type\":\"event_callback\",\"event\":{\"type\":\"message\"}}"),
        ("a number too large", b"{\"type\":\"event_callback\",\"event\":{\"type\":\"message\",\"n\":1e999}}"),
        ("a NUL", b"\0"),
        ("brackets without end", deep_list.as_bytes()),
        ("objects deeper than anyone sends", deep_object.as_bytes()),
    ];
    for (name, body) in bodies {
        let envelope = envelope(JSON, body.to_vec());
        assert_eq!(envelope.body, body, "{name}");
        assert_eq!(envelope.kind, EnvelopeKind::EventsApi, "{name}");
        assert!(matches!(envelope.payload, Payload::Unknown(_)), "{name}: {:?}", envelope.payload);
        assert!(envelope.idempotency_key().is_none(), "{name}");
        assert!(!envelope.is_own(), "{name}");
    }
}

/// The JSON text of an event whose message holds this, as it stands between quotes.
fn said(text: &[u8]) -> Vec<u8> {
    let before = br#"{"type":"event_callback","event_id":"Ev1","team_id":"T1","event":{"type":"message","text":""#;
    [&before[..], text, br#"","ts":"1.2"}}"#].concat()
}

// RFC 8259, section 8.2: a text may hold an escaped surrogate without its other half, and what becomes of it is up to the reader.
// Python, JavaScript and Java let it pass; it must not cost an event here.
#[test]
fn half_a_character_becomes_a_replacement_character_and_the_rest_of_the_event_is_kept() {
    for (text, expected) in [
        (&br"\ud83d"[..], "\u{FFFD}"),
        (br"\uD83D", "\u{FFFD}"),
        (br"\ude00", "\u{FFFD}"),
        (br"a\ud83d b", "a\u{FFFD} b"),
        (br"\ud83d\ud83d", "\u{FFFD}\u{FFFD}"),
        (br"\ude00\ud83d", "\u{FFFD}\u{FFFD}"),
        (br"\ud83d\ude00", "\u{1f600}"),
        (br"\ud83d\uD83D\uDE00", "\u{FFFD}\u{1f600}"),
        (br"\ud83d\ude00\ude00", "\u{1f600}\u{FFFD}"),
        (br"\ud83dx\ude00", "\u{FFFD}x\u{FFFD}"),
        (br"\ud83d\n\u00e9\ud83d\ude00", "\u{FFFD}\n\u{e9}\u{1f600}"),
        // An escaped backslash before a u is no escape of a character.
        (br"\\ud83d \ud83d", "\\ud83d \u{FFFD}"),
        (br"\\\ud83d", "\\\u{FFFD}"),
        (br"\\\\ud83d\ude00 \ud83d", "\\\\ud83d\u{FFFD} \u{FFFD}"),
        ("\u{1f36e}\\ud83d\u{1f36e}".as_bytes(), "\u{1f36e}\u{FFFD}\u{1f36e}"),
        (b"caf\xe9", "caf\u{FFFD}"),
        (b"\xff\xfe", "\u{FFFD}\u{FFFD}"),
        (b"cut \xf0\x9f\x8d", "cut \u{FFFD}"),
        (b"\xff \\ud83d \\ud83d\\ude00", "\u{FFFD} \u{FFFD} \u{1f600}"),
    ] {
        let body = said(text);
        let case = String::from_utf8_lossy(text);
        for envelope in [envelope(JSON, body.clone()), Envelope::from_body(JSON, body.clone().into(), NOW)] {
            let Payload::Event(event) = &envelope.payload else { panic!("{case}: {:?}", envelope.payload) };
            assert_eq!(event.text("text"), Some(expected), "{case}");
            assert_eq!((event.kind.as_str(), event.text("ts")), ("message", Some("1.2")), "{case}");
            assert_eq!(envelope.tenant.team, Some("T1".into()), "{case}");
            assert_eq!(envelope.idempotency_key().expect("a key").0, "event:Ev1", "{case}");
            assert_eq!(envelope.body, body, "{case}");
        }
    }
}

#[test]
fn half_a_character_in_an_interaction_costs_it_as_little() {
    let payload = r#"{"type":"shortcut","callback_id":"run","trigger_id":"1.2","note":"\ud83d \ud83d\ude00 \\ud83d"}"#;
    let envelope = envelope(FORM, form([("payload", payload)]));
    let Payload::Shortcut(shortcut) = &envelope.payload else { panic!("{:?}", envelope.payload) };
    assert_eq!(shortcut.callback_id, "run");
    assert_eq!(shortcut.raw["note"], "\u{FFFD} \u{1f600} \\ud83d");
}

#[test]
fn what_is_no_json_even_so_stays_unknown() {
    for text in [&br"\ud83"[..], br"\ud83d\x", br"\u", br"\", br"\ud83d\u12", b"\"\xff"] {
        let envelope = envelope(JSON, said(text));
        assert!(matches!(envelope.payload, Payload::Unknown(_)), "{}", String::from_utf8_lossy(text));
        assert_eq!(envelope.body, said(text));
    }
}

#[test]
fn an_outer_type_of_tomorrow_keeps_its_name_and_its_json() {
    let root = json!({ "type": "event_bundle", "team_id": "T1", "api_app_id": "A1", "events": [1, 2] });
    let envelope = envelope(JSON, root.to_string());
    assert_eq!(envelope.payload.kind(), "event_bundle");
    assert_eq!(envelope.payload.raw(), &root);
    assert_eq!(envelope.tenant.team, Some("T1".into()));
    assert_eq!(envelope.app, Some("A1".into()));
}

#[test]
fn an_event_callback_without_an_inner_event_is_no_event() {
    for inner in [json!(null), json!("message"), json!([]), json!(1), json!(true)] {
        let envelope = envelope(JSON, json!({ "type": "event_callback", "event": inner }).to_string());
        assert!(matches!(envelope.payload, Payload::Unknown(_)), "{inner}");
    }
    let absent = envelope(JSON, r#"{"type":"event_callback","event_id":"Ev1"}"#);
    assert_eq!(absent.payload.kind(), "event_callback");
}

#[test]
fn the_content_type_is_compared_up_to_its_parameters_and_without_case() {
    let body = "command=%2Forder&text=3&trigger_id=1.2";
    for content_type in [
        FORM,
        "application/x-www-form-urlencoded; charset=utf-8",
        "application/x-www-form-urlencoded;charset=UTF-8",
        "Application/X-WWW-Form-URLencoded",
        " application/x-www-form-urlencoded ",
    ] {
        let envelope = envelope(content_type, body);
        assert_eq!(envelope.kind, EnvelopeKind::SlashCommands, "{content_type}");
        assert_eq!(envelope.content_type, content_type);
    }
    for content_type in [JSON, "text/plain", "", "application/x-www-form-urlencoded-not", "multipart/form-data"] {
        assert_eq!(envelope(content_type, body).kind, EnvelopeKind::EventsApi, "{content_type}");
    }
}

#[test]
fn slacks_marks_on_a_repeated_event_are_kept() {
    let body = r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"message"}}"#;
    let retry = |headers: &[(&str, &str)]| {
        let headers: Vec<_> = [("content-type", JSON)].iter().chain(headers).copied().collect();
        match verified(&headers, body).decode() {
            Inbound::Envelope(envelope) => envelope.retry,
            other => panic!("{other:?}"),
        }
    };
    let marks = |num: u32, reason: &str| Some(Retry { num, reason: reason.to_owned() });
    assert_eq!(retry(&[]), None);
    for reason in
        ["http_timeout", "too_many_redirects", "connection_failed", "ssl_error", "http_error", "unknown_error"]
    {
        assert_eq!(retry(&[("x-slack-retry-num", "1"), ("x-slack-retry-reason", reason)]), marks(1, reason));
    }
    assert_eq!(retry(&[("X-Slack-Retry-Num", "3"), ("X-Slack-Retry-Reason", "http_error")]), marks(3, "http_error"));
    assert_eq!(retry(&[("x-slack-retry-num", " 2 ")]), marks(2, ""));
    assert_eq!(retry(&[("x-slack-retry-num", "2")]), marks(2, ""));
    assert_eq!(retry(&[("x-slack-retry-reason", "http_error")]), None);
    for num in ["", "x", "-1", "1.5", "4294967296", "\u{ff11}"] {
        assert_eq!(retry(&[("x-slack-retry-num", num), ("x-slack-retry-reason", "http_error")]), None, "{num}");
    }
}

#[test]
fn a_body_read_from_a_queue_means_what_it_meant_at_the_door() {
    for fixture in crate::fixtures::all() {
        let (content_type, body) = fixture.on_the_wire();
        let Inbound::Envelope(at_the_door) = inbound(content_type, body.clone()) else {
            continue;
        };
        let from_the_queue = Envelope::from_queue(at_the_door.kind, content_type, body, NOW);
        assert_eq!(from_the_queue.kind, at_the_door.kind, "{}", fixture.name);
        assert_eq!(from_the_queue.app, at_the_door.app, "{}", fixture.name);
        assert_eq!(from_the_queue.user, at_the_door.user, "{}", fixture.name);
        assert_eq!(from_the_queue.tenant, at_the_door.tenant, "{}", fixture.name);
        assert_eq!(from_the_queue.body, at_the_door.body, "{}", fixture.name);
        assert_eq!(from_the_queue.received_at, at_the_door.received_at);
        assert_eq!(from_the_queue.payload.raw(), at_the_door.payload.raw(), "{}", fixture.name);
        assert_eq!(from_the_queue.idempotency_key(), at_the_door.idempotency_key(), "{}", fixture.name);
        assert_eq!(from_the_queue.is_own(), at_the_door.is_own(), "{}", fixture.name);
    }
}

// https://docs.slack.dev/apis/events-api/using-socket-mode: a socket's payloads are JSON, whatever their kind.
#[test]
fn the_kind_that_is_told_beside_a_body_decides_what_it_is() {
    let read = |kind: EnvelopeKind, content_type: &str, body: &str| {
        let envelope = Envelope::from_queue(kind, content_type, body.to_owned().into(), NOW);
        assert_eq!((envelope.kind, &envelope.body[..]), (kind, body.as_bytes()));
        envelope
    };
    let click = crate::fixtures::json("interactive/block_actions-message.json").to_string();
    let at_the_door = envelope(FORM, form([("payload", click.as_str())]));
    let from_a_socket = read(EnvelopeKind::Interactive, JSON, &click);
    assert!(matches!(from_a_socket.payload, Payload::BlockActions(_)), "{:?}", from_a_socket.payload);
    assert_eq!(from_a_socket.payload.raw(), at_the_door.payload.raw());
    assert_eq!(from_a_socket.idempotency_key(), at_the_door.idempotency_key());
    assert_eq!((&from_a_socket.tenant, &from_a_socket.user), (&at_the_door.tenant, &at_the_door.user));

    let command = r#"{"command":"/order","text":"3","trigger_id":"1.2","team_id":"T1","user_id":"U1"}"#;
    let Payload::SlashCommand(command) = read(EnvelopeKind::SlashCommands, JSON, command).payload else {
        panic!("no command");
    };
    assert_eq!((command.command.as_str(), command.text.as_str()), ("/order", "3"));

    let event = r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"message"}}"#;
    assert!(matches!(read(EnvelopeKind::EventsApi, JSON, event).payload, Payload::Event(_)));
    // Told to be of another kind, it is not taken for what it looks like.
    assert!(matches!(read(EnvelopeKind::Interactive, JSON, event).payload, Payload::Unknown(_)));
    assert!(matches!(read(EnvelopeKind::EventsApi, JSON, &click).payload, Payload::Unknown(_)));
    let form = form([("payload", click.as_str())]);
    assert!(matches!(read(EnvelopeKind::Interactive, FORM, &form).payload, Payload::BlockActions(_)));
}

#[test]
fn the_kinds_have_socket_modes_names() {
    for (kind, word) in [
        (EnvelopeKind::EventsApi, "events_api"),
        (EnvelopeKind::SlashCommands, "slash_commands"),
        (EnvelopeKind::Interactive, "interactive"),
    ] {
        assert_eq!(kind.as_str(), word);
        assert_eq!(serde_json::to_value(kind).expect("JSON"), json!(word));
        assert_eq!(serde_json::from_value::<EnvelopeKind>(json!(word)).expect("a kind"), kind);
    }
}
