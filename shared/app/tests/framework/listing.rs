//! What is registered, as data, and registrations of which a part could never run.

use serde_json::{Value, json};
use tack_app::{
    AckPhase, ActionPattern, App, CommandAck, LazyPhase, Listed, OptionsReply, Phase, Regex, Settings, SetupError,
    SlackApp, ViewAck,
};

struct Everything;

/// The line on which [`Everything`] registers its command.
const COMMAND_LINE: u32 = line!() + 7;

impl SlackApp for Everything {
    type Resources = ();
    type AckResources = ();

    fn register<P: Phase>(app: &mut App<P>) {
        app.command("/order").ack(|_, _| Ok(CommandAck::ok())).lazy("order.open", async |_, _| Ok(()));
        app.message(Regex::new("^(hi|hello)").expect("a pattern")).lazy("greet", async |_, _| Ok(()));
        app.message("").lazy("one", async |_, _| Ok(())).lazy("two", async |_, _| Ok(()));
        app.event("app_home_opened").lazy("home", async |_, _| Ok(()));
        app.action("approve").lazy("approve", async |_, _| Ok(()));
        app.action(ActionPattern::from("deny").in_block("order")).lazy("deny", async |_, _| Ok(()));
        app.shortcut("new_order").lazy("new_order", async |_, _| Ok(()));
        app.message_shortcut("quote").lazy("quote", async |_, _| Ok(()));
        app.view("order_modal").ack(|_, _| Ok(ViewAck::close()));
        app.view_closed("order_modal").lazy("order.closed", async |_, _| Ok(()));
        app.options("city", async |_, _, ()| Ok(OptionsReply::none()));
        app.function("reverse").lazy("reverse", async |_, _| Ok(()));
        app.job("nightly", async |_, _: &u32| Ok(()));
    }

    async fn resources(_: &Settings) -> Result<(), SetupError> {
        Ok(())
    }

    async fn ack_resources(_: &Settings) -> Result<(), SetupError> {
        Ok(())
    }
}

#[test]
fn everything_that_is_registered_is_listed_in_words() {
    let listed = tack_app::listing::<Everything>().expect("an app without contradictions");
    let row = |one: &Listed| format!("{} {} {} {}", one.kind, one.pattern, one.acks, one.jobs.join("+"));
    assert_eq!(
        listed.iter().map(row).collect::<Vec<_>>(),
        [
            "command /order true order.open",
            "message regex ^(hi|hello) false greet",
            "message any text false one+two",
            "event app_home_opened false home",
            "action approve false approve",
            "action deny in block order false deny",
            "shortcut new_order false new_order",
            "message_shortcut quote false quote",
            "view order_modal true ",
            "view_closed order_modal false order.closed",
            "options city true ",
            "function reverse false reverse",
            "job nightly false nightly",
        ]
    );
}

#[test]
fn each_entry_says_where_it_is_registered() {
    let listed = tack_app::listing::<Everything>().expect("an app");
    let places: Vec<_> = listed.iter().map(|one| one.place.as_deref().expect("a place")).collect();
    for (line, place) in (COMMAND_LINE..).zip(places) {
        assert!(place.ends_with(&format!("tests/framework/listing.rs:{line}")), "{place} is not line {line}");
    }
}

#[test]
fn both_phases_list_the_same_and_only_the_lazy_one_knows_the_places() {
    let acks = App::<AckPhase>::build(Everything::register).expect("the ack phase").listing();
    let lazies = App::<LazyPhase>::build(Everything::register).expect("the lazy phase").listing();
    assert!(acks.iter().all(|one| one.place.is_none()));
    let without = |one: Listed| Listed { place: None, ..one };
    assert_eq!(acks, lazies.into_iter().map(without).collect::<Vec<_>>());
}

#[test]
fn an_entry_is_json_with_these_names() {
    let mut listed = tack_app::listing::<Everything>().expect("an app");
    let first = Listed { place: Some("src/lib.rs:31".to_owned()), ..listed.remove(0) };
    let expected = json!({ "kind": "command", "pattern": "/order", "acks": true, "jobs": ["order.open"], "place": "src/lib.rs:31" });
    let written: Value = serde_json::to_value(&first).expect("JSON");
    assert_eq!(written, expected);
    assert_eq!(serde_json::from_value::<Listed>(written).expect("an entry"), first);
}

fn problems<P: Phase>(register: impl FnOnce(&mut App<P>)) -> Vec<String> {
    App::build(register).err().unwrap_or_default()
}

