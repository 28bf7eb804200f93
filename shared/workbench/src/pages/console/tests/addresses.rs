//! Each address as a page and as facts: what it shows, what it refuses, and how.

use super::world::{in_world, read_until};
use crate::listing::Listed;
use serde_json::json;
use tack_local_aws::sqs::{MessageAttribute, NewMessage};

const PAGES: [(&str, &str); 7] = [
    ("/console/deliveries", "Deliveries"),
    ("/console/dead-letters", "Dead letters"),
    ("/console/installs", "Installs"),
    ("/console/faults", "Faults"),
    ("/console/listeners", "Listeners"),
    ("/console/app", "App"),
    ("/console/help", "Help"),
];

#[test]
fn every_page_has_one_heading_its_place_in_the_navigation_and_facts() {
    in_world(async |world| {
        world.say("hi").await;
        for (path, title) in PAGES {
            let page = world.page(path).await;
            assert_eq!(page.status, 200, "{page:?}");
            assert_eq!(page.body.matches("<h1").count(), 1, "{path}");
            assert!(page.body.contains(&format!("<h1>{title}</h1>")), "{path}");
            let name = path.trim_start_matches("/console/");
            assert!(
                page.body.contains(&format!("href=\"{path}\" data-testid=\"nav-{name}\" aria-current=\"page\"")),
                "{path}"
            );
            assert!(!page.body.contains(" style="), "{path}: the policy forbids it");
            assert_eq!(world.facts(path).await.status, 200);
            world.facts(path).await.json();
        }
        assert_eq!(world.page("/console").await.header("location"), Some("/console/deliveries"));
    });
}

#[test]
fn pages_without_anything_say_what_is_missing() {
    in_world(async |world| {
        for (path, words) in [
            ("/console/deliveries", "Nothing has arrived"),
            ("/console/dead-letters", "None: every job was done"),
            ("/console/faults", "All off. The app sees an honest Slack."),
            ("/console/listeners", "Not known: these functions were built elsewhere."),
        ] {
            let page = world.page(path).await;
            assert!(
                page.body.contains("data-testid=\"empty-state\"") && page.body.contains(words),
                "{path}: {}",
                page.body
            );
        }
        world.say("hi").await;
        let page = world.page("/console/deliveries?state=dead&q=hi").await;
        assert!(page.body.contains("Nothing matches <code>state:dead</code> <code>hi</code>."), "{}", page.body);
        assert!(
            page.body.contains("Without <code>state:dead</code>: <a href=\"/console/deliveries?q=hi\">1 delivery</a>"),
            "{}",
            page.body
        );
    });
}

#[test]
fn a_list_shows_what_matches() {
    in_world(async |world| {
        let [tea, coffee] = [world.say("tea").await, world.say("coffee").await];
        let facts = world.facts("/console/deliveries?q=tea").await.json();
        assert_eq!((&facts["total"], &facts["matching"]), (&json!(2), &json!(1)));
        assert_eq!(facts["deliveries"][0]["id"], tea.id);
        assert_eq!(facts["deliveries"][0]["outcome"], "done");
        let page = world.page("/console/deliveries").await.body;
        let places =
            [&coffee.id, &tea.id].map(|id| page.find(&format!("data-id=\"{id}\" data-state=\"done\"")).unwrap());
        assert!(places[0] < places[1], "newest first");
        assert!(page.contains("#playground · Ada"), "{page}");
        let one = world.facts("/console/deliveries?limit=1").await.json();
        assert_eq!((one["deliveries"].as_array().unwrap().len(), &one["matching"]), (1, &json!(2)));
        let page = world.page("/console/deliveries?limit=1").await.body;
        assert!(page.contains("rel=\"next\">Older</a>"), "{page}");
    });
}

