//! Which listeners a delivery reaches, in Bolt's words.

use crate::deliveries::{COMMAND, MESSAGE, SUGGESTION, TWO_ACTIONS, edited, envelope};
use serde_json::{Value, json};
use tack_app::message::Job;
use tack_app::protocol::Envelope;
use tack_app::{AckDecision, AckPhase, ActionPattern, App, Limits, OptionsReply, Regex, Verdict};

type Acks = App<AckPhase, (), ()>;

fn app(register: impl FnOnce(&mut Acks)) -> Acks {
    App::build(register).expect("a registration without contradictions")
}

async fn decide(app: &Acks, envelope: &Envelope) -> AckDecision {
    app.ack(envelope, &(), &Limits::default()).await
}

async fn jobs(app: &Acks, envelope: &Envelope) -> Vec<String> {
    decide(app, envelope).await.jobs.into_iter().map(|job| job.name).collect()
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}

fn every_kind(app: &mut Acks) {
    app.command("/order").lazy("command", async |_, _| Ok(()));
    app.action("button_click").lazy("action", async |_, _| Ok(()));
    app.shortcut("sample_shortcut_id").lazy("shortcut", async |_, _| Ok(()));
    app.message_shortcut("file_it").lazy("message_shortcut", async |_, _| Ok(()));
    app.view("order_modal").lazy("view", async |_, _| Ok(()));
    app.view_closed("order_modal").lazy("view_closed", async |_, _| Ok(()));
    app.event("app_mention").lazy("event", async |_, _| Ok(()));
    app.message("hi").lazy("message", async |_, _| Ok(()));
    app.function("sample_step").lazy("function", async |_, _| Ok(()));
}

#[tokio::test]
async fn each_kind_is_registered_in_bolts_words_and_takes_what_slack_sends() {
    let app = app(every_kind);
    for (path, expected) in [
        (COMMAND, "command"),
        ("command/order-non-ascii.form", "command"),
        ("interactive/block_actions-message.json", "action"),
        ("interactive/shortcut.json", "shortcut"),
        ("interactive/message_action.json", "message_shortcut"),
        ("interactive/view_submission.json", "view"),
        ("interactive/view_closed.json", "view_closed"),
        ("event/app_mention.json", "event"),
        (MESSAGE, "message"),
        ("event/function_executed.json", "function"),
    ] {
        let decision = decide(&app, &envelope(path)).await;
        assert_eq!(decision.jobs, [Job::named(expected)], "{path}");
        assert_eq!((decision.reply, decision.verdict), (None, Verdict::Queue), "{path}");
    }
}

#[tokio::test]
async fn another_name_of_the_same_kind_is_not_taken() {
    let app = app(|app| {
        app.command("/orders").lazy("command", async |_, _| Ok(()));
        app.action("button").lazy("action", async |_, _| Ok(()));
        app.view("order").lazy("view", async |_, _| Ok(()));
        app.event("app_mention").lazy("event", async |_, _| Ok(()));
    });
    for path in [COMMAND, "interactive/block_actions-message.json", "interactive/view_submission.json", MESSAGE] {
        assert_eq!(decide(&app, &envelope(path)).await.verdict, Verdict::Unhandled, "{path}");
    }
}

#[tokio::test]
async fn a_submitted_view_is_not_a_closed_one_and_a_shortcut_not_a_message_shortcut() {
    let app = app(|app| {
        app.view_closed("order_modal").lazy("closed", async |_, _| Ok(()));
        app.message_shortcut("sample_shortcut_id").lazy("on_message", async |_, _| Ok(()));
    });
    for path in ["interactive/view_submission.json", "interactive/shortcut.json"] {
        assert_eq!(decide(&app, &envelope(path)).await.verdict, Verdict::Unhandled, "{path}");
    }
}

