//! Which rows a list shows. The same words in the address of the page and in the flags of `tack deliveries list`.

use super::record::Record;
use super::row::Outcome;
use serde::Deserialize;

/// Rows of a list when nothing else is asked for, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// The query of `/console/deliveries`, as given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    pub(crate) state: String,
    pub(crate) kind: String,
    pub(crate) listener: String,
    pub(crate) team: String,
    pub(crate) q: String,
    /// Epoch ms.
    pub(crate) since: Option<u64>,
    /// Epoch ms.
    pub(crate) before: Option<u64>,
    /// The id of the last row of the page before.
    pub(crate) older_than: String,
    pub(crate) limit: Option<usize>,
}

/// A query that makes sense.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    states: Vec<Outcome>,
    kind: Option<String>,
    listener: Option<String>,
    team: Option<String>,
    event_id: Option<String>,
    slower_than_ms: Option<u64>,
    /// In lower case.
    words: Vec<String>,
    since: Option<u64>,
    before: Option<u64>,
    pub(super) older_than: Option<String>,
    pub(crate) limit: usize,
}

/// Words of `q` with a colon that are understood.
pub(crate) const FIELDS: [&str; 6] = ["is:", "kind:", "listener:", "team:", "event_id:", "ack:>"];

impl Filter {
    /// Reads a query.
    ///
    /// # Errors
    /// A sentence that names the word which is not understood and those that are.
    pub(crate) fn parse(query: &Query) -> Result<Self, String> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut filter = Self {
            states: given(&query.state).map(|word| states(&word)).transpose()?.unwrap_or_default(),
            kind: given(&query.kind),
            listener: given(&query.listener),
            team: given(&query.team),
            since: query.since,
            before: query.before,
            older_than: given(&query.older_than),
            limit: query.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX),
            ..Self::default()
        };
        for word in query.q.split_whitespace() {
            match word.split_once(':') {
                Some(("is", state)) => filter.states = states(state)?,
                Some(("kind", kind)) => filter.kind = given(kind),
                Some(("listener", listener)) => filter.listener = given(listener),
                Some(("team", team)) => filter.team = given(team),
                Some(("event_id", id)) => filter.event_id = given(id),
                Some(("ack", limit)) => {
                    let limit = limit.trim_start_matches('>').parse();
                    filter.slower_than_ms =
                        Some(limit.map_err(|_| format!("`{word}`: write `ack:>100` for slower than 100 ms"))?);
                }
                _ => filter.words.push(word.to_lowercase()),
            }
        }
        Ok(filter)
    }

    /// Whether nothing is left out but by the limit.
    pub(crate) fn is_open(query: &Query) -> bool {
        let Query { state, kind, listener, team, q, since, before, older_than: _, limit: _ } = query;
        [state, kind, listener, team, q].iter().all(|text| text.trim().is_empty())
            && since.is_none()
            && before.is_none()
    }

    pub(crate) fn takes(&self, record: &Record) -> bool {
        let row = record.row();
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        self.since.is_none_or(|since| row.at_ms >= since)
            && self.before.is_none_or(|before| row.at_ms < before)
            && (self.states.is_empty() || self.states.contains(&row.outcome))
            && self.kind.as_deref().is_none_or(|kind| kind == row.kind.as_str() || kind == row.name)
            && is(&self.team, &row.team)
            && self.listener.as_ref().is_none_or(|listener| row.jobs.contains(listener))
            && self.event_id.as_deref().is_none_or(|id| record.facts.event_id.as_deref() == Some(id))
            && self.slower_than_ms.is_none_or(|limit| row.ack_ms.is_some_and(|ms| ms > limit))
            && self.words.iter().all(|word| record.text().contains(word.as_str()))
    }
}

fn states(word: &str) -> Result<Vec<Outcome>, String> {
    if word == "failed" {
        return Ok(Outcome::ALL.into_iter().filter(|outcome| outcome.is_trouble()).collect());
    }
    let known = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == word);
    known.map(|outcome| vec![outcome]).ok_or_else(|| {
        let words: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
        format!("there is no state `{word}`; there are {}", words.join(", "))
    })
}
