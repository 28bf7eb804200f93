//! Hostile and damaged requests, row by row: each is Slack's published example (or one built beside it) with one thing changed.
//! The signatures are made here by an HMAC of this file's own, written from RFC 2104 and checked against RFC 4231 and Slack's page.
//! Sources: <https://docs.slack.dev/authentication/verifying-requests-from-slack/>,
//! <https://docs.slack.dev/interactivity/implementing-slash-commands/>

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use tack_protocol::{EpochMs, EpochSeconds, RawRequest, SignatureError, SigningSecrets};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const TIMESTAMP: &str = "1531420618";
const NOW: u64 = 1_531_420_618;
const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const PUBLISHED: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
const DIGITS: &str = "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
const EVENT: &str = "{\"token\":\"z\",\"type\":\"event_callback\",\"event\":{\"type\":\"message\",\"text\":\"caf\u{e9}\"},\"event_id\":\"Ev1\"}";
const FORM: &str = "application/x-www-form-urlencoded";

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new();
    inner.update(block.map(|byte| byte ^ 0x36));
    inner.update(message);
    let mut outer = Sha256::new();
    outer.update(block.map(|byte| byte ^ 0x5c));
    outer.update(inner.finalize());
    outer.finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tag(secret: &[u8], timestamp: &str, body: &[u8]) -> String {
    let base = [b"v0:", timestamp.as_bytes(), b":", body].concat();
    format!("v0={}", hex(&hmac(secret, &base)))
}

#[test]
fn the_hmac_of_this_file_gives_the_published_values() {
    // RFC 4231, cases 1, 2 and 6 (a key longer than a block).
    assert_eq!(
        hex(&hmac(&[0x0b; 20], b"Hi There")),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    );
    assert_eq!(
        hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(
        hex(&hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First")),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
    assert_eq!(tag(SECRET.as_bytes(), TIMESTAMP, BODY.as_bytes()), PUBLISHED);
}

/// What is sent, before it is a request: any bytes, any number of headers.
struct Sent {
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    now: u64,
    secrets: String,
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Accepted,
    Refused(SignatureError),
    /// A header that no HTTP server would hand on.
    NotHttp,
}

use Verdict::{Accepted, NotHttp};
const MALFORMED: Verdict = Verdict::Refused(SignatureError::Malformed);
const MISMATCH: Verdict = Verdict::Refused(SignatureError::Mismatch);
const BAD_TIMESTAMP: Verdict = Verdict::Refused(SignatureError::BadTimestamp);
const STALE: Verdict = Verdict::Refused(SignatureError::Stale);
const FUTURE: Verdict = Verdict::Refused(SignatureError::Future);
const NO_SIGNATURE: Verdict = Verdict::Refused(SignatureError::Missing("x-slack-signature"));
const NO_TIMESTAMP: Verdict = Verdict::Refused(SignatureError::Missing("x-slack-request-timestamp"));
const TWO_SIGNATURES: Verdict = Verdict::Refused(SignatureError::Repeated("x-slack-signature"));
const TWO_TIMESTAMPS: Verdict = Verdict::Refused(SignatureError::Repeated("x-slack-request-timestamp"));

impl Sent {
    /// Slack's published example.
    fn example() -> Self {
        Self::with(PUBLISHED, TIMESTAMP, BODY)
    }

    fn with(signature: impl Into<Vec<u8>>, timestamp: impl Into<Vec<u8>>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            headers: vec![
                ("content-type", FORM.into()),
                ("x-slack-signature", signature.into()),
                ("x-slack-request-timestamp", timestamp.into()),
            ],
            body: body.into(),
            now: NOW,
            secrets: SECRET.to_owned(),
        }
    }

    /// A body that Slack signed as it is.
    fn signed(body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self::with(tag(SECRET.as_bytes(), TIMESTAMP, &body), TIMESTAMP, body)
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| *header != name);
        self
    }

    fn and(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn first(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.insert(0, (name, value.into()));
        self
    }

    fn arriving_at(mut self, now: u64) -> Self {
        self.now = now;
        self
    }

    fn checked_with(mut self, secrets: &str) -> Self {
        self.secrets = secrets.to_owned();
        self
    }

    fn verdict(self) -> Verdict {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(&value))
            else {
                return NotHttp;
            };
            headers.append(name, value);
        }
        let Some(secrets) = SigningSecrets::parse(&self.secrets) else {
            panic!("no secret in {:?}", self.secrets);
        };
        let request = RawRequest { headers, body: Bytes::from(self.body), received_at: EpochMs(self.now * 1000) };
        match request.verify(&secrets, EpochSeconds(self.now)) {
            Ok(_) => Accepted,
            Err(error) => Verdict::Refused(error),
        }
    }
}

