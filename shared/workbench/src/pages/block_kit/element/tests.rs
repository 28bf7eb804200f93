//! Each element as people and the server of the pages meet it.

use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::pages::block_kit::scan::{attributes_of, text_of};
use crate::pages::block_kit::{Directory, Surface, SurfaceKind, blocks};

/// What surrounds an element.
struct Around {
    chosen: Value,
    suggested: BTreeMap<String, Value>,
}

impl Around {
    fn nothing() -> Self {
        Self { chosen: json!({}), suggested: BTreeMap::new() }
    }

    /// Something is chosen in the element `b`/`a`.
    fn chosen(value: Value) -> Self {
        Self { chosen: json!({"b": {"a": value}}), ..Self::nothing() }
    }

    fn suggested(options: Value) -> Self {
        Self { suggested: BTreeMap::from([("a".to_owned(), options)]), ..Self::nothing() }
    }

    fn render(&self, block: Value) -> String {
        let surface = Surface {
            directory: &Directory::acme(),
            viewer: "U0ADA0001",
            chosen: &self.chosen,
            suggested: &self.suggested,
            problems: &BTreeMap::new(),
            kind: SurfaceKind::Modal,
            form: "f",
        };
        blocks(&json!([block]), &surface).0
    }

    /// `element` (its action id is `a`) in an `actions` block `b`.
    fn pressed(&self, element: Value) -> String {
        self.render(json!({"type": "actions", "block_id": "b", "elements": [with_id(element)]}))
    }

    /// `element` (its action id is `a`) in an `input` block `b`.
    fn input(&self, element: Value) -> String {
        let label = json!({"type": "plain_text", "text": "L"});
        self.render(json!({"type": "input", "block_id": "b", "label": label, "element": with_id(element)}))
    }
}

fn with_id(mut element: Value) -> Value {
    element["action_id"] = json!("a");
    element
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}

fn option(text: &str, value: &str) -> Value {
    json!({"text": plain(text), "value": value})
}

/// The values of the options that are selected.
fn selected(html: &str) -> Vec<String> {
    // `selected` has no value of its own: the scan gives the attributes of each option in order.
    let parts = html.split("<option ").skip(1).filter(|part| part.split('>').next().unwrap().ends_with(" selected"));
    parts.map(|part| part.split('"').nth(1).unwrap().to_owned()).collect()
}

fn check_inside(html: &str, expected: &str) {
    assert!(html.contains(expected), "{expected}\nis not in\n{html}");
}

#[test]
fn a_button_presses_itself() {
    let html = Around::nothing()
        .pressed(json!({"type": "button", "text": plain("Click :wave:"), "value": "click_me_123", "style": "primary"}));
    check_inside(
        &html,
        "<div class=\"bk-actions\"><button class=\"bk-button bk-primary\" type=\"submit\" formnovalidate=\"\" form=\"f\" name=\"press\" \
         value=\"b/a\" id=\"f-b/a\" data-testid=\"element\" data-type=\"button\" data-action-id=\"a\">Click 👋</button></div>",
    );
}

#[test]
fn a_button_with_an_address_still_presses() {
    let html = Around::nothing().pressed(json!({"type": "button", "text": plain("Open"), "url": "https://example.com", "accessibility_label": "Open the page"}));
    assert_eq!(attributes_of(&html, "button", "data-url"), ["https://example.com"]);
    assert_eq!(attributes_of(&html, "button", "value"), ["b/a"]);
    assert_eq!(attributes_of(&html, "button", "aria-label"), ["Open the page"]);
    let html =
        Around::nothing().pressed(json!({"type": "button", "text": plain("Open"), "url": "javascript:alert(1)"}));
    assert_eq!(attributes_of(&html, "button", "data-url"), [""; 0]);
}

#[test]
fn a_confirmation_travels_with_its_control() {
    let confirm = json!({
        "title": plain("Are you sure?"), "text": plain("Wouldn't you prefer \"chess\"?"), "confirm": plain("Do it"),
        "deny": plain("Stop, I've changed my mind!"), "style": "danger",
    });
    let html = Around::nothing().pressed(json!({"type": "button", "text": plain("Go"), "confirm": confirm}));
    for (attribute, expected) in [
        ("data-confirm-title", "Are you sure?"),
        ("data-confirm-text", "Wouldn't you prefer \"chess\"?"),
        ("data-confirm-yes", "Do it"),
        ("data-confirm-no", "Stop, I've changed my mind!"),
        ("data-confirm-style", "danger"),
    ] {
        assert_eq!(attributes_of(&html, "button", attribute), [expected]);
    }
    let html =
        Around::nothing().pressed(json!({"type": "static_select", "options": [option("A", "a")], "confirm": confirm}));
    assert_eq!(attributes_of(&html, "select", "data-confirm-title"), ["Are you sure?"]);
}

