//! `infra/template.yaml` against the limits and the names in the code. Linters know neither.

use crate::sources::{read, sources};
use std::collections::BTreeSet;
use std::time::Duration;
use tack_app::Limits;
use tack_app::idempotency::RECORD_LIFE;
use tack_app::limits::{MESSAGE_BYTES_MAX, RAW_BODY_BYTES_MAX};

const DAY_S: u64 = 24 * 3600;

/// The template's lines below a key, as far as they are indented deeper. `path` names keys from the outside in.
fn below(path: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = read("infra/template.yaml").lines().map(str::to_owned).collect();
    for key in path {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let at = lines
            .iter()
            .position(|line| line.trim_start().split(':').next().map(|found| found.trim_matches('"')) == Some(key))
            .unwrap_or_else(|| panic!("the template has no {key} of {path:?}"));
        let depth = indent(&lines[at]);
        let inner = lines[at + 1..].iter().take_while(|line| line.trim().is_empty() || indent(line) > depth);
        let own = lines[at].split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default();
        lines = inner.filter(|line| !line.trim().starts_with('#')).cloned().collect();
        if !own.is_empty() {
            lines.insert(0, own);
        }
    }
    lines
}

/// The value at this path, without its comment.
fn value(path: &[&str]) -> String {
    let lines = below(path);
    let first = lines.first().unwrap_or_else(|| panic!("{path:?} has no value"));
    first.split("  #").next().unwrap_or_default().trim().trim_matches('"').to_owned()
}

fn number(path: &[&str]) -> u64 {
    value(path).parse().unwrap_or_else(|_| panic!("{path:?} is no number: {}", value(path)))
}

fn property(resource: &str, name: &str) -> u64 {
    number(&["Resources", resource, "Properties", name])
}

/// The names of the variables of a function.
fn variables(function: &str) -> BTreeSet<String> {
    let lines = below(&["Resources", function, "Properties", "Environment", "Variables"]);
    lines.iter().filter_map(|line| line.trim().split_once(':')).map(|(name, _)| name.to_owned()).collect()
}

/// Every (time-out, visibility timeout) of the events, in seconds, that the parameters allow.
fn timings_of_events() -> Vec<(u64, u64)> {
    assert_eq!(value(&["Resources", "WorkerEvents", "Properties", "Timeout"]), "!Ref EventsTimeout");
    let visibility = value(&["Resources", "EventsQueue", "Properties", "VisibilityTimeout"]);
    assert_eq!(visibility, "!FindInMap [EventsVisibility, !Ref EventsTimeout, Seconds]");
    let allowed = value(&["Parameters", "EventsTimeout", "AllowedValues"]);
    let allowed = allowed.trim_matches(['[', ']']).split(',').map(|text| text.trim().trim_matches('"'));
    let seconds = |time_out: &str| {
        let row = value(&["Mappings", "EventsVisibility", time_out]);
        row.trim_matches(['{', '}', ' ']).trim_start_matches("Seconds:").trim().parse().expect("seconds")
    };
    allowed.map(|time_out| (time_out.parse().expect("seconds"), seconds(time_out))).collect()
}

/// `MaxReceiveCount` of a queue.
fn receives(queue: &str) -> u64 {
    number(&["Resources", queue, "Properties", "RedrivePolicy", "maxReceiveCount"])
}

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
#[test]
fn a_queue_hides_a_message_for_six_times_its_workers_time_out() {
    let interactions = property("WorkerInteractions", "Timeout");
    assert!(property("InteractionsQueue", "VisibilityTimeout") >= 6 * interactions);
    let allowed = timings_of_events();
    let default = number(&["Parameters", "EventsTimeout", "Default"]);
    assert!(allowed.iter().any(|(time_out, _)| *time_out == default), "{default}");
    for (time_out, seconds) in allowed {
        assert!(seconds >= 6 * time_out && time_out <= 900, "{time_out}: {seconds}");
    }
}

#[test]
fn the_ingress_has_answered_before_lambda_ends_it_and_before_slack_stops_waiting() {
    let limits = Limits::default();
    assert!(property("Ingress", "Timeout") * 1000 > limits.answer_ms);
    assert!(limits.answer_ms < 3_000, "Slack waits three seconds");
    assert!(limits.queue_total_ms < limits.answer_ms && limits.queue_attempt_ms * 2 + 50 <= limits.queue_total_ms);
    assert!(limits.ack_io_ms < limits.options_ms && limits.options_ms < limits.answer_ms);
}

