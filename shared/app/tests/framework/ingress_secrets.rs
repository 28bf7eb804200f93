//! Signing secrets that change while the process runs.

use crate::deliveries::{COMMAND, NOW};
use crate::ingress::{Door, SECRET, door, published, register, signed_by};
use crate::lines::Lines;
use crate::ports::Ports;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, pending, ready};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tack_app::memory::ManualClock;
use tack_app::ports::{Clock, RereadError, SigningSecretSource};
use tack_app::protocol::{RawRequest, SigningSecrets};
use tack_app::{AcceptedSecrets, Arrival};
use tokio::time::Instant;

const NEW_SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What a read of the secrets comes to.
#[derive(Clone, Copy)]
enum Kept {
    Secret(&'static str),
    Denied,
    Silence,
}

/// Where the secrets are kept, and how often they were read.
struct Source {
    kept: Cell<Kept>,
    reads: Cell<u32>,
}

impl SigningSecretSource for Source {
    fn reread(&self) -> LocalBoxFuture<'_, Result<SigningSecrets, RereadError>> {
        self.reads.set(self.reads.get() + 1);
        match self.kept.get() {
            Kept::Secret(secret) => ready(Ok(secrets(secret))).boxed_local(),
            Kept::Denied => ready(Err(RereadError { reason: "allow ssm:GetParameter".to_owned() })).boxed_local(),
            Kept::Silence => pending().boxed_local(),
        }
    }
}

fn secrets(text: &str) -> SigningSecrets {
    SigningSecrets::parse(text).expect("a secret")
}

struct Rotating {
    door: Door,
    source: Rc<Source>,
    clock: Rc<ManualClock>,
}

impl Rotating {
    fn new(kept: Kept) -> Self {
        let source = Rc::new(Source { kept: Cell::new(kept), reads: Cell::new(0) });
        let clock = Rc::new(ManualClock::at(NOW));
        let accepted = AcceptedSecrets::with_source(secrets(SECRET), Rc::clone(&source) as _);
        let door =
            Door { secrets: accepted, clock: Rc::clone(&clock) as _, ..door(&Rc::new(Ports::default()), register) };
        Self { door, source, clock }
    }

    /// The status of a request that was signed with this secret just now, and how often the secrets were read for it.
    async fn answered(&self, secret: &str) -> (u16, u32) {
        self.answer(signed_by(secret, self.clock.now().seconds(), published(COMMAND))).await
    }

    async fn answer(&self, request: RawRequest) -> (u16, u32) {
        let before = self.source.reads.get();
        let answer = self.door.answer(request, Arrival::default()).await;
        (answer.status, self.source.reads.get() - before)
    }
}

#[tokio::test]
async fn a_secret_that_was_changed_heals_without_a_deploy() {
    let rotating = Rotating::new(Kept::Secret(NEW_SECRET));
    assert_eq!(rotating.answered(SECRET).await, (200, 0), "nothing is read while signatures hold");
    assert_eq!(rotating.answered(NEW_SECRET).await, (200, 1));
    assert_eq!(rotating.answered(NEW_SECRET).await, (200, 0), "it is kept");
    assert_eq!(rotating.answered(SECRET).await, (401, 0), "the old one is no longer believed");
}

#[tokio::test]
async fn two_secrets_at_once_are_read_as_two() {
    let rotating = Rotating::new(Kept::Secret("0123456789abcdef0123456789abcdef,8f742231b10e8888abcd99yyyzzz85a5"));
    assert_eq!(rotating.answered(NEW_SECRET).await, (200, 1));
    assert_eq!(rotating.answered(SECRET).await, (200, 0));
}

#[tokio::test]
async fn a_signature_that_never_holds_costs_one_read_a_minute() {
    let rotating = Rotating::new(Kept::Secret(SECRET));
    assert_eq!(rotating.answered("not Slack's").await, (401, 1));
    for (after, reads) in [(0, 0), (1_000, 0), (58_999, 0), (1, 1), (59_999, 0), (1, 1)] {
        rotating.clock.advance(Duration::from_millis(after));
        assert_eq!(rotating.answered("not Slack's").await, (401, reads), "{after} ms later");
    }
    assert_eq!(rotating.answered(SECRET).await, (200, 0));
}

