//! What a registration refuses before anything starts, and what both phases make of one registration.

use tack_app::{AckPhase, App, CommandAck, HandedOver, LazyPhase, OptionsReply, Phase, ViewAck};

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
fn names_that_begin_with_tack_are_the_frameworks() {
    fn register<P: Phase>(app: &mut App<P>) {
        app.event("message").lazy("tack.probe", async |_, _| Ok(()));
        app.job("tack.of_mine", async |_, _: &u32| Ok(()));
        app.event("message").lazy("tackle", async |_, _| Ok(()));
    }
    for found in [problems::<AckPhase>(register), problems::<LazyPhase>(register)] {
        for name in ["tack.probe", "tack.of_mine"] {
            assert!(found.iter().any(|problem| problem.contains(name)), "{name}: {found:?}");
        }
        assert!(!found.iter().any(|problem| problem.contains("tackle")), "{found:?}");
    }
}

#[test]
fn a_jobs_name_is_short_visible_and_free_of_what_stands_between_names() {
    for name in ["", "a#b", "a,b", "a@1", "a b", "a\nb", "a\u{7f}", "naïve", &"n".repeat(129)] {
        let name: &'static str = name.to_owned().leak();
        let found = problems::<AckPhase>(|app| {
            app.message("a").lazy(name, async |_, _| Ok(()));
        });
        assert_eq!(found.len(), 1, "{name:?}: {found:?}");
    }
    let longest: &'static str = "n".repeat(128).leak();
    let found = problems::<AckPhase>(|app| {
        app.message("a").lazy(longest, async |_, _| Ok(()));
        app.message("b").lazy("order.fulfil_v2-now/later!", async |_, _| Ok(()));
    });
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_listener_that_neither_answers_nor_works_is_a_problem() {
    fn register<P: Phase>(app: &mut App<P>) {
        app.command("/order");
        app.message("hi").when(|_| true).fallback(async |_, _| Ok(()));
        app.view("order_modal").ack(|_, _| Ok(ViewAck::close()));
        app.action("button").lazy("click", async |_, _| Ok(()));
        app.options("city", async |_, _, ()| Ok(OptionsReply::none()));
    }
    for found in [problems::<AckPhase>(register), problems::<LazyPhase>(register)] {
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("command") && found[1].contains("message"), "{found:?}");
    }
}

#[test]
fn a_listener_with_two_acks_is_a_problem() {
    fn register<P: Phase>(app: &mut App<P>) {
        app.command("/order")
            .ack(|_, _| Ok(CommandAck::ok()))
            .ack_io(async |_, _, ()| Ok(CommandAck::ok()))
            .lazy("order", async |_, _| Ok(()));
    }
    for found in [problems::<AckPhase>(register), problems::<LazyPhase>(register)] {
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("command") && found[0].contains("two acks"), "{found:?}");
    }
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
        app.options("city", async |_, _, ()| Ok(OptionsReply::none()));
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