#[test]
fn an_overflow_menu_is_a_list_of_buttons_that_name_their_option() {
    let options =
        json!([option("One", "value/0"), {"text": plain("Two"), "value": "v1", "url": "https://example.com"}]);
    let html = Around::nothing().pressed(json!({"type": "overflow", "options": options}));
    assert_eq!(attributes_of(&html, "button", "value"), ["b/a/value%2F0", "b/a/v1"]);
    assert_eq!(attributes_of(&html, "button", "data-testid"), ["option", "option"]);
    assert_eq!(attributes_of(&html, "button", "data-url"), ["https://example.com"]);
    assert_eq!(attributes_of(&html, "summary", "aria-label"), ["More actions"]);
    assert_eq!(attributes_of(&html, "details", "data-testid"), ["element"]);
}

#[test]
fn a_static_select_shows_what_is_chosen_else_what_it_starts_with() {
    let element = json!({
        "type": "static_select", "placeholder": plain("Size"), "options": [option("Small", "s"), option("Large", "l")],
        "initial_option": option("Small", "s"),
    });
    let html = Around::nothing().input(element.clone());
    check_inside(
        &html,
        "<select form=\"f\" id=\"f-b/a\" data-testid=\"element\" data-type=\"static_select\" data-action-id=\"a\" class=\"bk-select\" name=\"v/b/a\">\
         <option value=\"\">Size</option><option value=\"s\" data-testid=\"option\" selected>Small</option>\
         <option value=\"l\" data-testid=\"option\">Large</option></select>",
    );
    let html = Around::chosen(json!({"type": "static_select", "selected_option": option("Large", "l")}))
        .input(element.clone());
    assert_eq!(selected(&html), ["l"]);
    let html = Around::chosen(json!({"type": "static_select", "selected_option": null})).input(element);
    assert_eq!(selected(&html), [""; 0]);
}

#[test]
fn groups_of_options_have_their_labels() {
    let groups = json!([{"label": plain("Group 1"), "options": [option("A", "a")]}, {"label": plain("Group 2"), "options": [option("B", "b")]}]);
    let html = Around::nothing()
        .input(json!({"type": "multi_static_select", "option_groups": groups, "max_selected_items": 1}));
    assert_eq!(attributes_of(&html, "optgroup", "label"), ["Group 1", "Group 2"]);
    assert_eq!(attributes_of(&html, "select", "data-max"), ["1"]);
    check_inside(&html, "<p class=\"bk-hint\" id=\"f-b/a-most\">Choose at most 1.</p>");
    assert_eq!(attributes_of(&html, "select", "aria-describedby"), ["f-b/a-most"]);
}

#[test]
fn a_menu_of_many_says_that_it_was_there_when_nothing_is_chosen() {
    let element = json!({"type": "multi_static_select", "options": [option("Nuts", "nuts"), option("Cream", "cream")]});
    let html =
        Around::chosen(json!({"selected_options": [option("Nuts", "nuts"), option("Cream", "cream")]})).input(element);
    check_inside(&html, "<input type=\"hidden\" form=\"f\" name=\"v/b/a\" value=\"\">");
    assert_eq!(selected(&html), ["nuts", "cream"]);
    assert_eq!(attributes_of(&html, "select", "name"), ["v/b/a"]);
}

#[test]
fn a_control_in_actions_presses_when_it_changes() {
    let html = Around::nothing().pressed(json!({"type": "static_select", "options": [option("A", "a")]}));
    assert_eq!(attributes_of(&html, "select", "data-press"), ["b/a"]);
    assert_eq!(attributes_of(&html, "select", "aria-label"), ["Select an option"]);
    check_inside(
        &html,
        "<noscript><button class=\"bk-send\" type=\"submit\" formnovalidate form=\"f\" name=\"press\" value=\"b/a\" aria-label=\"Send: Select an option\">Send</button></noscript>",
    );
    let html = Around::nothing().input(json!({"type": "static_select", "options": [option("A", "a")]}));
    assert_eq!(attributes_of(&html, "select", "data-press"), [""; 0]);
    assert!(!html.contains("noscript"));
}

