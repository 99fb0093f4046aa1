//! Keys in files: every form, and the errors.

use std::fs;
use std::time::Instant;

use pki::KeyKind;

use super::*;
use crate::{generate, random, suite};

const REAL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../ca/testdata/written-by-step"
);

fn encrypted(key: &PrivateKey, iterations: u32) -> Zeroizing<String> {
    key.to_encrypted_pem(b"password", &random(), &random(), iterations)
        .unwrap()
}

#[test]
fn every_kind_of_key_passes_the_suite_in_every_form_we_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    for kind in [
        KeyKind::EcP256,
        KeyKind::EcP384,
        KeyKind::EcP521,
        KeyKind::Ed25519,
        KeyKind::Rsa { bits: 2048 },
    ] {
        let key = generate(kind).ok().unwrap();
        fs::write(&path, key.to_pem()).unwrap();
        assert!(!is_encrypted(&path).unwrap());
        suite::check(&FileSigner::open(&path, None).ok().unwrap());
        fs::write(&path, encrypted(&key, 1000)).unwrap();
        assert!(is_encrypted(&path).unwrap());
        let signer = FileSigner::open(&path, Some(b"password")).ok().unwrap();
        assert_eq!(signer.public_key(), key.public());
        suite::check(&signer);
    }
}

#[test]
fn key_files_of_smallsteps_step_open() {
    for name in ["root_ca", "intermediate_ca"] {
        let path = format!("{REAL}/{name}_key");
        let signer = FileSigner::open(&path, Some(b"password")).ok().unwrap();
        let crt = fs::read(format!("{REAL}/{name}.crt")).unwrap();
        let certificate = pki::Certificate::from_pem(&crt).unwrap();
        assert_eq!(certificate.public_key().unwrap(), signer.public_key());
        suite::check(&signer);
    }
    suite::check(
        &FileSigner::open(format!("{REAL}/leaf_rsa.key"), None)
            .ok()
            .unwrap(),
    );
}

#[test]
fn a_wrong_password_is_reported_in_the_message_that_scripts_know() {
    let real = format!("{REAL}/intermediate_ca_key");
    let folder = tempfile::tempdir().unwrap();
    let ours = folder.path().join("key").display().to_string();
    let key = generate(KeyKind::EcP256).ok().unwrap();
    fs::write(&ours, encrypted(&key, 1000)).unwrap();
    for path in [real, ours] {
        let error = FileSigner::open(&path, Some(b"wrong")).err().unwrap();
        assert_eq!(
            error.to_string(),
            format!("error decrypting {path}: x509: decryption password incorrect")
        );
        let error = FileSigner::open(&path, None).err();
        assert_eq!(error, Some(Error::PasswordRequired { path }));
    }
}

#[test]
fn a_file_that_is_missing_or_no_key_is_named() {
    let missing = FileSigner::open("/nonexistent/key", None).err().unwrap();
    assert_eq!(
        missing.to_string(),
        "open /nonexistent/key failed: no such file or directory"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "nothing").unwrap();
    let error = FileSigner::open(&path, None).err().unwrap();
    let words = format!("error parsing {}: ", path.display());
    assert!(error.to_string().starts_with(&words), "{error}");
}

/// Prints how long a start with an encrypted key waits; there is no limit to fail.
#[test]
fn a_key_of_six_hundred_thousand_rounds_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let key = generate(KeyKind::EcP256).ok().unwrap();
    fs::write(&path, encrypted(&key, 600_000)).unwrap();
    let begin = Instant::now();
    let signer = FileSigner::open(&path, Some(b"password")).ok().unwrap();
    println!("opened in {} ms", begin.elapsed().as_millis());
    assert_eq!(signer.public_key(), key.public());
}
