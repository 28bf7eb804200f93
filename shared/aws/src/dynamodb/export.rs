//! What an operator carries elsewhere or keeps: the rows as they are, tokens still encrypted. Who has the key can open
//! them in a table of the same app; who has the file alone cannot.
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>

use super::installations::DynamoInstallationStore;
use super::items::{Item, bytes, failed, number, put, read_number, read_text, text};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use tack_app::ports::StoreError;

impl DynamoInstallationStore {
    /// Every row in DynamoDB's JSON (`{"pk": {"S": "T#…"}, "ct": {"B": "…"}}`), in no order. No token is decrypted.
    ///
    /// # Errors
    /// [`StoreError`] when the table could not be read.
    pub async fn export(&self) -> Result<Vec<Value>, StoreError> {
        let mut scan = self.client.scan().table_name(&self.table);
        let mut rows = Vec::new();
        loop {
            let page = scan.clone().send().await.map_err(|error| failed(&error))?;
            for row in page.items.unwrap_or_default() {
                rows.push(written(&row)?);
            }
            match page.last_evaluated_key {
                Some(last) if !last.is_empty() => scan = scan.set_exclusive_start_key(Some(last)),
                _ => return Ok(rows),
            }
        }
    }

    /// Writes a row that [`Self::export`] gave out, unless one is there that was installed later; says whether it did.
    ///
    /// # Errors
    /// [`StoreError`] when it is no row of ours, or could not be written.
    pub async fn import_item(&self, row: &Value) -> Result<bool, StoreError> {
        let row = read(row)?;
        let time = if row.contains_key("at") { "at" } else { "ins" };
        let Some(since) = read_number(&row, time).filter(|_| is_named(&row)) else {
            return Err(StoreError { reason: "a row has no pk, sk and time: it is none of an export".to_owned() });
        };
        let write = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(row))
            .condition_expression("attribute_not_exists(pk) OR #time <= :time")
            .expression_attribute_names("#time", time)
            .expression_attribute_values(":time", number(since));
        Ok(matches!(put(write.send().await)?, super::items::Written::Yes(_)))
    }
}

fn is_named(row: &Item) -> bool {
    let pk = read_text(row, "pk").unwrap_or_default();
    tack_app::install::InstallKey::parse(pk).is_some_and(|key| key.to_string() == pk) && read_text(row, "sk").is_some()
}

/// A row as JSON. Ours hold four kinds of attributes.
fn written(row: &Item) -> Result<Value, StoreError> {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => Some(json!({ "S": text })),
        AttributeValue::N(number) => Some(json!({ "N": number })),
        AttributeValue::Bool(is) => Some(json!({ "BOOL": is })),
        AttributeValue::B(blob) => Some(json!({ "B": BASE64.encode(blob.as_ref()) })),
        _ => None,
    };
    let mut map = Map::new();
    for (name, attribute) in row {
        let attribute = value(attribute).ok_or_else(|| super::rows::unreadable(row, format_args!("{name} is odd")))?;
        map.insert(name.clone(), attribute);
    }
    Ok(Value::Object(map))
}

fn read(row: &Value) -> Result<Item, StoreError> {
    let attribute = |value: &Value| {
        let (kind, value) = value.as_object().filter(|only| only.len() == 1)?.iter().next()?;
        match (kind.as_str(), value) {
            ("S", Value::String(said)) => Some(text(said)),
            ("N", Value::String(said)) => said.parse().ok().map(number),
            ("BOOL", Value::Bool(is)) => Some(AttributeValue::Bool(*is)),
            ("B", Value::String(said)) => BASE64.decode(said).ok().map(bytes),
            _ => None,
        }
    };
    let map = row.as_object().ok_or_else(|| StoreError { reason: "a row is no JSON object".to_owned() })?;
    map.iter()
        .map(|(name, value)| {
            let value = attribute(value);
            let value = value.ok_or_else(|| StoreError { reason: format!("a row's {name} is no attribute") })?;
            Ok((name.clone(), value))
        })
        .collect()
}