#[tokio::test]
async fn what_waits_for_an_answer_goes_to_the_first_match_alone() {
    let app = app(|app| {
        app.command(regex("^/ord")).lazy("command.first", async |_, _| Ok(()));
        app.command("/order").lazy("command.second", async |_, _| Ok(()));
        app.view(regex("modal$")).lazy("view.first", async |_, _| Ok(()));
        app.view("order_modal").lazy("view.second", async |_, _| Ok(()));
        app.shortcut(regex("sample")).lazy("shortcut.first", async |_, _| Ok(()));
        app.shortcut("sample_shortcut_id").lazy("shortcut.second", async |_, _| Ok(()));
        app.options(regex("^city$"), async |_, _, ()| Ok(OptionsReply::pairs([("Zürich", "zrh")])));
        app.options("city", async |_, _, ()| Ok(OptionsReply::none()));
    });
    assert_eq!(jobs(&app, &envelope(COMMAND)).await, ["command.first"]);
    assert_eq!(jobs(&app, &envelope("interactive/view_submission.json")).await, ["view.first"]);
    assert_eq!(jobs(&app, &envelope("interactive/shortcut.json")).await, ["shortcut.first"]);
    let options = decide(&app, &envelope(SUGGESTION)).await.reply.expect("an answer");
    assert_eq!(options["options"][0]["value"], "zrh");
}

#[tokio::test]
async fn an_event_goes_to_every_match_in_the_order_of_registration() {
    let app = app(|app| {
        app.message("hi").lazy("text", async |_, _| Ok(()));
        app.event("message").lazy("type", async |_, _| Ok(()));
        app.message("bye").lazy("other", async |_, _| Ok(()));
        app.message(regex("^h.$")).lazy("pattern", async |_, _| Ok(()));
    });
    assert_eq!(jobs(&app, &envelope(MESSAGE)).await, ["text", "type", "pattern"]);
}

#[tokio::test]
async fn each_action_of_a_payload_goes_to_its_own_first_match() {
    let app = app(|app| {
        app.action("delivery_date").lazy("date", async |_, _| Ok(()));
        app.action("size").lazy("size", async |_, _| Ok(()));
        app.action(regex("size|date")).lazy("never", async |_, _| Ok(()));
    });
    let decision = decide(&app, &envelope(TWO_ACTIONS)).await;
    let size = Job { name: "size".to_owned(), value: None, action: 0 };
    let date = Job { name: "date".to_owned(), value: None, action: 1 };
    assert_eq!(decision.jobs, [size, date]);
}

#[tokio::test]
async fn a_listener_that_is_the_first_match_of_two_actions_runs_for_each() {
    let app = app(|app| {
        app.action(regex("size|date")).lazy("both", async |_, _| Ok(()));
    });
    let second = Job { action: 1, ..Job::named("both") };
    assert_eq!(decide(&app, &envelope(TWO_ACTIONS)).await.jobs, [Job::named("both"), second]);
}

#[tokio::test]
async fn an_action_that_nobody_takes_leaves_its_neighbour_alone() {
    let app = app(|app| {
        app.action("delivery_date").lazy("date", async |_, _| Ok(()));
    });
    let decision = decide(&app, &envelope(TWO_ACTIONS)).await;
    assert_eq!(decision.jobs, [Job { name: "date".to_owned(), value: None, action: 1 }]);
    assert_eq!(decision.verdict, Verdict::Queue);
}

#[tokio::test]
async fn an_element_may_be_wanted_within_one_block_only() {
    let app = app(|app| {
        app.action(ActionPattern::from("size").in_block("elsewhere")).lazy("elsewhere", async |_, _| Ok(()));
        app.action(ActionPattern::from("size").in_block(regex("^size_"))).lazy("here", async |_, _| Ok(()));
    });
    assert_eq!(jobs(&app, &envelope(TWO_ACTIONS)).await, ["here"]);
}

#[tokio::test]
async fn a_constraint_that_does_not_hold_passes_the_delivery_on() {
    let app = app(|app| {
        app.command("/order").when(|command| command.text == "4").lazy("four", async |_, _| Ok(()));
        app.command("/order")
            .when(|command| command.text == "3")
            .when(|command| command.user.is_some())
            .lazy("three", async |_, _| Ok(()));
    });
    assert_eq!(jobs(&app, &envelope(COMMAND)).await, ["three"]);
}

