//! What a registration refuses before anything starts, and what both phases make of one registration.

use tack_app::{AckPhase, App, CommandAck, HandedOver, LazyPhase, Phase};

type Acks = App<AckPhase, (), ()>;
type Lazies = App<LazyPhase, (), ()>;

fn problems<P: Phase>(register: impl FnOnce(&mut App<P>)) -> Vec<String> {
    App::build(register).err().unwrap_or_default()
}

fn twice<P: Phase>(app: &mut App<P>) {
    app.command("/order").lazy("order.fulfil", async |_, _| Ok(()));
    app.event("app_mention").lazy("order.fulfil", async |_, _| Ok(()));
}

#[test]
fn two_jobs_of_one_name_are_an_error_at_start_in_both_phases() {
    for problems in [problems::<AckPhase>(twice), problems::<LazyPhase>(twice)] {
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("order.fulfil") && problems[0].contains("twice"), "{problems:?}");
    }
}

#[test]
fn a_job_of_the_apps_own_may_not_take_the_name_of_a_listeners_job() {
    let found = problems::<LazyPhase>(|app| {
        app.message("hi").lazy("greet", async |_, _| Ok(()));
        app.job("greet", async |_, _: &String| Ok(()));
    });
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn the_probes_name_is_taken() {
    let found = problems::<AckPhase>(|app| {
        app.event("message").lazy("tack.probe", async |_, _| Ok(()));
    });
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn all_problems_are_told_at_once() {
    let found = problems::<AckPhase>(|app| {
        twice(app);
        app.message("a").lazy("", async |_, _| Ok(()));
        app.message("b").lazy("a#b", async |_, _| Ok(()));
    });
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn both_phases_know_the_same_names_and_listeners() {
    fn register<P: Phase>(app: &mut App<P>) {
        app.command("/order")
            .ack(|_, command| Ok(CommandAck::ok().hand_over(command.text.clone())))
            .lazy("order.fulfil", async |_, _, _text: String| Ok(()));
        app.message("hi").lazy("greet", async |_, _| Ok(())).fallback(async |_, _| Ok(()));
        app.options("city", async |_, _, ()| Ok(tack_app::OptionsReply::none()));
        app.job("nightly", async |_, _: &u32| Ok(()));
    }
    let acks = Acks::build(register).expect("the ack phase");
    let lazies = Lazies::build(register).expect("the lazy phase");
    assert_eq!(acks.job_names(), ["tack.probe", "order.fulfil", "greet", "nightly"]);
    assert_eq!(acks.job_names(), lazies.job_names());
    assert_eq!((acks.listener_count(), lazies.listener_count()), (3, 3));
}

#[test]
fn a_listener_may_have_several_jobs_and_each_gets_what_was_handed_over() {
    let app = Lazies::build(|app| {
        app.command("/order")
            .ack(|_, _| Ok(CommandAck::ok().hand_over(7_u32)))
            .lazy("one", async |_, _, _: u32| Ok(()))
            .lazy("two", async |_, _, _: u32| Ok(()));
    });
    assert_eq!(app.expect("an app").job_names(), ["tack.probe", "one", "two"]);
    let _: CommandAck<HandedOver<u32>> = CommandAck::refuse("not today");
}
