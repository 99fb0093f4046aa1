//! Renewal: how a certificate, whose key its holder has just proven to have, becomes a request for
//! another one like it.
//!
//! Not here: whether it may be renewed. [`crate::admission::admit`] decides, as for every request.

use pki::{Certificate, PublicKey};

use crate::admission::{Asked, Basis, Contents, IssuanceRequest, Recipient};
use crate::refusal::Refusal;

/// The request for a certificate with the contents of this one, for its own key or for `new_key`,
/// whose possession is proven. `issuers` are the authority's intermediates; `recorded` is the
/// provisioner that the records name, which stands in for an extension that was left out.
///
/// # Errors
/// When the certificate was not issued by one of `issuers`, or is an authority's.
pub fn request(
    certificate: &Certificate,
    issuers: &[Certificate],
    recorded: Option<&str>,
    new_key: Option<&PublicKey>,
) -> Result<IssuanceRequest, Refusal> {
    let is_ours = issuers
        .iter()
        .any(|issuer| certificate.is_issued_by(issuer).is_ok());
    if !is_ours || certificate.is_ca() {
        return Err(Refusal::NotOurs {
            serial: certificate.serial().to_string(),
        });
    }
    let extension = certificate.step_provisioner();
    let named = extension.map(|extension| extension.name);
    let provisioner = named.or_else(|| recorded.map(str::to_owned));
    let own_key = certificate.public_key()?;
    let common_name = certificate.subject().cn();
    Ok(IssuanceRequest {
        asked: Asked {
            names: certificate.alt_names().to_vec(),
            ..Asked::default()
        },
        common_name: common_name.filter(|name| !name.is_empty()),
        key: new_key.unwrap_or(own_key).clone(),
        contents: Contents::Renewed(Box::new(certificate.clone())),
        recipient: Recipient::Renewal {
            of: certificate.serial().clone(),
            provisioner: provisioner.clone(),
        },
        basis: Basis {
            provisioner,
            renewed: Some(certificate.serial().clone()),
            ..Basis::default()
        },
    })
}

#[cfg(test)]
mod tests;
