//! `infra/template.yaml` against the limits and the names in the code. Linters know neither.

use crate::sources::{read, sources};
use std::collections::BTreeSet;
use std::time::Duration;
use tack_app::Limits;
use tack_app::idempotency::RECORD_LIFE;
use tack_app::limits::{MESSAGE_BYTES_MAX, RAW_BODY_BYTES_MAX};
use tack_app::message::Work;

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
        assert_eq!(most, u64::from(tack_app::limits::RECEIVES_MAX), "what the worker takes for the last receipt");
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
    let mut words = BTreeSet::new();
    for pattern in template.lines().filter_map(|line| line.trim().strip_prefix("FilterPattern: ")) {
        let terms = pattern.strip_prefix("'{ ").and_then(|rest| rest.strip_suffix(" }'"));
        let terms = terms.unwrap_or_else(|| panic!("another form of pattern: {pattern}"));
        // API Gateway's access log, whose format is in the template itself.
        if terms == r#"$.status = "429" && $.route = "POST /slack/events""# {
            assert!(template.contains(r#""route":"$context.routeKey","status":"$context.status""#));
            continue;
        }
        for term in terms.split(" && ") {
            if term == "$.status >= 500" {
                assert!(terms.contains(r#"$.step = "oauth""#), "{pattern}: other lines have a status, too");
                continue;
            }
            let (field, word) = term
                .strip_prefix("$.")
                .and_then(|rest| rest.strip_suffix('"')?.split_once(" = \""))
                .unwrap_or_else(|| panic!("another form of pattern: {pattern}"));
            assert!(["step", "verdict", "outcome"].contains(&field), "{pattern}");
            let quoted = format!("\"{word}\"");
            assert!(code.iter().any(|line| line.contains(&quoted)), "{pattern} will never count anything");
            words.insert(word);
        }
    }
    let wanted = BTreeSet::from(["discarded", "parked", "ack_failed", "other_app", "oauth", "installed"]);
    assert!(words.is_superset(&wanted), "{words:?}");
}

#[test]
fn the_table_has_the_key_and_the_broom_that_the_code_writes_for() {
    let table = below(&["Resources", "State", "Properties"]).join("\n");
    for wanted in ["AttributeName: pk", "AttributeType: S", "KeyType: HASH", "AttributeName: exp", "Enabled: true"] {
        assert!(table.contains(wanted), "{wanted}");
    }
    assert!(!table.contains("RANGE"));
}

#[test]
fn the_table_of_installations_has_the_keys_that_the_code_writes_and_no_broom() {
    let table = below(&["Resources", "Installations", "Properties"]).join("\n");
    let rows = read("shared/aws/src/dynamodb/rows.rs");
    for (name, kind) in [("pk", "HASH"), ("sk", "RANGE")] {
        assert!(rows.contains(&format!("(\"{name}\".to_owned(), text(")), "{name} is text in rows.rs");
        let key = format!("- AttributeName: {name}\n          KeyType: {kind}");
        let attribute = format!("- AttributeName: {name}\n          AttributeType: S");
        assert!(table.contains(&key) && table.contains(&attribute), "{name}: {table}");
    }
    assert!(!table.contains("TimeToLive"), "an installation is purged, it does not expire");
}

/// What a role may do on the table of installations, as operations of DynamoDB.
fn allowed_on_installations(role: &str) -> BTreeSet<String> {
    let lines = below(&["Resources", role, "Properties", "Policies"]);
    let begin = lines.iter().position(|line| line.trim().trim_start_matches("- ") == "Sid: Installations");
    let lines = &lines[begin.unwrap_or_else(|| panic!("{role} has no such statement"))..];
    let end = lines.iter().position(|line| line.trim() == "Resource: !GetAtt Installations.Arn").expect("its resource");
    lines[..end].iter().filter_map(|line| line.trim().strip_prefix("- dynamodb:")).map(str::to_owned).collect()
}

/// The operations of DynamoDB that a source file calls.
fn called_in(file: &str) -> BTreeSet<String> {
    const OPERATIONS: [(&str, &str); 12] = [
        ("batch_get_item", "BatchGetItem"),
        ("batch_write_item", "BatchWriteItem"),
        ("delete_item", "DeleteItem"),
        ("execute_statement", "PartiQLSelect"),
        ("execute_transaction", "PartiQLUpdate"),
        ("get_item", "GetItem"),
        ("put_item", "PutItem"),
        ("query", "Query"),
        ("scan", "Scan"),
        ("transact_get_items", "TransactGetItems"),
        ("transact_write_items", "TransactWriteItems"),
        ("update_item", "UpdateItem"),
    ];
    let text = read(&format!("shared/aws/src/dynamodb/{file}.rs"));
    let called = OPERATIONS.iter().filter(|(call, _)| text.contains(&format!(".{call}()")));
    called.map(|(_, operation)| (*operation).to_owned()).collect()
}

// Both ways: a missing one fails in production alone, and one too many is what an intruder gets.
#[test]
fn the_workers_and_the_flow_may_do_what_the_code_does_to_installations_and_nothing_else() {
    let all: BTreeSet<String> = ["installations", "removals", "renewals"].into_iter().flat_map(called_in).collect();
    assert_eq!(allowed_on_installations("WorkerEventsRole"), all);
    // It saves: no look-up by the dozen, no list, no change of single attributes.
    let saved = all.iter().filter(|o| !["BatchGetItem", "Scan", "UpdateItem"].contains(&o.as_str()));
    assert_eq!(allowed_on_installations("OauthRole"), saved.cloned().collect());
    // It looks up and renews.
    let mut looked_up = called_in("renewals");
    looked_up.extend(["BatchGetItem".to_owned(), "GetItem".to_owned()]);
    assert_eq!(allowed_on_installations("WorkerInteractionsRole"), looked_up);
}

#[test]
fn the_token_key_is_allowed_under_the_context_that_the_code_gives_it_and_the_flow_cannot_decrypt() {
    assert!(read("shared/aws/src/kms.rs").contains("(\"tack:app\".to_owned(), self.app.clone())"));
    for role in ["WorkerInteractionsRole", "WorkerEventsRole", "OauthRole"] {
        let policies = below(&["Resources", role, "Properties", "Policies"]).join("\n");
        assert!(policies.contains("kms:EncryptionContext:tack:app: !Ref SlackAppId"), "{role}");
        assert!(policies.contains("kms:Encrypt"), "{role}");
        assert_eq!(policies.contains("kms:Decrypt"), role != "OauthRole", "{role}");
    }
    // Optional elsewhere; here the condition above needs it, and a function that had none would say "none".
    for function in ["WorkerInteractions", "WorkerEvents", "Oauth"] {
        assert!(variables(function).contains("SLACK_APP_ID"), "{function}");
    }
    let rule = below(&["Rules", "ManyWorkspacesNeed"]).join("\n");
    assert!(rule.contains("!Not [!Equals [!Ref SlackAppId, \"\"]]"), "{rule}");
}

#[test]
fn each_function_reaches_its_own_kind_of_item_in_the_table_that_may_be_lost() {
    let keys = |role| {
        let lines = below(&["Resources", role, "Properties", "Policies"]);
        let found = lines.iter().filter_map(|line| line.trim().strip_prefix("dynamodb:LeadingKeys: "));
        found.map(|value| value.trim_matches('"').to_owned()).collect::<Vec<_>>()
    };
    for (role, file, prefix) in [
        ("WorkerInteractionsRole", "shared/app/src/idempotency.rs", "D#"),
        ("WorkerEventsRole", "shared/app/src/idempotency.rs", "D#"),
        ("OauthRole", "shared/aws/src/dynamodb/states.rs", "S#"),
    ] {
        assert!(read(file).contains(&format!("format!(\"{prefix}")), "{file} writes keys that begin otherwise");
        // The second is the condition that a key is named at all.
        assert_eq!(keys(role), [format!("{prefix}*"), "false".to_owned()], "{role}");
    }
}

// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
#[test]
fn the_schedule_sends_a_job_that_the_worker_knows_under_a_key_of_its_day() {
    let input = value(&["Resources", "PurgeSchedule", "Properties", "Target", "Input"]);
    let input = input.trim_matches('\'');
    let keys = ["2026-03-22T03:17:00Z", "2026-03-23T03:17:00Z"].map(|at| {
        let work = Work::decode(&input.replace("<aws.scheduler.scheduled-time>", at)).expect("a message");
        assert!(matches!(&work, Work::App(work) if work.job == tack_app::install::PURGE_DUE), "{input}");
        work.idempotency_key()
    });
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn the_front_door_leads_to_every_route_of_the_flow_and_throttles_each_below_slacks_own() {
    let code = read("shared/aws/src/browser.rs");
    let events = ["Resources", "Oauth", "Properties", "Events"];
    let of = |event: &str, name: &str| value(&[&events[..], &[event, "Properties", name]].concat());
    let routes: BTreeSet<String> = ["Install", "InstallLinkCheck", "Redirect"]
        .map(|event| {
            assert!(code.contains(&format!("(\"{}\", OAuthRoute::", of(event, "Path"))), "{event}");
            format!("{} {}", of(event, "Method"), of(event, "Path"))
        })
        .into();
    let settings = below(&["Resources", "HttpApi", "Properties", "RouteSettings"]).join("\n");
    for route in &routes {
        assert!(settings.contains(&format!("{route}:\n")), "{route}: {settings}");
    }
    assert_eq!(settings.matches("ThrottlingRateLimit: 10\n").count(), routes.len());
    assert!(number(&["Parameters", "RequestsPerSecond", "Default"]) > 10);
}

#[test]
fn the_flow_has_answered_before_lambda_ends_it_and_before_the_front_door_gives_up() {
    let time_out = property("Oauth", "Timeout");
    assert!(time_out < 30, "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html");
    let exchange = read("shared/app/src/oauth/mod.rs");
    assert!(exchange.contains("EXCHANGE_MAX: Duration = Duration::from_secs(10)"), "how long is it now?");
    assert!(time_out * 1000 >= 10_000 + Limits::default().queue_total_ms + 10_000, "ten seconds for tables and keys");
}

/// Variables that no stack needs to set.
const OPTIONAL: [(&str, &str); 2] = [
    ("SLACK_API_URL", "Slack's own address is the default; tests and local runs point elsewhere"),
    ("SLACK_APP_TOKEN", "Socket Mode has no front door, and no function of the stack"),
];

#[test]
fn the_template_sets_the_variables_that_the_code_reads_and_no_others() {
    let config = read("shared/aws/src/config.rs");
    let named = |line: &str| {
        line.strip_prefix("pub const ")?.split_once(": &str = \"")?.1.strip_suffix("\";").map(str::to_owned)
    };
    let mut read: BTreeSet<String> = config.lines().filter_map(named).collect();
    assert!(read.len() >= 19, "{read:?}");
    for (name, _) in OPTIONAL {
        assert!(read.remove(name), "{name} is no longer read: take it from the list of optional ones");
    }
    let workers = variables("WorkerEvents");
    let ingress = variables("Ingress");
    assert_eq!(variables("WorkerInteractions"), workers, "one binary, one set of variables");
    let set: BTreeSet<String> = [&ingress, &workers, &variables("Oauth")].into_iter().flatten().cloned().collect();
    assert_eq!(set, read, "left: infra/template.yaml, right: shared/aws/src/config.rs");
    // The ingress compares it, and for a worker it is a part of the key of the app's own jobs.
    assert!(ingress.contains("SLACK_APP_ID") && workers.contains("SLACK_APP_ID"));
}

#[test]
fn the_ingress_is_given_neither_token_nor_table_and_the_flow_neither_bot_nor_signing_secret() {
    let kept_from = |function: &str, names: &[&str]| {
        let given = variables(function);
        for name in names {
            assert!(!given.contains(*name), "{function}: {name}");
        }
    };
    let dead_letters = ["EVENTS_DLQ_URL", "INTERACTIONS_DLQ_URL"];
    let of_installs = ["SLACK_CLIENT_SECRET", "INSTALLATIONS_TABLE", "TOKEN_KEY_ID"];
    kept_from("Ingress", &[&["SLACK_BOT_TOKEN", "STATE_TABLE"], &dead_letters[..], &of_installs[..]].concat());
    kept_from("Oauth", &[&["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"], &dead_letters[..]].concat());
    kept_from("WorkerEvents", &["SLACK_SIGNING_SECRET"]);
}

// The parameter whose secret it is; every other value is the function's own business.
#[test]
fn what_is_empty_is_not_set_so_that_the_secure_string_is_asked() {
    for function in ["Ingress", "WorkerEvents", "Oauth"] {
        for line in below(&["Resources", function, "Properties", "Environment", "Variables"]) {
            let (name, value) = line.trim().split_once(": ").expect("a variable");
            let parameter = value.strip_prefix("!Ref ").filter(|name| is_optional(name));
            assert_eq!(parameter, None, "{function}: {name}");
        }
    }
    assert!(is_optional("SlackClientId") && !is_optional("SlackAppId") && !is_optional("EventsQueue"));
}

/// Whether it is a parameter that may be empty wherever its function exists. `Oauth` exists with an app's id alone.
fn is_optional(name: &str) -> bool {
    let lines = below(&["Parameters"]);
    let is_parameter = lines.iter().any(|line| *line == format!("  {name}:"));
    is_parameter
        && name != "SlackAppId"
        && below(&["Parameters", name]).iter().any(|line| line.trim() == "Default: \"\"")
}
