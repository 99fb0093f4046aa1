//! Encryption under a password: PBES2 JWE (RFC 7516, RFC 7518 §4.8), as provisioner keys are kept.

use aws_lc_rs::{
    aead::{self, AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    key_wrap::{AES_128, AES_256, AesKek, KeyWrap},
    pbkdf2::{self, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512},
};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    error::Error,
    key::{derive, nonzero},
};

/// The random bytes of one encryption.
#[derive(Clone)]
pub struct Pbes2Random {
    /// The salt of the key derivation.
    pub salt: [u8; 16],
    /// The content encryption key.
    pub cek: [u8; 32],
    /// The nonce of AES-GCM.
    pub iv: [u8; 12],
}

/// More is refused when reading, as go-jose does: the sender chooses the count.
pub const MOST_ITERATIONS: u32 = 1_000_000;

/// Encrypts a private JWK under a password: PBES2-HS256+A128KW and A256GCM, compact, with the header that
/// `step` writes.
///
/// # Errors
/// [`Error::UnsupportedEncryption`] when `iterations` is 0 or above [`MOST_ITERATIONS`].
pub fn encrypt(
    plaintext: &[u8],
    password: &[u8],
    random: &Pbes2Random,
    iterations: u32,
) -> Result<String, Error> {
    let failed = |_| Error::Crypto("JWE");
    let salt = BASE64URL_NOPAD.encode(&random.salt);
    let header = format!(
        r#"{{"alg":"PBES2-HS256+A128KW","cty":"jwk+json","enc":"A256GCM","p2c":{iterations},"p2s":"{salt}"}}"#
    );
    let header = BASE64URL_NOPAD.encode(header.as_bytes());
    let scheme = scheme("PBES2-HS256+A128KW")?;
    let kek = scheme.key_encryption_key(password, &random.salt, iterations)?;
    let mut wrapped = vec![0; random.cek.len() + 8];
    kek.wrap(&random.cek, &mut wrapped).map_err(failed)?;

    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &random.cek).map_err(failed)?);
    let mut ciphertext = plaintext.to_vec();
    let nonce = Nonce::assume_unique_for_key(random.iv);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut ciphertext);
    let tag = tag.map_err(failed)?;
    let b64 = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let [wrapped, iv, ciphertext, tag] = [
        b64(&wrapped),
        b64(&random.iv),
        b64(&ciphertext),
        b64(tag.as_ref()),
    ];
    Ok(format!("{header}.{wrapped}.{iv}.{ciphertext}.{tag}"))
}

/// Decrypts a JWE, compact or flattened JSON. Reads PBES2-HS256+A128KW and PBES2-HS512+A256KW with
/// A128GCM and A256GCM.
///
/// # Errors
/// [`Error::Jwe`] when it is malformed, [`Error::UnsupportedEncryption`], [`Error::WrongPassword`].
pub fn decrypt(compact_or_json: &str, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let parts = Parts::parse(compact_or_json.trim())?;
    let header = decode(&parts.protected)?;
    let header: Header =
        serde_json::from_slice(&header).map_err(|_| Error::Jwe("a broken protected header"))?;
    if header.zip.is_some() || header.crit.is_some() {
        return Err(Error::UnsupportedEncryption(
            "JWE with zip or crit".to_owned(),
        ));
    }
    let content: &'static aead::Algorithm = match header.enc.as_str() {
        "A128GCM" => &AES_128_GCM,
        "A256GCM" => &AES_256_GCM,
        other => return Err(Error::UnsupportedEncryption(other.to_owned())),
    };
    let kek =
        scheme(&header.alg)?.key_encryption_key(password, &decode(&header.p2s)?, header.p2c)?;
    let wrapped = decode(&parts.encrypted_key)?;
    let mut cek = Zeroizing::new(vec![0; content.key_len()]);
    if wrapped.len() != cek.len() + 8 {
        return Err(Error::Jwe("an encrypted key of the wrong length"));
    }
    kek.unwrap(&wrapped, &mut cek)
        .map_err(|_| Error::WrongPassword)?;

    let key = LessSafeKey::new(UnboundKey::new(content, &cek).map_err(|_| Error::Crypto("JWE"))?);
    let iv = <[u8; 12]>::try_from(decode(&parts.iv)?)
        .map_err(|_| Error::Jwe("an IV of the wrong length"))?;
    let mut sealed = Zeroizing::new(decode(&parts.ciphertext)?);
    sealed.extend(decode(&parts.tag)?);
    let aad = Aad::from(parts.protected.as_bytes());
    let plaintext = key.open_in_place(Nonce::assume_unique_for_key(iv), aad, &mut sealed);
    let length = plaintext.map_err(|_| Error::WrongPassword)?.len();
    sealed.truncate(length);
    Ok(sealed)
}

struct Scheme {
    name: &'static str,
    prf: pbkdf2::Algorithm,
    key_len: usize,
}