#[test]
fn a_listener_that_an_earlier_one_hides_is_an_error_that_names_both_places() {
    const LINE: u32 = line!() + 2;
    fn register<P: Phase>(app: &mut App<P>) {
        app.command("/order").lazy("a", async |_, _| Ok(()));
        app.command("/order").lazy("b", async |_, _| Ok(()));
        app.view("modal").ack(|_, _| Ok(ViewAck::close()));
        app.view("modal").lazy("c", async |_, _| Ok(()));
        app.action("button").lazy("d", async |_, _| Ok(()));
        app.action(ActionPattern::from("button").in_block("b1")).lazy("e", async |_, _| Ok(()));
        app.options("city", async |_, _, ()| Ok(OptionsReply::none()));
        app.options("city", async |_, _, ()| Ok(OptionsReply::none()));
    }
    for found in [problems::<AckPhase>(register), problems::<LazyPhase>(register)] {
        assert_eq!(found.len(), 4, "{found:?}");
        for (problem, word) in
            found.iter().zip(["command /order", "view modal", "action button in block b1", "options city"])
        {
            assert!(problem.contains(word) && problem.contains("only the first would ever run"), "{problem}");
        }
    }
    let places = [LINE, LINE + 1].map(|line| format!("listing.rs:{line}"));
    let found = problems::<LazyPhase>(register);
    assert!(places.iter().all(|place| found[0].contains(place)), "{places:?}: {}", found[0]);
}

#[test]
fn listeners_that_share_a_pattern_and_all_may_run_are_no_error() {
    fn register<P: Phase>(app: &mut App<P>) {
        // The second takes what the first one's condition leaves.
        app.command("/order").when(|command| command.text.is_empty()).lazy("a", async |_, _| Ok(()));
        app.command("/order").lazy("b", async |_, _| Ok(()));
        // The second takes the element in any other block.
        app.action(ActionPattern::from("button").in_block("b1")).lazy("c", async |_, _| Ok(()));
        app.action("button").lazy("d", async |_, _| Ok(()));
        // One of each kind.
        app.shortcut("run").lazy("e", async |_, _| Ok(()));
        app.message_shortcut("run").lazy("f", async |_, _| Ok(()));
        app.view("run").lazy("g", async |_, _| Ok(()));
        app.view_closed("run").lazy("h", async |_, _| Ok(()));
        // Every match runs.
        app.event("app_mention").lazy("i", async |_, _| Ok(()));
        app.event("app_mention").lazy("j", async |_, _| Ok(()));
        app.message("hi").lazy("k", async |_, _| Ok(()));
        app.message("hi").lazy("l", async |_, _| Ok(()));
        // Nobody can say what a regular expression covers.
        app.command(Regex::new("^/deploy").expect("a pattern")).lazy("m", async |_, _| Ok(()));
        app.command(Regex::new("^/deploy").expect("a pattern")).lazy("n", async |_, _| Ok(()));
    }
    for found in [problems::<AckPhase>(register), problems::<LazyPhase>(register)] {
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn a_second_fallback_and_a_second_error_handler_are_errors() {
    fn register<P: Phase>(app: &mut App<P>) {
        app.event("app_mention")
            .lazy("mention", async |_, _| Ok(()))
            .fallback(async |_, _| Ok(()))
            .fallback(async |_, _| Ok(()));
        app.error(async |_, _| None);
        app.error(async |_, _| None);
    }
    for found in [problems::<AckPhase>(register), problems::<LazyPhase>(register)] {
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("event app_mention has two fallbacks"), "{found:?}");
        assert!(found[1].contains("app.error is there twice"), "{found:?}");
    }
}

#[test]
fn a_listing_of_an_app_that_contradicts_itself_is_its_problems() {
    struct Twice;
    impl SlackApp for Twice {
        type Resources = ();
        type AckResources = ();

        fn register<P: Phase>(app: &mut App<P>) {
            app.shortcut("run").lazy("run", async |_, _| Ok(()));
            app.shortcut("run").lazy("run", async |_, _| Ok(()));
        }

        async fn resources(_: &Settings) -> Result<(), SetupError> {
            Ok(())
        }

        async fn ack_resources(_: &Settings) -> Result<(), SetupError> {
            Ok(())
        }
    }
    let problems = tack_app::listing::<Twice>().expect_err("two jobs of one name, two listeners of one shortcut");
    assert_eq!(problems.len(), 2, "{problems:?}");
}
