//! Renewal: whether the holder of a certificate may have another one like it.

use jiff::Timestamp;
use pki::{AltName, Certificate, PublicKey};

use crate::Refusal;
use crate::config::{Authority, Config};
use crate::policy::{Admitted, Named};
use crate::profile::Offer;
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

    /// Asks the policies of its provisioner and of the authority, which may have changed since it
    /// was issued.
    ///
    /// # Errors
    /// When one of them refuses a name.
    pub fn admit(self, config: &Config) -> Result<Admitted<Self>, Refusal> {
        let provisioner = self.provisioner.clone();
        let levels = config.levels(provisioner.as_deref(), None);
        Ok(levels.admit(self)?)
    }

    /// Asks the profiles that its provisioner offers whether it may go on with a new key: one that the certificate's own
    /// key fits may be the one that it was made by, and decides.
    ///
    /// # Errors
    /// When such a profile is not for keys of the new kind.
    pub fn may_change_to(&self, new: &PublicKey, config: &Config) -> Result<(), Refusal> {
        let provisioner = self.provisioner.as_deref();
        let offered = provisioner.map_or(&[][..], |name| config.offers(name));
        let profiles = offered.iter().map(Offer::profile);
        let mut fitting = profiles.filter(|profile| profile.check_key(self.key.kind()).is_ok());
        fitting.try_for_each(|profile| profile.check_key(new.kind()))
    }

    pub(crate) fn into_parts(self) -> (Certificate, PublicKey, Option<String>) {
        (self.certificate, self.key, self.provisioner)
    }
}

impl Named for Renewable {
    fn names(&self) -> Vec<AltName> {
        self.certificate.alt_names().to_vec()
    }

    fn common_name(&self) -> Option<String> {
        let name = self.certificate.subject().cn();
        name.filter(|name| !name.is_empty())
    }
}

/// What the store knows of a certificate that is to be renewed; the default is one that it has
/// never seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known<'a> {
    /// It was revoked.
    pub revoked: bool,
    /// It is one of the house's own, which the server makes anew by itself.
    pub server_certificate: bool,
    /// The provisioner that granted it.
    pub provisioner: Option<&'a str>,
}

/// Decides whether a certificate, whose key the holder has just proven, may be renewed.
/// `issuers` are the authority's intermediates. Its provisioner is the one that its extension
/// names, else the one that the store knows; without either the authority's claims decide.
///
/// # Errors
/// When it is not ours, the house's own, revoked, not valid now, or its provisioner is gone or
/// does not allow it.
pub fn check(
    certificate: &Certificate,
    issuers: &[Certificate],
    authority: &Authority,
    known: Known<'_>,
    now: Timestamp,
) -> Result<Renewable, Refusal> {
    let serial = || certificate.serial().to_string();
    let is_ours = issuers
        .iter()
        .any(|issuer| certificate.is_issued_by(issuer).is_ok());
    if !is_ours || certificate.is_ca() {
        return Err(Refusal::NotOurs { serial: serial() });
    }
    if known.revoked {
        return Err(Refusal::Revoked { serial: serial() });
    }
    if known.server_certificate {
        return Err(Refusal::ServerCertificate { serial: serial() });
    }
    let provisioner = provisioner(certificate, known.provisioner, authority)?;
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

/// The provisioner that made the certificate; one that is gone ends the right. A provisioner that
/// leaves the extension out (`disableSmallstepExtensions`) is found by the store's record.
fn provisioner<'a>(
    certificate: &Certificate,
    recorded: Option<&str>,
    authority: &'a Authority,
) -> Result<Option<&'a Provisioner>, Refusal> {
    let extension = certificate.step_provisioner();
    let named = extension.as_ref().map(|extension| extension.name.as_str());
    let Some(name) = named.or(recorded) else {
        return Ok(None);
    };
    let found = authority
        .provisioner(name)
        .filter(|found| extension.as_ref().is_none_or(|it| found.made(it)))
        .ok_or_else(|| Refusal::UnknownProvisioner {
            name: name.to_owned(),
        })?;
    Ok(Some(found))
}

#[cfg(test)]
mod tests;