fn scheme(alg: &str) -> Result<Scheme, Error> {
    match alg {
        "PBES2-HS256+A128KW" => Ok(Scheme {
            name: "PBES2-HS256+A128KW",
            prf: PBKDF2_HMAC_SHA256,
            key_len: 16,
        }),
        "PBES2-HS512+A256KW" => Ok(Scheme {
            name: "PBES2-HS512+A256KW",
            prf: PBKDF2_HMAC_SHA512,
            key_len: 32,
        }),
        other => Err(Error::UnsupportedEncryption(other.to_owned())),
    }
}

impl Scheme {
    fn key_encryption_key(
        &self,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
    ) -> Result<AesKek, Error> {
        let salt = [self.name.as_bytes(), &[0], salt].concat();
        let key = derive(
            self.prf,
            nonzero(iterations, MOST_ITERATIONS)?,
            &salt,
            password,
            self.key_len,
        );
        let cipher = if self.key_len == 16 {
            &AES_128
        } else {
            &AES_256
        };
        AesKek::new(cipher, &key).map_err(|_| Error::Crypto("JWE"))
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    enc: String,
    p2c: u32,
    p2s: String,
    zip: Option<serde_json::Value>,
    crit: Option<serde_json::Value>,
}

/// The five parts, still in base64url.
#[derive(Deserialize)]
struct Parts {
    protected: String,
    encrypted_key: String,
    iv: String,
    ciphertext: String,
    tag: String,
}

impl Parts {
    fn parse(text: &str) -> Result<Self, Error> {
        if text.starts_with('{') {
            return serde_json::from_str(text)
                .map_err(|_| Error::Jwe("not a flattened JSON object"));
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [protected, encrypted_key, iv, ciphertext, tag] =
            parts.try_into().map_err(|_| Error::Jwe("not five parts"))?;
        Ok(Self {
            protected: protected.to_owned(),
            encrypted_key: encrypted_key.to_owned(),
            iv: iv.to_owned(),
            ciphertext: ciphertext.to_owned(),
            tag: tag.to_owned(),
        })
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Error> {
    BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| Error::Jwe("a part is not base64url"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{Jwk, parse_private_jwk};

    const RANDOM: Pbes2Random = Pbes2Random {
        salt: [1; 16],
        cek: [2; 32],
        iv: [3; 12],
    };

    #[test]
    fn the_provisioner_key_of_step_opens() {
        let config: serde_json::Value =
            serde_json::from_str(include_str!("../../testdata/step/ca.json")).unwrap();
        let provisioner = &config["authority"]["provisioners"][0];
        let sealed = provisioner["encryptedKey"].as_str().unwrap();
        let json = decrypt(sealed, b"correct horse").unwrap();
        let key = parse_private_jwk(std::str::from_utf8(&json).unwrap()).unwrap();
        assert_eq!(
            Jwk::from_public_key(key.public()).thumbprint(),
            provisioner["key"]["kid"]
        );
        assert_eq!(decrypt(sealed, b"wrong"), Err(Error::WrongPassword));
    }

    #[test]
    fn the_json_form_of_step_opens() {
        let sealed = include_str!("../../testdata/step/jwk-encrypted.json");
        let json = decrypt(sealed, b"correct horse").unwrap();
        let public = Jwk::parse_text(include_str!("../../testdata/step/jwk-public.json")).unwrap();
        let key = parse_private_jwk(std::str::from_utf8(&json).unwrap()).unwrap();
        assert_eq!(Jwk::from_public_key(key.public()), public);
    }

    #[test]
    fn what_is_encrypted_is_decrypted_again_and_has_the_header_of_step() {
        let sealed = encrypt(b"secret", b"pw", &RANDOM, 1000).unwrap();
        assert_eq!(decrypt(&sealed, b"pw").unwrap().as_slice(), b"secret");
        let header = decode(sealed.split('.').next().unwrap()).unwrap();
        let wanted = r#"{"alg":"PBES2-HS256+A128KW","cty":"jwk+json","enc":"A256GCM","p2c":1000,"p2s":"AQEBAQEBAQEBAQEBAQEBAQ"}"#;
        assert_eq!(String::from_utf8(header).unwrap(), wanted);
    }

    #[test]
    fn broken_and_expensive_texts_are_refused() {
        let sealed = encrypt(b"secret", b"pw", &RANDOM, 1000).unwrap();
        let cut = sealed.rsplit_once('.').unwrap().0;
        assert_eq!(decrypt(cut, b"pw"), Err(Error::Jwe("not five parts")));
        assert!(matches!(
            encrypt(b"", b"", &RANDOM, 1_000_001),
            Err(Error::UnsupportedEncryption(_))
        ));
        let header = r#"{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":1000001,"p2s":"AQ"}"#;
        let costly = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(header.as_bytes()),
            sealed.split_once('.').unwrap().1
        );
        assert!(matches!(
            decrypt(&costly, b"pw"),
            Err(Error::UnsupportedEncryption(_))
        ));
        let mut tampered = sealed.clone();
        tampered.replace_range(
            sealed.len() - 5..sealed.len() - 4,
            if sealed.ends_with('A') { "B" } else { "-" },
        );
        assert_eq!(decrypt(&tampered, b"pw"), Err(Error::WrongPassword));
    }
}
