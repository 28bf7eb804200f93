//! What lies in the dead-letter queues, read from the queues themselves: why it is there and what a redrive would do. Moving and discarding too.
//! Not here: pages and addresses (`dead_letters`). Source of the attributes: the module `sqs` of `tack-aws`.

use crate::history::{Facts, Kind, payload_of, short};
use crate::stack::Stack;
use serde::Serialize;
use std::collections::BTreeMap;
use tack_app::message::Work;
use tack_local_aws::sqs::{MessageSnapshot, MessageState, SkipReason, SkippedMessage, Sqs, SqsError};
use tack_simulator::{mask, mask_text};

/// A modal can be opened this long after Slack sent its `trigger_id`.
const TRIGGER_MS: u64 = 3_000;
/// A `response_url` works this long.
const RESPONSE_URL_MS: u64 = 30 * 60_000;
/// Letters of a cause that are the same say so in as many words.
const CAUSE_CHARS_MAX: usize = 200;
/// The cause of what SQS itself took for dead.
const NEVER_LOOKED_AT: &str = "no worker could look at it";
/// What the framework says before the last reason, where there were several.
const LAST: &str = "the last: ";

/// A dead letter.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Letter {
    /// SQS's id of the message.
    pub(super) id: String,
    pub(super) short: String,
    /// The queue it came from.
    pub(super) queue: &'static str,
    pub(super) delivery: String,
    pub(super) job: String,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) team: String,
    /// What letters are grouped by.
    pub(super) cause: String,
    pub(super) reason: String,
    pub(super) attempts: u64,
    /// How often it was redriven.
    #[serde(rename = "gen")]
    pub(super) generation: u32,
    pub(super) sent_ms: u64,
    pub(super) expires_ms: u64,
    /// What a redrive would do.
    pub(super) would: String,
    /// Why it cannot be moved now.
    #[serde(skip)]
    pub(super) held: Option<SkipReason>,
}

/// Letters with one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Cause {
    pub(super) cause: String,
    pub(super) count: usize,
    pub(super) first_ms: u64,
    pub(super) last_ms: u64,
}

/// What is known besides the queues.
pub(super) struct Knowledge {
    /// The jobs of the build that serves; empty if they are not known.
    pub(super) jobs: Vec<String>,
    pub(super) now_ms: u64,
}

/// All letters, newest first.
pub(super) fn letters(sqs: &Sqs, knowledge: &Knowledge) -> Vec<Letter> {
    let mut letters: Vec<Letter> = Stack::QUEUES
        .into_iter()
        .flat_map(|queue| {
            let retention = sqs.settings(&dead(queue)).map(|settings| settings.retention).unwrap_or_default();
            let keep_ms = u64::try_from(retention.as_millis()).unwrap_or(u64::MAX);
            sqs.peek(&dead(queue)).into_iter().map(move |message| letter(queue, &message, keep_ms, knowledge))
        })
        .collect();
    letters.sort_by_key(|letter| std::cmp::Reverse(letter.sent_ms));
    letters
}

/// The letters' causes, the most frequent first.
pub(super) fn causes(letters: &[Letter]) -> Vec<Cause> {
    let mut causes: BTreeMap<&str, Cause> = BTreeMap::new();
    for letter in letters {
        let cause = causes.entry(&letter.cause).or_insert_with(|| Cause {
            cause: letter.cause.clone(),
            count: 0,
            first_ms: letter.sent_ms,
            last_ms: letter.sent_ms,
        });
        cause.count += 1;
        cause.first_ms = cause.first_ms.min(letter.sent_ms);
        cause.last_ms = cause.last_ms.max(letter.sent_ms);
    }
    let mut causes: Vec<Cause> = causes.into_values().collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.count));
    causes
}