#[test]
fn what_is_not_understood_is_refused_in_words() {
    in_world(async |world| {
        let refused = world.facts("/console/deliveries?state=broken").await;
        assert_eq!(refused.status, 400);
        let error = &refused.json()["error"];
        assert_eq!(error["code"], "invalid");
        assert!(error["message"].as_str().unwrap().contains("there is no state `broken`"), "{error}");
        let page = world.page("/console/deliveries?state=broken").await;
        assert_eq!(page.status, 400);
        assert!(page.body.contains("data-testid=\"error-state\"") && page.body.contains("duplicate"), "{}", page.body);
        let unknown = world.facts("/console/deliveries/0192f0c1-ffff").await;
        assert_eq!((unknown.status, unknown.json()["error"]["code"].clone()), (404, json!("not_found")));
        let page = world.page("/console/deliveries/0192f0c1-ffff").await;
        assert_eq!(page.status, 404);
        assert!(page.body.contains("left the history (10,000 kept)"), "{}", page.body);
    });
}

#[test]
fn a_stream_tells_of_each_change_that_matches() {
    in_world(async |world| {
        let mut stream = world.ask("GET", "/console/deliveries?q=tea", &[("accept", "text/event-stream")], "").await;
        read_until(&mut stream, "\r\n\r\n").await;
        world.say("coffee").await;
        let tea = world.say("tea").await;
        let told = read_until(&mut stream, "\"outcome\":\"done\"").await;
        assert!(told.contains("event: delivery\ndata: {"), "{told}");
        assert!(told.contains(&tea.id) && !told.contains("resync"), "{told}");
    });
}

#[test]
fn a_story_is_found_by_every_name_it_has() {
    in_world(async |world| {
        let row = world.say("hi").await;
        let story = world.facts(&format!("/console/deliveries/{}", row.id)).await.json();
        let story = &story["delivery"];
        let slack_id = story["slack_id"].as_str().unwrap();
        let event_id = story["key"].as_str().unwrap().trim_start_matches("event:");
        for name in
            [slack_id, event_id, "door-0", &row.id[row.id.len() - 8..], &row.id[row.id.len() - 8..].to_uppercase()]
        {
            let found = world.facts(&format!("/console/deliveries/{name}")).await.json();
            assert_eq!(found["delivery"]["id"], row.id, "{name}");
        }
        assert_eq!(story["jobs"][0]["dedup_key"], format!("event:{event_id}#greet"));
        assert!(story["curl"].as_str().unwrap().contains("openssl dgst"), "{story}");
        let page = world.page(&format!("/console/deliveries/{}", row.id)).await.body;
        for id in [
            "delivery-sentence",
            "waterfall",
            "span",
            "attempt",
            "request-headers",
            "request-body",
            "answer-body",
            "replay",
            "edit-body",
            "copy-curl",
        ] {
            assert!(page.contains(&format!("data-testid=\"{id}\"")), "{id}");
        }
        assert!(page.contains("The listener made no Web API call."));
        let secret = world.workbench.simulator.config().signing_secret.clone();
        assert!(!page.contains(&secret) && !story.to_string().contains(&secret));
    });
}

#[test]
fn who_waits_is_answered_when_it_is_settled_or_when_the_time_is_over() {
    in_world(async |world| {
        let row = world.say("hi").await;
        let path = format!("/console/deliveries/{}?wait=settled&timeout_ms=5000", row.id);
        assert_eq!(world.facts(&path).await.json()["delivery"]["outcome"], "done");
        let unknown = world.facts("/console/deliveries/0192f0c1-ffff?wait=settled&timeout_ms=20").await;
        assert_eq!(unknown.status, 404);
        assert_eq!(world.facts(&format!("/console/deliveries/{}?wait=forever", row.id)).await.status, 400);
    });
}

#[test]
fn redelivered_is_a_duplicate_and_rerun_is_new() {
    in_world(async |world| {
        let row = world.say("hi").await;
        let replay = format!("/console/deliveries/{}/replay", row.id);
        let same = world.post(&replay, json!({ "mode": "redeliver" })).await.json();
        assert_eq!(same["delivery"]["outcome"], "duplicate", "{same}");
        assert_ne!(same["delivery"]["id"], row.id);
        let new = world.post(&replay, json!({ "mode": "rerun" })).await.json();
        assert_eq!(new["delivery"]["outcome"], "done", "{new}");
        let body = same["delivery"]["request"]["body"]
            .as_str()
            .unwrap()
            .replace("\"hi\"", "\"edited\"")
            .replace("\"Ev", "\"Ev9");
        let edited = world.post(&replay, json!({ "mode": "edited", "body": body })).await.json();
        assert_eq!(edited["delivery"]["outcome"], "done", "{edited}");
        assert!(edited["delivery"]["request"]["body"].as_str().unwrap().contains("edited"));

        let led = world.submit(&replay, "mode=redeliver&back=%2Fconsole").await;
        assert_eq!(led.status, 303);
        let page = world.page(led.header("location").unwrap()).await;
        assert!(page.body.contains("data-state=\"duplicate\""), "{}", page.body);
    });
}

