//! Private keys as PEM: every form they are kept in, with and without a password.

use zeroize::Zeroizing;

use super::{PrivateKey, encrypted, legacy};
use crate::{
    error::Error,
    pem::{self, Block},
};

impl PrivateKey {
    /// Reads the first private key of a PEM text: PKCS #8 with or without PBES2, SEC 1, PKCS #1, and the
    /// latter two encrypted as RFC 1423 does.
    ///
    /// # Errors
    /// [`Error::NoPem`], [`Error::PasswordRequired`], [`Error::WrongPassword`],
    /// [`Error::UnsupportedEncryption`], and those of [`Self::from_pkcs8_der`].
    pub fn from_pem(text: &[u8], password: Option<&[u8]>) -> Result<Self, Error> {
        let block = key_block(text)?;
        let damaged = |error: Error| {
            if matches!(error, Error::Der(_) | Error::InvalidKey(_)) {
                Error::WrongPassword
            } else {
                error
            }
        };
        if block.label == "ENCRYPTED PRIVATE KEY" {
            let der = encrypted::open(&block.der, password.ok_or(Error::PasswordRequired)?)?;
            return Self::from_pkcs8_der(&der).map_err(damaged);
        }
        if legacy::is_encrypted(&block) {
            let der = legacy::open(&block, password.ok_or(Error::PasswordRequired)?)?;
            return Self::from_labelled(&block.label, &der).map_err(damaged);
        }
        Self::from_labelled(&block.label, &block.der)
    }

    /// Whether the first private key of a PEM text needs a password.
    ///
    /// # Errors
    /// [`Error::NoPem`] and [`Error::Pem`].
    pub fn is_encrypted_pem(text: &[u8]) -> Result<bool, Error> {
        let block = key_block(text)?;
        Ok(block.label == "ENCRYPTED PRIVATE KEY" || legacy::is_encrypted(&block))
    }

    /// The key as `ENCRYPTED PRIVATE KEY`: PBES2, PBKDF2 with HMAC-SHA256, AES-256-CBC.
    ///
    /// # Errors
    /// [`Error::UnsupportedEncryption`] when `iterations` is 0 or above ten million.
    pub fn to_encrypted_pem(
        &self,
        password: &[u8],
        salt: &[u8; 16],
        iv: &[u8; 16],
        iterations: u32,
    ) -> Result<Zeroizing<String>, Error> {
        let der = encrypted::seal(&self.to_pkcs8_der(), password, salt, iv, iterations)?;
        Ok(Zeroizing::new(pem::encode("ENCRYPTED PRIVATE KEY", &der)))
    }

    fn from_labelled(label: &str, der: &[u8]) -> Result<Self, Error> {
        match label {
            "EC PRIVATE KEY" => Self::from_sec1_der(der),
            "RSA PRIVATE KEY" => Self::from_pkcs1_der(der),
            _ => Self::from_pkcs8_der(der),
        }
    }
}

fn key_block(text: &[u8]) -> Result<Block, Error> {
    let found = pem::parse(text)?
        .into_iter()
        .find(|block| block.label.ends_with("PRIVATE KEY"));
    let block = found.ok_or(Error::NoPem("private key"))?;
    match block.label.as_str() {
        "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => Ok(block),
        other => Err(Error::UnsupportedKey(format!("PEM block {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;

    const PASSWORD: Option<&[u8]> = Some(b"correct horse");

    macro_rules! file {
        ($name:literal) => {
            include_bytes!(concat!("../../testdata/", $name)).as_slice()
        };
    }

    fn key(text: &[u8]) -> PrivateKey {
        PrivateKey::from_pem(text, None).unwrap()
    }

    fn error(text: &[u8], password: Option<&[u8]>) -> Error {
        PrivateKey::from_pem(text, password).err().unwrap()
    }

    #[test]
    fn keys_under_a_password_are_opened() {
        let p256 = key(file!("openssl/p256.key"));
        let sealed = [
            file!("openssl/pbes2-aes128-sha1.key"),
            file!("openssl/pbes2-aes192-sha512.key"),
            file!("openssl/pbes2-aes256-sha256.key"),
            file!("openssl/scrypt.key"),
            file!("openssl/rfc1423-aes128.key"),
            file!("openssl/rfc1423-aes192.key"),
            file!("openssl/rfc1423-aes256.key"),
            file!("openssl/rfc1423-des3.key"),
            file!("openssl/pbes2-des3-sha256.key"),
            file!("openssl/pbes2-des3-sha1.key"),
        ];
        for text in sealed {
            assert_eq!(PrivateKey::is_encrypted_pem(text), Ok(true));
            assert_eq!(
                PrivateKey::from_pem(text, PASSWORD).unwrap().public(),
                p256.public()
            );
            assert_eq!(error(text, Some(b"wrong")), Error::WrongPassword);
            assert_eq!(error(text, None), Error::PasswordRequired);
        }
        assert_eq!(
            PrivateKey::is_encrypted_pem(file!("openssl/p256.key")),
            Ok(false)
        );
    }

    #[test]
    fn keys_encrypted_by_step_are_opened() {
        let root = crate::Certificate::from_pem(file!("step/root_ca.crt")).unwrap();
        let opened = PrivateKey::from_pem(file!("step/root_ca_key"), PASSWORD).unwrap();
        assert_eq!(opened.public(), root.public_key().unwrap());
        for (text, kind) in [
            (file!("step/ed25519-encrypted.key"), KeyKind::Ed25519),
            (file!("step/rsa-encrypted.key"), KeyKind::Rsa { bits: 2048 }),
        ] {
            assert_eq!(PrivateKey::from_pem(text, PASSWORD).unwrap().kind(), kind);
        }
    }

    #[test]
    fn encryption_that_is_not_supported_is_named() {
        let text = String::from_utf8(file!("openssl/rfc1423-des3.key").to_vec()).unwrap();
        let old = error(text.replace("DES-EDE3-CBC", "DES-CBC").as_bytes(), PASSWORD);
        assert_eq!(old, Error::UnsupportedEncryption("DES-CBC".into()));
        assert!(matches!(
            error(file!("openssl/pbes1.key"), PASSWORD),
            Error::UnsupportedEncryption(_)
        ));
        assert_eq!(
            error(file!("step/root_ca.crt"), None),
            Error::NoPem("private key")
        );
    }

    #[test]
    fn what_is_sealed_is_opened_again() {
        for text in [
            file!("step/ec.key"),
            file!("step/rsa.key"),
            file!("step/ed25519.key"),
        ] {
            let sealed = key(text)
                .to_encrypted_pem(b"pw", &[1; 16], &[2; 16], 1000)
                .unwrap();
            let opened = PrivateKey::from_pem(sealed.as_bytes(), Some(b"pw")).unwrap();
            assert_eq!(opened.to_pkcs8_der(), key(text).to_pkcs8_der());
            assert_eq!(error(sealed.as_bytes(), Some(b"pW")), Error::WrongPassword);
        }
    }
}
