//! Items and their attributes, and what became of a conditional write.
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html>

use crate::sdk_error;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemError, DeleteItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use std::error::Error;
use tack_app::ports::StoreError;

/// An item, by attribute.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// What became of a conditional write.
pub(crate) enum Written {
    /// It was done; the item as the operation returns it, empty unless it was asked for.
    Yes(Item),
    /// The condition failed; the item as it is, empty if there is none.
    No(Item),
}

/// An UpdateItem that asked for ALL_OLD on a failed condition.
pub(crate) fn updated(result: Result<UpdateItemOutput, SdkError<UpdateItemError>>) -> Result<Written, StoreError> {
    match result {
        Ok(output) => Ok(Written::Yes(output.attributes.unwrap_or_default())),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Written::No(failed.item.clone().unwrap_or_default()))
            }
            _ => Err(failed(&error)),
        },
    }
}

/// A PutItem that asked for ALL_OLD on a failed condition.
pub(crate) fn put(result: Result<PutItemOutput, SdkError<PutItemError>>) -> Result<Written, StoreError> {
    match result {
        Ok(output) => Ok(Written::Yes(output.attributes.unwrap_or_default())),
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Written::No(failed.item.clone().unwrap_or_default()))
            }
            _ => Err(failed(&error)),
        },
    }
}

/// A DeleteItem that asked for ALL_OLD on a failed condition.
pub(crate) fn deleted(result: Result<DeleteItemOutput, SdkError<DeleteItemError>>) -> Result<Written, StoreError> {
    match result {
        Ok(output) => Ok(Written::Yes(output.attributes.unwrap_or_default())),
        Err(error) => match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Written::No(failed.item.clone().unwrap_or_default()))
            }
            _ => Err(failed(&error)),
        },
    }
}

/// What the service said, without the request.
pub(crate) fn failed<E, R>(error: &SdkError<E, R>) -> StoreError
where
    E: aws_sdk_dynamodb::error::ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
    SdkError<E, R>: Error,
{
    StoreError { reason: sdk_error::said(error) }
}

pub(crate) fn is(item: &Item, name: &str, wanted: &str) -> bool {
    read_text(item, name).is_some_and(|value| value == wanted)
}

pub(crate) fn read_text<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn read_number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(crate) fn read_bytes<'i>(item: &'i Item, name: &str) -> Option<&'i [u8]> {
    item.get(name)?.as_b().ok().map(AsRef::as_ref)
}

pub(crate) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(crate) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn bytes(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}
