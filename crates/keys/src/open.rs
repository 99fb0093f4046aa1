//! Opens a private key wherever its URI says that it is kept.

use std::path::Path;

use ca::config::KeyUri;
use zeroize::Zeroizing;

use crate::{Error, FileSigner, Signer, file};

/// Opens the private key that a path or URI names (see [`KeyUri`]). `password` is asked only for
/// a key that is encrypted; it gets the key's file.
///
/// # Errors
/// When keys cannot be kept there yet, the file cannot be read or is no private key, or the
/// password is wrong; and whatever `password` fails with.
pub fn open<E: From<Error>>(
    uri: &str,
    password: impl FnOnce(&Path) -> Result<Zeroizing<Vec<u8>>, E>,
) -> Result<Box<dyn Signer>, E> {
    let KeyUri::File(path) = KeyUri::parse(uri).map_err(Error::from)?;
    let password = match file::is_encrypted(&path)? {
        true => Some(password(&path)?),
        false => None,
    };
    let password = password.as_ref().map(|bytes| bytes.as_slice());
    Ok(Box::new(FileSigner::open(&path, password)?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pki::KeyKind;

    use super::*;
    use crate::{generate, random, suite};

    fn nobody(_: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
        panic!("no password is needed")
    }

    #[test]
    fn a_key_opens_by_its_path_and_by_the_uris_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = generate(KeyKind::EcP256).ok().unwrap();
        fs::write(&path, key.to_pem()).unwrap();
        let path = path.display();
        for uri in [
            format!("{path}"),
            format!("file:{path}"),
            format!("softkms:{path}"),
        ] {
            let signer = open(&uri, nobody).ok().unwrap();
            assert_eq!(signer.public_key(), key.public(), "{uri}");
            suite::check(signer.as_ref());
        }
    }

    #[test]
    fn the_password_is_asked_for_an_encrypted_key_and_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = generate(KeyKind::EcP256).ok().unwrap();
        let pem = key.to_encrypted_pem(b"password", &random(), &random(), 1000);
        fs::write(&path, pem.unwrap()).unwrap();
        let uri = format!("file:{}", path.display());
        let signer = open(&uri, |asked| {
            assert_eq!(asked, path);
            Ok::<_, Error>(Zeroizing::new(b"password".to_vec()))
        });
        assert_eq!(signer.ok().unwrap().public_key(), key.public());
        let wrong = open(&uri, |_| Ok::<_, Error>(Zeroizing::new(b"x".to_vec())));
        assert!(matches!(wrong.err(), Some(Error::WrongPassword { .. })));
    }

    #[test]
    fn a_scheme_that_is_not_supported_yet_is_named_with_what_to_do() {
        let error = open("pkcs11:token=ca", nobody).err().unwrap();
        assert_eq!(
            error.to_string(),
            "keys in pkcs11: are not supported yet; name a key file"
        );
    }
}