#[test]
fn what_cannot_be_sent_again_is_refused() {
    in_world(async |world| {
        let row = world.say("hi").await;
        let replay = format!("/console/deliveries/{}/replay", row.id);
        for (body, code) in [
            (json!({ "mode": "backwards" }), "invalid"),
            (json!({ "mode": "edited" }), "invalid"),
            (json!({}), "invalid"),
        ] {
            let refused = world.post(&replay, body.clone()).await;
            assert_eq!((refused.status, refused.json()["error"]["code"].clone()), (400, json!(code)), "{body}");
        }
        let unknown = world.post("/console/deliveries/0192f0c1-ffff/replay", json!({ "mode": "rerun" })).await;
        assert_eq!(unknown.status, 404);
        let page = world.submit(&replay, "mode=backwards").await;
        assert_eq!(page.status, 400);
        assert!(page.body.contains("There is no mode `backwards`."), "{}", page.body);
    });
}

#[test]
fn dead_letters_are_shown_redriven_and_discarded() {
    in_world(async |world| {
        let sqs = world.workbench.stack.aws.sqs();
        let bury = |reason: &str| {
            let text =
                MessageAttribute { data_type: "String".to_owned(), string: Some(reason.to_owned()), binary: None };
            let attributes = [("reason".to_owned(), text)].into();
            sqs.send("events-dlq", NewMessage { body: "no message".to_owned(), attributes, ..NewMessage::default() })
                .unwrap()
        };
        let [one, two, three] = [bury("boom <b>"), bury("boom <b>"), bury("other")];
        let facts = world.facts("/console/dead-letters").await.json();
        assert_eq!(facts["causes"][0]["count"], 2);
        assert_eq!(facts["letters"].as_array().unwrap().len(), 3);
        let page = world.page("/console/dead-letters").await.body;
        assert!(page.contains("boom &lt;b&gt;") && !page.contains("boom <b>"), "{page}");
        assert_eq!(page.matches("data-testid=\"dlq-row\"").count(), 3);
        let shown = world.facts(&format!("/console/dead-letters/{one}")).await.json();
        assert_eq!(shown["letter"]["body"], "no message");
        assert!(world.page(&format!("/console/dead-letters/{one}")).await.body.contains("no message"));

        let dry = world.submit("/console/dead-letters/redrive", "dry_run=1").await;
        assert!(dry.body.contains("3 letters</strong> would be sent back"), "{}", dry.body);
        let redrive = "/console/dead-letters/redrive";
        let dry = world.post(redrive, json!({ "cause": "boom <b>", "dry_run": true })).await.json();
        assert_eq!((&dry["moved"], &dry["dry_run"]), (&json!(2), &json!(true)));
        let done = world.post(redrive, json!({ "ids": [one, "gone"] })).await.json();
        assert_eq!((&done["moved"], &done["letters"][0]), (&json!(1), &json!(one)));
        assert_eq!(done["skipped"][0], json!({ "id": "gone", "reason": "not in the queue" }));
        let discarded = world.submit("/console/dead-letters/discard", &format!("one={two}")).await;
        assert_eq!((discarded.status, discarded.header("location")), (303, Some("/console/dead-letters")));
        let left = world.facts("/console/dead-letters").await.json();
        assert_eq!((left["letters"].as_array().unwrap().len(), &left["letters"][0]["id"]), (1, &json!(three)));
        assert_eq!(world.post(redrive, json!({})).await.status, 400);
    });
}

