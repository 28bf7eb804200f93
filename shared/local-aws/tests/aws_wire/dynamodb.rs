//! Tables through the SDK: what the product's conditional writes rely on.

use crate::Endpoint;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, ConditionCheck, KeySchemaElement, KeyType, Put, ReturnValue,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType, TimeToLiveSpecification, TransactWriteItem,
};
use std::collections::HashMap;

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An endpoint with the tables `state` (`pk`) and `installations` (`pk`, `sk`).
async fn tables() -> (Endpoint, aws_sdk_dynamodb::Client) {
    let endpoint = Endpoint::start().await;
    let client = endpoint.dynamodb();
    for (table, keys) in [("state", &["pk"][..]), ("installations", &["pk", "sk"])] {
        let mut request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
        for (key, kind) in keys.iter().zip([KeyType::Hash, KeyType::Range]) {
            let definition = AttributeDefinition::builder()
                .attribute_name(*key)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .unwrap();
            let schema = KeySchemaElement::builder().attribute_name(*key).key_type(kind).build().unwrap();
            request = request.attribute_definitions(definition).key_schema(schema);
        }
        request.send().await.unwrap();
    }
    endpoint.aws.calls().clear();
    (endpoint, client)
}

#[tokio::test]
async fn a_failed_condition_is_typed_and_shows_the_item_on_request() {
    let (_endpoint, client) = tables().await;
    let put =
        || client.put_item().table_name("state").item("pk", text("a")).condition_expression("attribute_not_exists(pk)");
    put().item("own", text("first")).send().await.unwrap();
    let failed = put()
        .item("own", text("second"))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let error = failed.send().await.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(error) = error else {
        panic!("{error:?}")
    };
    assert_eq!(error.item().unwrap()["own"], text("first"));
    let update = client
        .update_item()
        .table_name("state")
        .key("pk", text("a"))
        .update_expression("SET own = :me")
        .condition_expression("own = :me");
    let update = update.expression_attribute_values(":me", text("second"));
    let update = update.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let error = update.send().await.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(error) = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(error.item().unwrap()["own"], text("first"));
}

#[tokio::test]
async fn the_claim_of_a_job_counts_attempts_and_has_one_winner() {
    let (_endpoint, client) = tables().await;
    let claim = |owner: String| {
        let update = client.update_item().table_name("state").key("pk", text("job"));
        let update =
            update.update_expression("SET own = :me, nb = :lease, st = :i, att = if_not_exists(att, :zero) + :one");
        let update = update.condition_expression("attribute_not_exists(pk) OR (st = :i AND nb < :now)");
        let values = [(":lease", number(200)), (":now", number(100)), (":zero", number(0)), (":one", number(1))];
        let values = values
            .into_iter()
            .chain([(":me", text(&owner)), (":i", text("I"))])
            .map(|(name, value)| (name.to_owned(), value));
        update.set_expression_attribute_values(Some(values.collect())).return_values(ReturnValue::AllNew).send()
    };
    let claims = futures_util::future::join_all((0..50).map(|owner| claim(owner.to_string()))).await;
    let won: Vec<_> = claims.into_iter().filter_map(Result::ok).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(won[0].attributes().unwrap()["att"], number(1));
}

#[tokio::test]
async fn updated_new_tells_what_was_set() {
    let (_endpoint, client) = tables().await;
    client.put_item().table_name("state").item("pk", text("a")).item("own", text("me")).send().await.unwrap();
    let update =
        client.update_item().table_name("state").key("pk", text("a")).update_expression("SET st = :c REMOVE own");
    let updated = update
        .expression_attribute_values(":c", text("C"))
        .return_values(ReturnValue::UpdatedNew)
        .send()
        .await
        .unwrap();
    assert_eq!(updated.attributes, Some(HashMap::from([("st".to_owned(), text("C"))])));
}

#[tokio::test]
async fn a_query_reads_one_partition_in_order_page_by_page() {
    let (_endpoint, client) = tables().await;
    for sk in ["bot#1", "bot#2", "user#1"] {
        client.put_item().table_name("installations").item("pk", text("T1")).item("sk", text(sk)).send().await.unwrap();
    }
    let query = || {
        let query = client
            .query()
            .table_name("installations")
            .key_condition_expression("pk = :pk AND begins_with(sk, :bot)")
            .limit(1);
        query
            .expression_attribute_values(":pk", text("T1"))
            .expression_attribute_values(":bot", text("bot#"))
            .scan_index_forward(false)
    };
    let first = query().send().await.unwrap();
    assert_eq!(first.items()[0]["sk"], text("bot#2"));
    let second = query().set_exclusive_start_key(first.last_evaluated_key).send().await.unwrap();
    assert_eq!(second.items()[0]["sk"], text("bot#1"));
}

