//! PKCS #8 under a password: PBES2 (RFC 8018 §6.2).
//!
//! PBKDF2 with AES-CBC, what `step` and OpenSSL write, and DES-EDE3-CBC, what OpenSSL once wrote, is done with the one cryptographic library;
//! anything else, such as scrypt, is left to the `pkcs8` crate.

use aws_lc_rs::pbkdf2::{
    self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512,
};
use pkcs8::EncryptedPrivateKeyInfoRef;
use zeroize::Zeroizing;

use super::encryption::{Cipher, derive, encrypt_cbc, nonzero};
use crate::{
    asn1::{self, Cursor, Malformed},
    error::Error,
    oid,
};

/// More would make decryption unacceptably slow.
const MOST_ITERATIONS: u32 = 10_000_000;

/// The parameters of an EncryptedPrivateKeyInfo with PBKDF2 and a cipher in CBC mode.
struct Scheme<'a> {
    salt: &'a [u8],
    iterations: u32,
    prf: pbkdf2::Algorithm,
    cipher: Cipher,
    ciphertext: &'a [u8],
}

/// The PKCS #8 inside an EncryptedPrivateKeyInfo.
pub(super) fn open(der: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let Ok(scheme) = scheme(der) else {
        return open_other(der, password);
    };
    let iterations = nonzero(scheme.iterations, MOST_ITERATIONS)?;
    let key = derive(
        scheme.prf,
        iterations,
        scheme.salt,
        password,
        scheme.cipher.key_len(),
    );
    scheme.cipher.decrypt(&key, scheme.ciphertext)
}

/// An EncryptedPrivateKeyInfo: PBKDF2 with HMAC-SHA256, AES-256-CBC.
pub(super) fn seal(
    pkcs8: &[u8],
    password: &[u8],
    salt: &[u8; 16],
    iv: &[u8; 16],
    iterations: u32,
) -> Result<Vec<u8>, Error> {
    let key = derive(
        PBKDF2_HMAC_SHA256,
        nonzero(iterations, MOST_ITERATIONS)?,
        salt,
        password,
        32,
    );
    let ciphertext = encrypt_cbc(&key, iv, pkcs8)?;
    let prf = asn1::sequence(&[&asn1::oid(oid::HMAC_SHA256), &asn1::null()]);
    let kdf = asn1::sequence(&[
        &asn1::oid(oid::PBKDF2),
        &asn1::sequence(&[
            &asn1::octet_string(salt),
            &asn1::unsigned(&iterations.to_be_bytes()),
            &prf,
        ]),
    ]);
    let cipher = asn1::sequence(&[&asn1::oid(oid::AES256_CBC), &asn1::octet_string(iv)]);
    let algorithm = asn1::sequence(&[&asn1::oid(oid::PBES2), &asn1::sequence(&[&kdf, &cipher])]);
    Ok(asn1::sequence(&[
        &algorithm,
        &asn1::octet_string(&ciphertext),
    ]))
}

fn scheme(der: &[u8]) -> Result<Scheme<'_>, Malformed> {
    let mut outer = Cursor::only(der, asn1::SEQUENCE)?;
    let mut algorithm = outer.enter(asn1::SEQUENCE)?;
    let ciphertext = outer.take(asn1::OCTET_STRING)?.value;
    expect(&mut algorithm, oid::PBES2)?;
    let mut parameters = algorithm.enter(asn1::SEQUENCE)?;

    let mut kdf = parameters.enter(asn1::SEQUENCE)?;
    expect(&mut kdf, oid::PBKDF2)?;
    let mut kdf = kdf.enter(asn1::SEQUENCE)?;
    let salt = kdf.take(asn1::OCTET_STRING)?.value;
    let iterations = kdf.small()?;
    let stated_len = kdf.take_if(asn1::INTEGER)?.map(|length| length.value);
    let prf = match kdf.take_if(asn1::SEQUENCE)? {
        Some(prf) => prf_of(Cursor::new(prf.value)?.oid()?)?,
        None => PBKDF2_HMAC_SHA1,
    };

    let mut cipher = parameters.enter(asn1::SEQUENCE)?;
    let algorithm = cipher.oid()?;
    let iv = cipher.take(asn1::OCTET_STRING)?.value;
    let cipher = match algorithm {
        oid::AES128_CBC => aes(16, iv)?,
        oid::AES192_CBC => aes(24, iv)?,
        oid::AES256_CBC => aes(32, iv)?,
        oid::DES_EDE3_CBC => Cipher::DesEde3 {
            iv: iv.try_into().map_err(|_| Malformed)?,
        },
        _ => return Err(Malformed),
    };
    let is_other =
        |length: &[u8]| !matches!(length, [one] if usize::from(*one) == cipher.key_len());
    if stated_len.is_some_and(is_other) {
        return Err(Malformed);
    }
    Ok(Scheme {
        salt,
        iterations,
        prf,
        cipher,
        ciphertext,
    })
}

fn aes(key_len: usize, iv: &[u8]) -> Result<Cipher, Malformed> {
    let iv = iv.try_into().map_err(|_| Malformed)?;
    Ok(Cipher::Aes { key_len, iv })
}

fn prf_of(oid: der::asn1::ObjectIdentifier) -> Result<pbkdf2::Algorithm, Malformed> {
    match oid {
        oid::HMAC_SHA1 => Ok(PBKDF2_HMAC_SHA1),
        oid::HMAC_SHA256 => Ok(PBKDF2_HMAC_SHA256),
        oid::HMAC_SHA384 => Ok(PBKDF2_HMAC_SHA384),
        oid::HMAC_SHA512 => Ok(PBKDF2_HMAC_SHA512),
        _ => Err(Malformed),
    }
}

fn expect(cursor: &mut Cursor<'_>, oid: der::asn1::ObjectIdentifier) -> Result<(), Malformed> {
    if cursor.oid()? == oid {
        Ok(())
    } else {
        Err(Malformed)
    }
}

fn open_other(der: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| {
        Error::UnsupportedEncryption("PKCS #8 other than PBES2 with PBKDF2 or scrypt".to_owned())
    })?;
    let document = info.decrypt(password).map_err(|error| {
        if let pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm {
            oid,
        }) = error
        {
            return Error::UnsupportedEncryption(oid.to_string());
        }
        Error::WrongPassword
    })?;
    Ok(Zeroizing::new(document.as_bytes().to_vec()))
}
