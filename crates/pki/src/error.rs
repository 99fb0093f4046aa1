//! What can be wrong with bytes that claim to be a key, a certificate, a request or a JOSE object.

use crate::csr::Fault;
use crate::jose::jwk;
use crate::key::{KeyKind, Weakness};

/// The crate's error; each variant names what is wrong with the input or the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not the DER of the structure named.
    #[error("not the DER encoding of a {0}")]
    Der(&'static str),
    /// Bytes follow the end of the structure named.
    #[error("bytes follow the end of the {0}")]
    TrailingBytes(&'static str),
    /// A PEM block is broken: no end, wrong label at the end, bad base64.
    #[error("broken PEM: {0}")]
    Pem(&'static str),
    /// The text has no PEM block of the wanted kind.
    #[error("no PEM block with a {0}")]
    NoPem(&'static str),
    /// The key is encrypted and no password was given.
    #[error("the key is encrypted: a password is required")]
    PasswordRequired,
    /// The password does not decrypt the key (or the key is damaged).
    #[error("the password does not open it")]
    WrongPassword,
    /// The encryption of a key or JWE is none that is supported.
    #[error("unsupported encryption: {0}")]
    UnsupportedEncryption(String),
    /// The kind of key is none that is supported (type, curve or parameters).
    #[error("unsupported key: {0}")]
    UnsupportedKey(String),
    /// The key's numbers make no valid key, such as a point that is not on its curve.
    #[error("invalid {0} key")]
    InvalidKey(&'static str),
    /// The RSA modulus is shorter than 2048 bits.
    #[error("RSA key of {0} bits is too small: 2048 bits is the least")]
    RsaTooSmall(usize),
    /// The RSA modulus is longer than 8192 bits.
    #[error("RSA key of {0} bits is too large: 8192 bits is the most")]
    RsaTooLarge(usize),
    /// The RSA public exponent is even, below 65537 or above 2^31.
    #[error("RSA public exponent must be odd, at least 65537 and below 2^31")]
    RsaExponent,
    /// The key is of the right size, but its private half can be computed.
    #[error("the key is weak: {0}")]
    WeakKey(#[from] Weakness),
    /// The signature algorithm is none that is supported.
    #[error("unsupported signature algorithm: {0}")]
    UnsupportedSignature(String),
    /// The signature algorithm cannot be used with this key.
    #[error("{algorithm} does not fit an {key} key")]
    KeyMismatch {
        /// The algorithm's display name.
        algorithm: &'static str,
        /// The key it was to be used with.
        key: KeyKind,
    },
    /// The signature is not that of the message by the key.
    #[error("the signature does not verify")]
    BadSignature,
    /// The cryptographic library refused an operation that should not fail.
    #[error("the cryptographic library failed: {0}")]
    Crypto(&'static str),
    /// A name, alternative name or attribute holds what it may not.
    #[error("invalid name: {0}")]
    Name(&'static str),
    /// A serial number is zero or longer than 20 bytes.
    #[error("a serial number must be positive and at most 20 bytes long")]
    Serial,
    /// A time cannot be read, or cannot be written in a certificate.
    #[error("time not representable in a certificate")]
    Time,
    /// A certificate request was refused.
    #[error("certificate request: {0}")]
    Csr(#[from] Fault),
    /// A JWK was refused.
    #[error("JWK: {0}")]
    Jwk(#[from] jwk::Fault),
    /// A JWE is malformed.
    #[error("JWE: {0}")]
    Jwe(&'static str),
    /// A JOSE header to be signed cannot be written.
    #[error("JOSE header: {0}")]
    Jose(&'static str),
}
