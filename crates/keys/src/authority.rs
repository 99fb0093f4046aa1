//! Creates an authority: generates its keys and signs its root and its intermediate, on P-256.
//! What the certificates contain is `ca::authority`'s; files are the caller's.

use jiff::Timestamp;
use pki::{Certificate, KeyKind, PrivateKey, Serial};

use crate::{CertificateSigner, Error, FileSigner, generate, random};

/// A new authority: two certificates and their keys.
pub struct NewAuthority {
    /// The root.
    pub root: Certificate,
    /// The root's key.
    pub root_key: PrivateKey,
    /// The intermediate.
    pub intermediate: Certificate,
    /// The intermediate's key.
    pub intermediate_key: PrivateKey,
}

/// A certificate and its private key.
pub struct CertifiedKey {
    /// The certificate.
    pub certificate: Certificate,
    /// The key that it certifies.
    pub key: PrivateKey,
}

/// Creates a root and its intermediate, both named after the authority.
///
/// # Errors
/// As [`create_root`] and [`create_intermediate`].
pub fn create(name: &str, now: Timestamp) -> Result<NewAuthority, Error> {
    let root = create_root(name, now)?;
    let intermediate = create_intermediate(name, now, &root.signer()?)?;
    Ok(NewAuthority {
        root: root.certificate,
        root_key: root.key,
        intermediate: intermediate.certificate,
        intermediate_key: intermediate.key,
    })
}

/// Creates a root.
///
/// # Errors
/// When the name cannot stand in a certificate, or the key fails.
pub fn create_root(name: &str, now: Timestamp) -> Result<CertifiedKey, Error> {
    let key = generate(KeyKind::EcP256)?;
    let unsigned = ca::authority::root(name, key.public(), serial(), now)?;
    let signer = FileSigner::copy_of(&key)?;
    let signer = CertificateSigner::self_signed(Box::new(signer), unsigned)?;
    Ok(CertifiedKey {
        certificate: signer.issuer().clone(),
        key,
    })
}

/// Creates an intermediate under `root`.
///
/// # Errors
/// When the name cannot stand in a certificate, the root has expired, or a key fails.
pub fn create_intermediate(
    name: &str,
    now: Timestamp,
    root: &CertificateSigner,
) -> Result<CertifiedKey, Error> {
    let key = generate(KeyKind::EcP256)?;
    let unsigned = ca::authority::intermediate(name, key.public(), serial(), now, root.issuer())?;
    Ok(CertifiedKey {
        certificate: root.sign(unsigned)?,
        key,
    })
}

impl CertifiedKey {
    /// What signs with the key; the key itself stays, to be written down.
    ///
    /// # Errors
    /// When the certificate may not issue others.
    pub fn signer(&self) -> Result<CertificateSigner, Error> {
        let signer = FileSigner::copy_of(&self.key)?;
        CertificateSigner::new(Box::new(signer), self.certificate.clone())
    }
}

fn serial() -> Serial {
    Serial::from_random(random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_authority_has_an_intermediate_that_leads_to_its_root() {
        let now = "2026-11-24T00:30:00Z".parse().unwrap();
        let made = create("Example", now).ok().unwrap();
        assert_eq!(made.root.public_key(), Ok(made.root_key.public()));
        let issued = made.intermediate.public_key();
        assert_eq!(issued, Ok(made.intermediate_key.public()));
        assert!(made.intermediate.is_issued_by(&made.root).is_ok());
        assert_ne!(made.root.serial(), made.intermediate.serial());
    }
}
