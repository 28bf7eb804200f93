//! Tables through the SDK: what installs and OAuth states rely on. Expected behaviour is DynamoDB's API reference
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/>).

use crate::Endpoint;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, KeyType, KeysAndAttributes, Put, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use std::collections::{BTreeSet, HashMap};
use tack_local_aws::Table;

const TABLE: &str = "installations";

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn binary(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

fn key(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// An endpoint with the table `installations`, made as the local stack makes it.
async fn table() -> (Endpoint, Client) {
    let endpoint = Endpoint::start().await;
    let table = Table { name: TABLE, partition_key: "pk", sort_key: Some("sk"), ttl: Some("exp") };
    endpoint.aws.dynamodb().create(&table).unwrap();
    let client = endpoint.dynamodb();
    (endpoint, client)
}

async fn put(client: &Client, pk: &str, sk: &str, more: &[(&str, AttributeValue)]) {
    let put = client.put_item().table_name(TABLE).set_item(Some(key(pk, sk)));
    more.iter().fold(put, |put, (name, value)| put.item(*name, value.clone())).send().await.unwrap();
}

async fn get(client: &Client, pk: &str, sk: &str) -> Option<HashMap<String, AttributeValue>> {
    client.get_item().table_name(TABLE).set_key(Some(key(pk, sk))).consistent_read(true).send().await.unwrap().item
}

#[tokio::test]
async fn a_table_made_with_a_sort_key_and_a_time_to_live_has_both() {
    let (endpoint, client) = table().await;
    let described = client.describe_table().table_name(TABLE).send().await.unwrap().table.unwrap();
    let keys: Vec<_> =
        described.key_schema().iter().map(|key| (key.attribute_name(), key.key_type().clone())).collect();
    assert_eq!(keys, [("pk", KeyType::Hash), ("sk", KeyType::Range)]);
    let expiry = client.describe_time_to_live().table_name(TABLE).send().await.unwrap();
    assert_eq!(expiry.time_to_live_description().unwrap().attribute_name(), Some("exp"));
    let again = Table { name: TABLE, partition_key: "pk", sort_key: None, ttl: None };
    assert!(endpoint.aws.dynamodb().create(&again).unwrap_err().contains("ResourceInUseException"));
}

#[tokio::test]
async fn a_query_finds_the_items_of_one_workspace_by_the_beginning_of_their_sort_key() {
    let (_endpoint, client) = table().await;
    for (pk, sk) in [("T1", "LATEST"), ("T1", "USER#U1"), ("T1", "USER#U2"), ("T1", "USERS"), ("T2", "USER#U3")] {
        put(&client, pk, sk, &[]).await;
    }
    let query = client.query().table_name(TABLE).key_condition_expression("pk = :pk AND begins_with(sk, :prefix)");
    let query = query.expression_attribute_values(":pk", text("T1"));
    let found = query.expression_attribute_values(":prefix", text("USER#")).consistent_read(true).send().await.unwrap();
    let keys: Vec<_> = found.items().iter().map(|item| item["sk"].clone()).collect();
    assert_eq!(keys, [text("USER#U1"), text("USER#U2")]);
    assert!(found.last_evaluated_key().is_none());
}

#[tokio::test]
async fn a_batch_answers_the_items_that_are_there_and_leaves_out_the_others() {
    let (_endpoint, client) = table().await;
    put(&client, "E1#T1", "LATEST", &[]).await;
    put(&client, "E1#-", "LATEST", &[]).await;
    let wanted = ["E1#T1", "E1#-", "-#T1"].map(|pk| key(pk, "LATEST"));
    let keys = KeysAndAttributes::builder().set_keys(Some(wanted.to_vec())).consistent_read(true).build().unwrap();
    let answered = client.batch_get_item().request_items(TABLE, keys).send().await.unwrap();
    let found: BTreeSet<_> =
        answered.responses().unwrap()[TABLE].iter().map(|item| item["pk"].as_s().unwrap().clone()).collect();
    assert_eq!(found, BTreeSet::from(["E1#-".to_owned(), "E1#T1".to_owned()]));
    assert!(answered.unprocessed_keys().is_none_or(HashMap::is_empty));
    // A key that is asked for twice makes the whole batch invalid.
    let twice = KeysAndAttributes::builder().keys(key("a", "b")).keys(key("a", "b")).build().unwrap();
    let error = client.batch_get_item().request_items(TABLE, twice).send().await.unwrap_err();
    assert_eq!(aws_sdk_dynamodb::error::ProvideErrorMetadata::code(&error), Some("ValidationException"));
}

#[tokio::test]
async fn a_conditional_delete_consumes_once_and_shows_what_it_consumed() {
    let (_endpoint, client) = table().await;
    put(&client, "S#1", "-", &[("cookie", text("a")), ("exp", AttributeValue::N("200".to_owned()))]).await;
    let delete = || {
        let delete = client.delete_item().table_name(TABLE).set_key(Some(key("S#1", "-")));
        let delete = delete.condition_expression("cookie = :cookie AND exp > :now");
        let delete = delete.expression_attribute_values(":now", AttributeValue::N("100".to_owned()));
        delete
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    };
    let other_browser = delete().expression_attribute_values(":cookie", text("b")).send().await.unwrap_err();
    let DeleteItemError::ConditionalCheckFailedException(failed) = other_browser.into_service_error() else {
        panic!("the condition fails")
    };
    assert_eq!(failed.item().unwrap()["cookie"], text("a"), "why it failed can be told from the item");
    let deletes = (0..20).map(|_| delete().expression_attribute_values(":cookie", text("a")).send());
    let outcomes = futures_util::future::join_all(deletes).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 19));
    assert_eq!(won[0].as_ref().unwrap().attributes().unwrap()["cookie"], text("a"));
    for error in lost {
        let DeleteItemError::ConditionalCheckFailedException(failed) = error.unwrap_err().into_service_error() else {
            panic!("the condition fails")
        };
        assert!(failed.item().is_none(), "there is nothing left to show");
    }
}

