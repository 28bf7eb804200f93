//! DynamoDB in memory: a bridge from awsJson 1.0 to the `dynoxide-rs` engine.
//! Not here: TransactionConflict and throttling, which the engine never produces; [`crate::Faults`] does.
//! Invariant: TTL deletes nothing by itself. As on AWS an expired item stays readable until a sweep, so conditions must compare the time themselves.
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/>

use crate::Clock;
use crate::answer::Answer;
use dynoxide::storage_backend;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

const SERVICE: &str = "dynamodb";

/// The tables of the account. Clones share them.
#[derive(Clone)]
pub struct DynamoDb {
    database: Database,
}

/// A table to be made. Its keys are text.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The table's name.
    pub name: &'a str,
    /// The attribute of the partition key.
    pub partition_key: &'a str,
    /// The attribute of the sort key, if it has one.
    pub sort_key: Option<&'a str>,
    /// The attribute of the time to live, in seconds since the Unix epoch, if it has one.
    pub ttl: Option<&'a str>,
}

impl DynamoDb {
    #[expect(
        clippy::expect_used,
        reason = "an in-memory database with a fixed schema opens, or this machine is out of memory"
    )]
    pub(crate) fn new(clock: Clock) -> Self {
        let database = Database::memory_with_clock(Arc::new(EngineClock(clock))).expect("an in-memory database opens");
        Self { database }
    }

    /// Deletes the expired items of all tables with TTL, as AWS does within days. Answers how many.
    ///
    /// # Errors
    /// The engine's own failure, as text.
    pub fn sweep_ttl(&self) -> Result<usize, String> {
        self.database.sweep_ttl().map_err(|error| error.to_string())
    }

    /// Makes an on-demand table with a text partition key, and the attribute of its time to live if it has one.
    ///
    /// # Errors
    /// DynamoDB's answer, as text.
    pub fn create_table(&self, name: &str, partition_key: &str, ttl: Option<&str>) -> Result<(), String> {
        self.create(&Table { name, partition_key, sort_key: None, ttl })
    }

    /// Makes an on-demand table.
    ///
    /// # Errors
    /// DynamoDB's answer, as text.
    pub fn create(&self, table: &Table<'_>) -> Result<(), String> {
        let name = table.name;
        let keys = [(Some(table.partition_key), "HASH"), (table.sort_key, "RANGE")];
        let keys = keys.into_iter().filter_map(|(key, kind)| key.map(|key| (key, kind)));
        let (attributes, schema): (Vec<Value>, Vec<Value>) = keys
            .map(|(key, kind)| {
                let attribute = json!({ "AttributeName": key, "AttributeType": "S" });
                (attribute, json!({ "AttributeName": key, "KeyType": kind }))
            })
            .unzip();
        let made = self.answer(
            "CreateTable",
            json!({
                "TableName": name,
                "AttributeDefinitions": attributes,
                "KeySchema": schema,
                "BillingMode": "PAY_PER_REQUEST",
            }),
        );
        let expired = table.ttl.map(|attribute| {
            let specification = json!({ "AttributeName": attribute, "Enabled": true });
            self.answer("UpdateTimeToLive", json!({ "TableName": name, "TimeToLiveSpecification": specification }))
        });
        match std::iter::once(made).chain(expired).find(|answer| answer.status != 200) {
            None => Ok(()),
            Some(refused) => Err(refused.body),
        }
    }

    /// The names of all tables, in alphabetical order.
    pub fn table_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        loop {
            let answer = self.answer("ListTables", json!({ "ExclusiveStartTableName": names.last() }));
            let page: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            names.extend(
                page["TableNames"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned),
            );
            if page.get("LastEvaluatedTableName").is_none() {
                return names;
            }
        }
    }

    /// All items of a table in DynamoDB's JSON, in no order; none for a table that does not exist. Reads like this are not in the record of calls.
    pub fn items(&self, table: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let answer = self.answer("Scan", json!({ "TableName": table, "ExclusiveStartKey": start }));
            let mut page: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            if let Some(Value::Array(found)) = page.get_mut("Items").map(Value::take) {
                items.extend(found);
            }
            match page.get_mut("LastEvaluatedKey").map(Value::take) {
                Some(key) => start = Some(key),
                None => return items,
            }
        }
    }

    /// Serves one action. Answers at once: the engine is in memory and its calls are short.
    pub(crate) fn answer(&self, action: &str, request: Value) -> Answer {
        let (request, asked) = with_consumed_capacity(action, request);
        match self.dispatch(action, &request) {
            Some(Ok(response)) => succeeded(response, asked),
            Some(Err(error)) => failed(&error),
            None => Answer::unknown_action(SERVICE, action),
        }
    }

    fn dispatch(&self, action: &str, request: &Value) -> Option<Result<Value, DynoxideError>> {
        let db = &self.database;
        Some(match action {
            "CreateTable" => call(request, |request| db.create_table(request)),
            "DeleteTable" => call(request, |request| db.delete_table(request)),
            "DescribeTable" => call(request, |request| db.describe_table(request)),
            "UpdateTable" => call(request, |request| db.update_table(request)),
            "ListTables" => call(request, |request| db.list_tables(request)),
            "PutItem" => call(request, |request| db.put_item(request)),
            "GetItem" => call(request, |request| db.get_item(request)),
            "DeleteItem" => call(request, |request| db.delete_item(request)),
            "UpdateItem" => call(request, |request| db.update_item(request)),
            "Query" => call(request, |request| db.query(request)),
            "Scan" => call(request, |request| db.scan(request)),
            "BatchGetItem" => call(request, |request| db.batch_get_item(request)),
            "BatchWriteItem" => call(request, |request| db.batch_write_item(request)),
            "TransactGetItems" => call(request, |request| db.transact_get_items(request)),
            "TransactWriteItems" => call(request, |request| db.transact_write_items(request)),
            "UpdateTimeToLive" => call(request, |request| db.update_time_to_live(request)),
            "DescribeTimeToLive" => call(request, |request| db.describe_time_to_live(request)),
            "TagResource" => call(request, |request| db.tag_resource(request)),
            "UntagResource" => call(request, |request| db.untag_resource(request)),
            "ListTagsOfResource" => call(request, |request| db.list_tags_of_resource(request)),
            "ExecuteStatement" => call(request, |request| db.execute_statement(request)),
            "ExecuteTransaction" => call(request, |request| db.execute_transaction(request)),
            "BatchExecuteStatement" => call(request, |request| db.batch_execute_statement(request)),
            _ => return None,
        })
    }
}

