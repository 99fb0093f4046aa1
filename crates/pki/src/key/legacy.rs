//! Keys encrypted in PEM itself (RFC 1423 §1.1), as OpenSSL once did and `step ca init` still does.

use data_encoding::HEXLOWER_PERMISSIVE;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::encryption::Cipher;
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
    let (cipher, iv) = header.split_once(',').ok_or(BROKEN)?;
    let iv = HEXLOWER_PERMISSIVE.decode(iv.trim().as_bytes());
    let iv = iv.map_err(|_| BROKEN)?;
    let cipher = match cipher.trim() {
        "AES-128-CBC" => aes(16, &iv)?,
        "AES-192-CBC" => aes(24, &iv)?,
        "AES-256-CBC" => aes(32, &iv)?,
        "DES-EDE3-CBC" => Cipher::DesEde3 { iv: exactly(&iv)? },
        other => return Err(Error::UnsupportedEncryption(other.to_owned())),
    };
    let key = derive(password, &iv[..SALT], cipher.key_len());
    cipher.decrypt(&key, &block.der)
}

fn aes(key_len: usize, iv: &[u8]) -> Result<Cipher, Error> {
    let iv = exactly(iv)?;
    Ok(Cipher::Aes { key_len, iv })
}

fn exactly<const N: usize>(iv: &[u8]) -> Result<[u8; N], Error> {
    iv.try_into().map_err(|_| BROKEN)
}

const BROKEN: Error = Error::Pem("a broken DEK-Info");
/// The first octets of the IV are the salt of the key.
const SALT: usize = 8;

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