#[test]
fn every_worker_has_time_left_for_its_answer() {
    let limits = Limits::default();
    let shortest = property("WorkerInteractions", "Timeout") * 1000;
    assert!(limits.overrun_margin_ms * 10 <= shortest, "a listener gets most of the time");
    assert!(limits.overrun_margin_ms >= 500, "a write and a postponement fit into it");
    assert!(limits.client_call_ms <= shortest);
}

#[test]
fn attempts_are_used_up_long_before_sqs_gives_a_message_up() {
    for queue in ["InteractionsQueue", "EventsQueue"] {
        let most = receives(queue);
        assert_eq!(most, 60, "{queue}");
        assert!(most >= 5 * u64::from(Limits::default().attempts), "{queue}");
    }
}

// A worker that never starts gives nothing back, so each receive costs the whole visibility timeout. SQS deletes what is
// older than the retention, dead letter or not:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
#[test]
fn a_message_whose_worker_never_starts_is_a_dead_letter_before_the_queue_forgets_it() {
    let kept = property("InteractionsQueue", "MessageRetentionPeriod");
    assert!(receives("InteractionsQueue") * property("InteractionsQueue", "VisibilityTimeout") < kept);
    let kept = property("EventsQueue", "MessageRetentionPeriod");
    for (time_out, hidden) in timings_of_events() {
        assert!(receives("EventsQueue") * hidden < kept, "{time_out}: {hidden}");
    }
}

#[test]
fn a_record_outlives_every_copy_of_its_message() {
    let (waiting, dead) = (4 * DAY_S, 14 * DAY_S);
    for queue in ["InteractionsQueue", "EventsQueue"] {
        assert_eq!(property(queue, "MessageRetentionPeriod"), waiting, "{queue}");
    }
    for queue in ["InteractionsDeadLetters", "EventsDeadLetters"] {
        assert_eq!(property(queue, "MessageRetentionPeriod"), dead, "{queue}");
    }
    assert_eq!(RECORD_LIFE, Duration::from_secs(dead + waiting + DAY_S));
}

#[test]
fn a_job_is_stale_and_a_wait_is_over_before_the_queue_forgets_the_message() {
    let limits = Limits::default();
    let retention_ms = property("EventsQueue", "MessageRetentionPeriod") * 1000;
    assert!(limits.stale_events_ms + limits.ladder_ms.iter().max().copied().unwrap_or_default() < retention_ms);
    // A response_url lives for 30 minutes: https://docs.slack.dev/interactivity/handling-user-interaction
    assert!(limits.stale_interactions_ms < 30 * 60_000);
    let twelve_hours = 12 * 3600 * 1000;
    assert!(limits.ladder_ms.iter().all(|wait| *wait <= twelve_hours), "SQS hides a message for twelve hours at most");
}

#[test]
fn every_message_that_the_code_writes_fits_into_the_queues() {
    for queue in ["InteractionsQueue", "EventsQueue", "InteractionsDeadLetters", "EventsDeadLetters"] {
        let most = property(queue, "MaximumMessageSize");
        assert_eq!(most, 1024 * 1024, "{queue}");
        assert!(u64::try_from(MESSAGE_BYTES_MAX + 4096).is_ok_and(|largest| largest <= most), "{queue}");
    }
    assert_eq!(RAW_BODY_BYTES_MAX, 1024 * 1024);
}

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
#[test]
fn a_batch_is_answered_message_by_message_and_nothing_is_filtered_away() {
    for (worker, batch) in [("WorkerInteractions", "1"), ("WorkerEvents", "10")] {
        let source = ["Resources", worker, "Properties", "Events", "Queue", "Properties"];
        let of = |name: &'static str| value(&[&source[..], &[name]].concat());
        assert_eq!(of("BatchSize"), batch, "{worker}");
        assert_eq!(of("FunctionResponseTypes"), "[ReportBatchItemFailures]", "{worker}");
        let filters = below(&source).iter().any(|line| line.contains("FilterCriteria"));
        assert!(!filters, "{worker}: SQS deletes what a filter does not match");
    }
}

