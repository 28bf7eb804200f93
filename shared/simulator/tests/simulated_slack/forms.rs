//! Forms as a page sends them: everything that is filled in goes along, and what went wrong stays to be read.

use super::stand_in::{Http, Reply, Seen, act, answering, content_slack, refusal, slack, text};
use serde_json::{Value, json};
use std::time::Duration;
use tack_simulator::{Config, Simulator};

fn input(block_id: &str, element: &Value) -> Value {
    json!({"type": "input", "block_id": block_id, "optional": true, "label": text("x"), "element": element})
}

fn form_modal() -> Value {
    let button = |value: &str| json!({"type": "button", "action_id": "same", "text": text("x"), "value": value});
    json!({
        "type": "modal", "title": text("Form"), "submit": text("Go"),
        "blocks": [
            input("a/b", &json!({"type": "plain_text_input", "action_id": "x%", "initial_value": "before"})),
            input("other", &json!({"type": "plain_text_input", "action_id": "x%"})),
            input("when", &json!({"type": "datetimepicker", "action_id": "when"})),
            input("cities", &json!({"type": "multi_external_select", "action_id": "cities"})),
            {"type": "input", "block_id": "must", "label": text("x"), "element": {"type": "plain_text_input", "action_id": "must"}},
            {"type": "actions", "block_id": "one", "elements": [button("1")]},
            {"type": "actions", "block_id": "two", "elements": [button("2")]},
        ],
    })
}

/// Opens the form for Ada.
async fn open(simulator: &Simulator, http: &Http) {
    let acted = act(simulator, json!({"act": "shortcut", "callback_id": "form"})).await;
    let trigger_id = acted.deliveries[0].payload()["trigger_id"].clone();
    let opened = http.call("views.open", &json!({"trigger_id": trigger_id, "view": form_modal()})).await;
    assert_eq!(opened["ok"], true, "{opened}");
}

fn values(simulator: &Simulator) -> Value {
    simulator.read(|state| state.modals("ada")[0].chosen_values())
}

#[tokio::test]
async fn a_press_sends_all_that_is_filled_in() {
    let (simulator, log) = content_slack();
    let http = Http::serve(&simulator).await;
    open(&simulator, &http).await;
    let press = json!({
        "act": "click", "block_id": "two", "action_id": "same",
        "values": {"a%2Fb/x%25": "typed", "other/x%25": "", "when": "1796147400", "must": "y"},
    });
    act(&simulator, press).await;
    let payload = log.lock().unwrap()[1].payload();
    assert_eq!((&payload["actions"][0]["block_id"], &payload["actions"][0]["value"]), (&json!("two"), &json!("2")));
    let state = &payload["view"]["state"]["values"];
    assert_eq!(state["a/b"]["x%"], json!({"type": "plain_text_input", "value": "typed"}));
    assert_eq!(state["other"]["x%"], json!({"type": "plain_text_input", "value": null}));
    assert_eq!(state["when"]["when"], json!({"type": "datetimepicker", "selected_date_time": 1_796_147_400}));
    assert_eq!(state["must"]["must"]["value"], "y");
    assert_eq!(*state, values(&simulator));
}

#[tokio::test]
async fn null_clears_what_was_there_at_the_start() {
    let (simulator, log) = content_slack();
    let http = Http::serve(&simulator).await;
    open(&simulator, &http).await;
    assert_eq!(values(&simulator)["a/b"]["x%"]["value"], "before");
    act(&simulator, json!({"act": "submit", "values": {"a%2Fb/x%25": null, "must": "y"}})).await;
    let state = log.lock().unwrap()[1].payload()["view"]["state"]["values"].clone();
    assert_eq!(state["a/b"]["x%"], json!({"type": "plain_text_input", "value": null}));
}

