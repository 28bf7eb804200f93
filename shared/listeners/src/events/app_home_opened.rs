//! Somebody opened the app's Home tab: it is published for them, with what to try next.

use crate::Context;
use serde_json::{Value, json};
use tack_app::ListenerError;
use tack_app::payload::Event;

pub(crate) async fn publish(context: &Context, event: &Event) -> Result<(), ListenerError> {
    // The event comes for the Messages tab as well.
    let (Some("home"), Some(user)) = (event.text("tab"), &event.user) else { return Ok(()) };
    context.client().call("views.publish", &json!({ "user_id": user, "view": home(user.as_str()) })).await?;
    Ok(())
}

fn home(user: &str) -> Value {
    let section = |text: &str| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    json!({
        "type": "home",
        "blocks": [
            section(&format!("*Welcome home, <@{user}>* :house:")),
            section(concat!(
                "*Try next*\n",
                "• say `hi` in a channel I am in\n",
                "• type `/sample-command hello`\n",
                "• type `/order 0`, choose something and submit: the modal says what is wrong\n",
                "• run the shortcut `sample_shortcut_id` (⚡ below the composer), and press its button",
            )),
            { "type": "divider" },
            section(concat!(
                "*Make it yours*\n",
                "Each of these is one file below `shared/listeners/src`, and `lib.rs` there is their table of contents. ",
                "This page is `events/app_home_opened.rs`: change a line, and open it again.",
            )),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // https://docs.slack.dev/reference/block-kit/blocks/section-block: at most 3000 characters
    #[test]
    fn the_page_greets_its_person_and_fits_into_its_blocks() {
        let home = home("U1");
        assert!(home["blocks"][0]["text"]["text"].as_str().unwrap().contains("<@U1>"));
        for block in home["blocks"].as_array().unwrap() {
            assert!(block["text"]["text"].as_str().is_none_or(|text| text.len() <= 3000), "{block}");
        }
    }
}
