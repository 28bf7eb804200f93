//! Select menus: static, external, people, conversations, channels; one or many.
//! A menu with external options is a search field beside a select, which appears when there is something to choose.
//! Source: <https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element/>,
//! <https://docs.slack.dev/reference/block-kit/block-elements/multi-select-menu-element/>

use maud::{Markup, html};
use serde_json::Value;

use super::Control;
use super::options::{Choice, Groups, groups};
use crate::pages::block_kit::text::{Attributes, element};

/// Rows a menu of many shows, at least and at most.
const ROWS: (usize, usize) = (2, 6);

pub(super) fn static_select(control: &Control<'_>) -> Markup {
    let chosen = chosen_options(control);
    let groups = groups(control.element);
    select(control, &groups, &values(&chosen))
}

pub(super) fn users_select(control: &Control<'_>) -> Markup {
    let chosen = chosen_ids(control, "selected_user", "initial_user");
    people_or_places(control, control.surface.directory.users(), &chosen)
}

pub(super) fn conversations_select(control: &Control<'_>) -> Markup {
    let chosen = chosen_ids(control, "selected_conversation", "initial_conversation");
    let surface = control.surface;
    let offered = surface.directory.conversations_for(surface.viewer, &control.element["filter"]);
    people_or_places(control, offered, &chosen)
}

pub(super) fn channels_select(control: &Control<'_>) -> Markup {
    let chosen = chosen_ids(control, "selected_channel", "initial_channel");
    people_or_places(control, control.surface.directory.channels(), &chosen)
}

fn people_or_places(control: &Control<'_>, offered: Vec<(String, String)>, chosen: &[String]) -> Markup {
    let choices: Vec<Choice> = offered.into_iter().map(|(value, words)| Choice { value, words }).collect();
    let groups = with_chosen(
        vec![(None, choices)],
        chosen.iter().map(|id| {
            let directory = control.surface.directory;
            let name = directory.user(id).or(directory.conversation(id)).unwrap_or(id);
            Choice { value: id.clone(), words: name.to_owned() }
        }),
    );
    select(control, &groups, chosen)
}

/// The options that are chosen now, one or many.
fn chosen_options(control: &Control<'_>) -> Vec<Choice> {
    let value = if control.is_multi() {
        control.value("selected_options", "initial_options")
    } else {
        control.value("selected_option", "initial_option")
    };
    match value {
        Value::Array(many) => many.iter().map(Choice::of).collect(),
        Value::Object(_) => vec![Choice::of(value)],
        _ => Vec::new(),
    }
}

fn values(choices: &[Choice]) -> Vec<String> {
    choices.iter().map(|choice| choice.value.clone()).collect()
}

/// The ids that are chosen now; `field` and `initial` in the singular.
fn chosen_ids(control: &Control<'_>, field: &str, initial: &str) -> Vec<String> {
    let value = if control.is_multi() {
        control.value(&format!("{field}s"), &format!("{initial}s"))
    } else {
        control.value(field, initial)
    };
    let id = |value: &Value| value.as_str().filter(|id| !id.is_empty()).map(str::to_owned);
    value.as_array().map_or_else(|| id(value).into_iter().collect(), |many| many.iter().filter_map(id).collect())
}

/// What is chosen stays shown, even if it is not offered any more.
fn with_chosen(mut groups: Groups, chosen: impl Iterator<Item = Choice>) -> Groups {
    let missing: Vec<Choice> = chosen
        .filter(|choice| !groups.iter().any(|(_, offered)| offered.iter().any(|one| one.value == choice.value)))
        .collect();
    if !missing.is_empty() {
        groups.insert(0, (None, missing));
    }
    groups
}

fn select(control: &Control<'_>, groups: &Groups, chosen: &[String]) -> Markup {
    html! {
        (menu(control, control.attributes(max_hint(control)), groups, chosen))
        (at_most(control))
        (control.press_without_script())
    }
}

