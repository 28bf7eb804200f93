//! What holds for any input. 256 cases each; `PROPTEST_CASES` raises it.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tack_protocol::payload::{Payload, StateValue, ViewState};
use tack_protocol::{
    Envelope, EnvelopeKind, EpochMs, EpochSeconds, Inbound, RawRequest, SignatureError, SigningSecrets, sign,
};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn config() -> ProptestConfig {
    ProptestConfig {
        // A case that fails is printed; it becomes a test of its own, not a line in a file of seeds.
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn secrets(text: &str) -> SigningSecrets {
    let Some(secrets) = SigningSecrets::parse(text) else {
        panic!("no secret in {text:?}");
    };
    secrets
}

/// A request with these header values, or `None` where HTTP has no such header.
fn request(content_type: &[u8], signature: &[u8], timestamp: &[u8], body: &[u8]) -> Option<RawRequest> {
    let mut headers = HeaderMap::new();
    for (name, value) in
        [("content-type", content_type), ("x-slack-signature", signature), ("x-slack-request-timestamp", timestamp)]
    {
        headers.insert(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(RawRequest { headers, body: Bytes::copy_from_slice(body), received_at: EpochMs(0) })
}

fn signed(secret: &str, timestamp: u64, content_type: &[u8], body: &[u8]) -> Option<RawRequest> {
    let signature = sign(&secrets(secret), EpochSeconds(timestamp), body);
    request(content_type, signature.as_bytes(), timestamp.to_string().as_bytes(), body)
}

fn decoded(content_type: &[u8], body: &[u8]) -> Option<Inbound> {
    let now = 1_795_511_642;
    let request = signed("secret", now, content_type, body)?;
    match request.verify(&secrets("secret"), EpochSeconds(now)) {
        Ok(verified) => Some(verified.decode()),
        Err(error) => panic!("{error}"),
    }
}

/// Secrets have no comma and no blank: those separate them.
fn a_secret() -> impl Strategy<Value = String> {
    prop_oneof!["[0-9a-f]{32}", "[!-+--~]{1,100}", "[^,\\s]{1,20}"]
}

fn a_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..600),
        any::<String>().prop_map(String::into_bytes),
        any_json().prop_map(|value| value.to_string().into_bytes()),
    ]
}

fn a_content_type() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(JSON.as_bytes().to_vec()),
        Just(FORM.as_bytes().to_vec()),
        Just(b"application/x-www-form-urlencoded; charset=utf-8".to_vec()),
        Just(b"Application/JSON".to_vec()),
        Just(Vec::new()),
        vec(any::<u8>(), 0..40),
    ]
}

/// JSON of any shape whose field names are mostly Slack's.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Halves are exact; of other fractions serde_json may round the last digit.
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 2.0)),
        any::<String>().prop_map(Value::from),
        "[TEUAWCV][0-9A-Z]{0,8}".prop_map(Value::from),
        a_kind().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(a_field_name(), inner, 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn a_kind() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "event_callback",
        "url_verification",
        "app_rate_limited",
        "block_actions",
        "block_suggestion",
        "view_submission",
        "view_closed",
        "shortcut",
        "message_action",
        "message",
        "function_executed",
        "member_joined_channel",
        "input",
    ])
}

fn a_field_name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(vec![
            "type", "event", "event_id", "event_time", "team_id", "enterprise_id", "api_app_id", "authorizations",
            "is_enterprise_install", "user", "user_id", "is_bot", "team", "enterprise", "id", "channel", "channel_id",
            "item", "view", "app_installed_team_id", "hash", "state", "values", "blocks", "block_id", "action_id",
            "actions", "container", "message", "message_ts", "ts", "trigger_id", "response_url", "response_urls",
            "value", "selected_option", "selected_options", "selected_users", "selected_date", "app_id", "bot_profile",
            "function", "function_execution_id", "callback_id", "inputs", "challenge", "minute_rate_limited",
        ])
        .prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

