//! Keys in files: PKCS #8, PBES2, SEC 1, PKCS #1, and the latter two encrypted as in RFC 1423.

use std::fs;
use std::path::Path;

use pki::{PrivateKey, PublicKey, SignatureAlgorithm};
use zeroize::Zeroizing;

use crate::{Error, Signer};

/// A private key that was read from a file and is kept in memory.
pub struct FileSigner {
    key: PrivateKey,
    algorithm: SignatureAlgorithm,
}

impl FileSigner {
    /// Opens the key in a file.
    ///
    /// # Errors
    /// When the file cannot be read, is no private key, or is encrypted and the password is
    /// missing or wrong.
    pub fn open(path: impl AsRef<Path>, password: Option<&[u8]>) -> Result<Self, Error> {
        read(path.as_ref(), password).map(Self::from)
    }

    /// A signer with a copy of a key that is needed elsewhere, too.
    ///
    /// # Errors
    /// When the key cannot be encoded.
    pub fn copy_of(key: &PrivateKey) -> Result<Self, Error> {
        let copy = PrivateKey::from_pkcs8_der(&key.to_pkcs8_der())?;
        Ok(Self::from(copy))
    }
}

/// Reads the private key in a file.
///
/// # Errors
/// As [`FileSigner::open`].
pub fn read(path: &Path, password: Option<&[u8]>) -> Result<PrivateKey, Error> {
    let text = contents(path)?;
    PrivateKey::from_pem(&text, password).map_err(|error| named(path, error))
}

/// Whether the key in a file is encrypted, so that a password has to be asked for.
///
/// # Errors
/// When the file cannot be read or is no private key.
pub fn is_encrypted(path: &Path) -> Result<bool, Error> {
    let text = contents(path)?;
    PrivateKey::is_encrypted_pem(&text).map_err(|error| named(path, error))
}

impl From<PrivateKey> for FileSigner {
    fn from(key: PrivateKey) -> Self {
        Self {
            algorithm: key.default_signature(),
            key,
        }
    }
}

impl Signer for FileSigner {
    fn public_key(&self) -> &PublicKey {
        self.key.public()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.key.sign(self.algorithm, message)?)
    }
}

fn contents(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| Error::open(path, &error))
}

fn named(path: &Path, error: pki::Error) -> Error {
    let path = path.display().to_string();
    if error == pki::Error::PasswordRequired {
        Error::PasswordRequired { path }
    } else if error == pki::Error::WrongPassword {
        Error::WrongPassword { path }
    } else {
        Error::Parse {
            path,
            reason: error,
        }
    }
}

#[cfg(test)]
mod tests;
