//! AES-CBC with padding and PBKDF2, as PBES2, RFC 1423 and PBES2-JWE need them.

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

/// Opens what was encrypted; bad padding counts as a wrong password.
pub(super) fn decrypt_cbc(
    key: &[u8],
    iv: &[u8; 16],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let key =
        UnboundCipherKey::new(aes(key.len())?, key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let key = key.map_err(|_| Error::Crypto("AES-CBC"))?;
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