fn menu(control: &Control<'_>, attributes: Attributes, groups: &Groups, chosen: &[String]) -> Markup {
    let is_multi = control.is_multi();
    let count: usize = groups.iter().map(|(label, choices)| choices.len() + usize::from(label.is_some())).sum();
    let options = html! {
        @if !is_multi { option value="" { (control.own_name()) } }
        @for (label, choices) in groups {
            @if let Some(label) = label {
                optgroup label=(label) { (option_list(choices, chosen)) }
            } @else {
                (option_list(choices, chosen))
            }
        }
    };
    let attributes = attributes
        .set("class", "bk-select")
        .set("name", control.value_name())
        .flag("multiple", is_multi)
        .maybe("size", is_multi.then(|| count.clamp(ROWS.0, ROWS.1).to_string()))
        .maybe("data-max", control.element["max_selected_items"].as_u64().map(|most| most.to_string()));
    html! {
        @if is_multi { (control.presence()) }
        (element("select", &attributes, Some(&options)))
    }
}

fn option_list(choices: &[Choice], chosen: &[String]) -> Markup {
    html! {
        @for choice in choices {
            option value=(choice.value) data-testid="option" selected[chosen.contains(&choice.value)] { (choice.words) }
        }
    }
}

fn max_hint(control: &Control<'_>) -> Option<&'static str> {
    control.element["max_selected_items"].as_u64().filter(|_| control.is_multi()).map(|_| "most")
}

fn at_most(control: &Control<'_>) -> Markup {
    let most = control.element["max_selected_items"].as_u64().filter(|_| control.is_multi());
    html! {
        @if let Some(most) = most {
            p class="bk-hint" id=(format!("{}-most", control.id())) { "Choose at most " (most) "." }
        }
    }
}

/// A search field, the options the app answered with, and what is chosen now.
pub(super) fn external_select(control: &Control<'_>) -> Markup {
    let (id, key, form) = (control.id(), control.key(), control.surface.form);
    let chosen = chosen_options(control);
    let suggested = control.surface.suggested.get(control.action_id());
    let offered = suggested.map(groups).unwrap_or_default();
    let has_choice = offered.iter().any(|(_, choices)| !choices.is_empty()) || !chosen.is_empty();
    let groups = with_chosen(offered, chosen.iter().cloned());
    let least = control.element["min_query_length"].as_u64().unwrap_or(3);
    let search = Attributes::default()
        .set("class", "bk-search")
        .set("type", "search")
        .set("id", id.clone())
        .set("form", form)
        .set("name", format!("q/{key}"))
        .set("data-testid", "option-search")
        .set("data-suggest", key.clone())
        .set("data-min", least.to_string())
        .set("autocomplete", "off")
        .set("placeholder", control.placeholder().unwrap_or_else(|| "Type to search".to_owned()));
    let search = control.described(control.named(search), max_hint(control));
    let menu_attributes = Attributes::default()
        .set("form", form)
        .set("id", format!("{id}-menu"))
        .set("aria-label", format!("{}: options", control.own_name()));
    // What was found is to be seen at once, and not behind another click.
    let found: usize = groups.iter().map(|(_, choices)| choices.len()).sum();
    let menu_attributes = if chosen.is_empty() && !control.is_multi() {
        menu_attributes.set("size", (found + 1).clamp(2, 6).to_string())
    } else {
        menu_attributes
    };
    let content = html! {
        (element("input", &search.flag("autofocus", control.element["focus_on_load"] == true), None))
        noscript {
            button class="bk-send" type="submit" formnovalidate form=(form) name="suggest" value=(key) { "Search" }
        }
        @if has_choice {
            (menu(control, control.pressing(menu_attributes), &groups, &values(&chosen)))
            (control.press_without_script())
        } @else if suggested.is_some() {
            p class="bk-hint" { "No options." }
        }
        (at_most(control))
    };
    element("div", &control.as_element(Attributes::default().set("class", "bk-external")), Some(&content))
}
