//! The first five minutes, as someone who has never seen it would spend them; with a stopwatch from "Ready" on.

use crate::browser::in_browser;
use crate::page::{Page, Theme, element, id};
use crate::tack::{Tack, wait_for};
use std::time::{Duration, Instant};

/// What a newcomer is promised for everything after the build.
const PROMISED: Duration = Duration::from_secs(5 * 60);
/// A laptop's width, and a phone's.
const WIDTHS: [u32; 2] = [1440, 390];

#[test]
fn the_first_five_minutes_in_the_light_on_a_laptop() {
    walk_in(Theme::Light, WIDTHS[0]);
}

#[test]
fn the_first_five_minutes_in_the_dark_on_a_laptop() {
    walk_in(Theme::Dark, WIDTHS[0]);
}

#[test]
fn the_first_five_minutes_in_the_light_on_a_phone() {
    walk_in(Theme::Light, WIDTHS[1]);
}

#[test]
fn the_first_five_minutes_in_the_dark_on_a_phone() {
    walk_in(Theme::Dark, WIDTHS[1]);
}

fn walk_in(theme: Theme, width: u32) {
    in_browser(|tack, page| {
        page.resize(width);
        page.prefer(theme);
        let clock = Stopwatch::from(tack.ready_at);
        walk(tack, page, &clock);
        let took = clock.ends();
        println!("the walk, {} at {width} px: {:.1} s from Ready", theme.word(), took.as_secs_f64());
        assert!(took < PROMISED, "{took:?}");
    });
}

/// Steps and when they were done.
struct Stopwatch {
    began: Instant,
}

impl Stopwatch {
    fn from(began: Instant) -> Self {
        Self { began }
    }

    fn done(&self, page: &Page, step: &str) {
        println!("  {:>6.2} s  {step}", self.began.elapsed().as_secs_f64());
        page.screenshot(step);
    }

    fn ends(&self) -> Duration {
        self.began.elapsed()
    }
}

fn walk(tack: &Tack, page: &Page, clock: &Stopwatch) {
    page.open("/");
    page.sees_text("h1", "#playground");
    clock.done(page, "walk-01-first-look");

    say_hi(page);
    clock.done(page, "walk-02-hi");

    order(page, clock);
    the_shortcut(page, clock);
    the_command(page);
    clock.done(page, "walk-07-command");

    page.click(&id("app-item"));
    page.sees_text(&id("home-view"), "Welcome home, @Ada");
    clock.done(page, "walk-08-home");

    explain_and_send_again(tack, page, clock);
    break_it(tack, page, clock);

    page.open("/");
    page.sees_times(5, &format!("{}[data-state=done]", id("coach-step")), "");
    page.sees_text(&id("coach"), "at least once, done is final");
    clock.done(page, "walk-14-all-five");
}

fn say_hi(page: &Page) {
    page.say("hi");
    page.sees_times(1, &from_app(), "hi, how are you?");
    page.sees_text(&id("coach-step"), "(done)");
}

fn order(page: &Page, clock: &Stopwatch) {
    page.say("/order 3");
    page.sees(&modal("order_modal"));
    clock.done(page, "walk-03-modal");

    page.fill(&element("order_quantity"), "0");
    page.click(&id("modal-submit"));
    page.sees_text(&id("field-error"), "required");
    find_item(page, "green", "Green tea");
    page.click(&id("modal-submit"));
    page.sees_text(&id("field-error"), "A whole number from 1 to 100, please.");
    clock.done(page, "walk-04-inline-errors");
    assert_eq!(page.text(&id("modal-title")), "New order", "and the modal stays");

    page.fill(&element("order_quantity"), "3");
    page.click(&id("modal-submit"));
    page.sees_no(&id("modal"));
    page.sees_times(1, &from_app(), "ordered 3 × Green tea.");
}

/// Types into the search field of the external select, and chooses what the app offers.
fn find_item(page: &Page, typed: &str, offered: &str) {
    page.fill(&id("option-search"), typed);
    page.choose(&format!("{} select", element("order_item")), offered);
}

