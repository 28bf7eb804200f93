//! `--set path=value` and `--unset path`: changes in a payload. A dot leads inward (`\.` is a dot in a name), a number into a list.

use serde_json::{Map, Value};

/// A change of a payload.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Edit {
    Set(Vec<String>, Value),
    Unset(Vec<String>),
}

impl Edit {
    /// `event.text=hi`: the value is JSON if it can be read as JSON, else text.
    ///
    /// # Errors
    /// A sentence that shows the form.
    pub(crate) fn set(given: &str) -> Result<Self, String> {
        let (path, value) = given
            .split_once('=')
            .ok_or_else(|| format!("--set {given}: write it as path=value, such as event.text=hi"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        Ok(Self::Set(segments(path)?, value))
    }

    /// `event.thread_ts`.
    ///
    /// # Errors
    /// A sentence about the path.
    pub(crate) fn unset(path: &str) -> Result<Self, String> {
        Ok(Self::Unset(segments(path)?))
    }

    /// The name at the outermost level.
    pub(crate) fn outermost(&self) -> &str {
        let (Self::Set(path, _) | Self::Unset(path)) = self;
        path.first().map_or("", String::as_str)
    }

    /// Whether only the outermost level is meant.
    pub(crate) fn is_outermost(&self) -> bool {
        let (Self::Set(path, _) | Self::Unset(path)) = self;
        path.len() == 1
    }

    /// Changes `payload`. What is missing on the way to a value is made.
    ///
    /// # Errors
    /// When the path leads through something that has no inside, or there is nothing to take away.
    pub(crate) fn apply(&self, payload: &mut Value) -> Result<(), String> {
        match self {
            Self::Set(path, value) => {
                let mut at = payload;
                for (depth, name) in path.iter().enumerate() {
                    at = enter(at, name).map_err(|why| format!("{} {why}", path[..depth].join(".")))?;
                }
                *at = value.clone();
                Ok(())
            }
            Self::Unset(path) => {
                let missing = || format!("there is no {} to take away", path.join("."));
                let Some((last, way)) = path.split_last() else { return Err(missing()) };
                let mut at = payload;
                for name in way {
                    at = within(at, name).ok_or_else(missing)?;
                }
                let gone = match at {
                    Value::Object(fields) => fields.remove(last),
                    Value::Array(list) => {
                        index(last).filter(|index| *index < list.len()).map(|index| list.remove(index))
                    }
                    _ => None,
                };
                gone.map(|_| ()).ok_or_else(missing)
            }
        }
    }
}

fn segments(path: &str) -> Result<Vec<String>, String> {
    let mut segments = vec![String::new()];
    let mut characters = path.chars();
    while let Some(c) = characters.next() {
        match c {
            '.' => segments.push(String::new()),
            '\\' => segments.iter_mut().last().map_or((), |segment| segment.extend(characters.next())),
            c => segments.iter_mut().last().map_or((), |segment| segment.push(c)),
        }
    }
    if segments.iter().any(String::is_empty) {
        return Err(format!("{path:?} is no path: write it as event.text or actions.0.value"));
    }
    Ok(segments)
}

fn index(name: &str) -> Option<usize> {
    name.parse().ok()
}

fn within<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(fields) => fields.get_mut(name),
        Value::Array(list) => list.get_mut(index(name)?),
        _ => None,
    }
}

/// The place called `name`, made if it is missing.
fn enter<'a>(value: &'a mut Value, name: &str) -> Result<&'a mut Value, String> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(fields) => Ok(fields.entry(name).or_insert(Value::Null)),
        Value::Array(list) => {
            let length = list.len();
            let at = index(name).filter(|at| *at <= length);
            let at = at.ok_or_else(|| format!("is a list of {length}, so {name} is no place in it"))?;
            if at == length {
                list.push(Value::Null);
            }
            Ok(&mut list[at])
        }
        _ => Err(format!("has nothing inside, so not {name} either")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn edited(mut payload: Value, edits: &[Edit]) -> Result<Value, String> {
        for edit in edits {
            edit.apply(&mut payload)?;
        }
        Ok(payload)
    }

    fn set(given: &str) -> Edit {
        Edit::set(given).unwrap()
    }

    #[test]
    fn a_value_is_json_where_it_can_be_read_as_json() {
        for (given, value) in [
            ("a=3", json!(3)),
            ("a=\"3\"", json!("3")),
            ("a=<@U0TACKBOT> hi", json!("<@U0TACKBOT> hi")),
            ("a={\"b\": [1]}", json!({"b": [1]})),
            ("a=null", Value::Null),
            ("a=x=y", json!("x=y")),
            ("a=", json!("")),
        ] {
            assert_eq!(edited(json!({}), &[set(given)]).unwrap(), json!({"a": value}), "{given}");
        }
    }

    #[test]
    fn a_path_leads_into_objects_and_lists_and_makes_what_is_missing() {
        let payload = json!({"event": {"text": "hi"}, "actions": [{"value": "1"}]});
        let edits = [set("event.text=ho"), set("actions.0.value=2"), set("actions.1.value=3"), set("a.b.c=true")];
        let expected = json!({
            "event": {"text": "ho"}, "actions": [{"value": 2}, {"value": 3}], "a": {"b": {"c": true}},
        });
        assert_eq!(edited(payload, &edits).unwrap(), expected);
    }

    #[test]
    fn a_dot_in_a_name_is_written_with_a_backslash() {
        assert_eq!(edited(json!({}), &[set(r"values.block\.1=x")]).unwrap(), json!({"values": {"block.1": "x"}}));
    }

    #[test]
    fn what_makes_no_sense_is_a_sentence() {
        assert!(Edit::set("event.text").unwrap_err().contains("path=value"));
        for wrong in ["=x", "a..b=x", ".a=x", "a.=x"] {
            assert!(Edit::set(wrong).unwrap_err().contains("no path"), "{wrong}");
        }
        let payload = || json!({"event": {"text": "hi"}, "list": [1]});
        assert_eq!(
            edited(payload(), &[set("event.text.x=1")]).unwrap_err(),
            "event.text has nothing inside, so not x either"
        );
        assert_eq!(edited(payload(), &[set("list.5=1")]).unwrap_err(), "list is a list of 1, so 5 is no place in it");
        assert!(edited(payload(), &[set("list.x=1")]).is_err());
    }

    #[test]
    fn what_is_taken_away_must_be_there() {
        let unset = |path: &str| Edit::unset(path).unwrap();
        let payload = || json!({"event": {"text": "hi", "ts": "1"}, "list": [1, 2]});
        assert_eq!(
            edited(payload(), &[unset("event.text"), unset("list.0")]).unwrap(),
            json!({"event": {"ts": "1"}, "list": [2]})
        );
        for missing in ["event.user", "list.2", "event.text.x", "nothing.at.all"] {
            assert_eq!(
                edited(payload(), &[unset(missing)]).unwrap_err(),
                format!("there is no {missing} to take away")
            );
        }
    }
}