#[tokio::test]
async fn what_cannot_be_filled_in_changes_nothing() {
    let (simulator, log) = content_slack();
    let http = Http::serve(&simulator).await;
    open(&simulator, &http).await;
    let before = values(&simulator);
    for (values, word) in [
        (json!({"other/x%25": "typed", "nowhere": "x"}), "no input nowhere"),
        (json!({"other/x%25": "typed", "same": "x"}), "holds no value"),
        (json!({"other/x%25": "typed", "when": "tomorrow"}), "seconds since"),
    ] {
        let why = refusal(&simulator, json!({"act": "click", "action_id": "same", "values": values})).await;
        assert!(why.contains(word), "{why}");
    }
    let why = refusal(&simulator, json!({"act": "click", "block_id": "three", "action_id": "same"})).await;
    assert!(why.contains("in the block three"), "{why}");
    assert_eq!(values(&simulator), before);
    assert_eq!(log.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_view_keeps_what_the_client_and_the_app_found_wrong() {
    let errors = json!({"response_action": "errors", "errors": {"must": "taken"}});
    let update = json!({"response_action": "update", "view": form_modal()});
    let replies =
        vec![Reply::status(200), Reply::json(&errors), Reply::status(500), Reply::status(500), Reply::json(&update)];
    let (simulator, _) = answering(replies);
    let http = Http::serve(&simulator).await;
    open(&simulator, &http).await;
    let wrong = || {
        simulator.read(|state| {
            let view = state.modals("ada")[0];
            (json!(view.errors()), view.trouble().map(str::to_owned))
        })
    };
    let submit = json!({"act": "submit", "values": {"must": "y"}});
    act(&simulator, json!({"act": "submit"})).await;
    assert!(wrong().0["must"].as_str().unwrap().contains("required"));
    act(&simulator, submit.clone()).await;
    assert_eq!(wrong(), (json!({"must": "taken"}), None));
    act(&simulator, submit.clone()).await;
    assert_eq!(wrong(), (json!({}), Some("We had some trouble connecting. Try again?".to_owned())));
    act(&simulator, json!({"act": "click", "action_id": "same"})).await;
    assert_eq!(wrong().1.unwrap(), "This app responded with Status Code 500");
    act(&simulator, submit).await;
    assert_eq!(wrong(), (json!({}), None));
}

#[tokio::test]
async fn a_view_is_submitted_once_at_a_time() {
    let is_submission = |seen: &Seen| seen.payload()["type"] == "view_submission";
    let errors = json!({"response_action": "errors", "errors": {"must": "taken"}});
    let (simulator, log) = slack(Config::default(), move |seen| match seen.payload()["type"].as_str() {
        Some("view_submission") => Reply::json(&errors).after(Duration::from_millis(50)),
        _ => Reply::status(200),
    });
    let http = Http::serve(&simulator).await;
    open(&simulator, &http).await;
    let (submit, close) = (json!({"act": "submit", "values": {"must": "y"}}), json!({"act": "close"}));
    let (first, second, closed, pressed) = tokio::join!(
        act(&simulator, submit.clone()),
        refusal(&simulator, json!({"act": "submit", "values": {"must": "changed"}})),
        refusal(&simulator, close.clone()),
        act(&simulator, json!({"act": "click", "block_id": "one", "action_id": "same"})),
    );
    assert_eq!((first.shown.outcome, pressed.shown.outcome), ("errors", "nothing"));
    assert_eq!((second.as_str(), closed.as_str()), ("this view is being submitted", "this view is being submitted"));
    assert_eq!(values(&simulator)["must"]["must"]["value"], "y");
    let sent = || log.lock().unwrap().iter().filter(|seen| is_submission(seen)).count();
    assert_eq!(sent(), 1);
    // Once it is answered, whatever the answer, it can be submitted again.
    assert_eq!(act(&simulator, submit).await.shown.outcome, "errors");
    assert_eq!(sent(), 2);
    act(&simulator, close).await;
    assert!(simulator.read(|state| state.modals("ada").is_empty()));
}

#[tokio::test]
async fn a_submission_that_was_not_answered_or_not_sent_is_not_under_way() {
    let config = Config { ack_limit: Duration::from_millis(200), ..Config::default() };
    let (simulator, _) = slack(config, |seen| match seen.payload()["type"].as_str() {
        Some("view_submission") => Reply::status(200).after(Duration::from_secs(60)),
        _ => Reply::status(200),
    });
    let http = Http::serve(&simulator).await;
    open(&simulator, &http).await;
    let is_under_way = || simulator.read(|state| state.modals("ada")[0].is_being_submitted());
    assert_eq!(act(&simulator, json!({"act": "submit"})).await.shown.outcome, "not_sent");
    assert!(!is_under_way());
    for _ in 0..2 {
        let submit = json!({"act": "submit", "values": {"must": "y"}});
        let (submitted, seen_meanwhile) = tokio::join!(act(&simulator, submit), async {
            tokio::task::yield_now().await;
            is_under_way()
        });
        assert_eq!((submitted.shown.outcome, seen_meanwhile), ("trouble", true));
        assert!(!is_under_way());
    }
}

#[tokio::test(start_paused = true)]
async fn a_press_that_failed_leaves_a_warning_for_the_one_who_pressed() {
    let button = json!({"type": "button", "action_id": "go", "text": text("Go")});
    let pick = json!({"type": "static_select", "action_id": "pick", "options": [{"text": text("One"), "value": "1"}]});
    let blocks = json!([{"type": "actions", "block_id": "row", "elements": [button, pick]}]);
    let (simulator, _) = slack(Config::default(), move |seen| match seen.payload()["user"]["id"].as_str() {
        None => Reply::json(&json!({"response_type": "in_channel", "text": "x", "blocks": blocks})),
        Some("U0GRACE01") => Reply::status(404),
        Some("U0LINUS01") => Reply::status(200),
        Some(_) => Reply::status(200).after(Duration::from_secs(4)),
    });
    act(&simulator, json!({"act": "command", "channel": "#playground", "text": "/post"})).await;
    let ts = simulator.read(|state| state.messages("playground")[0].ts().to_owned());
    let press = |who: &str| json!({"as": who, "act": "click", "channel": "#playground", "ts": ts, "action_id": "go"});
    let problem = |who: &str| {
        simulator.read(|state| state.messages("playground")[0].problems(who).get("row").cloned().unwrap_or_default())
    };
    act(&simulator, press("ada")).await;
    act(&simulator, press("grace")).await;
    act(&simulator, press("linus")).await;
    assert_eq!(problem("U0ADA0001"), "Operation timed out. Apps need to respond within 3 seconds.");
    assert_eq!(problem("U0GRACE01"), "This app responded with Status Code 404");
    assert_eq!(problem("U0LINUS01"), "");
    let chosen =
        json!({"as": "grace", "act": "click", "channel": "#playground", "ts": ts, "action_id": "pick", "value": "One"});
    act(&simulator, chosen).await;
    let picked = |who: &str| {
        simulator
            .read(|state| state.messages("playground")[0].chosen_values(who)["row"]["pick"]["selected_option"].clone())
    };
    assert_eq!(picked("U0GRACE01")["value"], "1");
    assert_eq!(picked("U0ADA0001"), Value::Null, "nobody else sees what she chose");
}

#[tokio::test(start_paused = true)]
async fn whoever_an_app_failed_is_told_so_and_nobody_else() {
    let (simulator, _) = slack(Config::default(), |seen| match seen.payload()["command"].as_str() {
        Some("/slow") => Reply::status(200).after(Duration::from_secs(5)),
        Some("/broken") => Reply::status(502),
        Some("/odd") => Reply::json(&json!({"blocks": [{"type": "secton"}]})),
        Some(_) => Reply::status(200),
        None => Reply::status(500),
    });
    for text in ["/slow", "/broken now", "/odd", "/fine"] {
        act(&simulator, json!({"act": "command", "channel": "#general", "text": text})).await;
    }
    act(&simulator, json!({"act": "shortcut", "callback_id": "x"})).await;
    let notices = simulator.read(|state| state.notices_of("ada").to_vec());
    let texts: Vec<_> = notices.iter().map(|notice| notice.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "/slow failed with the error \"operation_timeout\"",
            "/broken failed with the error \"http_service_error\"",
            "/odd failed with the error \"invalid_blocks\"",
            "Sorry, that didn't work. Try again?",
        ]
    );
    assert!(notices[0].why.contains("not answered within 3000 ms"), "{}", notices[0].why);
    assert!(notices[1].why.contains("status 502"), "{}", notices[1].why);
    assert!(notices[2].why.contains("secton"), "{}", notices[2].why);
    assert_eq!((notices[0].channel.as_str(), notices[3].channel.as_str()), ("C0GENERAL", ""));
    assert_eq!(notices[0].delivery_id, simulator.deliveries()[0].id);
    assert!(simulator.read(|state| state.notices_of("grace").is_empty()));
    act(&simulator, json!({"act": "dismiss", "delivery_id": notices[0].delivery_id})).await;
    assert_eq!(simulator.read(|state| state.notices_of("ada").len()), 3);
}

#[tokio::test]
async fn suggestions_stay_as_answered_and_so_does_why_there_are_none() {
    let option = |name: &str| json!({"text": text(name), "value": name});
    let groups = json!({"option_groups": [{"label": text("Swiss"), "options": [option("zrh"), option("bsl")]}]});
    let replies = vec![
        Reply::status(200),
        Reply::json(&groups),
        Reply::json(&json!({"options": [option("osl")]})),
        Reply::status(500),
    ];
    let (simulator, log) = answering(replies);
    let http = Http::serve(&simulator).await;
    open(&simulator, &http).await;
    let suggest =
        |values: Value| json!({"act": "suggest", "block_id": "cities", "action_id": "cities", "values": values});
    let suggested = || simulator.read(|state| json!(state.suggested("ada", "cities")));
    act(&simulator, suggest(json!({}))).await;
    assert_eq!(suggested(), groups["option_groups"]);
    // What was chosen from earlier suggestions stays when others are looked for.
    act(&simulator, suggest(json!({"cities": ["zrh"], "must": "y"}))).await;
    assert_eq!(suggested(), json!([option("osl")]));
    assert_eq!(simulator.read(|state| state.suggest_problem("ada", "cities").map(str::to_owned)), None);
    act(&simulator, json!({"act": "click", "action_id": "cities", "values": {"cities": ["zrh", "osl"]}})).await;
    assert_eq!(values(&simulator)["cities"]["cities"]["selected_options"], json!([option("zrh"), option("osl")]));
    act(&simulator, suggest(json!({}))).await;
    assert_eq!(suggested(), json!([]));
    let why = simulator.read(|state| state.suggest_problem("ada", "cities").unwrap().to_owned());
    assert!(why.contains("status 500"), "{why}");
    let submit = json!({"act": "submit", "values": {"cities": ["osl"], "must": "y"}});
    act(&simulator, submit).await;
    let state = log.lock().unwrap().last().unwrap().payload()["view"]["state"]["values"].clone();
    assert_eq!(state["cities"]["cities"]["selected_options"], json!([option("osl")]));
}