fn the_shortcut(page: &Page, clock: &Stopwatch) {
    open_shortcut(page);
    page.sees_text(&id("modal-title"), "Sample modal");
    page.click(&format!("{} {}", modal("sample_view_id"), element("sample_action_id")));
    page.sees_text(&id("modal-title"), "Updated modal");
    clock.done(page, "walk-05-updated-modal");

    page.fill(&element("sample_input_id"), "a quiet afternoon");
    page.choose(&element("sample_dropdown_id"), "#playground");
    page.click(&id("modal-submit"));
    page.sees_no(&id("modal"));
    page.sees_times(1, &from_app(), "a quiet afternoon");
    clock.done(page, "walk-06-posted");
}

fn open_shortcut(page: &Page) {
    page.click(&format!("{} summary", id("global-shortcuts")));
    page.click(&id("global-shortcut"));
    page.sees(&modal("sample_view_id"));
}

fn the_command(page: &Page) {
    page.say("/sample-command hello");
    page.sees_text(&id("message"), "you typed: hello");
    page.sees_text(&id("ephemeral-note"), "Only visible to you");
}

fn explain_and_send_again(tack: &Tack, page: &Page, clock: &Stopwatch) {
    page.open("/");
    page.sees_times(1, &from_app(), "hi, how are you?");
    page.click(&format!("{} {}", from_app(), id("delivery-link")));
    page.wait_for_path("/console/deliveries/");
    page.sees(&id("delivery-sentence"));
    clock.done(page, "walk-09-story");

    page.click(&format!("{}[data-mode=redeliver]", id("replay-mode")));
    page.sees_text(&id("delivery-outcome"), "duplicate");
    clock.done(page, "walk-10-redelivered");
    assert_eq!(tack.count("playground", "hi, how are you?"), 1, "and there is no second message");

    run_the_shortcut_again(tack, page);
    clock.done(page, "walk-11-run-again");
}

fn run_the_shortcut_again(tack: &Tack, page: &Page) {
    let rows = tack.rows("q=sample_shortcut_id");
    let shortcut = rows.last().and_then(|row| row["id"].as_str()).unwrap().to_owned();
    page.open(&format!("/console/deliveries/{shortcut}"));
    page.click(&format!("{}[data-mode=rerun]", id("replay-mode")));
    wait_for("the second run's end", || {
        let rows = tack.rows("q=sample_shortcut_id");
        (rows.len() == 2 && rows.iter().all(|row| row["outcome"] == "done")).then_some(())
    });
    page.open("/");
    page.sees_text(&id("modal-title"), "Sample modal");
    page.click(&id("modal-close"));
    page.sees_no(&id("modal"));
}

fn break_it(tack: &Tack, page: &Page, clock: &Stopwatch) {
    page.click(&id("nav-console"));
    page.click(&id("nav-faults"));
    page.sees_text("h1", "Faults");
    let switch = format!("{}[data-fault=worker-crash]", id("fault-switch"));
    page.choose(&format!("{switch} {}", id("fault-scope")), "once");
    page.click(&format!("{switch} {}", id("fault-on")));
    page.sees(&id("fault-chip"));
    clock.done(page, "walk-12-fault-on");

    page.click(&id("nav-slack"));
    page.say("hi");
    page.sees_times(2, &from_app(), "hi, how are you?");
    page.sees_text(&id("delivery-link"), "attempt 2");
    clock.done(page, "walk-13-second-attempt");
    assert_eq!(tack.count("playground", "hi, how are you?"), 2, "one answer to each");
    page.sees_no(&id("fault-chip"));
    page.open("/console/faults");
    page.sees_text(&format!("{switch} {}", id("drill-verdict")), "held");
}

/// Messages of the app.
fn from_app() -> String {
    format!("{}.app", id("message"))
}

fn modal(callback_id: &str) -> String {
    format!("{}[data-callback-id=\"{callback_id}\"]", id("modal"))
}
