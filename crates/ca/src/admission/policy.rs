//! What the configuration says about one request, as values. `config` makes it, [`super::admit`]
//! decides by it.

use jiff::SignedDuration;
use pki::StepProvisioner;

use super::caa::CaaPolicy;
use crate::claims::Claims;
use crate::issuing_chain::IssuingChain;
use crate::policy::Levels;
use crate::profile::{Offer, Profile};
use crate::refusal::Refusal;

/// What the configuration says about the certificates of one provisioner, narrowed to the profile
/// that is asked for and to the external account key of the account.
#[derive(Debug, Clone)]
pub struct IssuancePolicy<'a> {
    /// The provisioner; `None` for certificates that name none.
    pub(crate) provisioner: Option<&'a str>,
    /// Why nothing is issued, whatever is asked for: the provisioner is disabled or removed, or
    /// the profile is not offered.
    pub(crate) barred: Option<Refusal>,
    pub(crate) claims: &'a Claims,
    pub(crate) backdate: SignedDuration,
    pub(crate) profiles: Profiles<'a>,
    pub(crate) levels: Levels<'a>,
    pub(crate) leaf: LeafTerms,
    pub(crate) caa: CaaPolicy,
    /// The chain above the certificate, whose name constraints are asked.
    pub(crate) chain: Option<&'a IssuingChain>,
}

/// The profiles of a provisioner.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Profiles<'a> {
    /// The one that the certificate gets.
    pub(crate) chosen: Option<&'a Profile>,
    /// All that are offered.
    pub(crate) offered: &'a [Offer],
}

/// What a new leaf has beside its names and its profile.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeafTerms {
    pub(crate) common_name: CommonNameRule,
    /// The extension that names the provisioner.
    pub(crate) extension: Option<StepProvisioner>,
    pub(crate) published_at: PublishedAt,
}

/// Whether a certificate needs a common name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum CommonNameRule {
    /// It may have none.
    #[default]
    Optional,
    /// It gets its first DNS name where none is asked for (`forceCN`).
    Required,
}

/// Where the authority publishes what verifiers fetch, as URLs; empty lists add no extension.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishedAt {
    /// The CRL (cRLDistributionPoints, RFC 5280 §4.2.1.13).
    pub crl: Vec<String>,
    /// The OCSP responder (authorityInfoAccess, RFC 5280 §4.2.2.1).
    pub ocsp: Vec<String>,
    /// The issuer's certificate (authorityInfoAccess, caIssuers).
    pub issuer: Vec<String>,
}

impl<'a> IssuancePolicy<'a> {
    /// The policy for certificates below this chain.
    #[must_use]
    pub fn below(self, chain: &'a IssuingChain) -> Self {
        Self {
            chain: Some(chain),
            ..self
        }
    }

    /// The bounds of a certificate's life.
    #[must_use]
    pub fn claims(&self) -> &'a Claims {
        self.claims
    }

    /// How long before its issuance a certificate begins to hold.
    #[must_use]
    pub fn backdate(&self) -> SignedDuration {
        self.backdate
    }

    /// The profile that the certificate gets, where the provisioner offers any.
    #[must_use]
    pub fn profile(&self) -> Option<&'a Profile> {
        self.profiles.chosen
    }

    /// The policies on names, in the order in which they are asked.
    #[must_use]
    pub fn levels(&self) -> &Levels<'a> {
        &self.levels
    }
}