/// The body of a letter for people: what Slack sent, without secrets.
pub(super) fn body(sqs: &Sqs, letter: &Letter) -> String {
    let Some(message) = sqs.peek_message(&dead(letter.queue), &letter.id) else { return String::new() };
    match Work::decode(&message.body) {
        Ok(Work::Slack(work)) => match payload_of(&work.envelope.content_type, &work.envelope.body) {
            serde_json::Value::Null => mask_text(&String::from_utf8_lossy(&work.envelope.body)),
            payload => serde_json::to_string_pretty(&mask(&payload)).unwrap_or_default(),
        },
        Ok(Work::App(work)) => serde_json::to_string_pretty(&mask(&work.payload)).unwrap_or_default(),
        Err(_) => match serde_json::from_str(&message.body) {
            Ok(json) => mask(&json).to_string(),
            Err(_) => mask_text(&message.body),
        },
    }
}

/// What is done with letters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Redrive,
    Discard,
}

/// What was done.
#[derive(Debug, Default, Serialize)]
pub(super) struct Done {
    pub(super) letters: Vec<String>,
    pub(super) skipped: Vec<Skipped>,
}

/// A letter that stayed.
#[derive(Debug, Serialize)]
pub(super) struct Skipped {
    pub(super) id: String,
    pub(super) reason: String,
}

impl Skipped {
    fn of(skipped: SkippedMessage) -> Self {
        Self { id: skipped.message_id, reason: skipped.reason.to_string() }
    }

    pub(super) fn gone(id: &str) -> Self {
        Self { id: id.to_owned(), reason: SkipReason::Gone.to_string() }
    }
}

/// Does it, or only says what it would do.
pub(super) fn carry_out(sqs: &Sqs, deed: Deed, chosen: &[Letter], is_dry: bool) -> Result<Done, SqsError> {
    let mut done = Done::default();
    if is_dry {
        for letter in chosen {
            match letter.held {
                None => done.letters.push(letter.id.clone()),
                Some(reason) => done.skipped.push(Skipped { id: letter.id.clone(), reason: reason.to_string() }),
            }
        }
        return Ok(done);
    }
    for queue in Stack::QUEUES {
        // Oldest first, as they came.
        let of_queue = chosen.iter().rev().filter(|letter| letter.queue == queue);
        let ids: Vec<String> = of_queue.map(|letter| letter.id.clone()).collect();
        if ids.is_empty() {
            continue;
        }
        let skipped = match deed {
            Deed::Redrive => {
                let moved = sqs.move_messages(&dead(queue), queue, &ids)?;
                done.letters.extend(moved.moved.into_iter().map(|moved| moved.message_id));
                moved.skipped
            }
            Deed::Discard => {
                let deleted = sqs.delete_messages(&dead(queue), &ids)?;
                done.letters.extend(deleted.deleted);
                deleted.skipped
            }
        };
        done.skipped.extend(skipped.into_iter().map(Skipped::of));
    }
    Ok(done)
}

fn dead(queue: &str) -> String {
    format!("{queue}-dlq")
}

fn letter(queue: &'static str, message: &MessageSnapshot, keep_ms: u64, knowledge: &Knowledge) -> Letter {
    let attribute = |name: &str| message.attributes.get(name).and_then(|attribute| attribute.string.clone());
    let work = Work::decode(&message.body).ok();
    let reason = attribute("reason").map_or_else(|| never_looked_at(message), |reason| mask_text(&reason));
    let cause = if attribute("reason").is_some() { cause(&reason) } else { NEVER_LOOKED_AT.to_owned() };
    let facts = match &work {
        Some(Work::Slack(work)) => Facts::of(&work.envelope.content_type, &work.envelope.body),
        Some(Work::App(work)) => Facts { kind: Kind::Own, name: work.job.clone(), ..Facts::default() },
        None => Facts::default(),
    };
    let jobs = work.as_ref().map(|work| work.jobs().into_iter().map(|job| job.name).collect::<Vec<_>>().join(", "));
    let job = attribute("job").or(jobs).unwrap_or_default();
    let team = work.as_ref().and_then(|work| work.tenant().team).map(|team| team.as_str().to_owned());
    let received_ms = work.as_ref().and_then(Work::received_at).map(|at| at.0);
    let age_ms = knowledge.now_ms.saturating_sub(received_ms.unwrap_or(message.sent_ms));
    Letter {
        short: short(&message.message_id),
        queue,
        delivery: attribute("delivery").or(work.as_ref().map(|work| work.id().to_owned())).unwrap_or_default(),
        would: would(work.is_some(), &job, facts.kind, age_ms, knowledge),
        kind: facts.kind.as_str(),
        name: facts.name,
        team: team.unwrap_or(facts.team),
        cause,
        reason,
        job,
        attempts: attribute("attempts")
            .and_then(|attempts| attempts.parse().ok())
            .unwrap_or(u64::from(message.receive_count)),
        generation: work.as_ref().map(Work::generation).unwrap_or_default(),
        sent_ms: message.sent_ms,
        expires_ms: message.sent_ms.saturating_add(keep_ms),
        held: match message.state {
            MessageState::Visible => None,
            MessageState::InFlight { .. } => Some(SkipReason::InFlight),
            MessageState::Delayed { .. } => Some(SkipReason::Delayed),
        },
        id: message.message_id.clone(),
    }
}

