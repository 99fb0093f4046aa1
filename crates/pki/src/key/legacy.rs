//! Keys encrypted in PEM itself (RFC 1423 §1.1), as OpenSSL once did and `step ca init` still does.

use data_encoding::HEXLOWER_PERMISSIVE;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::encryption::decrypt_cbc;
use crate::{error::Error, pem::Block};

/// Whether the block is marked as encrypted.
pub(super) fn is_encrypted(block: &Block) -> bool {
    block
        .header("Proc-Type")
        .is_some_and(|value| value.replace(' ', "").ends_with(",ENCRYPTED"))
}

/// The DER inside an encrypted block.
pub(super) fn open(block: &Block, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let header = block
        .header("DEK-Info")
        .ok_or(Error::Pem("an encrypted block has no DEK-Info"))?;
    let (cipher, iv) = header
        .split_once(',')
        .ok_or(Error::Pem("a broken DEK-Info"))?;
    let key_len = match cipher.trim() {
        "AES-128-CBC" => 16,
        "AES-192-CBC" => 24,
        "AES-256-CBC" => 32,
        other => return Err(Error::UnsupportedEncryption(other.to_owned())),
    };
    let iv = HEXLOWER_PERMISSIVE
        .decode(iv.trim().as_bytes())
        .ok()
        .and_then(|iv| <[u8; 16]>::try_from(iv).ok());
    let iv = iv.ok_or(Error::Pem("a broken DEK-Info"))?;
    decrypt_cbc(&derive(password, &iv[..8], key_len), &iv, &block.der)
}

/// OpenSSL's EVP_BytesToKey with MD5 and one iteration.
fn derive(password: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    let mut last: Option<Zeroizing<[u8; 16]>> = None;
    while key.len() < length {
        let mut hash = Md5::new();
        if let Some(last) = &last {
            hash.update(last.as_slice());
        }
        hash.update(password);
        hash.update(salt);
        let block = Zeroizing::new(<[u8; 16]>::from(hash.finalize()));
        key.extend_from_slice(block.as_slice());
        last = Some(block);
    }
    key.truncate(length);
    key
}
