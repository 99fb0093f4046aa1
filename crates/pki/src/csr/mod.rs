//! Certificate requests (PKCS #10, RFC 2986): received ones are verified before anything else is said of them.

mod read;
mod request;

pub use request::request;

use crate::{
    alt_name::AltName,
    error::Error,
    key::{KeyKind, PublicKey},
    name::Name,
};

/// A certificate request whose signature proves that the sender holds the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csr {
    der: Vec<u8>,
    subject: Name,
    common_name: Option<String>,
    alt_names: Vec<AltName>,
    public_key: PublicKey,
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not the DER of a request.
    #[error("not the DER encoding of a PKCS #10 request")]
    NotDer,
    /// Bytes follow its end.
    #[error("bytes follow the end of the request")]
    TrailingBytes,
    /// Its signature is not by its key.
    #[error("the signature does not verify")]
    BadSignature,
    /// Its signature algorithm is none that is supported; with the object identifier.
    #[error("unsupported signature algorithm {0}")]
    UnsupportedAlgorithm(String),
    /// Its signature algorithm cannot be used with its key.
    #[error("the signature algorithm {algorithm} does not fit an {key} key")]
    KeyMismatch {
        /// The algorithm's name.
        algorithm: &'static str,
        /// The key's kind.
        key: KeyKind,
    },
    /// Its key is of a kind that is not supported.
    #[error("unsupported key: {0}")]
    UnsupportedKey(String),
    /// Its key is damaged, such as a point off its curve.
    #[error("invalid {0} key")]
    InvalidKey(&'static str),
    /// Its RSA key is shorter than 2048 bits.
    #[error("RSA key of {0} bits is too small: 2048 bits is the least")]
    RsaTooSmall(usize),
    /// Its RSA key is longer than 8192 bits.
    #[error("RSA key of {0} bits is too large: 8192 bits is the most")]
    RsaTooLarge(usize),
    /// Its RSA exponent is even, below 65537 or above 2^31.
    #[error("RSA public exponent must be odd, at least 65537 and below 2^31")]
    RsaExponent,
    /// It has more than one extensionRequest attribute.
    #[error("more than one extensionRequest attribute")]
    DuplicateExtensionRequest,
    /// It asks for one extension twice; with the object identifier.
    #[error("the extension {0} is requested twice")]
    DuplicateExtension(String),
    /// Its alternative names cannot be read; with the reason.
    #[error("unreadable subject alternative names: {0}")]
    AltNames(Box<Error>),
    /// Its subject holds what is no text, or a NUL.
    #[error("the subject holds an attribute that is not clean text")]
    Subject,
    /// Its subject has more than one common name.
    #[error("the subject has more than one common name")]
    SeveralCommonNames,
}

impl Csr {
    /// Reads a request and checks its signature.
    ///
    /// # Errors
    /// [`Error::Csr`] with what is wrong.
    pub fn verify(der: &[u8]) -> Result<Self, Error> {
        Ok(read::verify(der)?)
    }

    /// The common name of the subject; an empty one counts as none.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// All alternative names that are asked for, of every kind, as they were written.
    #[must_use]
    pub fn alt_names(&self) -> &[AltName] {
        &self.alt_names
    }

    /// The key to be certified.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The subject as it was sent.
    #[must_use]
    pub const fn subject(&self) -> &Name {
        &self.subject
    }

    /// The bytes of the request.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}
