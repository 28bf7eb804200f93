//! What the command line advises can be typed: every hint and every example of the help is a command that parses.

use crate::cli::exit::Exit;
use crate::cli::failure::Hint;
use crate::cli::{Cli, Verb, usage};
use clap::{Command, CommandFactory, Parser};
use std::ffi::OsString;

/// Stands where quotes were: it makes a word of nothing.
const EMPTY: char = '\0';

/// The words of a line as a shell splits it; single quotes hold words together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        let word = words.last_mut().unwrap();
        match c {
            '\'' => {
                is_quoted = !is_quoted;
                word.push(EMPTY);
            }
            '\\' if !is_quoted => word.extend(characters.next()),
            c if c.is_whitespace() && !is_quoted => words.push(String::new()),
            c => word.push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    // An empty word, quoted as in `''`, is marked so that it stays.
    words.iter().map(|word| word.replace(EMPTY, "")).collect()
}

/// Whether a line is `cargo run` or a verb of `cargo tack` that parses.
fn parses(line: &str) -> Result<(), String> {
    let words = words(line);
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["cargo", "run"] => Ok(()),
        ["cargo", "tack", arguments @ ..] => match Cli::try_parse_from(std::iter::once(&"tack").chain(arguments)) {
            Err(error) if error.use_stderr() => Err(error.to_string()),
            Ok(Cli { verb: None, .. }) => Err("it has no verb".to_owned()),
            _ => Ok(()),
        },
        _ => Err("it is no command of ours".to_owned()),
    }
}

/// One hint of each sort; adding a sort without an example does not compile.
fn every_hint() -> Vec<Hint> {
    let all = vec![
        Hint::Run,
        Hint::Help(""),
        Hint::Kinds,
        Hint::Kind("app_mention".to_owned()),
        Hint::Fault("worker-crash".to_owned()),
        Hint::Command("reset --yes".to_owned()),
        Hint::Command("installs show T0ACME001".to_owned()),
        Hint::Command("installs revoke T0ACME001 --user U0ADA0001 --yes".to_owned()),
        Hint::Command("installs purge T0ACME001 --yes".to_owned()),
        Hint::Command("fault on token-revoked".to_owned()),
        Hint::Command("trigger message hi --as ada".to_owned()),
        Hint::Command("trigger message hi --in playground".to_owned()),
        Hint::Command(r"dlq redrive --cause 'can'\''t' --yes".to_owned()),
        Hint::Command("act '{\"act\": \"open_home\"}'".to_owned()),
        Hint::Why("00BAD".to_owned()),
        Hint::Advice("cargo tack deliveries list".to_owned()),
    ];
    let lists = ["app", "deliveries list", "dlq list", "fault list", "installs list"].map(Hint::List);
    let helps = ["trigger", "say", "act", "resend", "deliveries list", "deliveries tail"];
    let installs = ["installs", "installs import", "installs purge", "installs rotate"];
    let helps = helps.into_iter().chain(installs).map(Hint::Help);
    for hint in &all {
        match hint {
            Hint::Nothing
            | Hint::Run
            | Hint::Help(_)
            | Hint::Kind(_)
            | Hint::Kinds
            | Hint::Fault(_)
            | Hint::List(_)
            | Hint::Command(_)
            | Hint::Why(_)
            | Hint::Advice(_) => {}
        }
    }
    all.into_iter().chain(lists).chain(helps).collect()
}

#[test]
fn every_hint_is_a_command_that_parses() {
    for hint in every_hint() {
        let text = hint.text();
        // What stands in brackets is a remark with a command of its own.
        let (command, remark) = text.split_once("  (").unwrap_or((&text, ""));
        parses(command).unwrap_or_else(|error| panic!("{command:?}: {error}"));
        if let Some((_, other)) = remark.trim_end_matches(')').split_once(": ") {
            parses(other).unwrap_or_else(|error| panic!("{other:?}: {error}"));
        }
    }
}

#[test]
fn every_hint_in_the_sources_is_one_of_those_that_were_tried() {
    let tried: Vec<String> = every_hint().iter().map(Hint::text).collect();
    let sources = [
        include_str!("../app.rs"),
        include_str!("../client.rs"),
        include_str!("../dead_letters.rs"),
        include_str!("../deliveries.rs"),
        include_str!("../fault.rs"),
        include_str!("../installs/ending.rs"),
        include_str!("../installs/import/files.rs"),
        include_str!("../installs/import/found.rs"),
        include_str!("../installs/import/sql.rs"),
        include_str!("../installs/mod.rs"),
        include_str!("../installs/place.rs"),
        include_str!("../installs/renewal.rs"),
        include_str!("../installs/transfer.rs"),
        include_str!("../people.rs"),
        include_str!("../place.rs"),
        include_str!("../resend.rs"),
        include_str!("../reset.rs"),
        include_str!("../start.rs"),
        include_str!("../trigger/facts.rs"),
        include_str!("../trigger/kinds.rs"),
        include_str!("../trigger/mod.rs"),
        include_str!("../unheard.rs"),
        include_str!("../wait.rs"),
    ];
    for source in sources {
        for (list, before) in [(true, "Hint::List(\""), (false, "Hint::Help(\"")] {
            for found in source.split(before).skip(1) {
                let verb = found.split('"').next().unwrap();
                let hint = if list { format!("cargo tack {verb}") } else { format!("cargo tack {verb} --help") };
                assert!(tried.contains(&hint.replace("  ", " ")), "{hint:?} was not tried");
            }
        }
    }
}