#[test]
fn external_options_are_searched_and_then_chosen() {
    let element = json!({"type": "external_select", "placeholder": plain("City"), "min_query_length": 2});
    let html = Around::nothing().input(element.clone());
    for (attribute, expected) in [
        ("name", "q/b/a"),
        ("data-suggest", "b/a"),
        ("data-min", "2"),
        ("data-testid", "option-search"),
        ("id", "f-b/a"),
    ] {
        assert_eq!(attributes_of(&html, "input", attribute), [expected]);
    }
    check_inside(
        &html,
        "<noscript><button class=\"bk-send\" type=\"submit\" formnovalidate form=\"f\" name=\"suggest\" value=\"b/a\">Search</button></noscript>",
    );
    assert!(!html.contains("<select"));

    let html = Around::suggested(json!([option("Zürich", "zrh"), option("Oslo", "osl")])).input(element.clone());
    assert_eq!(attributes_of(&html, "option", "value"), ["", "zrh", "osl"]);
    assert_eq!(attributes_of(&html, "select", "name"), ["v/b/a"]);
    assert_eq!(attributes_of(&html, "select", "data-press"), [""; 0]);

    let html = Around::suggested(json!({"options": []})).input(element);
    check_inside(&html, "<p class=\"bk-hint\">No options.</p>");
}

#[test]
fn what_is_chosen_stays_shown_when_the_app_offers_something_else() {
    let mut around =
        Around::suggested(json!({"option_groups": [{"label": plain("North"), "options": [option("Oslo", "osl")]}]}));
    around.chosen = json!({"b": {"a": {"type": "external_select", "selected_option": option("Zürich", "zrh")}}});
    let html = around.pressed(json!({"type": "external_select"}));
    assert_eq!(attributes_of(&html, "option", "value"), ["", "zrh", "osl"]);
    assert_eq!(selected(&html), ["zrh"]);
    assert_eq!(attributes_of(&html, "select", "data-press"), ["b/a"]);
    assert_eq!(attributes_of(&html, "input", "data-min"), ["3"]);
}

#[test]
fn people_conversations_and_channels_come_from_the_workspace() {
    let around = Around::nothing();
    let html = around.input(json!({"type": "users_select", "initial_user": "U0GRACE01"}));
    assert_eq!(attributes_of(&html, "option", "value"), ["", "U0ADA0001", "U0GRACE01", "U0LINUS01"]);
    assert_eq!(selected(&html), ["U0GRACE01"]);
    let html = around.input(json!({"type": "channels_select"}));
    assert_eq!(attributes_of(&html, "option", "value"), ["", "C0GENERAL", "C0PLAY001"]);
    let html = around.input(json!({"type": "conversations_select", "filter": {"include": ["im", "private"]}}));
    assert_eq!(text_of(&html), "LSelect a conversation#ops@tack");
    let chosen = Around::chosen(json!({"selected_users": ["U0LINUS01", "U0GONE001"]}));
    let html = chosen.input(json!({"type": "multi_users_select"}));
    assert_eq!(selected(&html), ["U0GONE001", "U0LINUS01"]);
}

#[test]
fn checkboxes_are_a_named_group_with_formatted_options() {
    let options = json!([
        {"text": {"type": "mrkdwn", "text": "*Bold*"}, "value": "A1", "description": {"type": "mrkdwn", "text": "_why_"}},
        option("Second", "A2"),
    ]);
    let element = json!({"type": "checkboxes", "options": options, "initial_options": [option("Second", "A2")]});
    let html = Around::nothing().input(element.clone());
    check_inside(
        &html,
        "<div class=\"bk-choices\" role=\"group\" id=\"f-b/a\" data-testid=\"element\" data-type=\"checkboxes\" data-action-id=\"a\" aria-labelledby=\"f-b/a-label\">\
         <input type=\"hidden\" form=\"f\" name=\"v/b/a\" value=\"\">\
         <label class=\"bk-choice\"><input type=\"checkbox\" form=\"f\" name=\"v/b/a\" value=\"A1\" data-testid=\"option\">\
         <span class=\"bk-choice-words\"><span class=\"bk-text\"><strong>Bold</strong></span><span class=\"bk-description\"><em>why</em></span></span></label>\
         <label class=\"bk-choice\"><input type=\"checkbox\" form=\"f\" name=\"v/b/a\" value=\"A2\" data-testid=\"option\" checked=\"\">",
    );
    assert!(!html.contains("<label for"));
    let html = Around::chosen(json!({"type": "checkboxes", "selected_options": []})).pressed(element);
    assert_eq!(attributes_of(&html, "input", "checked"), [""; 0]);
    assert_eq!(attributes_of(&html, "input", "data-press"), ["b/a", "b/a"]);
}

#[test]
fn radio_buttons_hold_one() {
    let element = json!({"type": "radio_buttons", "options": [option("Slow", "slow"), option("Fast", "fast")]});
    let html =
        Around::chosen(json!({"type": "radio_buttons", "selected_option": option("Fast", "fast")})).input(element);
    check_inside(
        &html,
        "<input type=\"radio\" form=\"f\" name=\"v/b/a\" value=\"fast\" data-testid=\"option\" checked=\"\">",
    );
    assert_eq!(attributes_of(&html, "div", "role"), ["radiogroup"]);
}

