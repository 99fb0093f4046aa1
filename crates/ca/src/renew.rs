//! Renewal: whether the holder of a certificate may have another one like it.

use jiff::Timestamp;
use pki::{Certificate, PublicKey};

use crate::Refusal;
use crate::config::Authority;
use crate::provisioner::Provisioner;

/// A certificate that may be renewed; made by [`check`] alone.
pub struct Renewable {
    certificate: Certificate,
    key: PublicKey,
    provisioner: Option<String>,
}

impl Renewable {
    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The provisioner that its extension names.
    #[must_use]
    pub fn provisioner(&self) -> Option<&str> {
        self.provisioner.as_deref()
    }

    pub(crate) fn into_parts(self) -> (Certificate, PublicKey, Option<String>) {
        (self.certificate, self.key, self.provisioner)
    }
}

/// Decides whether a certificate, whose key the holder has just proven, may be renewed.
/// `issuers` are the authority's intermediates; `revoked` is what the store says. A certificate
/// without the extension that names a provisioner may be renewed by the authority's claims.
///
/// # Errors
/// When it is not ours, revoked, not valid now, or its provisioner is gone or does not allow it.
pub fn check(
    certificate: &Certificate,
    issuers: &[Certificate],
    authority: &Authority,
    revoked: bool,
    now: Timestamp,
) -> Result<Renewable, Refusal> {
    let serial = || certificate.serial().to_string();
    let is_ours = issuers
        .iter()
        .any(|issuer| certificate.is_issued_by(issuer).is_ok());
    if !is_ours || certificate.is_ca() {
        return Err(Refusal::NotOurs { serial: serial() });
    }
    if revoked {
        return Err(Refusal::Revoked { serial: serial() });
    }
    let provisioner = provisioner(certificate, authority)?;
    let claims = provisioner.map_or(&authority.claims, Provisioner::claims);
    if claims.disable_renewal {
        return Err(Refusal::RenewalDisabled {
            provisioner: provisioner.map_or("", Provisioner::name).to_owned(),
        });
    }
    if now < certificate.not_before() {
        return Err(Refusal::NotYetValid {
            at: certificate.not_before(),
        });
    }
    if now > certificate.not_after() && !claims.allow_renewal_after_expiry {
        return Err(Refusal::Expired {
            at: certificate.not_after(),
        });
    }
    Ok(Renewable {
        key: certificate.public_key()?.clone(),
        certificate: certificate.clone(),
        provisioner: provisioner.map(|provisioner| provisioner.name().to_owned()),
    })
}

/// The provisioner that made the certificate, by its extension; one that is gone ends the right.
fn provisioner<'a>(
    certificate: &Certificate,
    authority: &'a Authority,
) -> Result<Option<&'a Provisioner>, Refusal> {
    let Some(extension) = certificate.step_provisioner() else {
        return Ok(None);
    };
    let found = authority
        .provisioner(&extension.name)
        .filter(|provisioner| provisioner.made(&extension))
        .ok_or_else(|| Refusal::UnknownProvisioner {
            name: extension.name.clone(),
        })?;
    Ok(Some(found))
}

#[cfg(test)]
mod tests;
