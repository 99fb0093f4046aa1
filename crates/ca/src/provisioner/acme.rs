//! The ACME provisioner: what its directory announces, and the decision that turns a finalized
//! order into a grant.

use acme::challenge::Method;
use acme::order::{Finalized, Limits};
use acme::scope::Scope;
use jiff::{SignedDuration, Timestamp};
use pki::StepProvisioner;

use super::{Common, read_options};
use crate::claims::Claims;
use crate::config::Config;
use crate::config::section::Section;
use crate::grant::IssuanceRequest;
use crate::policy::Binding;
use crate::{Grant, Refusal};

/// The type's name in ca.json.
pub(super) const KIND: &str = "ACME";
/// The type's number in the certificate extension.
pub(super) const NUMBER: u32 = 6;

/// The most identifiers in one order, as public authorities have it.
const MOST_IDENTIFIERS: usize = 100;
/// How far in the past `notBefore` may be: clients reckon from their own clocks.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);

/// Challenge types that ca.json may name and that are not built yet.
const LATER: [&str; 3] = ["device-attest-01", "wire-oidc-01", "wire-dpop-01"];

/// A provisioner that speaks ACME.
#[derive(Debug, Clone, PartialEq)]
pub struct Acme {
    common: Common,
    force_cn: bool,
    require_eab: bool,
    terms_of_service: Option<String>,
    website: Option<String>,
    caa_identities: Vec<String>,
    challenges: Vec<Method>,
}

impl Acme {
    pub(super) fn read(mut common: Common, section: &mut Section<'_>) -> Self {
        let challenges = challenges(&mut common, section);
        read_options(&mut common, section);
        section.skip(&["attestationFormats", "attestationRoots", "ID"]);
        Self {
            force_cn: section.bool("forceCN").unwrap_or_default(),
            require_eab: section.bool("requireEAB").unwrap_or_default(),
            terms_of_service: section.text("termsOfService"),
            website: section.text("website"),
            caa_identities: section.strings("caaIdentities"),
            challenges,
            common,
        }
    }

    /// The name; part of the directory's URL.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.common.name
    }

    /// The id under which records name it.
    #[must_use]
    pub fn id(&self) -> String {
        format!("acme/{}", self.name())
    }

    /// The claims that hold for it.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.common.claims
    }

    /// A certificate without a common name gets the first DNS name as one.
    #[must_use]
    pub fn force_cn(&self) -> bool {
        self.force_cn
    }

    /// New accounts need an external account binding, RFC 8555 §7.3.4.
    #[must_use]
    pub fn require_eab(&self) -> bool {
        self.require_eab
    }

    /// `termsOfService` of the directory's `meta`, RFC 8555 §7.1.1.
    #[must_use]
    pub fn terms_of_service(&self) -> Option<&str> {
        self.terms_of_service.as_deref()
    }

    /// `website` of the directory's `meta`.
    #[must_use]
    pub fn website(&self) -> Option<&str> {
        self.website.as_deref()
    }

    /// `caaIdentities` of the directory's `meta`.
    #[must_use]
    pub fn caa_identities(&self) -> &[String] {
        &self.caa_identities
    }

    /// The challenge types that ca.json enables; see [`Config::challenges`](crate::config::Config).
    #[must_use]
    pub fn challenges(&self) -> &[Method] {
        &self.challenges
    }

    /// Whether it can work at all; asked before an account or an order is made.
    ///
    /// # Errors
    /// When its configuration does not hold together.
    pub fn check(&self) -> Result<(), Refusal> {
        self.common.check()
    }

    /// What a newOrder may ask of this provisioner, for [`acme::order::open`].
    #[must_use]
    pub fn order_limits(&self, backdate: SignedDuration) -> Limits {
        Limits {
            identifiers: MOST_IDENTIFIERS,
            shortest: self.claims().minimum,
            longest: self.claims().maximum,
            leeway: backdate.max(LEEWAY),
            widest: Scope::Name,
        }
    }

    /// Turns a finalized order into the right to one certificate. `binding` is what the account's
    /// external account key says, if it has one.
    ///
    /// # Errors
    /// When the provisioner is disabled, the order is another's, or the names or the validity
    /// are not allowed, or the profile cannot be had.
    pub fn authorize(
        &self,
        finalized: Finalized,
        config: &Config,
        binding: Option<&Binding>,
        now: Timestamp,
    ) -> Result<Grant, Refusal> {
        self.check()?;
        let order = finalized.order();
        if order.provisioner != self.name() {
            return Err(Refusal::ForeignOrder {
                order: order.provisioner.clone(),
                provisioner: self.name().to_owned(),
            });
        }
        let backdate = config.authority.backdate;
        let terms = config.terms(self, order.profile.as_deref(), binding)?;
        let claims = terms.claims();
        let lifetime = claims.lifetime(order.not_before, order.not_after, backdate, now)?;
        let request = IssuanceRequest::new(finalized, self, &terms)?;
        let admitted = config.levels(Some(self.name()), binding).admit(request)?;
        Ok(Grant::from_order(admitted, self, lifetime))
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

    pub(super) fn common(&self) -> &Common {
        &self.common
    }
}

fn challenges(common: &mut Common, section: &mut Section<'_>) -> Vec<Method> {
    let named = section.strings("challenges");
    if named.is_empty() {
        return Method::USUAL.to_vec();
    }
    let mut methods = Vec::new();
    for (n, text) in named.iter().enumerate() {
        let key = format!("challenges[{n}]");
        let text = text.to_ascii_lowercase();
        let method = Method::parse(&text);
        if let Some(Method::DnsAccount01 | Method::DnsPersist01) = method {
            // The program that defined the file refuses to start with such a word.
            common.disable(
                section,
                &key,
                format!("{text} is switched on in riser.toml: [provisioner.<name>] challenges"),
            );
        } else if let Some(method) = method {
            if !methods.contains(&method) {
                methods.push(method);
            }
        } else if LATER.contains(&text.as_str()) {
            section.warn(
                &key,
                format!("{text} is not supported yet and is not offered"),
            );
        } else {
            common.disable(section, &key, format!("{text:?} is not a challenge type"));
        }
    }
    if methods.is_empty() && common.disabled.is_none() {
        common.disable(
            section,
            "challenges",
            "none of the challenge types named is supported yet".into(),
        );
    }
    methods
}
