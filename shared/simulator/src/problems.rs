//! A collector of what is wrong with blocks and views, in the form Slack answers: `[ERROR] … [json-pointer:…]`.
//! What is asked of which block is in `blocks`, of views in `views`.

use serde_json::Value;

/// A collector of problems.
#[derive(Default)]
pub(crate) struct Problems(pub(crate) Vec<String>);

impl Problems {
    pub(crate) fn add(&mut self, pointer: &str, sentence: impl AsRef<str>) {
        self.0.push(format!("[ERROR] {} [json-pointer:{pointer}]", sentence.as_ref()));
    }

    /// `value[field]` must be a text of at most `max` characters if it is there.
    pub(crate) fn string(&mut self, value: &Value, field: &str, pointer: &str, max: usize) {
        let pointer = format!("{pointer}/{field}");
        match value.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.chars().count() > max => {
                self.add(&pointer, format!("must be less than {} characters", max + 1));
            }
            Some(Value::String(_)) => {}
            Some(_) => self.add(&pointer, "must be a string"),
        }
    }

    /// `value[field]` must be a text object of at most `max` characters.
    pub(crate) fn text(&mut self, value: &Value, field: &str, pointer: &str, max: usize, need: Need) {
        let pointer = format!("{pointer}/{field}");
        let Some(text) = value.get(field).filter(|text| !text.is_null()) else {
            if need.required {
                self.add(&pointer, format!("missing required field: {field}"));
            }
            return;
        };
        self.text_object(text, &pointer, max, need.plain);
    }

    /// `text` itself must be a text object of at most `max` characters.
    pub(crate) fn text_object(&mut self, text: &Value, pointer: &str, max: usize, plain: bool) {
        let kind = text["type"].as_str().unwrap_or_default();
        if kind != "plain_text" && (plain || kind != "mrkdwn") {
            let wanted = if plain { "plain_text" } else { "plain_text or mrkdwn" };
            self.add(&format!("{pointer}/type"), format!("must be {wanted}"));
        }
        match text["text"].as_str() {
            None => self.add(&format!("{pointer}/text"), "missing required field: text"),
            Some("") => self.add(&format!("{pointer}/text"), "must be more than 0 characters"),
            Some(words) if words.chars().count() > max => {
                self.add(&format!("{pointer}/text"), format!("must be less than {} characters", max + 1));
            }
            Some(_) => {}
        }
    }

    /// `value[field]` must be a list with a length in `range` if it is there (or if `required`).
    pub(crate) fn list<'a>(
        &mut self,
        value: &'a Value,
        field: &str,
        pointer: &str,
        range: (usize, usize),
        required: bool,
    ) -> &'a [Value] {
        let pointer = format!("{pointer}/{field}");
        match value.get(field) {
            Some(Value::Array(items)) => {
                if items.len() < range.0 {
                    self.add(&pointer, format!("no less than {} items required", range.0));
                } else if items.len() > range.1 {
                    self.add(&pointer, format!("no more than {} items allowed", range.1));
                }
                items
            }
            Some(_) => {
                self.add(&pointer, "must be an array");
                &[]
            }
            None => {
                if required {
                    self.add(&pointer, format!("missing required field: {field}"));
                }
                &[]
            }
        }
    }
}

/// What is asked of a text object.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    pub(crate) required: bool,
    pub(crate) plain: bool,
}

pub(crate) const PLAIN: Need = Need { required: true, plain: true };
pub(crate) const PLAIN_OPTIONAL: Need = Need { required: false, plain: true };
pub(crate) const ANY: Need = Need { required: true, plain: false };
pub(crate) const ANY_OPTIONAL: Need = Need { required: false, plain: false };