fn call<Request, Response>(
    request: &Value,
    run: impl FnOnce(Request) -> Result<Response, DynoxideError>,
) -> Result<Value, DynoxideError>
where
    Request: DeserializeOwned,
    Response: Serialize,
{
    // From text, since the engine's own readers word their errors by what serde_json says of text.
    let request = serde_json::from_str(&request.to_string()).map_err(|error| unreadable(&error.to_string()))?;
    let response = run(request)?;
    serde_json::to_value(response).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// Sorts what the engine's readers refuse. They mark the validation errors among them; of the rest DynamoDB calls a missing, null or unknown value
/// invalid, and only a wrong JSON type unreadable.
fn unreadable(error: &str) -> DynoxideError {
    let text = error.rfind(" at line ").map_or(error, |end| &error[..end]);
    for marker in ["VALIDATION:", "VALIDATION_REQUEST:", "VALIDATION_AS_READ:"] {
        if let Some(text) = text.strip_prefix(marker) {
            return DynoxideError::ValidationException(text.to_owned());
        }
    }
    for marker in ["SERIALIZATION:", "SERIALIZATION_AS_READ:"] {
        if let Some(text) = text.strip_prefix(marker) {
            return DynoxideError::SerializationException(text.to_owned());
        }
    }
    let invalid = ["missing field", "unknown variant", "invalid type: null", "AttributeValue"];
    if invalid.iter().any(|part| text.contains(part)) {
        DynoxideError::ValidationException(text.to_owned())
    } else {
        DynoxideError::SerializationException(text.to_owned())
    }
}

/// Asks for the consumed units where the caller did not; the flag says whether the caller did.
fn with_consumed_capacity(action: &str, mut request: Value) -> (Value, bool) {
    let reports = action.contains("Item") || action.contains("Execute") || matches!(action, "Query" | "Scan");
    let Some(members) = request.as_object_mut().filter(|_| reports) else {
        return (request, true);
    };
    let asked = members.get("ReturnConsumedCapacity").is_some_and(|level| level != "NONE");
    if !asked {
        members.insert("ReturnConsumedCapacity".to_owned(), json!("TOTAL"));
    }
    (request, asked)
}

fn succeeded(mut response: Value, asked: bool) -> Answer {
    let consumed = response.get("ConsumedCapacity").map(units);
    if let Some(members) = response.as_object_mut().filter(|_| !asked) {
        members.remove("ConsumedCapacity");
    }
    Answer { consumed_units: consumed, ..Answer::ok(&response) }
}

/// The sum over one table's units or a list of them.
fn units(consumed: &Value) -> f64 {
    match consumed {
        Value::Array(tables) => tables.iter().map(units).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or(0.0),
    }
}

fn failed(error: &DynoxideError) -> Answer {
    let name = error.error_type();
    Answer {
        status: error.status_code(),
        body: error.to_json(),
        query_error: None,
        error: Some(name.rsplit('#').next().unwrap_or(name).to_owned()),
        consumed_units: None,
    }
}

/// The table a request names; of several the first. An ARN counts as the name at its end.
pub(crate) fn table_of(request: &Value) -> Option<String> {
    let first_of_transaction = || {
        let item = request["TransactItems"].as_array()?.first()?.as_object()?.values().next()?;
        item["TableName"].as_str()
    };
    let first_of_batch = || request["RequestItems"].as_object()?.keys().next().map(String::as_str);
    let name = request["TableName"].as_str().or_else(|| request["ResourceArn"].as_str());
    let name = name.or_else(first_of_transaction).or_else(first_of_batch)?;
    Some(name.rsplit('/').next().unwrap_or(name).to_owned())
}

/// The engine's view of our clock.
struct EngineClock(Clock);

impl storage_backend::Clock for EngineClock {
    fn now_unix_secs(&self) -> u64 {
        self.0.now_ms() / 1000
    }

    fn now_unix_secs_f64(&self) -> f64 {
        std::time::Duration::from_millis(self.0.now_ms()).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(dynamodb: &DynamoDb) {
        let answer = dynamodb.answer(
            "CreateTable",
            json!({
                "TableName": "state",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            }),
        );
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    #[tokio::test(start_paused = true)]
    async fn an_expired_item_is_readable_until_the_sweep_and_the_clock_is_ours() {
        let dynamodb = DynamoDb::new(Clock::virtual_from(1_700_000_000_000));
        table(&dynamodb);
        let ttl =
            json!({ "TableName": "state", "TimeToLiveSpecification": { "AttributeName": "exp", "Enabled": true } });
        assert_eq!(dynamodb.answer("UpdateTimeToLive", ttl).status, 200);
        let item = json!({ "pk": { "S": "a" }, "exp": { "N": "1700000060" } });
        dynamodb.answer("PutItem", json!({ "TableName": "state", "Item": item }));
        assert_eq!(dynamodb.sweep_ttl(), Ok(0));
        tokio::time::advance(std::time::Duration::from_secs(61)).await;
        assert_eq!(dynamodb.items("state"), [item]);
        assert_eq!(dynamodb.sweep_ttl(), Ok(1));
        assert!(dynamodb.items("state").is_empty());
    }

    #[test]
    fn units_are_known_though_not_asked_for_and_then_not_shown() {
        let dynamodb = DynamoDb::new(Clock::system());
        table(&dynamodb);
        let put = json!({ "TableName": "state", "Item": { "pk": { "S": "a" } } });
        let answer = dynamodb.answer("PutItem", put);
        assert_eq!(answer.consumed_units, Some(1.0));
        assert!(!answer.body.contains("ConsumedCapacity"));
        // An eventually consistent read of up to 4 KB is half a unit.
        let get = json!({ "TableName": "state", "Key": { "pk": { "S": "a" } }, "ReturnConsumedCapacity": "TOTAL" });
        let answer = dynamodb.answer("GetItem", get);
        assert_eq!(answer.consumed_units, Some(0.5));
        assert!(answer.body.contains("ConsumedCapacity"));
    }

    #[test]
    fn a_request_without_a_table_is_invalid_and_one_with_a_number_for_it_is_unreadable() {
        let dynamodb = DynamoDb::new(Clock::system());
        assert_eq!(dynamodb.answer("PutItem", json!({})).error.as_deref(), Some("ValidationException"));
        let answer = dynamodb.answer("PutItem", json!({ "TableName": 5, "Item": {} }));
        assert_eq!(answer.error.as_deref(), Some("SerializationException"));
    }

    #[test]
    fn an_unknown_action_says_so() {
        let answer = DynamoDb::new(Clock::system()).answer("CreateBackup", json!({}));
        assert_eq!((answer.status, answer.error.as_deref()), (400, Some("UnknownOperationException")));
    }

    #[test]
    fn all_tables_are_named() {
        let dynamodb = DynamoDb::new(Clock::system());
        table(&dynamodb);
        assert_eq!(dynamodb.table_names(), ["state"]);
        assert!(dynamodb.items("nothing").is_empty());
    }

    #[test]
    fn the_table_of_a_call_is_found_in_every_kind_of_request() {
        let requests = [
            json!({ "TableName": "state" }),
            json!({ "TableName": "arn:aws:dynamodb:us-east-1:000000000000:table/state" }),
            json!({ "RequestItems": { "state": {} } }),
            json!({ "TransactItems": [{ "Put": { "TableName": "state" } }] }),
        ];
        for request in requests {
            assert_eq!(table_of(&request).as_deref(), Some("state"), "{request}");
        }
        assert_eq!(table_of(&json!({})), None);
    }
}
