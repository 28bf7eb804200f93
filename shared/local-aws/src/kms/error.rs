//! What KMS refuses, with the names it refuses by.
//! Not here: which check raises which error.
//! Invariant: no text holds a plaintext, a ciphertext or an encryption context, since callers log what they are told.
//! Source: the error lists of <https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html>.

/// A refusal by KMS. The text is for people; [`KmsError::code`] is for programs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KmsError {
    /// No such key or alias.
    #[error("{0} does not exist.")]
    NotFound(String),
    /// The key is switched off.
    #[error("{0} is disabled.")]
    Disabled(String),
    /// The ciphertext was tampered with or is none of KMS's, or the encryption context is not the one it was made with.
    #[error("The ciphertext or its encryption context is corrupted, missing or otherwise invalid.")]
    InvalidCiphertext,
    /// The ciphertext names a key that is not in this account, such as one of an earlier run.
    #[error(
        "The ciphertext refers to a key that does not exist, does not exist in this region, or is not yours to use."
    )]
    AccessDenied,
    /// The ciphertext was made under another key than the one named.
    #[error("The key named is not the one that the ciphertext was made with.")]
    IncorrectKey,
    /// The key cannot do this: another algorithm than the symmetric default.
    #[error("{0}")]
    InvalidKeyUsage(String),
    /// The alias is taken.
    #[error("An alias with the name {0} already exists.")]
    AlreadyExists(String),
    /// Not an alias's name, or a reserved one.
    #[error("{0} is no alias that a customer can have.")]
    InvalidAliasName(String),
    /// A parameter that is missing, too long or too short.
    #[error("1 validation error detected: {0}")]
    Validation(String),
    /// A kind of key that there is none of here.
    #[error("{0}")]
    UnsupportedOperation(String),
    /// This machine's randomness or cipher failed.
    #[error("KMS failed internally.")]
    Internal,
}

impl KmsError {
    /// The error code, such as `InvalidCiphertextException`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "NotFoundException",
            Self::Disabled(_) => "DisabledException",
            Self::InvalidCiphertext => "InvalidCiphertextException",
            Self::AccessDenied => "AccessDeniedException",
            Self::IncorrectKey => "IncorrectKeyException",
            Self::InvalidKeyUsage(_) => "InvalidKeyUsageException",
            Self::AlreadyExists(_) => "AlreadyExistsException",
            Self::InvalidAliasName(_) => "InvalidAliasNameException",
            Self::Validation(_) => "ValidationException",
            Self::UnsupportedOperation(_) => "UnsupportedOperationException",
            Self::Internal => "KMSInternalException",
        }
    }

    pub(super) fn status(&self) -> u16 {
        if *self == Self::Internal { 500 } else { 400 }
    }
}
