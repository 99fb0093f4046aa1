//! Renewal: how a certificate, whose key its holder has just proven to have, becomes a request for
//! another one like it.
//!
//! Not here: whether it may be renewed. [`crate::admission::admit`] decides, as for every request.

use acme::challenge::Means;
use pki::{Certificate, PublicKey, Serial};

use crate::admission::{
    AccountBasis, Asked, Basis, Contents, IssuanceRequest, Recipient, Validation,
};
use crate::refusal::Refusal;

/// What the records say about a certificate that is renewed. The default is for one that they do not
/// know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The provisioner, which stands in for an extension that was left out.
    pub provisioner: Option<String>,
    /// The first certificate of its lineage; none if it is the first.
    pub lineage: Option<Serial>,
    /// The profile.
    pub profile: Option<String>,
    /// The account that ordered the first.
    pub account: Option<AccountBasis>,
    /// What the right to each name rests on, in the order of the certificate's names, where it is known.
    pub basis: Vec<Option<Means>>,
}

/// The request for a certificate with the contents of this one, for its own key or for `new_key`,
/// whose possession is proven. `issuers` are the authority's intermediates.
///
/// # Errors
/// When the certificate was not issued by one of `issuers`, or is an authority's.
pub fn request(
    certificate: &Certificate,
    issuers: &[Certificate],
    recorded: Recorded,
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
    let extension = certificate.step_provisioner()?;
    let named = extension.map(|extension| extension.name);
    let provisioner = named.or(recorded.provisioner);
    let lineage = recorded.lineage.as_ref();
    let own_key = certificate.public_key()?;
    let common_name = certificate.subject().cn();
    Ok(IssuanceRequest {
        asked: Asked {
            names: certificate.alt_names().to_vec(),
            profile: recorded.profile,
            ..Asked::default()
        },
        common_name: common_name.filter(|name| !name.is_empty()),
        key: new_key.unwrap_or(own_key).clone(),
        contents: Contents::Renewed(Box::new(certificate.clone())),
        recipient: Recipient::Renewal {
            of: certificate.serial().clone(),
            asking_key: own_key.digest(),
            lineage: lineage.unwrap_or_else(|| certificate.serial()).clone(),
            account: recorded.account.as_ref().map(|account| account.id),
            provisioner: provisioner.clone(),
        },
        basis: Basis {
            provisioner,
            validations: validations(certificate, &recorded.basis),
            account: recorded.account,
            renewed: Some(certificate.serial().clone()),
        },
    })
}

/// The names of the certificate with what they rest on.
fn validations(certificate: &Certificate, basis: &[Option<Means>]) -> Vec<Validation> {
    let names = certificate.alt_names().iter().cloned();
    let known = names.zip(basis).filter_map(|(name, means)| {
        let means = (*means)?;
        Some(Validation { name, means })
    });
    known.collect()
}

#[cfg(test)]
mod tests;