type Row = (&'static str, Sent, Verdict);

fn check(table: Vec<Row>) {
    for (name, sent, expected) in table {
        assert_eq!(sent.verdict(), expected, "{name}");
    }
}

#[rustfmt::skip] // A row is a line.
fn genuine_requests() -> Vec<Row> {
    let long_secret = "k".repeat(100);
    let mib = vec![b'a'; 1 << 20];
    vec![
        ("the published example", Sent::example(), Accepted),
        ("header names in capitals", Sent::example().without("x-slack-signature").and("X-SLACK-SIGNATURE", PUBLISHED), Accepted),
        ("header names in Slack's own case", Sent::example().without("x-slack-request-timestamp").and("X-Slack-Request-Timestamp", TIMESTAMP), Accepted),
        ("retry headers beside it", Sent::example().and("x-slack-retry-num", "1").and("x-slack-retry-reason", "http_timeout"), Accepted),
        ("no content type", Sent::example().without("content-type"), Accepted),
        ("a content type outside ASCII", Sent::example().without("content-type").and("content-type", "te\u{e4}xt"), Accepted),
        ("an empty body", Sent::signed(""), Accepted),
        ("an event", Sent::signed(EVENT), Accepted),
        ("a body of 1 MiB", Sent::signed(mib), Accepted),
        ("a body that is no UTF-8", Sent::signed([0xff, 0xfe, 0x00, 0xc3, 0x28]), Accepted),
        ("a body with CRLF", Sent::signed("{\r\n}\r\n"), Accepted),
        ("a body with a byte order mark", Sent::signed("\u{feff}{}"), Accepted),
        ("a body with a NUL", Sent::signed("a\0b"), Accepted),
        ("a body that looks like a base string", Sent::signed("v0:1531420618:{}"), Accepted),
        ("the older of two secrets", Sent::example().checked_with("fresh,8f742231b10e8888abcd99yyyzzz85a5"), Accepted),
        ("a secret longer than a block", Sent::with(tag(long_secret.as_bytes(), TIMESTAMP, b"{}"), TIMESTAMP, "{}").checked_with(&long_secret), Accepted),
        ("300 s old", Sent::example().arriving_at(NOW + 300), Accepted),
        ("300 s ahead", Sent::example().arriving_at(NOW - 300), Accepted),
    ]
}

#[rustfmt::skip] // A row is a line.
fn hostile_headers() -> Vec<Row> {
    const SIGNATURE: &str = "x-slack-signature";
    const STAMP: &str = "x-slack-request-timestamp";
    vec![
        ("no signature", Sent::example().without(SIGNATURE), NO_SIGNATURE),
        ("no timestamp", Sent::example().without(STAMP), NO_TIMESTAMP),
        ("neither", Sent::example().without(SIGNATURE).without(STAMP), NO_SIGNATURE),
        ("no header at all", Sent::example().without(SIGNATURE).without(STAMP).without("content-type"), NO_SIGNATURE),
        ("signature without x-", Sent::example().without(SIGNATURE).and("slack-signature", PUBLISHED), NO_SIGNATURE),
        ("signature with underscores", Sent::example().without(SIGNATURE).and("x_slack_signature", PUBLISHED), NO_SIGNATURE),
        ("another service's header", Sent::example().without(SIGNATURE).and("x-hub-signature-256", PUBLISHED), NO_SIGNATURE),
        ("signature as Authorization", Sent::example().without(SIGNATURE).and("authorization", PUBLISHED), NO_SIGNATURE),
        ("signature as a cookie", Sent::example().without(SIGNATURE).and("cookie", format!("x-slack-signature={PUBLISHED}")), NO_SIGNATURE),
        ("a header name with a blank", Sent::example().without(SIGNATURE).and("x-slack-signature ", PUBLISHED), NotHttp),
        ("a header name with a colon", Sent::example().without(SIGNATURE).and("x-slack-signature:", PUBLISHED), NotHttp),
        ("timestamp as Date", Sent::example().without(STAMP).and("date", TIMESTAMP), NO_TIMESTAMP),
        ("timestamp under an older name", Sent::example().without(STAMP).and("x-slack-timestamp", TIMESTAMP), NO_TIMESTAMP),
        ("the same signature twice", Sent::example().and(SIGNATURE, PUBLISHED), TWO_SIGNATURES),
        ("a wrong signature first", Sent::example().first(SIGNATURE, "v0=00"), TWO_SIGNATURES),
        ("a wrong signature last", Sent::example().and(SIGNATURE, "v0=00"), TWO_SIGNATURES),
        ("an empty signature first", Sent::example().first(SIGNATURE, ""), TWO_SIGNATURES),
        ("a second signature in capitals", Sent::example().and("X-SLACK-SIGNATURE", PUBLISHED), TWO_SIGNATURES),
        ("three signatures", Sent::example().and(SIGNATURE, PUBLISHED).and(SIGNATURE, PUBLISHED), TWO_SIGNATURES),
        ("the same timestamp twice", Sent::example().and(STAMP, TIMESTAMP), TWO_TIMESTAMPS),
        ("another timestamp first", Sent::example().first(STAMP, "1531420619"), TWO_TIMESTAMPS),
        ("another timestamp last", Sent::example().and(STAMP, "1531420619"), TWO_TIMESTAMPS),
        ("an empty timestamp first", Sent::example().first(STAMP, ""), TWO_TIMESTAMPS),
        ("both twice", Sent::example().and(STAMP, TIMESTAMP).and(SIGNATURE, PUBLISHED), TWO_SIGNATURES),
    ]
}

#[rustfmt::skip] // A row is a line.
fn hostile_timestamps() -> Vec<Row> {
    let stamped = |timestamp: &str| Sent::with(PUBLISHED, timestamp, BODY);
    // A signature that would hold if the timestamp were taken as text.
    let consistent = |timestamp: &str| {
        Sent::with(tag(SECRET.as_bytes(), timestamp, BODY.as_bytes()), timestamp, BODY)
    };
    let mut table: Vec<Row> = [
        ("an empty timestamp", ""),
        ("a blank", " "),
        ("a word", "now"),
        ("a plus sign", "+1531420618"),
        ("a minus sign", "-1531420618"),
        ("a decimal point", "1531420618.0"),
        ("a fraction, as in a message's ts", "1531420618.000100"),
        ("an exponent", "1.531420618e9"),
        ("a short exponent", "1e9"),
        ("hexadecimal", "0x5b479e8a"),
        ("octal", "0o13321717212"),
        ("a blank before", " 1531420618"),
        ("a blank behind", "1531420618 "),
        ("a tab behind", "1531420618\t"),
        ("a blank inside", "1531420 618"),
        ("joined with a comma", "1531420618,1531420618"),
        ("joined with a comma and a blank", "1531420618, 1531420618"),
        ("a semicolon", "1531420618;"),
        ("a unit", "1531420618s"),
        ("underscores", "1_531_420_618"),
        ("thousands", "1,531,420,618"),
        ("quotes", "\"1531420618\""),
        ("apostrophes", "'1531420618'"),
        ("not a number", "NaN"),
        ("infinity", "Infinity"),
        ("null", "null"),
        ("a boolean", "true"),
        ("a date", "Thu, 12 Jul 2018 18:36:58 GMT"),
        ("an ISO date", "2018-07-12T18:36:58Z"),
        ("the base string's beginning", "v0:1531420618"),
        ("one more than 64 bits hold", "18446744073709551616"),
        ("1531420618 above 64 bits", "18446744075240972234"),
        ("thirty digits", "999999999999999999999999999999"),
        ("full-width digits", "\u{ff11}\u{ff15}\u{ff13}\u{ff11}\u{ff14}\u{ff12}\u{ff10}\u{ff16}\u{ff11}\u{ff18}"),
        ("Arabic digits", "\u{661}\u{665}\u{663}\u{661}\u{664}\u{662}\u{660}\u{666}\u{661}\u{668}"),
        ("a superscript", "153142061\u{2078}"),
        ("a zero-width space", "1531420618\u{200b}"),
        ("a no-break space", "\u{a0}1531420618"),
    ]
    .into_iter()
    .map(|(name, timestamp)| (name, consistent(timestamp), BAD_TIMESTAMP))
    .collect();
    table.push(("bytes that are no UTF-8", Sent::with(PUBLISHED, [0xff, 0xfe], BODY), BAD_TIMESTAMP));
    table.push(("a thousand digits", stamped(&"1".repeat(1000)), BAD_TIMESTAMP));
    table.push(("a line feed", stamped("1531420618\n"), NotHttp));
    table.push(("a carriage return", stamped("1531420618\r"), NotHttp));
    table.push(("a NUL", stamped("1531420618\0"), NotHttp));
    // The same base string, cut at another colon.
    let (head, rest) = BODY.split_at(20);
    table.push(("the body's beginning moved into the timestamp", Sent::with(PUBLISHED, format!("{TIMESTAMP}:{head}"), rest), BAD_TIMESTAMP));
    table.push(("the timestamp moved into the body", Sent::with(PUBLISHED, "", format!("{TIMESTAMP}:{BODY}")), BAD_TIMESTAMP));
    table.push(("a leading zero under the real signature", stamped("01531420618"), MISMATCH));
    table.push(("many leading zeros under the real signature", stamped(&format!("{}{TIMESTAMP}", "0".repeat(500))), MISMATCH));
    table.push(("one second later under the real signature", stamped("1531420619"), MISMATCH));
    table.push(("one second earlier under the real signature", stamped("1531420617"), MISMATCH));
    table.push(("the first second", consistent("0"), STALE));
    table.push(("one digit less", consistent("153142061"), STALE));
    table.push(("milliseconds", consistent("1531420618000"), FUTURE));
    table.push(("nanoseconds", consistent("1531420618000000000"), FUTURE));
    table.push(("the last second of 64 bits", consistent("18446744073709551615"), FUTURE));
    table.push(("the last second of 63 bits", consistent("9223372036854775807"), FUTURE));
    table.push(("replayed 301 s later", Sent::example().arriving_at(NOW + 301), STALE));
    table.push(("replayed a day later", Sent::example().arriving_at(NOW + 86_400), STALE));
    table.push(("301 s before its time", Sent::example().arriving_at(NOW - 301), FUTURE));
    table.push(("a year before its time", Sent::example().arriving_at(NOW - 31_536_000), FUTURE));
    table.push(("replayed later under a fresh timestamp", Sent::with(PUBLISHED, "1531424218", BODY).arriving_at(NOW + 3600), MISMATCH));
    table
}

#[rustfmt::skip] // A row is a line.
fn hostile_signatures() -> Vec<Row> {
    let tagged = |signature: String| Sent::with(signature, TIMESTAMP, BODY);
    let over = |base: &[u8]| tagged(format!("v0={}", hex(&hmac(SECRET.as_bytes(), base))));
    let by = |secret: &[u8]| tagged(tag(secret, TIMESTAMP, BODY.as_bytes()));
    let base = format!("v0:{TIMESTAMP}:{BODY}");
    let mut table: Vec<Row> = vec![
        ("an empty signature", tagged(String::new()), MALFORMED),
        ("no version", tagged(DIGITS.to_owned()), MALFORMED),
        ("only the version", tagged("v0".to_owned()), MALFORMED),
        ("no digits", tagged("v0=".to_owned()), MALFORMED),
        ("only an equals sign", tagged("=".to_owned()), MALFORMED),
        ("no version before the equals sign", tagged(format!("={DIGITS}")), MALFORMED),
        ("a version in capitals", tagged(format!("V0={DIGITS}")), MALFORMED),
        ("the next version", tagged(format!("v1={DIGITS}")), MALFORMED),
        ("a longer version", tagged(format!("v00={DIGITS}")), MALFORMED),
        ("a version of a letter O", tagged(format!("vO={DIGITS}")), MALFORMED),
        ("a colon", tagged(format!("v0:{DIGITS}")), MALFORMED),
        ("a blank before the equals sign", tagged(format!("v0 ={DIGITS}")), MALFORMED),
        ("a blank behind the equals sign", tagged(format!("v0= {DIGITS}")), MALFORMED),
        ("two equals signs", tagged(format!("v0=={DIGITS}")), MALFORMED),
        ("the version twice", tagged(format!("v0=v0={DIGITS}")), MALFORMED),
        ("another service's prefix", tagged(format!("sha256={DIGITS}")), MALFORMED),
        ("percent-encoded", tagged(format!("v0%3D{DIGITS}")), MALFORMED),
        ("quotes", tagged(format!("\"{PUBLISHED}\"")), MALFORMED),
        ("a blank before", tagged(format!(" {PUBLISHED}")), MALFORMED),
        ("a blank behind", tagged(format!("{PUBLISHED} ")), MALFORMED),
        ("a tab behind", tagged(format!("{PUBLISHED}\t")), MALFORMED),
        ("a line feed behind", tagged(format!("{PUBLISHED}\n")), NotHttp),
        ("a NUL behind", tagged(format!("{PUBLISHED}\0")), NotHttp),
        ("a carriage return and a header", tagged(format!("{PUBLISHED}\r\nx: y")), NotHttp),
        ("all digits in capitals", tagged(format!("v0={}", DIGITS.to_uppercase())), MALFORMED),
        ("one digit in capitals", tagged(PUBLISHED.replacen('a', "A", 1)), MALFORMED),
        ("63 digits", tagged(PUBLISHED[..66].to_owned()), MALFORMED),
        ("62 digits", tagged(PUBLISHED[..65].to_owned()), MALFORMED),
        ("32 digits", tagged(PUBLISHED[..35].to_owned()), MALFORMED),
        ("40 digits, as SHA-1 has", tagged(PUBLISHED[..43].to_owned()), MALFORMED),
        ("65 digits", tagged(format!("{PUBLISHED}0")), MALFORMED),
        ("66 digits", tagged(format!("{PUBLISHED}00")), MALFORMED),
        ("128 digits", tagged(format!("v0={DIGITS}{DIGITS}")), MALFORMED),
        ("a million digits", tagged(format!("v0={}", "a".repeat(1_000_000))), MALFORMED),
        ("a leading digit cut", tagged(format!("v0={}", &DIGITS[1..])), MALFORMED),
        ("digits that are none", tagged(format!("v0={}", "g".repeat(64))), MALFORMED),
        ("one digit that is none", tagged(PUBLISHED.replacen('2', "z", 1)), MALFORMED),
        ("0x before the digits", tagged(format!("v0=0x{}", &DIGITS[2..])), MALFORMED),
        ("a sign among the digits", tagged(format!("v0=+{}", &DIGITS[1..])), MALFORMED),
        ("blanks for digits", tagged(format!("v0={}", " ".repeat(64))), MALFORMED),
        ("colons between bytes", tagged("v0=a2:11:4d:57".to_owned()), MALFORMED),
        ("full-width digits", tagged(format!("v0={}", "\u{ff11}".repeat(64))), MALFORMED),
        ("one Cyrillic letter", tagged(PUBLISHED.replacen('a', "\u{430}", 1)), MALFORMED),
        ("base64 of the tag", tagged("v0=ohFNV7SOrDm5rRid2DFiNae0qNIaEL0nUZZmSJxptQM=".to_owned()), MALFORMED),
        ("joined with a comma", tagged(format!("{PUBLISHED},{PUBLISHED}")), MALFORMED),
        ("joined with a wrong one first", tagged(format!("v0=00, {PUBLISHED}")), MALFORMED),
        ("joined with a wrong one last", tagged(format!("{PUBLISHED}, v0=00")), MALFORMED),
        ("zeros", tagged(format!("v0={}", "0".repeat(64))), MISMATCH),
        ("the highest tag", tagged(format!("v0={}", "f".repeat(64))), MISMATCH),
        ("the first digit changed", tagged(format!("v0=b{}", &DIGITS[1..])), MISMATCH),
        ("the last digit changed", tagged(format!("v0={}2", &DIGITS[..63])), MISMATCH),
        ("a middle digit changed", tagged(format!("v0={}0{}", &DIGITS[..32], &DIGITS[33..])), MISMATCH),
        ("digits reversed", tagged(format!("v0={}", DIGITS.chars().rev().collect::<String>())), MISMATCH),
        ("half of it zeros", tagged(format!("v0={}{}", &DIGITS[..32], "0".repeat(32))), MISMATCH),
        ("another secret", by(b"another"), MISMATCH),
        ("no secret", by(b""), MISMATCH),
        ("the secret in capitals", by(SECRET.to_uppercase().as_bytes()), MISMATCH),
        ("the secret with a line feed", by(format!("{SECRET}\n").as_bytes()), MISMATCH),
        ("the secret cut", by(&SECRET.as_bytes()[..31]), MISMATCH),
        ("the secret twice", by(SECRET.repeat(2).as_bytes()), MISMATCH),
        ("two secrets as one text", by(b"fresh,8f742231b10e8888abcd99yyyzzz85a5"), MISMATCH),
        ("the body alone", over(BODY.as_bytes()), MISMATCH),
        ("an empty base string", over(b""), MISMATCH),
        ("no version in the base string", over(format!("{TIMESTAMP}:{BODY}").as_bytes()), MISMATCH),
        ("the next version in the base string", over(format!("v1:{TIMESTAMP}:{BODY}").as_bytes()), MISMATCH),
        ("a version in capitals in the base string", over(format!("V0:{TIMESTAMP}:{BODY}").as_bytes()), MISMATCH),
        ("no timestamp in the base string", over(format!("v0::{BODY}").as_bytes()), MISMATCH),
        ("dots for colons, as elsewhere", over(format!("v0.{TIMESTAMP}.{BODY}").as_bytes()), MISMATCH),
        ("body and timestamp exchanged", over(format!("v0:{BODY}:{TIMESTAMP}").as_bytes()), MISMATCH),
        ("a line feed behind the base string", over(format!("{base}\n").as_bytes()), MISMATCH),
        ("key and message exchanged", tagged(format!("v0={}", hex(&hmac(base.as_bytes(), SECRET.as_bytes())))), MISMATCH),
        ("the HMAC of the HMAC", tagged(format!("v0={}", hex(&hmac(SECRET.as_bytes(), &hmac(SECRET.as_bytes(), base.as_bytes()))))), MISMATCH),
        ("a plain hash of secret and base string", tagged(format!("v0={}", hex(&Sha256::digest(format!("{SECRET}{base}"))))), MISMATCH),
        ("a plain hash of the base string", tagged(format!("v0={}", hex(&Sha256::digest(&base)))), MISMATCH),
        ("the signature of an empty body", tagged(tag(SECRET.as_bytes(), TIMESTAMP, b"")), MISMATCH),
        ("the signature of another second", tagged(tag(SECRET.as_bytes(), "1531420619", BODY.as_bytes())), MISMATCH),
        ("the signature of another body", tagged(tag(SECRET.as_bytes(), TIMESTAMP, b"{}")), MISMATCH),
        ("a secret that is no longer configured", Sent::example().checked_with("fresh,fresher"), MISMATCH),
    ];
    table.push(("bytes that are no UTF-8", Sent::with([b"v0=".as_slice(), &[0xff; 64]].concat(), TIMESTAMP, BODY), MALFORMED));
    table.push(("the raw tag", Sent::with([b"v0=".as_slice(), &[0x80; 32]].concat(), TIMESTAMP, BODY), MALFORMED));
    // The window comes before the tag: an old request is not worth an HMAC.
    table.push(("malformed and old", Sent::with("v0=", TIMESTAMP, BODY).arriving_at(NOW + 301), STALE));
    table
}

#[rustfmt::skip] // A row is a line.
fn hostile_bodies() -> Vec<Row> {
    /// The body is `sent` while Slack signed `signed`.
    fn altered(signed: &[u8], sent: impl Into<Vec<u8>>) -> Sent {
        Sent::with(tag(SECRET.as_bytes(), TIMESTAMP, signed), TIMESTAMP, sent)
    }
    fn flipped(body: &[u8], byte: usize, bit: u8) -> Vec<u8> {
        let mut body = body.to_vec();
        body[byte] ^= 1 << bit;
        body
    }
    let body = BODY.as_bytes();
    let event = EVENT.as_bytes();
    let mib = vec![b'a'; 1 << 20];
    vec![
        ("the first bit changed", altered(body, flipped(body, 0, 0)), MISMATCH),
        ("the last bit changed", altered(body, flipped(body, body.len() - 1, 7)), MISMATCH),
        ("a bit in the middle changed", altered(body, flipped(body, body.len() / 2, 3)), MISMATCH),
        ("a bit at the end of 1 MiB changed", altered(&mib, flipped(&mib, mib.len() - 1, 0)), MISMATCH),
        ("1 MiB cut by a byte", altered(&mib, &mib[1..]), MISMATCH),
        ("the body dropped", altered(body, ""), MISMATCH),
        ("a body where none was", altered(b"", "{}"), MISMATCH),
        ("another body", altered(body, "{}"), MISMATCH),
        ("cut", altered(body, &body[..body.len() - 1]), MISMATCH),
        ("twice", altered(body, BODY.repeat(2)), MISMATCH),
        ("a line feed behind", altered(body, format!("{BODY}\n")), MISMATCH),
        ("CRLF behind", altered(body, format!("{BODY}\r\n")), MISMATCH),
        ("CRLF for LF", altered(b"{\n}", "{\r\n}"), MISMATCH),
        ("LF for CRLF", altered(b"{\r\n}", "{\n}"), MISMATCH),
        ("a NUL behind", altered(body, format!("{BODY}\0")), MISMATCH),
        ("a blank before", altered(body, format!(" {BODY}")), MISMATCH),
        ("a byte order mark before", altered(event, format!("\u{feff}{EVENT}")), MISMATCH),
        ("a byte order mark removed", altered(b"\xef\xbb\xbf{}", "{}"), MISMATCH),
        ("percent-decoded", altered(body, BODY.replace("%2F", "/").replace("%3A", ":")), MISMATCH),
        ("percent-encoding in small letters", altered(body, BODY.replace("%2F", "%2f")), MISMATCH),
        ("percent-encoded once more", altered(body, BODY.replace('%', "%25")), MISMATCH),
        ("%20 for a plus", altered(b"text=a+b", "text=a%20b"), MISMATCH),
        ("a plus for %20", altered(b"text=a%20b", "text=a+b"), MISMATCH),
        ("an empty field left out", altered(body, BODY.replace("&text=", "")), MISMATCH),
        ("an empty field without its equals sign", altered(body, BODY.replace("&text=&", "&text&")), MISMATCH),
        ("a field added", altered(body, format!("{BODY}&text=all")), MISMATCH),
        ("an ampersand behind", altered(body, format!("{BODY}&")), MISMATCH),
        ("fields in another order", altered(b"a=1&b=2", "b=2&a=1"), MISMATCH),
        ("semicolons for ampersands", altered(body, BODY.replace('&', ";")), MISMATCH),
        ("base64 of it", altered(b"{}", "e30="), MISMATCH),
        ("base64 without padding", altered(b"{}", "e30"), MISMATCH),
        ("base64 twice", altered(b"{}", "ZTMwPQ=="), MISMATCH),
        ("decoded although Slack signed the base64", altered(b"e30=", "{}"), MISMATCH),
        ("JSON as a JSON string", altered(b"{}", "\"{}\""), MISMATCH),
        ("JSON with blanks", altered(event, EVENT.replace(':', ": ")), MISMATCH),
        ("JSON in another order", altered(b"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"), MISMATCH),
        ("JSON with an escape for a letter", altered(event, EVENT.replace('\u{e9}', "\\u00e9")), MISMATCH),
        ("JSON with escaped slashes", altered(b"\"a/b\"", "\"a\\/b\""), MISMATCH),
        ("the letter decomposed", altered(event, EVENT.replace('\u{e9}', "e\u{301}")), MISMATCH),
        ("Latin-1 for UTF-8", altered("caf\u{e9}".as_bytes(), b"caf\xe9".as_slice()), MISMATCH),
        ("UTF-8 for Latin-1", altered(b"caf\xe9", "caf\u{e9}"), MISMATCH),
        ("read as Latin-1 and written as UTF-8", altered("caf\u{e9}".as_bytes(), "caf\u{c3}\u{a9}"), MISMATCH),
        ("bytes that are no UTF-8 replaced", altered(b"caf\xff", "caf\u{fffd}"), MISMATCH),
        ("letters outside ASCII dropped", altered("caf\u{e9}".as_bytes(), "caf?"), MISMATCH),
        ("UTF-16", altered(b"{}", b"{\0}\0".as_slice()), MISMATCH),
        ("in capitals", altered(body, BODY.to_uppercase()), MISMATCH),
    ]
}

#[test]
fn genuine_requests_are_believed_whatever_is_in_them() {
    check(genuine_requests());
}

#[test]
fn missing_and_repeated_headers_are_refused() {
    check(hostile_headers());
}

#[test]
fn only_a_plain_number_of_seconds_is_a_timestamp() {
    check(hostile_timestamps());
}

#[test]
fn only_slacks_own_way_of_writing_it_is_a_signature() {
    check(hostile_signatures());
}

#[test]
fn a_body_that_is_not_the_very_bytes_slack_signed_is_refused() {
    check(hostile_bodies());
}

#[test]
fn there_are_enough_rows() {
    let hostile = [hostile_headers(), hostile_timestamps(), hostile_signatures(), hostile_bodies()];
    let rows: usize = hostile.iter().map(Vec::len).sum::<usize>() + lookalikes().len();
    assert!(rows >= 120, "{rows}");
    for (name, _, expected) in hostile.iter().flatten() {
        assert_ne!(*expected, Accepted, "{name}");
    }
}

type Lookalike = (&'static str, Option<&'static str>, &'static [u8]);

/// The certificate check is a form with the decoded field `ssl_check=1`, in whichever place and spelling.
#[rustfmt::skip] // A row is a line.
fn certificate_checks() -> Vec<Lookalike> {
    vec![
        ("as on Slack's page", Some(FORM), b"ssl_check=1&token=xyzz0WbapA4vBCDEFasx0q6G"),
        ("alone", Some(FORM), b"ssl_check=1"),
        ("the token first", Some(FORM), b"token=x&ssl_check=1"),
        ("the name percent-encoded", Some(FORM), b"%73sl_check=1"),
        ("the underscore percent-encoded", Some(FORM), b"ssl%5Fcheck=1"),
        ("the value percent-encoded", Some(FORM), b"ssl_check=%31"),
        ("twice", Some(FORM), b"ssl_check=1&ssl_check=1"),
        ("once off and once on", Some(FORM), b"ssl_check=0&ssl_check=1"),
        ("once on and once off", Some(FORM), b"ssl_check=1&ssl_check=0"),
        ("between empty fields", Some(FORM), b"&&ssl_check=1&&"),
        ("a content type with a charset", Some("application/x-www-form-urlencoded; charset=utf-8"), b"ssl_check=1"),
        ("a content type in capitals", Some("APPLICATION/X-WWW-FORM-URLENCODED"), b"ssl_check=1"),
        ("a content type with a blank", Some("application/x-www-form-urlencoded ;charset=utf-8"), b"ssl_check=1"),
    ]
}

#[rustfmt::skip] // A row is a line.
fn lookalikes() -> Vec<Lookalike> {
    vec![
        ("an empty body", Some(FORM), b""),
        ("no value", Some(FORM), b"ssl_check"),
        ("an empty value", Some(FORM), b"ssl_check="),
        ("off", Some(FORM), b"ssl_check=0"),
        ("ten", Some(FORM), b"ssl_check=10"),
        ("a leading zero", Some(FORM), b"ssl_check=01"),
        ("a decimal point", Some(FORM), b"ssl_check=1.0"),
        ("a word", Some(FORM), b"ssl_check=true"),
        ("a sign, as a blank", Some(FORM), b"ssl_check=+1"),
        ("a sign", Some(FORM), b"ssl_check=%2B1"),
        ("a blank behind", Some(FORM), b"ssl_check=1+"),
        ("a line feed behind", Some(FORM), b"ssl_check=1\n"),
        ("two equals signs", Some(FORM), b"ssl_check==1"),
        ("a semicolon behind", Some(FORM), b"ssl_check=1;token=x"),
        ("a full-width one", Some(FORM), b"ssl_check=%EF%BC%91"),
        ("a full-width one as it is", Some(FORM), b"ssl_check=\xef\xbc\x91"),
        ("the value percent-encoded twice", Some(FORM), b"ssl_check=%2531"),
        ("the whole pair percent-encoded", Some(FORM), b"ssl_check%3D1"),
        ("in capitals", Some(FORM), b"SSL_CHECK=1"),
        ("in mixed case", Some(FORM), b"Ssl_Check=1"),
        ("a hyphen", Some(FORM), b"ssl-check=1"),
        ("a longer name", Some(FORM), b"ssl_check_=1"),
        ("a name that ends so", Some(FORM), b"xssl_check=1"),
        ("a blank before the name", Some(FORM), b"+ssl_check=1"),
        ("a list", Some(FORM), b"ssl_check[]=1"),
        ("an index", Some(FORM), b"ssl_check[0]=1"),
        ("a byte order mark before", Some(FORM), b"\xef\xbb\xbfssl_check=1"),
        ("a question mark before, as in a query", Some(FORM), b"?ssl_check=1"),
        ("in another field's value", Some(FORM), b"text=ssl_check=1"),
        ("in another field's value, encoded", Some(FORM), b"text=ssl_check%3D1"),
        ("in another field's value, with an encoded ampersand", Some(FORM), b"text=a%26ssl_check=1"),
        ("in an interactivity payload", Some(FORM), b"payload=%7B%22ssl_check%22%3A%221%22%7D"),
        ("JSON in a form", Some(FORM), b"{\"ssl_check\":\"1\"}"),
        ("in JSON", Some("application/json"), b"{\"ssl_check\":\"1\",\"token\":\"x\"}"),
        ("a number in JSON", Some("application/json"), b"{\"ssl_check\":1}"),
        ("a form called JSON", Some("application/json"), b"ssl_check=1"),
        ("a form called text", Some("text/plain"), b"ssl_check=1"),
        ("a form called bytes", Some("application/octet-stream"), b"ssl_check=1"),
        ("a form without a content type", None, b"ssl_check=1"),
        ("an empty content type", Some(""), b"ssl_check=1"),
        ("a multipart form", Some("multipart/form-data; boundary=x"), b"--x\r\ncontent-disposition: form-data; name=\"ssl_check\"\r\n\r\n1\r\n--x--"),
        ("a longer content type", Some("application/x-www-form-urlencoded-not"), b"ssl_check=1"),
        ("a content type as a parameter", Some("text/plain; application/x-www-form-urlencoded"), b"ssl_check=1"),
        ("two content types in one", Some("text/plain, application/x-www-form-urlencoded"), b"ssl_check=1"),
        ("UTF-16", Some(FORM), b"s\0s\0l\0_\0c\0h\0e\0c\0k\0=\x001\0"),
    ]
}

fn unsigned(content_type: Option<&str>, body: &'static [u8]) -> RawRequest {
    let mut headers = HeaderMap::new();
    if let Some(value) = content_type {
        let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else {
            panic!("{value}");
        };
        headers.insert("content-type", value);
    }
    RawRequest { headers, body: Bytes::from_static(body), received_at: EpochMs(NOW * 1000) }
}

#[test]
fn the_certificate_check_is_known_by_its_decoded_field() {
    for (name, content_type, body) in certificate_checks() {
        assert!(unsigned(content_type, body).is_ssl_check(), "{name}");
    }
}

#[test]
fn what_only_looks_like_the_certificate_check_needs_a_signature() {
    for (name, content_type, body) in lookalikes() {
        assert!(!unsigned(content_type, body).is_ssl_check(), "{name}");
    }
}

#[test]
fn the_certificate_check_in_the_query_of_an_unsigned_event_is_not_seen() {
    let mut request = unsigned(Some("application/json"), EVENT.as_bytes());
    request.headers.insert("x-original-uri", HeaderValue::from_static("/slack/events?ssl_check=1"));
    assert!(!request.is_ssl_check());
}

#[test]
fn an_unsigned_certificate_check_is_still_no_verified_request() {
    for (name, content_type, body) in certificate_checks() {
        let Some(secrets) = SigningSecrets::parse(SECRET) else {
            panic!("no secret");
        };
        let refused = unsigned(content_type, body).verify(&secrets, EpochSeconds(NOW)).err();
        assert_eq!(refused, Some(SignatureError::Missing("x-slack-signature")), "{name}");
    }
}
