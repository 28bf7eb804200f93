//! Settings and limits: every problem is told at once, by name, and no value is repeated.

use tack_app::{Limits, Settings, SetupError};

fn settings(pairs: &'static [(&'static str, &'static str)]) -> Settings {
    Settings::new(move |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
}

#[test]
fn every_missing_or_malformed_setting_is_told_at_once_and_by_name() {
    let settings = settings(&[("LIMIT", "xoxb-secret"), ("BLANK", "  ")]);
    assert_eq!(settings.required("TABLE"), Err(SetupError));
    assert_eq!(settings.required("BLANK"), Err(SetupError));
    assert_eq!(settings.parsed::<u16>("LIMIT"), Err(SetupError));
    let problems = settings.problems();
    assert_eq!(problems.len(), 3, "{problems:?}");
    for (problem, name) in problems.iter().zip(["TABLE", "BLANK", "LIMIT"]) {
        assert!(problem.contains(name), "{problem}");
        assert!(!problem.contains("xoxb"), "a value may be a secret: {problem}");
    }
}

#[test]
fn a_setting_that_is_there_is_no_problem() {
    let settings = settings(&[("TABLE", "orders"), ("LIMIT", " 7 ")]);
    assert_eq!(settings.required("TABLE").as_deref(), Ok("orders"));
    assert_eq!(settings.parsed::<u16>("LIMIT"), Ok(7));
    assert_eq!(settings.optional("OTHER"), None);
    assert!(settings.problems().is_empty());
}

#[test]
fn blanks_and_line_ends_around_a_value_are_not_part_of_it() {
    let settings = settings(&[("TOKEN", " xoxb-1\r\n"), ("LIMIT", "\t7\n"), ("BLANK", " \n"), ("INNER", " a b ")]);
    assert_eq!(settings.optional("TOKEN").as_deref(), Some("xoxb-1"));
    assert_eq!(settings.required("TOKEN").as_deref(), Ok("xoxb-1"));
    assert_eq!(settings.parsed::<u16>("LIMIT"), Ok(7));
    assert_eq!(settings.optional("BLANK"), None);
    assert_eq!(settings.optional("INNER").as_deref(), Some("a b"));
    assert!(settings.problems().is_empty());
}

#[test]
fn a_setting_that_may_be_left_out_must_still_fit_when_it_is_there() {
    let settings = settings(&[("LIMIT", " 7\n"), ("WRONG", "xoxb-secret"), ("BLANK", " ")]);
    assert_eq!(settings.optional_parsed::<u16>("LIMIT"), Ok(Some(7)));
    assert_eq!(settings.optional_parsed::<u16>("BLANK"), Ok(None));
    assert_eq!(settings.optional_parsed::<u16>("ABSENT"), Ok(None));
    assert!(settings.problems().is_empty());
    assert_eq!(settings.optional_parsed::<u16>("WRONG"), Err(SetupError));
    let [problem] = &settings.problems()[..] else { panic!("one problem") };
    assert!(problem.contains("WRONG") && !problem.contains("xoxb"), "{problem}");
}

#[test]
fn limits_are_overridden_field_by_field() {
    let limits = Limits::parse(r#"{"attempts": 3, "ladder_ms": [100]}"#).expect("limits");
    assert_eq!(limits, Limits { attempts: 3, ladder_ms: vec![100], ..Limits::default() });
    assert_eq!(Limits::parse("{}"), Ok(Limits::default()));
}

#[test]
fn limits_that_are_misspelt_of_another_type_or_leave_no_attempt_are_refused() {
    for (json, named) in [
        (r#"{"atempts": 3}"#, "atempts"),
        (r#"{"attempts": "3"}"#, "3"),
        (r#"{"attempts": 0}"#, "attempts"),
        (r#"{"ladder_ms": []}"#, "ladder_ms"),
        ("[", ""),
    ] {
        let error = Limits::parse(json).expect_err(json);
        assert!(error.contains(named), "{json}: {error}");
    }
}

#[test]
fn the_ladder_repeats_its_last_wait() {
    let limits = Limits::default();
    let waits: Vec<u64> = (1..=8).map(|attempt| limits.wait_after(attempt).as_secs()).collect();
    assert_eq!(waits, [10, 30, 120, 600, 1_800, 7_200, 7_200, 7_200]);
    assert_eq!(limits.wait_after(0).as_secs(), 10);
    assert_eq!(limits.wait_after(u32::MAX).as_secs(), 7_200);
}