// A new account may run ten functions at once: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
// A mapping may be bounded by 2 to 1000: https://docs.aws.amazon.com/lambda/latest/api/API_ScalingConfig.html
#[test]
fn a_flood_of_events_leaves_half_of_a_new_account_to_the_ingress_and_the_clicks() {
    let source = |worker| ["Resources", worker, "Properties", "Events", "Queue", "Properties"];
    let bound = value(&[&source("WorkerEvents")[..], &["ScalingConfig", "MaximumConcurrency"]].concat());
    assert_eq!(bound, "!Ref EventsConcurrency");
    let of = |name| number(&["Parameters", "EventsConcurrency", name]);
    assert_eq!((of("MinValue"), of("MaxValue")), (2, 1000));
    assert!((of("MinValue")..=5).contains(&of("Default")));
    let bounded = below(&source("WorkerInteractions")).iter().any(|line| line.contains("ScalingConfig"));
    assert!(!bounded, "someone waits for an interaction");
}

#[test]
fn every_word_that_a_metric_counts_is_one_that_the_code_logs() {
    let code: Vec<String> =
        sources().into_iter().filter(|s| s.path.starts_with("shared/app/")).flat_map(|s| s.code).collect();
    let template = read("infra/template.yaml");
    let patterns: Vec<&str> = template.lines().filter_map(|line| line.trim().strip_prefix("FilterPattern: ")).collect();
    let mut words = BTreeSet::new();
    for pattern in &patterns {
        let (field, word) = pattern
            .strip_prefix("'{ $.")
            .and_then(|rest| rest.strip_suffix("\" }'")?.split_once(" = \""))
            .unwrap_or_else(|| panic!("another form of pattern: {pattern}"));
        if field == "status" {
            continue; // API Gateway's access log, whose format is in the template itself
        }
        assert!(["verdict", "outcome"].contains(&field), "{pattern}");
        let quoted = format!("\"{word}\"");
        assert!(code.iter().any(|line| line.contains(&quoted)), "{pattern} will never count anything");
        words.insert(word);
    }
    assert!(words.is_superset(&BTreeSet::from(["discarded", "parked", "ack_failed", "other_app"])), "{words:?}");
}

#[test]
fn the_table_has_the_key_and_the_broom_that_the_code_writes_for() {
    let table = below(&["Resources", "State", "Properties"]).join("\n");
    for wanted in ["AttributeName: pk", "AttributeType: S", "KeyType: HASH", "AttributeName: exp", "Enabled: true"] {
        assert!(table.contains(wanted), "{wanted}");
    }
    assert!(!table.contains("RANGE"));
}

/// Variables that no stack needs to set.
const OPTIONAL: [(&str, &str); 1] =
    [("SLACK_API_URL", "Slack's own address is the default; tests and local runs point elsewhere")];

#[test]
fn the_template_sets_the_variables_that_the_code_reads_and_no_others() {
    let config = read("shared/aws/src/config.rs");
    let named = |line: &str| {
        line.strip_prefix("pub const ")?.split_once(": &str = \"")?.1.strip_suffix("\";").map(str::to_owned)
    };
    let mut read: BTreeSet<String> = config.lines().filter_map(named).collect();
    assert!(read.len() >= 10, "{read:?}");
    for (name, _) in OPTIONAL {
        assert!(read.remove(name), "{name} is no longer read: take it from the list of optional ones");
    }
    let workers = variables("WorkerEvents");
    let ingress = variables("Ingress");
    assert_eq!(variables("WorkerInteractions"), workers, "one binary, one set of variables");
    let set: BTreeSet<String> = ingress.union(&workers).cloned().collect();
    assert_eq!(set, read, "left: infra/template.yaml, right: shared/aws/src/config.rs");
    // The ingress compares it, and for a worker it is a part of the key of the app's own jobs.
    assert!(ingress.contains("SLACK_APP_ID") && workers.contains("SLACK_APP_ID"));
}

#[test]
fn the_ingress_is_given_neither_the_token_nor_the_table() {
    let ingress = variables("Ingress");
    for name in ["SLACK_BOT_TOKEN", "STATE_TABLE", "EVENTS_DLQ_URL", "INTERACTIONS_DLQ_URL"] {
        assert!(!ingress.contains(name), "{name}");
    }
}
