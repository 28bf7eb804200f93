//! What Parameter Store refuses, with the names it refuses by.
//! Not here: which check raises which error.
//! Invariant: no text holds a value, since callers log what they are told.
//! Sources: the error lists of <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html> and
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>.

use crate::kms::KmsError;

/// A refusal by Parameter Store. The text is for people; [`SsmError::code`] is for programs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SsmError {
    /// No such parameter.
    #[error("The parameter {0} could not be found.")]
    ParameterNotFound(String),
    /// The parameter exists, and it was not asked to be overwritten.
    #[error("The parameter {0} already exists. To overwrite its value, set Overwrite.")]
    ParameterAlreadyExists(String),
    /// The parameter exists with another type.
    #[error("The type of the parameter {0} cannot be changed.")]
    HierarchyTypeMismatch(String),
    /// A type that there is none of.
    #[error("{0} is not a parameter's type: String, StringList, SecureString.")]
    UnsupportedParameterType(String),
    /// The key of a SecureString cannot be used.
    #[error("The key cannot be used: {0}")]
    InvalidKeyId(KmsError),
    /// A parameter of the request that is missing or has a value it cannot have.
    #[error("{0}")]
    Validation(String),
}

impl SsmError {
    /// The error code, such as `ParameterNotFound`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ParameterNotFound(_) => "ParameterNotFound",
            Self::ParameterAlreadyExists(_) => "ParameterAlreadyExists",
            Self::HierarchyTypeMismatch(_) => "HierarchyTypeMismatchException",
            Self::UnsupportedParameterType(_) => "UnsupportedParameterType",
            Self::InvalidKeyId(_) => "InvalidKeyId",
            Self::Validation(_) => "ValidationException",
        }
    }
}