/// The lines of a help that are commands.
fn examples(command: &Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    help.lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.starts_with("cargo "))
        .map(str::to_owned)
        .collect()
}

fn every_verb(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
        let path = format!("{path} {}", verb.get_name());
        every_verb(verb, &path, found);
        found.push((path, verb.clone()));
    }
}

#[test]
fn every_verb_has_an_example_that_parses() {
    let mut verbs = Vec::new();
    every_verb(&Cli::command(), "cargo tack", &mut verbs);
    assert!(verbs.len() >= 20, "{}", verbs.len());
    for (path, verb) in verbs {
        let examples = examples(&verb);
        assert!(!examples.is_empty(), "{path} has no example");
        for example in examples {
            parses(&example).unwrap_or_else(|error| panic!("{example:?}: {error}"));
            assert!(example.starts_with(&path), "{example:?} is no example of {path}");
        }
    }
}

#[test]
fn the_command_line_is_sound_and_its_help_lists_every_exit_code() {
    Cli::command().debug_assert();
    let help = Cli::command().render_help().to_string();
    for (exit, meaning) in Exit::ALL {
        assert!(help.contains(&format!("{:>3}  {meaning}", exit.code())), "{exit:?}");
    }
    assert!(!help.contains("\n  function"), "the functions' own argument is no verb");
}

fn misunderstood(line: &str) -> (u8, String, String) {
    let arguments: Vec<OsString> = words(line).into_iter().skip(1).map(OsString::from).collect();
    let error = Cli::try_parse_from(&arguments).err().unwrap_or_else(|| panic!("{line} parses"));
    let failure = usage::failure(&error, &Cli::command(), &arguments);
    (failure.exit.code(), failure.message.clone(), failure.hint())
}

#[test]
fn a_verb_with_a_slip_suggests_the_nearest() {
    let (exit, message, hint) = misunderstood("cargo tack triger home");
    assert_eq!((exit, hint.as_str()), (2, "cargo tack trigger --help"));
    assert!(
        message.contains("unrecognized subcommand 'triger'") && !message.contains("For more information"),
        "{message}"
    );
    let (_, _, hint) = misunderstood("cargo tack deliveries lst");
    assert_eq!(hint, "cargo tack deliveries list --help");
}

#[test]
fn what_cannot_be_is_refused_with_the_help_of_its_verb() {
    for (line, hint) in [
        ("cargo tack trigger", "cargo tack trigger --help"),
        ("cargo tack deliveries", "cargo tack deliveries --help"),
        ("cargo tack deliveries list --state deed", "cargo tack deliveries list --help"),
        ("cargo tack deliveries list --limit 0", "cargo tack deliveries list --help"),
        ("cargo tack deliveries list --since yesterday", "cargo tack deliveries list --help"),
        ("cargo tack trigger home --wait queued", "cargo tack trigger --help"),
        ("cargo tack trigger home --times 0", "cargo tack trigger --help"),
        ("cargo tack trigger home --wait --print", "cargo tack trigger --help"),
        ("cargo tack dlq redrive", "cargo tack dlq redrive --help"),
        ("cargo tack dlq redrive --all --cause x", "cargo tack dlq redrive --help"),
        ("cargo tack dlq discard 0beef --all", "cargo tack dlq discard --help"),
        ("cargo tack installs", "cargo tack installs --help"),
        ("cargo tack installs show U0ADA0001", "cargo tack installs show --help"),
        ("cargo tack installs purge", "cargo tack installs purge --help"),
        ("cargo tack installs purge T0ACME001 --due", "cargo tack installs purge --help"),
        ("cargo tack installs rotate --all T0ACME001", "cargo tack installs rotate --help"),
        ("cargo tack installs import --from bolt x", "cargo tack installs import --help"),
        ("cargo tack fault on", "cargo tack fault on --help"),
        ("cargo tack fault on duplicate --times 0", "cargo tack fault on --help"),
        ("cargo tack listeners --timeout 0", "cargo tack listeners --help"),
        ("cargo tack --nonsense", "cargo tack --help"),
        ("cargo tack why ''", "cargo tack why --help"),
        ("cargo tack deliveries show ''", "cargo tack deliveries show --help"),
        ("cargo tack resend ''", "cargo tack resend --help"),
        ("cargo tack dlq show ''", "cargo tack dlq show --help"),
        ("cargo tack dlq redrive ''", "cargo tack dlq redrive --help"),
    ] {
        let (exit, message, said) = misunderstood(line);
        assert_eq!((exit, said.as_str()), (2, hint), "{line}: {message}");
        parses(&said).unwrap();
    }
}

#[test]
fn the_flags_of_cargo_run_stand_beside_the_verbs() {
    let parsed = |line: &str| Cli::try_parse_from(words(line)).unwrap();
    assert!(parsed("tack --no-watch --no-open --app-port 0").verb.is_none());
    assert!(parsed("tack --no-open --open").verb.is_none());
    assert!(matches!(parsed("tack function listing").verb, Some(Verb::Function { name }) if name == "listing"));
    let cli = parsed("tack deliveries list --json --timeout 2.5 --workbench localhost:4010");
    assert!(cli.global.json && cli.global.timeout == Some(std::time::Duration::from_millis(2_500)));
    assert!(parsed("tack --json deliveries list").global.json, "before the verb as well");
}
