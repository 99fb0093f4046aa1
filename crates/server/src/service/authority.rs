//! Creates an authority: generates its keys and signs root and intermediate. Files are not
//! written here.

use jiff::Timestamp;
use keys::CertificateSigner;
use keys::file::FileSigner;
use pki::{Certificate, KeyKind, PrivateKey, Serial};

use super::Error;

/// A new authority: two certificates and their keys.
pub(crate) struct NewAuthority {
    /// The root.
    pub(crate) root: Certificate,
    /// The root's key.
    pub(crate) root_key: PrivateKey,
    /// The intermediate.
    pub(crate) intermediate: Certificate,
    /// The intermediate's key.
    pub(crate) intermediate_key: PrivateKey,
}

/// Makes an authority called `name`, on P-256.
///
/// # Errors
/// When the name cannot stand in a certificate, or a key fails.
pub(crate) fn create(name: &str, now: Timestamp) -> Result<NewAuthority, Error> {
    let root_key = keys::generate(KeyKind::EcP256)?;
    let intermediate_key = keys::generate(KeyKind::EcP256)?;
    let unsigned = ca::authority::root(name, root_key.public(), serial(), now)?;
    let certificate_signer =
        CertificateSigner::self_signed(Box::new(signer(&root_key)?), unsigned)?;
    let root = certificate_signer.issuer().clone();
    let unsigned =
        ca::authority::intermediate(name, intermediate_key.public(), serial(), now, &root)?;
    let intermediate = certificate_signer.sign(unsigned)?;
    Ok(NewAuthority {
        root,
        root_key,
        intermediate,
        intermediate_key,
    })
}

/// A signer of its own for a key that is still needed, to be written down.
pub(crate) fn signer(key: &PrivateKey) -> Result<FileSigner, Error> {
    let copy = PrivateKey::from_pkcs8_der(&key.to_pkcs8_der()).map_err(keys::Error::from)?;
    Ok(FileSigner::from(copy))
}

fn serial() -> Serial {
    Serial::from_random(keys::random())
}
