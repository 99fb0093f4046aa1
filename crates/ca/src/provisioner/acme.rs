//! The ACME provisioner: what its directory announces, what a newOrder may ask of it, and how a
//! finalized order becomes a request.

use acme::challenge::{AttestationRules, Method, Proof};
use acme::identifier::Identifier;
use acme::message::order::NewOrder;
use acme::order::{Finalized, Limits};
use acme::requested_time::RequestedTime;
use acme::scope::{Scope, Subject};
use jiff::SignedDuration;
use pki::StepProvisioner;

use super::{Common, ProvisionerType};
use crate::admission::{
    AccountBasis, Asked, Basis, Contents, IssuancePolicy, IssuanceRequest, Recipient, Validation,
};
use crate::claims::Claims;
use crate::refusal::Refusal;

/// The type's name in ca.json.
pub(crate) const TYPE: &str = "ACME";

/// A provisioner that speaks ACME.
#[derive(Debug, Clone, PartialEq)]
pub struct Acme {
    common: Common,
    settings: AcmeSettings,
}

/// What ca.json says about an ACME provisioner beside what every type has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AcmeSettings {
    pub(crate) force_cn: bool,
    pub(crate) require_eab: bool,
    pub(crate) terms_of_service: Option<String>,
    pub(crate) website: Option<String>,
    pub(crate) caa_identities: Vec<String>,
    pub(crate) challenges: Vec<Method>,
    pub(crate) attestation: AttestationRules,
}

impl ProvisionerType for Acme {
    fn common(&self) -> &Common {
        &self.common
    }

    fn type_name(&self) -> &str {
        TYPE
    }

    fn number(&self) -> Option<u32> {
        Some(NUMBER)
    }
}

impl Acme {
    pub(crate) fn new(common: Common, settings: AcmeSettings) -> Self {
        Self { common, settings }
    }

    /// The name; part of the directory's URL.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.common.name
    }

    /// The id under which records name it.
    #[must_use]
    pub fn id(&self) -> String {
        ProvisionerType::id(self)
    }

    /// The claims that hold for it.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.common.claims
    }

    /// A certificate without a common name gets the first DNS name as one.
    #[must_use]
    pub fn force_cn(&self) -> bool {
        self.settings.force_cn
    }

    /// New accounts need an external account binding, RFC 8555 §7.3.4.
    #[must_use]
    pub fn require_eab(&self) -> bool {
        self.settings.require_eab
    }

    /// `termsOfService` of the directory's `meta`, RFC 8555 §7.1.1.
    #[must_use]
    pub fn terms_of_service(&self) -> Option<&str> {
        self.settings.terms_of_service.as_deref()
    }

    /// `website` of the directory's `meta`.
    #[must_use]
    pub fn website(&self) -> Option<&str> {
        self.settings.website.as_deref()
    }

    /// `caaIdentities` of the directory's `meta`.
    #[must_use]
    pub fn caa_identities(&self) -> &[String] {
        &self.settings.caa_identities
    }

    /// The challenge types that ca.json enables; see [`Config::challenges`](crate::config::Config).
    #[must_use]
    pub fn challenges(&self) -> &[Method] {
        &self.settings.challenges
    }

    /// The formats of statements that ca.json enables, with the roots that it names; see
    /// [`Config::attestation`](crate::config::Config::attestation).
    pub(crate) fn attestation(&self) -> &AttestationRules {
        &self.settings.attestation
    }

    /// Whether it can work at all; asked before an account or an order is made.
    ///
    /// # Errors
    /// When its configuration is not consistent.
    pub fn check(&self) -> Result<(), Refusal> {
        self.common.check()
    }

    /// The extension that names this provisioner in its certificates.
    pub(crate) fn extension(&self) -> Option<StepProvisioner> {
        (!self.claims().disable_extension).then(|| StepProvisioner {
            kind: NUMBER,
            name: self.name().to_owned(),
            credential_id: String::new(),
            pairs: Vec::new(),
        })
    }
}

/// What a newOrder may ask for under this policy, for [`acme::order::open`]. `widest` is how far
/// below a proven domain its names may lie.
#[must_use]
pub fn order_limits(policy: &IssuancePolicy<'_>, widest: Scope) -> Limits {
    Limits {
        identifiers: MOST_IDENTIFIERS,
        shortest: policy.claims().minimum,
        longest: policy.claims().maximum,
        leeway: policy.backdate().max(LEEWAY),
        widest,
    }
}

/// The subjects of earlier authorizations that could be reused for a newOrder; none for one that has
/// more identifiers than [`order_limits`] lets it have.
#[must_use]
pub fn reusable_subjects(asked: &NewOrder, widest: Scope) -> Vec<Subject> {
    match asked.identifiers.len() {
        0..=MOST_IDENTIFIERS => {
            let subjects = acme::order::reusable_subjects(asked, widest);
            subjects.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The request that a finalized order makes. `proofs` are those of its identifiers, `account` is
/// the one that it belongs to.
#[must_use]
pub fn request(finalized: Finalized, proofs: &[Proof], account: AccountBasis) -> IssuanceRequest {
    let order = finalized.order();
    let validation = |identifier: &Identifier| {
        let proof = proofs.iter().find(|proof| proof.covers(identifier))?;
        let (name, means) = (identifier.to_alt_name(), proof.means());
        Some(Validation { name, means })
    };
    let names = finalized.names();
    IssuanceRequest {
        asked: Asked {
            names: names.iter().map(Identifier::to_alt_name).collect(),
            not_before: order.not_before.as_ref().map(RequestedTime::at),
            not_after: order.not_after.as_ref().map(RequestedTime::at),
            profile: order.profile.clone(),
        },
        common_name: finalized.common_name().map(str::to_owned),
        key: finalized.public_key().clone(),
        contents: Contents::New,
        recipient: Recipient::Order {
            order: order.id,
            account: order.account,
            provisioner: order.provisioner.clone(),
            replaces: order.replaces.as_ref().map(|id| id.serial().clone()),
        },
        basis: Basis {
            provisioner: Some(order.provisioner.clone()),
            account: Some(account),
            validations: names.iter().filter_map(validation).collect(),
            renewed: None,
        },
    }
}

/// The type's number in the certificate extension.
const NUMBER: u32 = 6;
/// The most identifiers in one order, as public authorities have it.
const MOST_IDENTIFIERS: usize = 100;
/// How far in the past `notBefore` may be where the backdate is shorter: clients go by their own
/// clocks.
const LEEWAY: SignedDuration = SignedDuration::from_mins(1);
