//! What an AWS service said, in a few words. The SDK's own text repeats whole requests and answers.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use tack_app::error_chain;

/// The service's error code and message, or where the way broke.
pub(crate) fn said<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
    SdkError<E, R>: Error,
{
    let service = match error {
        SdkError::ServiceError(service) => service.err(),
        other => return error_chain(other),
    };
    match (service.code(), service.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => "an error without a name".to_owned(),
    }
}