#[test]
fn a_fault_is_switched_by_form_and_by_program_and_its_verdict_is_told() {
    in_world(async |world| {
        let on = world.post("/console/faults", json!({ "fault": "duplicate", "on": true, "times": 1 })).await.json();
        assert_eq!((&on["faults"][0]["on"], &on["faults"][0]["times_left"]), (&json!(true), &json!(1)));
        assert!(world.page("/console/faults").await.body.contains("data-fault=\"duplicate\" data-state=\"on\""));
        let row = world.say("hi").await;
        let copies = world.workbench.simulator.deliveries();
        assert_eq!(copies.len(), 2);
        world.row(&copies[1].id).await;
        let after = world.facts("/console/faults").await.json();
        let fault = &after["faults"][0];
        assert_eq!((&fault["on"], &fault["struck"]), (&json!(false), &json!(1)));
        assert_eq!(fault["verdict"], "held: 0 effects for 2 copies", "{row:?}");

        let submitted = world.submit("/console/faults", "fault=slow&on=1&times=&back=%2Fconsole%2Ffaults").await;
        assert_eq!((submitted.status, submitted.header("location")), (303, Some("/console/faults")));
        assert!(world.page("/console/deliveries").await.body.contains("data-testid=\"fault-chip\""));
        world.submit("/console/faults", "all=off").await;
        assert!(!world.page("/console/deliveries").await.body.contains("data-testid=\"fault-chip\""));
        let unknown = world.post("/console/faults", json!({ "fault": "earthquake", "on": true })).await;
        assert_eq!((unknown.status, unknown.json()["error"]["code"].clone()), (404, json!("not_found")));
    });
}

#[test]
fn listeners_that_are_not_known_are_something_else_than_none() {
    in_world(async |world| {
        assert_eq!(world.facts("/console/listeners").await.json()["listeners"], json!(null));
        world.workbench.listing.set(Vec::new());
        assert_eq!(world.facts("/console/listeners").await.json()["listeners"], json!([]));
        let page = world.page("/console/listeners").await.body;
        assert!(page.contains("data-testid=\"empty-state\"") && page.contains("register() adds nothing yet"), "{page}");
    });
}

#[test]
fn listeners_are_shown_with_their_last_delivery() {
    in_world(async |world| {
        let listed = json!([{ "kind": "message", "pattern": "regex ^(hi|<b>)", "acks": false, "jobs": ["greet"], "place": "src/lib.rs:31" }]);
        world.workbench.listing.set(serde_json::from_value::<Vec<Listed>>(listed.clone()).unwrap());
        let row = world.say("hi").await;
        assert_eq!(world.facts("/console/listeners").await.json()["listeners"], listed);
        let page = world.page("/console/listeners").await.body;
        assert!(
            page.contains("regex ^(hi|&lt;b&gt;)") && page.contains("src/lib.rs:31") && page.contains(&row.short),
            "{page}"
        );
        let story = world.page(&format!("/console/deliveries/{}", row.id)).await.body;
        assert!(story.contains("src/lib.rs:31"), "{story}");
    });
}

#[test]
fn the_apps_variables_are_shown_without_secrets() {
    in_world(async |world| {
        let app = world.facts("/console/app").await.json();
        let names: Vec<&str> =
            app["functions"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["ingress", "worker-interactions", "worker-events"]);
        let page = world.page("/console/app").await.body;
        for secret in ["8f742231b10e8888abcd99yyyzzz85a5", "secretsecretsecret"] {
            assert!(!page.contains(secret) && !app.to_string().contains(secret));
        }
        assert!(page.contains("SLACK_SIGNING_SECRET"));
    });
}

#[test]
fn reading_a_story_ticks_the_coach_and_changes_nothing_else() {
    in_world(async |world| {
        let row = world.say("hi").await;
        let before = world.facts("/console/deliveries").await.body;
        world.page(&format!("/console/deliveries/{}", row.id)).await;
        assert!(!world.workbench.coach.explained(&row.id), "it was ticked before");
        assert_eq!(world.facts("/console/deliveries").await.body, before);
    });
}
