//! What cannot be rendered yet, shown as such: its type and its JSON.
//! Not here: deciding what is known. Invariant: nothing an app sent disappears from the page.

use maud::{Markup, html};
use serde_json::Value;

use super::text::visible;

/// A card that says which type is not rendered, with the JSON to open.
pub(super) fn unknown(value: &Value) -> Markup {
    let kind = value["type"].as_str().unwrap_or("something without a type");
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    html! {
        div class="bk-unknown" data-testid="unknown-block" {
            span { (visible(kind)) ": not rendered here yet" }
            details {
                summary { "Show its JSON" }
                pre class="bk-pre" tabindex="0" role="group" aria-label="JSON" { (visible(&json)) }
            }
        }
    }
}
