//! Keys: kinds, signature algorithms, public and private keys in all the forms they are kept in.

mod algorithm;
mod ecdsa;
mod encrypted;
mod encryption;
mod file;
mod legacy;
mod natural;
mod private;
mod public;
mod rsa;
mod sec1;
mod weak;

pub use algorithm::SignatureAlgorithm;
pub use private::PrivateKey;
pub use public::PublicKey;
pub use weak::Weakness;

pub(crate) use ecdsa::{der_to_fixed, fixed_to_der};
pub(crate) use encryption::{derive, nonzero};
pub(crate) use public::ec_spki;
pub(crate) use rsa::{CrtNumbers, pkcs1_private, rsa_spki};

/// The kinds of key that are supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// NIST P-256.
    EcP256,
    /// NIST P-384.
    EcP384,
    /// NIST P-521.
    EcP521,
    /// RSA.
    Rsa {
        /// The length of the modulus in bits.
        bits: usize,
    },
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl KeyKind {
    /// The length in bytes of a coordinate of the curve, if it is a curve of ECDSA.
    #[must_use]
    pub const fn coordinate_len(self) -> Option<usize> {
        match self {
            Self::EcP256 => Some(32),
            Self::EcP384 => Some(48),
            Self::EcP521 => Some(66),
            Self::Rsa { .. } | Self::Ed25519 => None,
        }
    }
}

impl std::fmt::Display for KeyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::EcP256 => f.write_str("EC P-256"),
            Self::EcP384 => f.write_str("EC P-384"),
            Self::EcP521 => f.write_str("EC P-521"),
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}
