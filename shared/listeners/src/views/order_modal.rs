//! The order's modal: its fields are checked in the ack, so errors show in the modal; the order is placed in the worker.

use crate::Context;
use crate::options::order_item;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tack_app::payload::{View, ViewSubmission};
use tack_app::{AckContext, AckError, HandedOver, ListenerError, ViewAck};

const QUANTITY_MAX: u32 = 100;

/// A checked order: what the ack hands over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    item: String,
    quantity: u32,
}

/// The modal; the channel it was ordered from travels in its metadata.
pub(crate) fn view(channel: &str, quantity: Option<u32>) -> Value {
    let mut number = json!({ "type": "plain_text_input", "action_id": "order_quantity" });
    if let Some(quantity) = quantity {
        number["initial_value"] = json!(quantity.to_string());
    }
    json!({
        "type": "modal",
        "callback_id": "order_modal",
        "private_metadata": channel,
        "title": { "type": "plain_text", "text": "New order" },
        "submit": { "type": "plain_text", "text": "Order" },
        "close": { "type": "plain_text", "text": "Cancel" },
        "blocks": [
            {
                "type": "input",
                "block_id": "item",
                "label": { "type": "plain_text", "text": "What" },
                "element": { "type": "external_select", "action_id": "order_item", "min_query_length": 0,
                             "placeholder": { "type": "plain_text", "text": "Type to search" } },
            },
            {
                "type": "input",
                "block_id": "quantity",
                "label": { "type": "plain_text", "text": "How many" },
                "element": number,
            },
        ],
    })
}

pub(crate) fn validate(
    _: &AckContext<'_>,
    submission: &ViewSubmission,
) -> Result<ViewAck<HandedOver<Order>>, AckError> {
    Ok(match read(&submission.view) {
        Ok(order) => ViewAck::close().hand_over(order),
        Err(errors) => ViewAck::errors(errors),
    })
}

fn read(view: &View) -> Result<Order, Vec<(&'static str, String)>> {
    let mut errors = Vec::new();
    let item = view.state.get("item", "order_item");
    let item = item.as_str().and_then(order_item::name_of);
    if item.is_none() {
        errors.push(("item", "Choose something from the list.".to_owned()));
    }
    let typed = view.state.get("quantity", "order_quantity");
    let quantity = typed.as_str().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if !(1..=QUANTITY_MAX).contains(&quantity) {
        errors.push(("quantity", format!("A whole number from 1 to {QUANTITY_MAX}, please.")));
    }
    match (item, errors.is_empty()) {
        (Some(item), true) => Ok(Order { item: item.to_owned(), quantity }),
        _ => Err(errors),
    }
}

pub(crate) async fn place(context: &Context, submission: &ViewSubmission, order: Order) -> Result<(), ListenerError> {
    let user = submission.user.as_ref().map(|user| user.as_str()).unwrap_or_default();
    // A modal has no channel of its own; an order from a place without one goes to the person.
    let channel = match submission.view.private_metadata.as_str() {
        "" => user,
        channel => channel,
    };
    let text = format!("<@{user}> ordered {} × {}.", order.quantity, order.item);
    context.client().call("chat.postMessage", &json!({ "channel": channel, "text": text })).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tack_app::payload::Payload;
    use tack_app::protocol::{Envelope, EpochMs};

    fn submit(item: &str, quantity: &str) -> Result<Order, Vec<(&'static str, String)>> {
        let payload = json!({ "type": "view_submission", "trigger_id": "1.2.3", "user": { "id": "U1" }, "view": {
            "id": "V1", "callback_id": "order_modal", "private_metadata": "C1", "state": { "values": {
                "item": { "order_item": { "type": "external_select", "selected_option": { "value": item } } },
                "quantity": { "order_quantity": { "type": "plain_text_input", "value": quantity } },
            } } } });
        let body =
            format!("payload={}", payload.to_string().replace('%', "%25").replace('&', "%26").replace('+', "%2B"));
        let envelope = Envelope::from_body("application/x-www-form-urlencoded", body.into(), EpochMs(0));
        let Payload::ViewSubmission(submission) = &envelope.payload else { panic!("not a submission") };
        read(&submission.view)
    }

    #[test]
    fn a_good_order_is_handed_over() {
        assert_eq!(submit("tea-green", " 3 "), Ok(Order { item: "Green tea".to_owned(), quantity: 3 }));
    }

    #[test]
    fn each_bad_field_has_its_own_error() {
        let blocks = |result: Result<Order, Vec<(&'static str, String)>>| -> Vec<&'static str> {
            result.unwrap_err().into_iter().map(|(block, _)| block).collect()
        };
        assert_eq!(blocks(submit("nothing", "3")), ["item"]);
        assert_eq!(blocks(submit("tea-green", "0")), ["quantity"]);
        assert_eq!(blocks(submit("", "101")), ["item", "quantity"]);
    }
}
