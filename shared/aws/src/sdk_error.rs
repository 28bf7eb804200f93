//! What an AWS service said, in a few words. The SDK's own text repeats whole requests and answers.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;

/// The service's error code and message, or where the way broke.
pub(crate) fn said<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
    SdkError<E, R>: Error,
{
    let service = match error {
        SdkError::ServiceError(service) => service.err(),
        other => return chain(other),
    };
    match (service.code(), service.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => "an error without a name".to_owned(),
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