fn never_looked_at(message: &MessageSnapshot) -> String {
    format!("SQS gave it out {} times and took it for dead: {NEVER_LOOKED_AT}", message.receive_count)
}

/// What a reason has in common with others: without the number of attempts, one line, not endless.
fn cause(reason: &str) -> String {
    let last = reason.split_once(LAST).map_or(reason, |(_, last)| last);
    let line = last.lines().next().unwrap_or_default();
    if line.chars().count() <= CAUSE_CHARS_MAX {
        return line.to_owned();
    }
    line.chars().take(CAUSE_CHARS_MAX - 1).chain(['…']).collect()
}

/// What a redrive would do, in one sentence.
fn would(is_readable: bool, job: &str, kind: Kind, age_ms: u64, knowledge: &Knowledge) -> String {
    if !is_readable {
        return "No worker can read it, so it would come straight back.".to_owned();
    }
    let is_known = |job: &str| knowledge.jobs.is_empty() || knowledge.jobs.iter().any(|known| known == job);
    if let Some(unknown) = job.split(", ").find(|job| !is_known(job)) {
        return format!("This build has no job {unknown}: it would be tried until one has, or come back.");
    }
    let base = format!(
        "Runs {} once more, and ends the same way unless the cause is gone",
        if job.is_empty() { "it" } else { job }
    );
    if !matches!(kind, Kind::Command | Kind::Interactive) || age_ms <= TRIGGER_MS {
        return format!("{base}.");
    }
    match RESPONSE_URL_MS.saturating_sub(age_ms).div_ceil(60_000) {
        0 => format!("{base}; no modal can open any more (3 s) and its response_url is dead (30 min)."),
        minutes => format!("{base}; no modal can open any more (3 s), its response_url works for {minutes} min."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tack_local_aws::sqs::{MessageAttribute, NewMessage};
    use tack_local_aws::{Clock, LocalAws};

    const NOW: u64 = 1_795_511_642_118;

    fn account() -> LocalAws {
        let aws = LocalAws::new(Clock::system());
        for queue in Stack::QUEUES {
            aws.sqs().create_queue(queue, Default::default()).unwrap();
            aws.sqs().create_queue(&dead(queue), Default::default()).unwrap();
        }
        aws
    }

    /// A message as the worker writes it: see the frozen form of version 1.
    fn bury(aws: &LocalAws, queue: &str, job: &str, reason: &str) -> String {
        let body = json!({
            "v": 1, "origin": "slack", "id": "0192f0c1-0000-7000-8000-0000000c0ffe", "received_at": NOW - 60_000,
            "kind": "events_api", "team": "T0ACME001", "enc": "text", "content_type": "application/json", "gen": 1,
            "body": r#"{"token":"verification-token","team_id":"T0ACME001","event":{"type":"message","text":"hi"}}"#,
            "jobs": [{ "name": job }],
        });
        let text = |text: &str| MessageAttribute {
            data_type: "String".to_owned(),
            string: Some(text.to_owned()),
            binary: None,
        };
        let attributes = [
            ("reason", text(reason)),
            ("attempts", MessageAttribute { data_type: "Number".to_owned(), ..text("10") }),
            ("job", text(job)),
        ];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
        aws.sqs()
            .send(&dead(queue), NewMessage { body: body.to_string(), attributes, ..NewMessage::default() })
            .unwrap()
    }

    fn known(jobs: &[&str]) -> Knowledge {
        Knowledge { jobs: jobs.iter().map(|job| (*job).to_owned()).collect(), now_ms: NOW }
    }

    #[test]
    fn a_letter_says_what_it_is_and_why() {
        let aws = account();
        let id = bury(
            &aws,
            "events",
            "greet",
            "all 10 attempts failed; the last: chat.postMessage: internal_error xoxb-1-secret-secret-abcd",
        );
        let letters = letters(aws.sqs(), &known(&["greet"]));
        let [letter] = letters.as_slice() else { panic!("{letters:?}") };
        assert_eq!((letter.id.as_str(), letter.queue, letter.job.as_str()), (id.as_str(), "events", "greet"));
        assert_eq!((letter.kind, letter.name.as_str(), letter.team.as_str()), ("event", "message", "T0ACME001"));
        assert_eq!((letter.attempts, letter.generation), (10, 1));
        assert_eq!(letter.cause, "chat.postMessage: internal_error xoxb-…abcd");
        assert!(letter.would.starts_with("Runs greet once more"), "{}", letter.would);
        let body = body(aws.sqs(), letter);
        assert!(body.contains("\"text\": \"hi\"") && !body.contains("verification-token"), "{body}");
    }

    #[test]
    fn letters_are_grouped_by_what_they_have_in_common() {
        let aws = account();
        bury(&aws, "events", "greet", "all 10 attempts failed; the last: boom");
        bury(&aws, "events", "greet", "boom");
        bury(&aws, "interactions", "order", "views.open: expired_trigger_id");
        let causes = causes(&letters(aws.sqs(), &known(&[])));
        let counts: Vec<(&str, usize)> = causes.iter().map(|cause| (cause.cause.as_str(), cause.count)).collect();
        assert_eq!(counts, [("boom", 2), ("views.open: expired_trigger_id", 1)]);
    }

    #[test]
    fn what_nobody_can_read_and_what_nobody_runs_would_come_back() {
        let aws = account();
        aws.sqs().send("events-dlq", NewMessage { body: "no message".to_owned(), ..NewMessage::default() }).unwrap();
        bury(&aws, "events", "gone", "no job is named \"gone\" here");
        let would: Vec<String> =
            letters(aws.sqs(), &known(&["greet"])).into_iter().map(|letter| letter.would).collect();
        assert!(would.iter().any(|would| would.contains("straight back")), "{would:?}");
        assert!(would.iter().any(|would| would.contains("no job gone")), "{would:?}");
    }

    #[test]
    fn slacks_clocks_are_told() {
        let told = |age_ms| would(true, "order", Kind::Command, age_ms, &known(&[]));
        assert!(!told(2_000).contains("modal"));
        assert!(told(60_000).contains("works for 29 min"), "{}", told(60_000));
        assert!(told(1_800_000).contains("is dead"), "{}", told(1_800_000));
        assert!(!would(true, "greet", Kind::Event, 1_800_000, &known(&[])).contains("modal"));
    }

    #[test]
    fn chosen_letters_move_and_the_others_stay() {
        let aws = account();
        let [one, two] = [bury(&aws, "events", "a", "x"), bury(&aws, "interactions", "b", "y")];
        let all = letters(aws.sqs(), &known(&[]));
        let chosen: Vec<Letter> = all.iter().filter(|letter| letter.id == one).cloned().collect();
        let dry = carry_out(aws.sqs(), Deed::Redrive, &chosen, true).unwrap();
        assert_eq!((dry.letters, aws.sqs().peek("events").len()), (vec![one.clone()], 0));
        let done = carry_out(aws.sqs(), Deed::Redrive, &chosen, false).unwrap();
        assert_eq!((done.letters, aws.sqs().peek("events").len()), (vec![one.clone()], 1));
        let again = carry_out(aws.sqs(), Deed::Redrive, &chosen, false).unwrap();
        assert_eq!((again.letters.len(), again.skipped[0].reason.as_str()), (0, "not in the queue"));
        carry_out(aws.sqs(), Deed::Discard, &all, false).unwrap();
        assert!(letters(aws.sqs(), &known(&[])).is_empty());
        assert_ne!(one, two);
    }
}
