//! Dates and times, by the browser's own inputs. A date with a time is read and shown in UTC, and says so.
//! Source: <https://docs.slack.dev/reference/block-kit/block-elements/date-picker-element/>,
//! <https://docs.slack.dev/reference/block-kit/block-elements/datetime-picker-element/>

use maud::{Markup, html};

use super::Control;
use crate::pages::block_kit::moment::datetime_local;
use crate::pages::block_kit::text::{element, visible};

fn input(control: &Control<'_>, kind: &'static str, value: &str, hint: Option<&str>) -> Markup {
    let attributes = control
        .attributes(hint.map(|_| "zone"))
        .set("class", "bk-date-input")
        .set("type", kind)
        .set("name", control.value_name())
        .set("value", value);
    html! {
        (element("input", &attributes, None))
        @if let Some(hint) = hint { span class="bk-hint" id=(format!("{}-zone", control.id())) { (visible(hint)) } }
        (control.press_without_script())
    }
}

pub(super) fn datepicker(control: &Control<'_>) -> Markup {
    let value = control.value("selected_date", "initial_date").as_str().unwrap_or_default();
    input(control, "date", value, None)
}

pub(super) fn timepicker(control: &Control<'_>) -> Markup {
    let value = control.value("selected_time", "initial_time").as_str().unwrap_or_default();
    let zone = control.element["timezone"].as_str().filter(|zone| !zone.is_empty());
    input(control, "time", value, zone)
}

pub(super) fn datetimepicker(control: &Control<'_>) -> Markup {
    let epoch_s = control.value("selected_date_time", "initial_date_time").as_i64();
    input(control, "datetime-local", &epoch_s.and_then(datetime_local).unwrap_or_default(), Some("UTC"))
}
