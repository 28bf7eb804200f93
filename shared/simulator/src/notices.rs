//! What Slack tells one person when an app failed them: a line under the composer that nobody else sees and no history keeps.
//! What is told when is decided in `answer`. Invariant: at most [`NOTICES`] a person.

use serde::Serialize;
use std::collections::BTreeMap;

/// Notices kept for each person.
const NOTICES: usize = 50;

/// A line only one person sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonNotice {
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Id of the channel it stands in; empty for what happens in none.
    pub channel: String,
    /// In Slack's words.
    pub text: String,
    /// The delivery that failed; empty if nothing was sent.
    pub delivery_id: String,
    /// What happened, in ours.
    pub why: String,
}

/// Everyone's notices.
#[derive(Default)]
pub(crate) struct Notices(BTreeMap<String, Vec<PersonNotice>>);

impl Notices {
    /// Those of a person, oldest first.
    pub(crate) fn of(&self, user: &str) -> &[PersonNotice] {
        self.0.get(user).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn add(&mut self, user: &str, notice: PersonNotice) {
        let notices = self.0.entry(user.to_owned()).or_default();
        if notices.len() >= NOTICES {
            notices.remove(0);
        }
        notices.push(notice);
    }

    /// Takes the notices about a delivery away, all or those in one channel. False if there is none.
    pub(crate) fn dismiss(&mut self, user: &str, delivery_id: &str, channel: Option<&str>) -> bool {
        let notices = self.0.entry(user.to_owned()).or_default();
        let before = notices.len();
        notices.retain(|notice| {
            notice.delivery_id != delivery_id || channel.is_some_and(|channel| notice.channel != channel)
        });
        notices.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_fifty_stay() {
        let mut notices = Notices::default();
        for number in 0..60 {
            let notice = PersonNotice {
                at_ms: number,
                channel: String::new(),
                text: String::new(),
                delivery_id: number.to_string(),
                why: String::new(),
            };
            notices.add("U1", notice);
        }
        assert_eq!(
            notices.of("U1").iter().map(|notice| notice.at_ms).collect::<Vec<_>>(),
            (10..60).collect::<Vec<_>>()
        );
        assert!(!notices.dismiss("U1", "59", Some("C1")));
        assert!(notices.dismiss("U1", "59", None) && !notices.dismiss("U1", "9", None));
        assert_eq!(notices.of("U1").len(), 49);
        assert!(notices.of("U2").is_empty());
    }
}
