//! Options an app provided for selects, as people have them before their eyes. How an answer is judged is `answer`'s matter.
//! Invariant: bounded; for each person and element only the last load counts.

use serde_json::Value;

/// Loads that are remembered.
const LOADS: usize = 100;

/// The last load of one select by one person.
struct Load {
    user: String,
    action_id: String,
    answered: Vec<Value>,
    problem: Option<String>,
}

/// All loads, oldest first.
#[derive(Default)]
pub(crate) struct Suggestions(Vec<Load>);

impl Suggestions {
    /// Remembers `options` or `option_groups` as the app answered them, or why there are none.
    pub(crate) fn loaded(&mut self, user: &str, action_id: &str, answer: Result<Vec<Value>, String>) {
        self.0.retain(|load| load.user != user || load.action_id != action_id);
        if self.0.len() >= LOADS {
            self.0.remove(0);
        }
        let (answered, problem) = match answer {
            Ok(answered) => (answered, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        self.0.push(Load { user: user.to_owned(), action_id: action_id.to_owned(), answered, problem });
    }

    fn load(&self, user: &str, action_id: &str) -> Option<&Load> {
        self.0.iter().find(|load| load.user == user && load.action_id == action_id)
    }

    /// Options or option groups, as answered.
    pub(crate) fn answered(&self, user: &str, action_id: &str) -> &[Value] {
        self.load(user, action_id).map_or(&[], |load| &load.answered)
    }

    /// Whether the app has answered, if only with no options.
    pub(crate) fn is_loaded(&self, user: &str, action_id: &str) -> bool {
        self.load(user, action_id).is_some_and(|load| load.problem.is_none())
    }

    /// Why the last load brought nothing.
    pub(crate) fn problem(&self, user: &str, action_id: &str) -> Option<&str> {
        self.load(user, action_id)?.problem.as_deref()
    }

    /// The options alone, out of their groups.
    pub(crate) fn options(&self, user: &str, action_id: &str) -> Vec<Value> {
        let mut options = Vec::new();
        for answered in self.answered(user, action_id) {
            match answered["options"].as_array() {
                Some(group) => options.extend(group.iter().cloned()),
                None => options.push(answered.clone()),
            }
        }
        options
    }
}