/// All that may be asked of an envelope.
fn read_all(envelope: &Envelope) {
    let _ = (
        envelope.is_own(),
        envelope.idempotency_key(),
        envelope.payload.kind(),
        envelope.payload.raw(),
        format!("{envelope:?}"),
    );
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_was_signed_is_believed_within_the_window(
        secret in a_secret(),
        timestamp in 300..=u64::MAX - 300,
        ahead in -300..=300_i64,
        body in a_body(),
    ) {
        let request = signed(&secret, timestamp, b"text/plain", &body).expect("a request");
        let now = EpochSeconds(timestamp.saturating_add_signed(ahead));
        prop_assert!(request.verify(&secrets(&secret), now).is_ok());
    }

    #[test]
    fn what_was_signed_is_refused_outside_the_window(
        timestamp in any::<u64>(),
        beyond in 301..=u64::MAX,
        later in any::<bool>(),
    ) {
        let (now, expected) = if later {
            (timestamp.checked_add(beyond), SignatureError::Stale)
        } else {
            (timestamp.checked_sub(beyond), SignatureError::Future)
        };
        let Some(now) = now else {
            return Ok(());
        };
        let request = signed("secret", timestamp, b"", b"{}").expect("a request");
        prop_assert_eq!(request.verify(&secrets("secret"), EpochSeconds(now)).err(), Some(expected));
    }

    #[test]
    fn any_of_several_secrets_is_believed_and_no_other(
        all in vec(a_secret(), 1..4),
        other in a_secret(),
        body in a_body(),
    ) {
        let accepted = secrets(&all.join(","));
        for secret in &all {
            let request = signed(secret, 1000, b"", &body).expect("a request");
            prop_assert!(request.verify(&accepted, EpochSeconds(1000)).is_ok());
        }
        // HMAC fills a key up with zeros, so zeros at the end make no other key.
        let key = |secret: &str| secret.trim_end_matches('\0').to_owned();
        prop_assume!(!all.iter().any(|secret| key(secret) == key(&other)));
        let request = signed(&other, 1000, b"", &body).expect("a request");
        prop_assert_eq!(request.verify(&accepted, EpochSeconds(1000)).err(), Some(SignatureError::Mismatch));
    }

    #[test]
    fn a_body_with_any_bit_changed_is_refused(
        secret in a_secret(),
        body in vec(any::<u8>(), 1..600),
        byte in any::<proptest::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let signature = sign(&secrets(&secret), EpochSeconds(1000), &body);
        let mut changed = body.clone();
        changed[byte.index(body.len())] ^= 1 << bit;
        let request = request(b"", signature.as_bytes(), b"1000", &changed).expect("a request");
        prop_assert_eq!(
            request.verify(&secrets(&secret), EpochSeconds(1000)).err(),
            Some(SignatureError::Mismatch)
        );
    }

    #[test]
    fn a_body_cut_or_continued_is_refused(
        body in a_body(),
        more in vec(any::<u8>(), 1..20),
    ) {
        let longer = [body.as_slice(), &more].concat();
        for (signed, sent) in [(&body, &longer), (&longer, &body)] {
            let signature = sign(&secrets("secret"), EpochSeconds(1000), signed);
            let request = request(b"", signature.as_bytes(), b"1000", sent).expect("a request");
            prop_assert!(request.verify(&secrets("secret"), EpochSeconds(1000)).is_err());
        }
    }

    #[test]
    fn a_signature_with_any_bit_changed_is_refused(
        secret in a_secret(),
        body in a_body(),
        byte in 0..67_usize,
        bit in 0..8_u8,
    ) {
        let mut signature = sign(&secrets(&secret), EpochSeconds(1000), &body).into_bytes();
        prop_assert_eq!(signature.len(), 67);
        signature[byte] ^= 1 << bit;
        if let Some(request) = request(b"", &signature, b"1000", &body) {
            prop_assert!(request.verify(&secrets(&secret), EpochSeconds(1000)).is_err());
        }
    }

    #[test]
    fn a_timestamp_with_any_bit_changed_is_refused(
        body in a_body(),
        timestamp in 1_000_000_000..2_000_000_000_u64,
        byte in 0..10_usize,
        bit in 0..8_u8,
    ) {
        let signature = sign(&secrets("secret"), EpochSeconds(timestamp), &body);
        let mut changed = timestamp.to_string().into_bytes();
        changed[byte] ^= 1 << bit;
        // The clock stands where the changed timestamp would have it, so that only the signature can tell.
        let now = String::from_utf8(changed.clone()).ok().and_then(|text| text.parse().ok()).unwrap_or(timestamp);
        if let Some(request) = request(b"", signature.as_bytes(), &changed, &body) {
            prop_assert!(request.verify(&secrets("secret"), EpochSeconds(now)).is_err());
        }
    }

    #[test]
    fn no_made_up_headers_are_ever_believed(
        signature in prop_oneof![
            vec(any::<u8>(), 0..80),
            "v0=[0-9a-f]{64}".prop_map(String::into_bytes),
            "[vV]?[0-9]?[=:]?[0-9a-fA-F]{60,70}".prop_map(String::into_bytes),
        ],
        timestamp in prop_oneof![
            vec(any::<u8>(), 0..24),
            "[0-9]{0,25}".prop_map(String::into_bytes),
            any::<f64>().prop_map(|number| number.to_string().into_bytes()),
            any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        ],
        body in a_body(),
        now in any::<u64>(),
    ) {
        if let Some(request) = request(b"", &signature, &timestamp, &body) {
            prop_assert!(request.verify(&secrets("secret"), EpochSeconds(now)).is_err());
        }
    }

    #[test]
    fn any_bytes_of_any_content_type_are_decoded_and_kept(
        content_type in a_content_type(),
        body in a_body(),
    ) {
        if let Some(Inbound::Envelope(envelope)) = decoded(&content_type, &body) {
            prop_assert_eq!(&envelope.body[..], &body[..]);
            read_all(&envelope);
        }
    }

    #[test]
    fn any_event_is_decoded_and_keeps_its_json(inner in any_json(), mut root in any_json()) {
        if let Value::Object(fields) = &mut root {
            fields.insert("type".to_owned(), json!("event_callback"));
            fields.insert("event".to_owned(), inner.clone());
        }
        let body = root.to_string();
        let Some(Inbound::Envelope(envelope)) = decoded(JSON.as_bytes(), body.as_bytes()) else {
            // A root that is no object may not be the handshake either: it has no `type`.
            panic!("{body}");
        };
        prop_assert_eq!(envelope.kind, EnvelopeKind::EventsApi);
        let is_event = root.is_object() && inner.is_object();
        prop_assert_eq!(matches!(envelope.payload, Payload::Event(_)), is_event);
        prop_assert_eq!(envelope.payload.raw(), if is_event { &inner } else { &root });
        read_all(&envelope);
    }

    #[test]
    fn any_interaction_is_decoded_and_keeps_its_json(kind in a_kind(), mut payload in any_json()) {
        if let Value::Object(fields) = &mut payload {
            fields.insert("type".to_owned(), json!(kind));
        }
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &payload.to_string())
            .finish();
        let Some(Inbound::Envelope(envelope)) = decoded(FORM.as_bytes(), body.as_bytes()) else {
            panic!("{body}");
        };
        prop_assert_eq!(envelope.kind, EnvelopeKind::Interactive);
        prop_assert_eq!(envelope.payload.raw(), &payload);
        read_all(&envelope);
    }

    #[test]
    fn a_body_from_a_queue_means_what_it_meant_at_the_door(
        content_type in prop_oneof![Just(JSON), Just(FORM)],
        body in a_body(),
    ) {
        let Some(Inbound::Envelope(door)) = decoded(content_type.as_bytes(), &body) else {
            return Ok(());
        };
        let queue = Envelope::from_body(&door.content_type, door.body.clone(), EpochMs(7));
        prop_assert_eq!(queue.kind, door.kind);
        prop_assert_eq!(&queue.tenant, &door.tenant);
        prop_assert_eq!(&queue.user, &door.user);
        prop_assert_eq!(queue.payload.raw(), door.payload.raw());
        prop_assert_eq!(queue.idempotency_key(), door.idempotency_key());
        prop_assert_eq!(queue.is_own(), door.is_own());
    }

    #[test]
    fn a_commands_fields_survive_the_form(text in any::<String>(), trigger in any::<String>(), user in any::<String>()) {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("command", "/order"), ("text", &text), ("trigger_id", &trigger), ("user_id", &user)])
            .finish();
        let Some(Inbound::Envelope(envelope)) = decoded(FORM.as_bytes(), body.as_bytes()) else {
            panic!("{body}");
        };
        let Payload::SlashCommand(command) = &envelope.payload else {
            panic!("{:?}", envelope.payload);
        };
        prop_assert_eq!(&command.text, &text);
        prop_assert_eq!(&command.trigger_id, &trigger);
        prop_assert_eq!(command.user.as_ref().map_or("", |user| user.as_str()), &user);
        let key = envelope.idempotency_key().map(|key| key.0);
        prop_assert_eq!(key, (!trigger.is_empty()).then(|| format!("trigger:{trigger}")));
    }

    #[test]
    fn different_deliveries_have_different_keys(one in "[!-~]{1,30}", other in "[!-~]{1,30}") {
        let key = |id: &str| {
            let body = json!({ "type": "event_callback", "event_id": id, "event": { "type": "message" } }).to_string();
            Envelope::from_body(JSON, body.into(), EpochMs(0)).idempotency_key()
        };
        prop_assert_eq!(key(&one) == key(&other), one == other);
    }

    #[test]
    fn the_certificate_check_is_exactly_a_form_field(
        pairs in vec(("(ssl_check|ssl|token|[a-z=&%]{0,6})", "(1|0|10|[ -~]{0,4})"), 0..5),
        content_type in prop_oneof![Just(FORM), Just(JSON), Just("")],
    ) {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let request = request(content_type.as_bytes(), b"", b"", body.as_bytes()).expect("a request");
        let field = pairs.iter().any(|(name, value)| name == "ssl_check" && value == "1");
        prop_assert_eq!(request.is_ssl_check(), field && content_type == FORM);
    }

    #[test]
    fn no_bytes_keep_the_certificate_check_from_being_looked_for(content_type in a_content_type(), body in a_body()) {
        if let Some(request) = request(&content_type, b"", b"", &body) {
            let _ = request.is_ssl_check();
        }
    }

    #[test]
    fn any_json_can_be_read_as_an_inputs_value(value in any_json()) {
        let state = StateValue(value.clone());
        // Nothing is made up: what is read is a text that stands in the JSON.
        let texts = texts(&value);
        if let Some(text) = state.as_str() {
            prop_assert!(texts.contains(&text.to_owned()));
        }
        for text in state.as_list() {
            prop_assert!(texts.contains(&text.to_owned()));
        }
    }

    #[test]
    fn an_input_is_found_under_its_block_and_its_action(
        block in any::<String>(),
        action in any::<String>(),
        typed in any::<String>(),
        beside in any_json(),
    ) {
        let mut actions = Map::new();
        actions.insert(action.clone(), json!({ "type": "plain_text_input", "value": typed }));
        let mut blocks = match beside {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        blocks.insert(block.clone(), Value::Object(actions));
        let state = ViewState(Value::Object(blocks));
        let seen = state.get(&block, &action);
        prop_assert_eq!(seen.as_str(), Some(typed.as_str()));
    }

    #[test]
    fn moments_add_and_subtract_without_overflow(start in any::<u64>(), ms in any::<u64>()) {
        let start = EpochMs(start);
        let later = start.plus(Duration::from_millis(ms));
        prop_assert_eq!(later.0, start.0.saturating_add(ms));
        prop_assert_eq!(later.since(start), Duration::from_millis(later.0 - start.0));
        prop_assert_eq!(start.since(later), Duration::ZERO);
        prop_assert_eq!(start.seconds().0, start.0 / 1000);
        prop_assert_eq!(start.plus(Duration::MAX), EpochMs(u64::MAX));
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
