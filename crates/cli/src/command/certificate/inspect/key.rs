//! The numbers of a public key.

use pki::{KeyKind, PublicKey};

/// What a key consists of; numbers are big-endian without leading zeros.
pub(crate) enum Numbers {
    /// A point on a curve.
    Point {
        /// Its first coordinate.
        x: Vec<u8>,
        /// Its second coordinate.
        y: Vec<u8>,
        /// The size of the field in bits.
        bits: usize,
    },
    /// Modulus and exponent.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The exponent.
        exponent: u64,
    },
    /// The bytes themselves.
    Bytes(Vec<u8>),
}

/// The numbers of `key`.
pub(crate) fn numbers(key: &PublicKey) -> Numbers {
    if let Some((modulus, exponent)) = key.rsa_numbers() {
        return Numbers::Rsa {
            modulus: trim(modulus),
            exponent: exponent
                .iter()
                .fold(0, |sum, byte| (sum << 8) | u64::from(*byte)),
        };
    }
    let bits = match key.kind() {
        KeyKind::EcP256 => 256,
        KeyKind::EcP384 => 384,
        KeyKind::EcP521 => 521,
        KeyKind::Rsa { bits } => bits,
        KeyKind::Ed25519 => 256,
    };
    match key.ec_coordinates() {
        Some((x, y)) => Numbers::Point {
            x: trim(x),
            y: trim(y),
            bits,
        },
        None => Numbers::Bytes(key.subject_public_key().to_vec()),
    }
}

fn trim(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number[zeros..].to_vec()
}