#[tokio::test]
async fn a_cancelled_transaction_says_why_and_changes_nothing() {
    let (_endpoint, client) = tables().await;
    let put = Put::builder().table_name("state").item("pk", text("new")).build().unwrap();
    let check = ConditionCheck::builder()
        .table_name("state")
        .key("pk", text("missing"))
        .condition_expression("attribute_exists(pk)")
        .build()
        .unwrap();
    let request = client.transact_write_items().transact_items(TransactWriteItem::builder().put(put).build());
    let error = request
        .transact_items(TransactWriteItem::builder().condition_check(check).build())
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(error) =
        error
    else {
        panic!("{error:?}")
    };
    let codes: Vec<_> = error.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert!(client.get_item().table_name("state").key("pk", text("new")).send().await.unwrap().item.is_none());
}

#[tokio::test]
async fn what_dynamodb_refuses_is_refused() {
    let (_endpoint, client) = tables().await;
    let missing =
        client.get_item().table_name("nothing").key("pk", text("a")).send().await.unwrap_err().into_service_error();
    assert!(missing.is_resource_not_found_exception());
    let update = |expression: &'static str| {
        client.update_item().table_name("state").key("pk", text("a")).update_expression(expression)
    };
    let put = |value: AttributeValue| client.put_item().table_name("state").item("pk", value);
    let refused = [
        put(text("")).send().await.unwrap_err().code().map(str::to_owned),
        put(number(1)).send().await.unwrap_err().code().map(str::to_owned),
        put(text("a")).item("big", text(&"x".repeat(400 * 1024))).send().await.unwrap_err().code().map(str::to_owned),
        // A reserved word, a placeholder that is undefined, one that is unused.
        update("SET state = :a")
            .expression_attribute_values(":a", text("b"))
            .send()
            .await
            .unwrap_err()
            .code()
            .map(str::to_owned),
        update("SET st = :a").send().await.unwrap_err().code().map(str::to_owned),
        update("REMOVE st")
            .expression_attribute_values(":a", text("b"))
            .send()
            .await
            .unwrap_err()
            .code()
            .map(str::to_owned),
    ];
    for code in refused {
        assert_eq!(code.as_deref(), Some("ValidationException"));
    }
}

#[tokio::test]
async fn time_to_live_is_described_as_it_was_set() {
    let (_endpoint, client) = tables().await;
    let specification = TimeToLiveSpecification::builder().attribute_name("exp").enabled(true).build().unwrap();
    client.update_time_to_live().table_name("state").time_to_live_specification(specification).send().await.unwrap();
    let described = client.describe_time_to_live().table_name("state").send().await.unwrap();
    assert_eq!(described.time_to_live_description().unwrap().attribute_name(), Some("exp"));
}

#[tokio::test]
async fn a_call_is_recorded_with_its_table_its_caller_and_its_units() {
    let (endpoint, client) = tables().await;
    // 1.5 KB are two write units; an eventually consistent read of them is half a read unit.
    client
        .put_item()
        .table_name("state")
        .item("pk", text("a"))
        .item("body", text(&"x".repeat(1500)))
        .send()
        .await
        .unwrap();
    client.get_item().table_name("state").key("pk", text("a")).send().await.unwrap();
    client.get_item().table_name("nothing").key("pk", text("a")).send().await.unwrap_err();
    let calls = endpoint.aws.calls().snapshot();
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call.action.as_str(), call.resource.as_deref(), call.status, call.consumed_units))
        .collect();
    let expected = [
        ("PutItem", Some("state"), Some(200), Some(2.0)),
        ("GetItem", Some("state"), Some(200), Some(0.5)),
        ("GetItem", Some("nothing"), Some(400), None),
    ];
    assert_eq!(told, expected);
    assert!(calls.iter().all(|call| call.service == "dynamodb" && call.caller.as_deref() == Some("worker")));
    assert_eq!(calls[2].error.as_deref(), Some("ResourceNotFoundException"));
}