#[test]
fn a_text_input_shows_what_was_written() {
    let element = json!({"type": "plain_text_input", "initial_value": "at first", "placeholder": plain("Name"), "focus_on_load": true});
    let html = Around::nothing().input(element.clone());
    check_inside(
        &html,
        "<input form=\"f\" id=\"f-b/a\" data-testid=\"element\" data-type=\"plain_text_input\" data-action-id=\"a\" autofocus=\"\" class=\"bk-text-input\" \
         name=\"v/b/a\" autocomplete=\"off\" placeholder=\"Name\" type=\"text\" value=\"at first\">",
    );
    let html = Around::chosen(json!({"type": "plain_text_input", "value": "now"})).input(element.clone());
    assert_eq!(attributes_of(&html, "input", "value"), ["now"]);
    let html = Around::chosen(json!({"type": "plain_text_input", "value": null})).input(element);
    assert_eq!(attributes_of(&html, "input", "value"), [""]);
}

#[test]
fn text_of_many_lines_keeps_all_of_them() {
    let html =
        Around::nothing().input(json!({"type": "plain_text_input", "multiline": true, "initial_value": "\n a\nb"}));
    check_inside(&html, "rows=\"4\">\n\n a\nb</textarea>");
}

#[test]
fn a_dispatching_input_says_on_which_keys() {
    for (triggers, expected) in [
        (json!(null), "enter"),
        (json!(["on_enter_pressed"]), "enter"),
        (json!(["on_character_entered"]), "character"),
        (json!(["on_enter_pressed", "on_character_entered"]), "enter character"),
    ] {
        let element =
            with_id(json!({"type": "plain_text_input", "dispatch_action_config": {"trigger_actions_on": triggers}}));
        let html = Around::nothing().render(
            json!({"type": "input", "block_id": "b", "dispatch_action": true, "label": plain("L"), "element": element}),
        );
        assert_eq!(attributes_of(&html, "input", "data-press-on"), [expected]);
        assert_eq!(attributes_of(&html, "input", "data-press"), ["b/a"]);
    }
}

#[test]
fn numbers_mail_and_addresses_have_inputs_of_their_own() {
    let html = Around::nothing().input(json!({"type": "number_input", "is_decimal_allowed": false, "min_value": "1", "max_value": "20", "initial_value": "7"}));
    for (attribute, expected) in [("type", "number"), ("step", "1"), ("min", "1"), ("max", "20"), ("value", "7")] {
        assert_eq!(attributes_of(&html, "input", attribute), [expected]);
    }
    let html = Around::nothing().input(json!({"type": "number_input", "is_decimal_allowed": true}));
    assert_eq!(attributes_of(&html, "input", "step"), ["any"]);
    let html = Around::nothing().input(json!({"type": "email_text_input"}));
    assert_eq!(attributes_of(&html, "input", "type"), ["email"]);
    let html = Around::nothing().input(json!({"type": "url_text_input"}));
    assert_eq!(attributes_of(&html, "input", "type"), ["url"]);
}

#[test]
fn rich_text_is_written_as_lines() {
    let story = json!({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "once "}, {"type": "text", "text": "upon"}]}]});
    let html = Around::chosen(json!({"type": "rich_text_input", "rich_text_value": story}))
        .input(json!({"type": "rich_text_input"}));
    check_inside(&html, ">\nonce upon</textarea>");
}

#[test]
fn dates_and_times_are_native_inputs() {
    let around = Around::nothing();
    let html = around.pressed(json!({"type": "datepicker", "initial_date": "1990-04-28"}));
    assert_eq!(attributes_of(&html, "input", "type"), ["date"]);
    assert_eq!(attributes_of(&html, "input", "value"), ["1990-04-28"]);
    assert_eq!(attributes_of(&html, "input", "aria-label"), ["Select a date"]);
    let html =
        around.pressed(json!({"type": "timepicker", "initial_time": "11:40", "timezone": "America/Los_Angeles"}));
    assert_eq!(attributes_of(&html, "input", "type"), ["time"]);
    check_inside(&html, "<span class=\"bk-hint\" id=\"f-b/a-zone\">America/Los_Angeles</span>");
}

#[test]
fn a_date_with_a_time_is_shown_in_utc_and_says_so() {
    let html = Around::nothing().input(json!({"type": "datetimepicker", "initial_date_time": 1_628_633_820}));
    assert_eq!(attributes_of(&html, "input", "type"), ["datetime-local"]);
    assert_eq!(attributes_of(&html, "input", "value"), ["2021-08-10T22:17"]);
    assert_eq!(attributes_of(&html, "input", "aria-describedby"), ["f-b/a-zone"]);
    check_inside(&html, "<span class=\"bk-hint\" id=\"f-b/a-zone\">UTC</span>");
}
