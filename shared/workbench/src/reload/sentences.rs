//! What the terminal says of builds. Pure.
//! Not here: when ([`super::cycle`]).

use super::diagnostics::{Diagnostic, plain};
use std::time::Duration;

/// A new build serves.
pub(super) fn swapped(took: Duration) -> String {
    format!("  ✓ {:<11} rebuilt in {:.1} s, functions swapped, queue kept", "build", took.as_secs_f64())
}

/// It does not compile: the first error in full, the others counted.
pub(super) fn broken(errors: &[Diagnostic], colours: bool, serving_for: Duration) -> String {
    let first = errors.first().map(|error| error.rendered.trim_end()).unwrap_or_default();
    let first = if colours { first.to_owned() } else { plain(first) };
    let more = match errors.len().saturating_sub(1) {
        0 => String::new(),
        more => format!("\n… and {more} more"),
    };
    format!("  ✗ {:<11} it does not compile; {}\n\n{first}{more}\n", "build", still_serving(serving_for))
}

/// It compiles and does not start.
pub(super) fn does_not_start(function: &str, lines: &[String], serving_for: Duration) -> String {
    let lines: String = lines.iter().map(|line| format!("\n               {line}")).collect();
    format!("  ✗ {:<11} {function} does not start; {}{lines}", "build", still_serving(serving_for))
}

/// What did not compile is as it was.
pub(super) fn as_before(serving_for: Duration) -> String {
    format!("  ✓ {:<11} it compiles again and is as before; {}", "build", still_serving(serving_for))
}

/// Another cargo works in the same folder.
pub(super) fn blocked() -> String {
    format!("  · {:<11} {}", "build", WAITING)
}

/// The note of a build that is held up.
pub(super) const WAITING: &str = "waiting for another cargo";

/// The workbench itself changed.
pub(super) fn restart() -> String {
    format!("  ! {:<11} this is the workbench's own code: restart `cargo run` for this one", "build")
}

/// The system does not tell of changes.
pub(super) fn looking(error: &notify::Error) -> String {
    format!("  ! {:<11} the system cannot watch files ({error}); looking every 2 s instead", "build")
}

fn still_serving(age: Duration) -> String {
    let seconds = age.as_secs();
    let age = match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    };
    format!("still serving the build of {age} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(rendered: &str) -> Diagnostic {
        Diagnostic { rendered: rendered.to_owned(), message: rendered.to_owned(), file: None, line: None }
    }

    #[test]
    fn the_first_error_is_shown_in_full_and_the_others_are_counted() {
        let errors =
            [error("\u{1b}[91merror\u{1b}[0m: one\n  --> a.rs:1\n"), error("two"), error("three"), error("four")];
        let said = broken(&errors, false, Duration::from_secs(14 * 60 + 59));
        assert!(said.contains("still serving the build of 14 min ago"), "{said}");
        assert!(said.contains("\n\nerror: one\n  --> a.rs:1\n… and 3 more\n"), "{said}");
        assert!(!said.contains("two"), "{said}");
        assert!(broken(&errors, true, Duration::ZERO).contains("\u{1b}[91merror"));
        assert!(!broken(&errors[..1], false, Duration::ZERO).contains("more"));
    }

    #[test]
    fn the_time_of_a_rebuild_is_said_in_tenths_of_a_second() {
        let said = swapped(Duration::from_millis(4_149));
        assert!(said.ends_with("rebuilt in 4.1 s, functions swapped, queue kept"), "{said}");
    }

    #[test]
    fn all_lines_of_a_function_that_does_not_start_are_shown() {
        let lines = ["exit status: 1".to_owned(), "  ORDERS_TABLE is missing".to_owned()];
        let said = does_not_start("worker", &lines, Duration::from_secs(3_720));
        for part in ["worker does not start", "of 1 h 2 min ago", "exit status: 1", "ORDERS_TABLE is missing"] {
            assert!(said.contains(part), "{part:?} in {said}");
        }
    }
}
