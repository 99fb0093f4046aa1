//! Where private keys are kept: [`open`] returns a [`Signer`] for each place, and [`CertificateSigner`]
//! is the one that signs certificates with it. Also the process's source of random bytes, new keys
//! and new passwords.
//!
//! Not here: what may be signed. The `ca` crate decides that, and the signer takes nothing else.

pub mod authority;
pub mod file;
pub mod password;

mod certificate_signer;
mod error;
mod generate;
mod open;
#[cfg(test)]
mod suite;

pub use certificate_signer::CertificateSigner;
pub use error::Error;
pub use file::FileSigner;
pub use generate::{generate, random};
pub use open::open;

use pki::{PublicKey, SignatureAlgorithm};

/// A private key that signs, wherever it is kept.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// The signature algorithm.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Signs a message; the signature has the form of X.509.
    ///
    /// # Errors
    /// When the key's device or service fails.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error>;

    /// Whether a signature takes so long (a network, a token) that it must not block a thread that
    /// serves other requests.
    fn is_slow(&self) -> bool {
        false
    }
}