#[tokio::test]
async fn a_transaction_changes_all_of_its_items() {
    let (_endpoint, client) = table().await;
    put(&client, "T1", "LATEST", &[("n", text("1"))]).await;
    put(&client, "T1", "USER#U1", &[]).await;
    let history = Put::builder().table_name(TABLE).set_item(Some(key("T1", "AT#1"))).build().unwrap();
    let latest = Update::builder().table_name(TABLE).set_key(Some(key("T1", "LATEST"))).update_expression("SET n = :n");
    let latest = latest.condition_expression("n = :old").expression_attribute_values(":old", text("1"));
    let latest = latest.expression_attribute_values(":n", text("2")).build().unwrap();
    let user = Delete::builder().table_name(TABLE).set_key(Some(key("T1", "USER#U1")));
    let user = user.condition_expression("attribute_exists(pk)").build().unwrap();
    client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(history).build())
        .transact_items(TransactWriteItem::builder().update(latest).build())
        .transact_items(TransactWriteItem::builder().delete(user).build())
        .send()
        .await
        .unwrap();
    assert!(get(&client, "T1", "AT#1").await.is_some());
    assert_eq!(get(&client, "T1", "LATEST").await.unwrap()["n"], text("2"));
    assert!(get(&client, "T1", "USER#U1").await.is_none());
}

#[tokio::test]
async fn a_cancelled_transaction_shows_the_item_that_stood_in_its_way_and_changes_nothing() {
    let (_endpoint, client) = table().await;
    put(&client, "T1", "LATEST", &[("n", text("2"))]).await;
    let history = Put::builder().table_name(TABLE).set_item(Some(key("T1", "AT#1"))).build().unwrap();
    let latest = ConditionCheck::builder().table_name(TABLE).set_key(Some(key("T1", "LATEST")));
    let latest = latest.condition_expression("n = :old").expression_attribute_values(":old", text("1"));
    let latest = latest.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let request = client.transact_write_items();
    let request = request.transact_items(TransactWriteItem::builder().put(history).build());
    let request = request.transact_items(TransactWriteItem::builder().condition_check(latest.build().unwrap()).build());
    let error = request.send().await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { panic!("{error:?}") };
    let reasons = cancelled.cancellation_reasons();
    assert_eq!(reasons[1].code(), Some("ConditionalCheckFailed"));
    assert_eq!(reasons[1].item().unwrap()["n"], text("2"));
    assert!(get(&client, "T1", "AT#1").await.is_none());
}

#[tokio::test]
async fn bytes_come_back_as_they_went_in_and_can_be_compared() {
    let (_endpoint, client) = table().await;
    let every_byte: Vec<u8> = (0..=255).collect();
    put(&client, "T1", "LATEST", &[("tok", binary(&every_byte))]).await;
    assert_eq!(get(&client, "T1", "LATEST").await.unwrap()["tok"], binary(&every_byte));
    let rotate = |old: &[u8], new: &[u8]| {
        let update = client.update_item().table_name(TABLE).set_key(Some(key("T1", "LATEST")));
        let update = update.update_expression("SET prev = tok, tok = :new").condition_expression("tok = :old");
        update
            .expression_attribute_values(":new", binary(new))
            .expression_attribute_values(":old", binary(old))
            .return_values(ReturnValue::AllNew)
            .send()
    };
    let rotated = rotate(&every_byte, b"second").await.unwrap();
    assert_eq!(rotated.attributes().unwrap()["prev"], binary(&every_byte));
    let late = rotate(&every_byte, b"third").await.unwrap_err().into_service_error();
    assert!(late.is_conditional_check_failed_exception());
    assert_eq!(get(&client, "T1", "LATEST").await.unwrap()["tok"], binary(b"second"));
}
