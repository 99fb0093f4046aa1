//! What the certificate signer signs, what it refuses, and that it verifies each signature.

use ca::{Grant, IssuingChain, UnsignedCertificate, authority, prepare};
use jiff::{SignedDuration, Timestamp};
use pki::{KeyKind, PublicKey, Serial, SignatureAlgorithm};

use super::*;
use crate::{FileSigner, generate, random};

fn now() -> Timestamp {
    "2026-11-24T00:30:00Z".parse().unwrap()
}

fn serial() -> Serial {
    Serial::from_random(random())
}

fn signer(kind: KeyKind) -> Box<FileSigner> {
    Box::new(FileSigner::from(generate(kind).ok().unwrap()))
}

fn root(name: &str, key: &PublicKey) -> UnsignedCertificate {
    authority::root(name, key, serial(), now()).ok().unwrap()
}

fn root_signer(name: &str, kind: KeyKind) -> CertificateSigner {
    let signer = signer(kind);
    let root = root(name, signer.public_key());
    CertificateSigner::self_signed(signer, root).ok().unwrap()
}

/// The signer of a new intermediate, and its root.
fn certificate_signer(name: &str, kind: KeyKind) -> (CertificateSigner, Certificate) {
    let root = root_signer(name, kind);
    let signer = signer(kind);
    let key = signer.public_key();
    let unsigned = authority::intermediate(name, key, serial(), now(), root.issuer());
    let certificate = root.sign(unsigned.ok().unwrap()).unwrap();
    (
        CertificateSigner::new(signer, certificate).ok().unwrap(),
        root.issuer().clone(),
    )
}

/// The chain of an issuer, without the root.
fn chain(issuer: &Certificate) -> IssuingChain {
    IssuingChain::new(issuer.clone(), [].iter()).unwrap()
}

fn leaf(issuer: &Certificate) -> UnsignedCertificate {
    let key = generate(KeyKind::EcP256).ok().unwrap();
    let names = ["localhost".to_owned()];
    let life = SignedDuration::from_hours(24);
    let grant = Grant::server_certificate(&names, "localhost", key.public(), life, now()).ok();
    prepare(grant.unwrap(), now(), serial(), &chain(issuer))
        .ok()
        .unwrap()
}

#[test]
fn an_authority_of_each_kind_of_key_issues_a_chain_that_verifies() {
    for kind in [
        KeyKind::EcP256,
        KeyKind::EcP384,
        KeyKind::EcP521,
        KeyKind::Ed25519,
        KeyKind::Rsa { bits: 2048 },
    ] {
        let (certificate_signer, root) = certificate_signer("Example", kind);
        let certificate = certificate_signer
            .sign(leaf(certificate_signer.issuer()))
            .unwrap();
        let options = pki::chain::Options {
            intermediates: std::slice::from_ref(certificate_signer.issuer()),
            roots: &[root],
            at: now(),
            purpose: pki::chain::Purpose::ServerAuth,
            host: Some("localhost"),
        };
        assert_eq!(pki::chain::verify(&certificate, &options), Ok(()), "{kind}");
    }
}

#[test]
fn a_key_that_does_not_match_the_certificate_is_refused() {
    let (certificate_signer, _) = certificate_signer("Example", KeyKind::EcP256);
    let other =
        CertificateSigner::new(signer(KeyKind::EcP256), certificate_signer.issuer().clone());
    assert!(matches!(other.err(), Some(Error::KeyMismatch { .. })));
}

#[test]
fn a_leaf_is_refused_as_an_issuer() {
    let own = signer(KeyKind::EcP256);
    let (certificate_signer, _) = certificate_signer("Example", KeyKind::EcP256);
    let names = ["localhost".to_owned()];
    let life = SignedDuration::from_hours(1);
    let grant = Grant::server_certificate(&names, "x", own.public_key(), life, now()).ok();
    let unsigned = prepare(
        grant.unwrap(),
        now(),
        serial(),
        &chain(certificate_signer.issuer()),
    );
    let certificate = certificate_signer.sign(unsigned.ok().unwrap()).unwrap();
    let refused = CertificateSigner::new(own, certificate).err();
    assert!(matches!(refused, Some(Error::NotAnAuthority { .. })));
}

#[test]
fn a_certificate_of_another_issuer_is_not_signed() {
    let (ours, _) = certificate_signer("Ours", KeyKind::EcP256);
    let (theirs, _) = certificate_signer("Theirs", KeyKind::EcP256);
    let refused = ours.sign(leaf(theirs.issuer())).err();
    assert!(matches!(refused, Some(Error::ForeignIssuer { .. })));
}

#[test]
fn a_root_is_signed_by_its_own_key_only() {
    let foreign = generate(KeyKind::EcP256).ok().unwrap();
    let refused =
        CertificateSigner::self_signed(signer(KeyKind::EcP256), root("Example", foreign.public()));
    assert!(matches!(refused.err(), Some(Error::KeyMismatch { .. })));
    let (certificate_signer, _) = certificate_signer("Example", KeyKind::EcP256);
    let refused = certificate_signer.sign(root("Example", foreign.public()));
    assert_eq!(refused.err(), Some(Error::Root));
    let refused =
        CertificateSigner::self_signed(signer(KeyKind::EcP256), leaf(certificate_signer.issuer()));
    assert_eq!(refused.err(), Some(Error::Root));
}

/// A device that returns wrong signatures.
struct Broken(Box<FileSigner>);

impl Signer for Broken {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = self.0.sign(message)?;
        if let Some(last) = signature.last_mut() {
            *last ^= 1;
        }
        Ok(signature)
    }
}

#[test]
fn a_signature_that_does_not_verify_is_never_handed_out() {
    let signer = Box::new(Broken(signer(KeyKind::EcP256)));
    let root = root("Example", signer.public_key());
    let refused = CertificateSigner::self_signed(signer, root).err();
    assert_eq!(refused, Some(Error::BadSignature));
}