// https://docs.slack.dev/reference/events/message: an edit or a deletion is a message event with a subtype of its own.
#[tokio::test]
async fn message_listeners_hear_what_is_said_and_event_listeners_hear_edits_too() {
    let app = app(|app| {
        app.message("").lazy("said", async |_, _| Ok(()));
        app.event("message").lazy("any", async |_, _| Ok(()));
    });
    let subtype = |subtype: Value| edited(MESSAGE, |root| root["event"]["subtype"] = subtype);
    for spoken in [json!(null), json!("bot_message"), json!("file_share"), json!("thread_broadcast")] {
        assert_eq!(jobs(&app, &subtype(spoken.clone())).await, ["said", "any"], "{spoken}");
    }
    for silent in ["message_changed", "message_deleted", "channel_join", "channel_topic"] {
        assert_eq!(jobs(&app, &subtype(json!(silent))).await, ["any"], "{silent}");
    }
}

#[tokio::test]
async fn a_message_listener_wants_its_text_anywhere_and_in_this_case() {
    let app = app(|app| {
        app.message("hello").lazy("hello", async |_, _| Ok(()));
    });
    for (text, expected) in [("hello", 1), ("oh, hello there", 1), ("Hello", 0), ("hell o", 0), ("", 0)] {
        let envelope = edited(MESSAGE, |root| root["event"]["text"] = text.into());
        assert_eq!(jobs(&app, &envelope).await.len(), expected, "{text:?}");
    }
}

#[tokio::test]
async fn what_the_app_itself_did_starts_nothing_unless_that_is_turned_off() {
    let own = envelope("event/message-own-echo.json");
    let deaf = app(|app| {
        app.event("message").lazy("any", async |_, _| Ok(()));
    });
    let decision = decide(&deaf, &own).await;
    assert_eq!((decision.verdict, decision.jobs, decision.reply), (Verdict::Own, Vec::new(), None));
    let hearing = app(|app| {
        app.ignore_self(false);
        app.event("message").lazy("any", async |_, _| Ok(()));
    });
    assert_eq!(jobs(&hearing, &own).await, ["any"]);
}

#[tokio::test]
async fn the_installer_of_an_app_without_a_bot_is_a_person_and_is_heard() {
    let app = app(|app| {
        app.event("message").lazy("any", async |_, _| Ok(()));
    });
    let by_installer = |is_bot: bool| {
        edited(MESSAGE, |root| {
            root["event"]["user"] = "U0TACKBOT".into();
            root["authorizations"][0]["is_bot"] = is_bot.into();
        })
    };
    assert_eq!(jobs(&app, &by_installer(false)).await, ["any"]);
    assert_eq!(decide(&app, &by_installer(true)).await.verdict, Verdict::Own);
}

#[tokio::test]
async fn the_app_hears_that_it_joined_a_channel() {
    let app = app(|app| {
        app.event("member_joined_channel").lazy("joined", async |_, _| Ok(()));
    });
    let joined = edited("event/member_joined_channel.json", |root| root["event"]["user"] = json!("U0TACKBOT"));
    assert_eq!(jobs(&app, &joined).await, ["joined"]);
}

#[tokio::test]
async fn every_app_has_the_probe_and_the_probe_alone_takes_its_event() {
    let probe = edited(MESSAGE, |root| root["event"] = json!({ "type": "tack_probe" }));
    let deaf = app(|_| {});
    let greedy = app(|app| {
        app.guard(|_| Err(tack_app::Refusal::new("no")));
        app.event(regex(".*")).lazy("everything", async |_, _| Ok(()));
    });
    for app in [deaf, greedy] {
        let decision = decide(&app, &probe).await;
        assert_eq!((decision.jobs, decision.verdict), (vec![Job::named("tack.probe")], Verdict::Queue));
    }
}
