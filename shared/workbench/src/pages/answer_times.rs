//! How long people wait in this browser: from the key press until the app's answer is on the screen, as the pages' script measures it.

use super::Workbench;
use super::answer::{facts, refusal};
use axum::Json;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The newest that count.
const KEPT: usize = 101;

/// The newest times, in milliseconds. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct AnswerTimes(Arc<Mutex<VecDeque<u32>>>);

impl AnswerTimes {
    fn add(&self, ms: u32) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() >= KEPT {
            times.pop_front();
        }
        times.push_back(ms);
    }

    /// The median, and of how many.
    pub(crate) fn median(&self) -> Option<(u32, usize)> {
        let mut times: Vec<u32> = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        times.sort_unstable();
        times.get(times.len() / 2).map(|median| (*median, times.len()))
    }

    /// As JSON: `{"median_ms", "count"}`.
    pub(crate) fn readable(&self) -> Value {
        self.median().map_or(Value::Null, |(median, count)| json!({ "median_ms": median, "count": count }))
    }
}

/// What the script says.
#[derive(Deserialize)]
pub(super) struct Measured {
    ms: u32,
}

/// `POST /console/answer-times`.
pub(super) async fn add(Shared(workbench): Shared<Workbench>, Json(Measured { ms }): Json<Measured>) -> Response {
    if ms > 60_000 {
        return refusal(StatusCode::BAD_REQUEST, "invalid", "nobody waits longer than a minute", "");
    }
    workbench.answer_times.add(ms);
    workbench.topics.changed("deliveries");
    facts(StatusCode::OK, json!({ "answer_times": workbench.answer_times.readable() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_the_newest() {
        let times = AnswerTimes::default();
        assert_eq!(times.median(), None);
        [10, 1_000, 20].into_iter().for_each(|ms| times.add(ms));
        assert_eq!(times.median(), Some((20, 3)));
        (0..KEPT).for_each(|_| times.add(5));
        assert_eq!(times.median(), Some((5, KEPT)));
    }
}
