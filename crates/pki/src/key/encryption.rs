//! AES-CBC with padding and PBKDF2, as PBES2, RFC 1423 and PBES2-JWE need them; DES-EDE3-CBC for old keys, which
//! is only read.

use std::num::NonZeroU32;

use aws_lc_rs::{
    cipher::{
        AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext,
        PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    iv::FixedLength,
    pbkdf2,
};
use zeroize::Zeroizing;

use crate::error::Error;

/// The cipher whose key has this length in bytes.
pub(super) fn aes(key_len: usize) -> Result<&'static Algorithm, Error> {
    match key_len {
        16 => Ok(&AES_128),
        24 => Ok(&AES_192),
        32 => Ok(&AES_256),
        _ => Err(Error::UnsupportedEncryption(format!(
            "AES with a key of {key_len} bytes"
        ))),
    }
}

pub(super) fn encrypt_cbc(key: &[u8], iv: &[u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    let failed = |_| Error::Crypto("AES-CBC");
    let key =
        UnboundCipherKey::new(aes(key.len())?, key).and_then(PaddedBlockEncryptingKey::cbc_pkcs7);
    let mut buffer = plaintext.to_vec();
    let context = EncryptionContext::Iv128(FixedLength::from(iv));
    key.map_err(failed)?
        .less_safe_encrypt(&mut buffer, context)
        .map_err(failed)?;
    Ok(buffer)
}

/// How a key is encrypted, in CBC mode with padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cipher {
    /// AES, the size by the length of the key in bytes.
    Aes { key_len: usize, iv: [u8; 16] },
    /// Triple DES with three keys.
    DesEde3 { iv: [u8; 8] },
}

impl Cipher {
    /// The length of the key in bytes.
    pub(super) const fn key_len(self) -> usize {
        match self {
            Self::Aes { key_len, .. } => key_len,
            Self::DesEde3 { .. } => 24,
        }
    }

    /// Opens what was encrypted; bad padding counts as a wrong password.
    pub(super) fn decrypt(
        self,
        key: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        match self {
            Self::Aes { iv, .. } => decrypt_cbc(key, &iv, ciphertext),
            Self::DesEde3 { iv } => {
                let context = DecryptionContext::Iv64(FixedLength::from(&iv));
                decrypt(des_ede3(), key, context, ciphertext)
            }
        }
    }
}

#[expect(
    deprecated,
    reason = "keys that were encrypted with it long ago are still in use"
)]
const fn des_ede3() -> &'static Algorithm {
    &aws_lc_rs::cipher::DES_EDE3_FOR_LEGACY_USE_ONLY
}

/// Opens what was encrypted with AES; bad padding counts as a wrong password.
pub(super) fn decrypt_cbc(
    key: &[u8],
    iv: &[u8; 16],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    decrypt(aes(key.len())?, key, context, ciphertext)
}

fn decrypt(
    algorithm: &'static Algorithm,
    key: &[u8],
    context: DecryptionContext,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let key = UnboundCipherKey::new(algorithm, key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let key = key.map_err(|_| Error::Crypto("CBC"))?;
    let plaintext = key
        .decrypt(&mut buffer, context)
        .map_err(|_| Error::WrongPassword)?;
    Ok(Zeroizing::new(plaintext.to_vec()))
}

/// PBKDF2 (RFC 8018 §5.2).
pub(crate) fn derive(
    algorithm: pbkdf2::Algorithm,
    iterations: NonZeroU32,
    salt: &[u8],
    password: &[u8],
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(vec![0; length]);
    pbkdf2::derive(algorithm, iterations, salt, password, &mut key);
    key
}

/// A count of iterations that is neither nothing nor hours.
pub(crate) fn nonzero(iterations: u32, most: u32) -> Result<NonZeroU32, Error> {
    NonZeroU32::new(iterations)
        .filter(|count| count.get() <= most)
        .ok_or_else(|| {
            Error::UnsupportedEncryption(format!(
                "{iterations} PBKDF2 iterations, at most {most} are read"
            ))
        })
}
