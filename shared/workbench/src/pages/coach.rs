//! Five things to try, ticked by what really happened and never by a click. A step whose listeners the app no longer has is left out.

use crate::history::{Kind, Outcome, Row};
use crate::listing::Listing;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The single things that are watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Hi,
    CommandOpened,
    OrderRefused,
    OrderPlaced,
    ShortcutOpened,
    ButtonPressed,
    HomeOpened,
    Explained,
    Redelivered,
    Broken,
}

/// A step.
struct Step {
    words: &'static str,
    /// What it consists of, each with a hint.
    parts: &'static [(Seen, &'static str)],
    /// The kind of a listener that it needs, and part of its pattern.
    needs: (&'static str, &'static str),
}

const STEPS: [Step; 5] = [
    Step { words: "Say hi in #playground", parts: &[(Seen::Hi, "the bot answers")], needs: ("message", "hi") },
    Step {
        words: "Order something: /order 3",
        parts: &[
            (Seen::CommandOpened, "the modal opens"),
            (Seen::OrderRefused, "ask for 0: an error beside the field"),
            (Seen::OrderPlaced, "ask for 3: a message"),
        ],
        needs: ("command", "/order"),
    },
    Step {
        words: "Run the shortcut (⚡ below the composer), and open Home",
        parts: &[
            (Seen::ShortcutOpened, "sample_shortcut_id opens a modal"),
            (Seen::ButtonPressed, "its button updates it"),
            (Seen::HomeOpened, "the app's Home"),
        ],
        needs: ("shortcut", "sample_shortcut_id"),
    },
    Step {
        words: "Explain a delivery, and send it again",
        parts: &[
            (Seen::Explained, "open one by its “explain”"),
            (Seen::Redelivered, "press Redeliver: a duplicate, no second effect"),
        ],
        needs: ("", ""),
    },
    Step {
        words: "Break it: Faults → Worker crash, then say hi",
        parts: &[(Seen::Broken, "attempt 2, one effect")],
        needs: ("message", "hi"),
    },
];

/// What was seen so far, with the delivery that showed it. Clones share it.
#[derive(Clone)]
pub(crate) struct Coach {
    seen: Arc<Mutex<BTreeMap<Seen, Option<String>>>>,
    listing: Listing,
}

impl Coach {
    pub(crate) fn new(listing: Listing) -> Self {
        Self { seen: Arc::default(), listing }
    }

    /// Looks at a delivery that changed. True if a step was ticked.
    pub(crate) fn look(&self, row: &Row) -> bool {
        let is_done = row.outcome == Outcome::Done;
        let found = match (row.kind, row.name.as_str()) {
            (Kind::Event, "message") if is_done && row.was_killed => Some(Seen::Broken),
            (Kind::Event, "message") if is_done => Some(Seen::Hi),
            (Kind::Command, "/order") if is_done => Some(Seen::CommandOpened),
            (Kind::Interactive, "view_submission") if row.subject == "order_modal" => match row.outcome {
                Outcome::Answered => Some(Seen::OrderRefused),
                Outcome::Done => Some(Seen::OrderPlaced),
                _ => None,
            },
            (Kind::Interactive, "shortcut") if is_done => Some(Seen::ShortcutOpened),
            (Kind::Interactive, "block_actions") if is_done && row.subject == "sample_action_id" => {
                Some(Seen::ButtonPressed)
            }
            (Kind::Event, "app_home_opened") if is_done => Some(Seen::HomeOpened),
            _ => None,
        };
        let again = (row.outcome == Outcome::Duplicate && row.replay_of.is_some()).then_some(Seen::Redelivered);
        let mut ticked = false;
        for seen in found.into_iter().chain(again) {
            let id = Some(row.id.clone());
            ticked |= self.lock().insert(seen, id).is_none();
        }
        ticked
    }

    /// A delivery's page was looked at.
    pub(crate) fn explained(&self, id: &str) -> bool {
        self.lock().insert(Seen::Explained, Some(id.to_owned())).is_none()
    }

    /// Starts over.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The card on the first page.
    pub(super) fn card(&self) -> Markup {
        let seen = self.lock().clone();
        let is_done = |parts: &[(Seen, &str)]| parts.iter().all(|(part, _)| seen.contains_key(part));
        let steps: Vec<_> = STEPS.iter().filter(|step| self.listing.listens(step.needs.0, step.needs.1)).collect();
        let all_done = steps.iter().all(|step| is_done(step.parts));
        html! {
            section data-testid="coach" aria-labelledby="coach-title" {
                h2 #coach-title { "Five minutes" }
                ol.coach {
                    @for Step { words, parts, .. } in &steps {
                        li data-testid="coach-step" data-state=(if is_done(parts) { "done" } else { "open" }) {
                            span aria-hidden="true" { (if is_done(parts) { "☑" } else { "☐" }) } " " (words)
                            @if is_done(parts) { span.visually-hidden { " (done)" } }
                            ul {
                                @for (part, hint) in *parts {
                                    li {
                                        @match seen.get(part) {
                                            Some(Some(id)) => { "✓ " a href={ "/console/deliveries/" (id) } { (hint) } }
                                            _ => (hint),
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                @if all_done { p { strong { "That is the promise: at least once, done is final." } } }
                h2 { "Make it yours" }
                p { "A listener is one file and one line in " code { "register" } ":" }
                pre tabindex="0" { code { "// shared/listeners/src/lib.rs\napp.command(\"/hello\")\n   .lazy(\"hello.say\", say);" } }
                p { "Save, and the new code answers within seconds. " a href="/console/listeners" { "All listeners" } " · " a href="/console/help" { "Help" } }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Seen, Option<String>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
