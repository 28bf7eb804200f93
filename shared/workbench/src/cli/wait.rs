//! What became of what was sent: `--wait`, and whether the expectation held.

use super::client::{Client, segment};
use super::delivery::{is_settled, outcome_of, settled_words, short, text};
use super::exit::Exit;
use super::failure::{Failure, Hint};
use super::output::{Table, Terminal};
use super::unheard;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the console may take to hear of something that was sent.
const HEARD_OF: Duration = Duration::from_secs(2);
/// Between two looks for it.
const LOOK: Duration = Duration::from_millis(20);

#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct WaitArgs {
    /// Wait until everything is settled; with an outcome, expect it (exit 1 if it ends otherwise).
    #[arg(long, value_name = "OUTCOME", num_args = 0..=1, value_parser = PossibleValuesParser::new(settled_words()))]
    wait: Option<Option<String>>,
}

/// The stories of what was sent, as far as waited for.
pub(crate) struct Sent {
    /// In the order of sending.
    pub(crate) stories: Vec<Value>,
    is_in_time: bool,
}

impl WaitArgs {
    /// Whether anything is waited for.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wait.is_some()
    }

    /// Asks for the stories of `ids`, waiting if that was asked for.
    ///
    /// # Errors
    /// When the workbench does not know one of them, or cannot be asked.
    pub(crate) async fn stories(&self, client: &Client, ids: &[String]) -> Result<Sent, Failure> {
        let mut sent = Sent { stories: Vec::new(), is_in_time: true };
        for id in ids {
            let path = format!("/console/deliveries/{}", segment(id));
            let mut story = self.heard_of(client, id, &path).await?;
            let is_open = !is_settled(&story);
            if self.is_wanted() && is_open && client.has_time() {
                let (mut settled, is_in_time) = client.get_waiting(&path).await?;
                sent.is_in_time &= is_in_time;
                story = settled["delivery"].take();
            } else if self.is_wanted() && is_open {
                sent.is_in_time = false;
            }
            sent.stories.push(story);
        }
        Ok(sent)
    }

    /// A delivery just sent: the console learns of it a moment later than Slack, and never of one that does not reach the app. Of that one
    /// it is told what Slack knows: at once, or when nothing more will happen if that is waited for.
    async fn heard_of(&self, client: &Client, id: &str, path: &str) -> Result<Value, Failure> {
        let until = Instant::now() + HEARD_OF;
        loop {
            let unknown = match client.get_at_last(path).await {
                Err(failure) if failure.exit == Exit::NotFound => failure,
                answer => return Ok(answer?["delivery"].take()),
            };
            let is_late = Instant::now() >= until || !client.has_time();
            match client.get_at_last(&format!("/sim/deliveries/{}", segment(id))).await {
                Ok(sent) => {
                    let story = unheard::story(&sent["delivery"]);
                    let is_over = is_settled(&story) || !self.is_wanted() || !client.has_time();
                    if is_over && (is_late || unheard::never_reached(&sent["delivery"])) {
                        return Ok(story);
                    }
                }
                Err(_) if is_late => return Err(unknown),
                Err(_) => {}
            }
            sleep(LOOK).await;
        }
    }

    /// Whether what was expected came; nothing if nothing was expected.
    pub(crate) fn held(&self, sent: &Sent) -> Option<bool> {
        let expected = self.wait.as_ref()?;
        let wanted = expected.as_deref();
        let none_is_bad = sent.stories.iter().all(|story| !is_bad(story, wanted));
        let is_met = match wanted {
            Some(wanted) => sent.stories.iter().any(|story| text(story, "outcome") == wanted),
            None => !sent.stories.is_empty(),
        };
        Some(sent.is_in_time && none_is_bad && is_met)
    }

    /// `held` written into an answer for programs.
    pub(crate) fn note_held(&self, answer: &mut Value, sent: &Sent) {
        if let Some(held) = self.held(sent) {
            answer["held"] = json!(held);
        }
    }

    /// The end of a verb whose output is written.
    ///
    /// # Errors
    /// When the time was over, or something else came than was expected.
    pub(crate) fn verdict(&self, client: &Client, sent: &Sent) -> Result<(), Failure> {
        if self.held(sent) != Some(false) {
            return Ok(());
        }
        let (Some(first), Some(expected)) = (sent.stories.first(), self.wait.as_ref()) else {
            let message = "nothing was sent, so there is nothing to wait for";
            return Err(Failure::new(Exit::Unmet, "unmet", message, Hint::List("deliveries list")));
        };
        if let Some(open) = sent.stories.iter().find(|story| !is_settled(story)) {
            let message = format!("{} is {} and was not settled", short(open), text(open, "outcome"));
            return Err(client.timed_out(&message).hinted(hint(open)));
        }
        let culprit = sent.stories.iter().find(|story| is_bad(story, expected.as_deref())).unwrap_or(first);
        let expected = expected.as_deref().unwrap_or("a good end");
        let message = format!("expected {expected}, but {} ended {}", short(culprit), text(culprit, "outcome"));
        Err(Failure::new(Exit::Unmet, "unmet", message, hint(culprit)))
    }
}

/// It ended in a way that is nobody's wish unless asked for.
fn is_bad(story: &Value, wanted: Option<&str>) -> bool {
    let is_trouble = outcome_of(story).is_some_and(|outcome| outcome.is_trouble() && outcome.is_settled());
    is_trouble && wanted != Some(text(story, "outcome"))
}

/// Where to look on: the console has a story, unless it never heard of the delivery.
fn hint(story: &Value) -> Hint {
    if story["unheard"] == json!(true) { Hint::List("app") } else { Hint::Why(short(story).to_owned()) }
}

/// Stories as lines, or as ids where that is enough.
pub(crate) fn print(terminal: &mut Terminal, stories: &[Value]) -> Result<(), Failure> {
    if terminal.quiet {
        return stories.iter().try_for_each(|story| terminal.line(&super::output::clean(text(story, "id"))));
    }
    let mut table = Table::default();
    for story in stories {
        super::delivery::add(&mut table, story);
    }
    terminal.table(&table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(expected: Option<&str>, outcomes: &[&str]) -> bool {
        let wait = WaitArgs { wait: Some(expected.map(str::to_owned)) };
        let stories = outcomes.iter().map(|outcome| json!({"outcome": outcome})).collect();
        wait.held(&Sent { stories, is_in_time: true }).unwrap()
    }

    #[test]
    fn an_expected_outcome_must_come_and_nothing_bad_beside_it() {
        assert!(held(Some("done"), &["done"]));
        assert!(held(Some("done"), &["duplicate", "done", "duplicate"]), "one copy runs, the others are duplicates");
        assert!(held(Some("done"), &["unhandled", "done"]));
        assert!(!held(Some("done"), &["done", "dead"]));
        assert!(!held(Some("done"), &["answered"]));
        assert!(held(Some("rejected"), &["rejected"]), "a refusal may be what was wanted");
        assert!(held(Some("dead"), &["dead"]));
    }

    #[test]
    fn without_an_outcome_everything_but_a_bad_end_will_do() {
        for good in ["answered", "done", "duplicate", "discarded", "unhandled", "own"] {
            assert!(held(None, &[good]), "{good}");
        }
        for bad in ["dead", "failed", "rejected"] {
            assert!(!held(None, &["done", bad]), "{bad}");
        }
        assert!(!held(None, &[]), "nothing was sent");
        let wait = WaitArgs::default();
        assert_eq!(wait.held(&Sent { stories: Vec::new(), is_in_time: true }), None);
    }
}
