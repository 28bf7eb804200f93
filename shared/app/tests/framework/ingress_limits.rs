//! How large a delivery may be. SQS takes 1 MiB a message.

use crate::deliveries::{FORM, JSON, edited};
use crate::ingress::{door, register, signed, unsigned};
use crate::ports::Ports;
use bytes::Bytes;
use std::rc::Rc;
use tack_app::Arrival;
use tack_app::message::Work;

const MIB: usize = 1024 * 1024;

/// A message event whose text is this one.
fn event_with(text: String) -> Bytes {
    edited("event/message.json", |root| root["event"]["text"] = text.into()).body
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_413_before_it_is_verified() {
    let ports = Rc::new(Ports::default());
    let door = door(&ports, register);
    let body = "a".repeat(MIB + 1);
    for request in
        [unsigned(JSON, body.clone()), signed(JSON, body.clone()), unsigned(FORM, format!("ssl_check=1&a={body}"))]
    {
        let answer = door.answer(request, Arrival::default()).await;
        assert_eq!((answer.status, answer.body.len()), (413, 0));
    }
    let just_right = "a".repeat(MIB);
    assert_eq!(door.answer(unsigned(JSON, just_right.clone()), Arrival::default()).await.status, 401);
    assert_eq!(door.answer(signed(JSON, just_right), Arrival::default()).await.status, 200, "nobody listens to it");
    assert!(ports.queue.waiting().is_empty());
}

#[tokio::test]
async fn a_large_signed_delivery_that_fits_is_queued_byte_for_byte() {
    let ports = Rc::new(Ports::default());
    let body = event_with("a".repeat(1_000_000));
    assert_eq!(door(&ports, register).answer(signed(JSON, body.clone()), Arrival::default()).await.status, 200);
    let waiting = ports.queue.waiting();
    assert!(waiting[0].body.len() <= MIB);
    let Ok(Work::Slack(work)) = Work::decode(&waiting[0].body) else { panic!("a message of ours") };
    assert_eq!(work.envelope.body, body);
}

#[tokio::test]
async fn a_signed_delivery_that_does_not_fit_encoded_is_413_and_nothing_is_queued() {
    let ports = Rc::new(Ports::default());
    // Below 1 MiB as it comes; a third more as base64, twice as much as escaped text.
    let body = event_with("\"".repeat(500_000));
    assert!(body.len() <= MIB);
    let answer = door(&ports, register).answer(signed(JSON, body), Arrival::default()).await;
    assert_eq!((answer.status, answer.body.len()), (413, 0));
    assert!(ports.queue.waiting().is_empty());
}
