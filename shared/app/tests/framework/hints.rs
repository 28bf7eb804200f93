//! What a developer is told about a delivery that nobody took: the line that would take it.

use crate::deliveries::{COMMAND, MESSAGE, SUGGESTION, envelope};
use tack_app::{AckPhase, App, Limits, Verdict};

#[tokio::test]
async fn a_delivery_that_nobody_took_is_answered_200_with_a_hint_that_names_the_missing_line() {
    let app = App::<AckPhase, (), ()>::build(|_| {}).expect("an app");
    for (path, line) in [
        (COMMAND, "app.command(\"/order\")"),
        (MESSAGE, "app.message("),
        ("event/app_mention.json", "app.event(\"app_mention\")"),
        ("event/unknown-type.json", "app.event("),
        ("interactive/block_actions-message.json", "app.action(\"button_click\")"),
        ("interactive/shortcut.json", "app.shortcut(\"sample_shortcut_id\")"),
        ("interactive/message_action.json", "app.message_shortcut(\"file_it\")"),
        ("interactive/view_submission.json", "app.view(\"order_modal\")"),
        ("interactive/view_closed.json", "app.view_closed(\"order_modal\")"),
        (SUGGESTION, "app.options(\"city\""),
        ("interactive/dialog_submission.json", "dialog_submission"),
    ] {
        let envelope = envelope(path);
        let decision = app.ack(&envelope, &(), &Limits::default()).await;
        assert_eq!((decision.verdict, decision.reply), (Verdict::Unhandled, None), "{path}");
        let hint = app.hint(&envelope);
        assert!(hint.contains(line), "{path}: {hint}");
    }
}