// Whoever sends forged requests uses up the reads; what they brought is tried with every request.
#[tokio::test]
async fn forged_requests_do_not_keep_a_changed_secret_from_healing() {
    let rotating = Rotating::new(Kept::Secret(NEW_SECRET));
    for minute in 0..3 {
        assert_eq!(rotating.answered("forged").await, (401, u32::from(minute == 0 || minute == 2)), "{minute}");
        rotating.clock.advance(Duration::from_secs(30));
    }
    assert_eq!(rotating.answered(SECRET).await, (200, 0), "the old one is believed until the new one is used");
    assert_eq!(rotating.answered(NEW_SECRET).await, (200, 0));
    assert_eq!(rotating.answered(SECRET).await.0, 401);
}

#[tokio::test]
async fn a_candidate_that_was_never_used_is_replaced_by_the_next_that_is_read() {
    let rotating = Rotating::new(Kept::Secret("mistyped"));
    rotating.answered("forged").await;
    rotating.source.kept.set(Kept::Secret(NEW_SECRET));
    rotating.clock.advance(Duration::from_secs(60));
    assert_eq!(rotating.answered(NEW_SECRET).await, (200, 1));
    assert_eq!(rotating.answered("mistyped").await, (401, 0));
}

#[tokio::test]
async fn a_failed_read_keeps_the_next_one_away_for_a_minute_too() {
    let rotating = Rotating::new(Kept::Denied);
    assert_eq!(rotating.answered(NEW_SECRET).await, (401, 1));
    rotating.source.kept.set(Kept::Secret(NEW_SECRET));
    rotating.clock.advance(Duration::from_millis(59_999));
    assert_eq!(rotating.answered(NEW_SECRET).await, (401, 0));
    rotating.clock.advance(Duration::from_millis(1));
    assert_eq!(rotating.answered(NEW_SECRET).await, (200, 1));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_hangs_leaves_the_time_to_answer_slack() {
    let rotating = Rotating::new(Kept::Silence);
    let started = Instant::now();
    assert_eq!(rotating.answered(NEW_SECRET).await, (401, 1));
    assert_eq!(started.elapsed(), Duration::from_millis(800));
}

// Whoever could make us read by sending anything could use up the account's calls.
#[tokio::test]
async fn only_a_signature_that_does_not_match_is_a_reason_to_read() {
    let rotating = Rotating::new(Kept::Secret(NEW_SECRET));
    let without = |header: &str| {
        let mut request = published(COMMAND);
        request.headers.remove(header);
        request
    };
    let with = |header: &'static str, value: &'static str| {
        let mut request = published(COMMAND);
        request.headers.insert(header, value.parse().expect("a header"));
        request
    };
    for (name, request) in [
        ("no signature", without("x-slack-signature")),
        ("no timestamp", without("x-slack-request-timestamp")),
        ("an old timestamp", with("x-slack-request-timestamp", "1531420618")),
        ("a timestamp that is none", with("x-slack-request-timestamp", "soon")),
        ("a signature that is none", with("x-slack-signature", "v0=soon")),
    ] {
        assert_eq!(rotating.answer(request).await, (401, 0), "{name}");
    }
}

// A slip of the pen in the stored secret must not stop what works.
#[tokio::test]
async fn a_stored_secret_that_fits_nothing_does_not_replace_one_that_works() {
    let rotating = Rotating::new(Kept::Secret("mistyped"));
    assert_eq!(rotating.answered("not Slack's").await, (401, 1));
    assert_eq!(rotating.answered(SECRET).await, (200, 0));
}

#[tokio::test]
async fn without_a_source_nothing_is_read() {
    let door = door(&Rc::new(Ports::default()), register);
    let request = signed_by(NEW_SECRET, NOW.seconds(), published(COMMAND));
    assert_eq!(door.answer(request, Arrival::default()).await.status, 401);
}

#[tokio::test]
async fn the_line_says_that_it_healed_or_why_not_and_holds_no_secret() {
    let (lines, _guard) = Lines::listen();
    for kept in [Kept::Secret(NEW_SECRET), Kept::Secret(SECRET), Kept::Denied] {
        let rotating = Rotating::new(kept);
        rotating.answered(NEW_SECRET).await;
    }
    let steps = lines.steps("ack");
    let told: Vec<_> = steps.iter().map(|step| (step.verdict.as_deref(), step.reread.as_deref())).collect();
    assert_eq!(
        told,
        [
            (Some("queued"), Some("healed")),
            (Some("bad_signature"), Some("no_match")),
            (Some("bad_signature"), Some("allow ssm:GetParameter")),
        ]
    );
    let text = format!("{steps:?}");
    assert!(!text.contains(NEW_SECRET) && !text.contains(SECRET), "{text}");
}
