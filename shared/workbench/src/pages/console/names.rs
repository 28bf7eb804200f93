//! The names behind the ids of a row, and the small pieces that several pages show of a delivery.

use crate::history::{Outcome, Row};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use tack_simulator::{ChannelType, Simulator};

/// Names of people and channels, by id.
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    pub(crate) fn of(simulator: &Simulator) -> Self {
        let config = simulator.config();
        simulator.read(|state| {
            let workspace = state.workspace();
            let people = workspace.people.iter().map(|person| (person.id.clone(), first(&person.real_name)));
            let channels = workspace.channels.iter().map(|channel| {
                let name = match channel.channel_type {
                    ChannelType::Im => "direct message".to_owned(),
                    ChannelType::Channel | ChannelType::Group => format!("#{}", channel.name),
                };
                (channel.id.clone(), name)
            });
            let first = std::iter::once(config.bot_user_id.clone());
            let bots = first.chain(state.installs().into_iter().map(|install| install.bot_user_id));
            let bots = bots.map(|id| (id, format!("@{}", config.bot_name)));
            Self(people.chain(channels).chain(bots).collect())
        })
    }

    /// The name behind an id, or the id itself.
    pub(super) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.0.get(id).map_or(id, String::as_str)
    }

    /// `approve · #playground · Ada`: what a delivery is about, where and who.
    pub(crate) fn about(&self, row: &Row) -> String {
        let parts = [row.subject.as_str(), self.name(&row.channel), self.name(&row.user)];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }
}

/// A row or story as JSON, with what it is about in words.
pub(super) fn readable(names: &Names, row: &Row, whole: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(whole).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("about".to_owned(), Value::String(names.about(row)));
    }
    value
}

fn first(name: &str) -> String {
    name.split_whitespace().next().unwrap_or(name).to_owned()
}

/// The page of a delivery. Ids are uuids mostly, but a request that the ingress gave none keeps its door's.
pub(super) fn delivery_path(id: &str) -> String {
    let segment: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/console/deliveries/{}", segment.replace('+', "%20"))
}

/// The name of what came, in words for a heading and a list.
pub(super) fn kind(row: &Row) -> &str {
    if row.name.is_empty() { row.kind.as_str() } else { &row.name }
}

/// Mark and word of an outcome.
pub(super) fn outcome(outcome: Outcome) -> Markup {
    outcome_word(outcome.as_str(), outcome.mark(), mood(outcome))
}

fn outcome_word(word: &str, mark: &str, mood: &str) -> Markup {
    html! { span.outcome data-mood=(mood) { span aria-hidden="true" { (mark) " " } (word) } }
}

/// An outcome as the word that another place uses for it.
pub(super) fn outcome_named(word: &str) -> Markup {
    match Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == word) {
        Some(known) => outcome(known),
        None => {
            let (mark, mood) = match word {
                "ok" => ("✓", "ok"),
                "retry" => ("↻", "warn"),
                "parked" | "killed" => ("✗", "bad"),
                _ => ("…", "busy"),
            };
            outcome_word(word, mark, mood)
        }
    }
}

fn mood(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "ok",
        Outcome::Answered | Outcome::Own | Outcome::Duplicate | Outcome::Unhandled => "plain",
        Outcome::Queued | Outcome::Running => "busy",
        Outcome::Retrying | Outcome::Discarded => "warn",
        Outcome::Dead | Outcome::Rejected | Outcome::Failed => "bad",
    }
}

/// A table with a name, in a scroller of its own where it is wider than the page; on small screens its rows are cards.
pub(super) fn table(name: &str, columns: &[&str], rows: &Markup) -> Markup {
    html! {
        div.scroller role="group" aria-label=(name) tabindex="0" {
            table.cards {
                caption.visually-hidden { (name) }
                thead { tr { @for column in columns { @if column.is_empty() { td {} } @else { th scope="col" { (column) } } } } }
                tbody { (rows) }
            }
        }
    }
}

/// `12 ms`, or a dash.
pub(super) fn ms(value: Option<u64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{} ms", thousands(value)))
}

/// `28,020`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 delivery`, `3 deliveries`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number as u64), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let expected = [(0, "0"), (999, "999"), (1_000, "1,000"), (28_020, "28,020"), (1_234_567, "1,234,567")];
        for (number, text) in expected {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn an_id_stays_one_part_of_its_path() {
        assert_eq!(delivery_path("0192f0c1-1111"), "/console/deliveries/0192f0c1-1111");
        assert_eq!(delivery_path("a/../b?c#d e"), "/console/deliveries/a%2F..%2Fb%3Fc%23d%20e");
    }
}
