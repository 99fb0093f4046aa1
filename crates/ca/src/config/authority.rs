//! The `authority` of ca.json: provisioners and what holds for all of them.

use jiff::SignedDuration;
use serde_json::Value;

use super::section::{Section, Unknown, is_blank};
use crate::claims::{Claims, Overrides};
use crate::policy::Policy;
use crate::provisioner::{Acme, Jwk, Provisioner};
use crate::refusal::Refusal;

/// Who may ask for certificates, and the bounds for all.
#[derive(Debug, Clone, PartialEq)]
pub struct Authority {
    /// In the order of the file; names are unique.
    pub provisioners: Vec<Provisioner>,
    /// What holds where a provisioner says nothing else.
    pub claims: Claims,
    /// How long before its issuance a certificate begins to hold.
    pub backdate: SignedDuration,
    /// Tokens older than the server's start are accepted.
    pub disable_issued_at_check: bool,
    /// `policy.x509`: which names certificates may have.
    pub policy: Policy,
}

impl Default for Authority {
    fn default() -> Self {
        Self {
            provisioners: Vec::new(),
            claims: Claims::default(),
            backdate: SignedDuration::from_mins(1),
            disable_issued_at_check: false,
            policy: Policy::default(),
        }
    }
}

impl Authority {
    /// The provisioner of this name.
    #[must_use]
    pub fn provisioner(&self, name: &str) -> Option<&Provisioner> {
        self.provisioners.iter().find(|p| p.name() == name)
    }

    /// The ACME provisioner of this name; `None` for one of another type, too.
    #[must_use]
    pub fn acme(&self, name: &str) -> Option<&Acme> {
        self.provisioner(name)?.as_acme()
    }

    /// The ACME provisioner that an order belongs to, able to work.
    ///
    /// # Errors
    /// When it is gone, of another type, or disabled.
    pub fn working_acme(&self, name: &str) -> Result<&Acme, Refusal> {
        let acme = self.acme(name).ok_or_else(|| Refusal::UnknownProvisioner {
            name: name.to_owned(),
        })?;
        acme.check().map(|()| acme)
    }

    /// The encrypted private key of the JWK provisioner whose key has this id.
    #[must_use]
    pub fn encrypted_key(&self, kid: &str) -> Option<&str> {
        self.provisioners
            .iter()
            .filter_map(Provisioner::as_jwk)
            .find(|jwk| jwk.kid() == kid)
            .and_then(Jwk::encrypted_key)
    }

    /// The names of all provisioners.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.provisioners.iter().map(Provisioner::name)
    }
}

/// Settings of a registration authority, which signs nothing itself.
const REGISTRATION: [&str; 9] = [
    "certificateAuthority",
    "certificateAuthorityFingerprint",
    "certificateIssuer",
    "credentialsFile",
    "project",
    "location",
    "caPool",
    "caPoolTier",
    "gcsBucket",
];

/// Reads the `authority` section.
pub(super) fn read(mut section: Section<'_>) -> Authority {
    let default = Authority::default();
    let claims = claims(&mut section);
    let backdate = section.duration("backdate").unwrap_or(default.backdate);
    if backdate < SignedDuration::ZERO {
        section.fault("backdate", "must not be negative");
    }
    not_ours(&mut section);
    let authority = Authority {
        provisioners: provisioners(&mut section, &claims),
        claims,
        backdate,
        disable_issued_at_check: section.bool("disableIssuedAtCheck").unwrap_or_default(),
        policy: section
            .section("policy")
            .map(super::policy::read)
            .unwrap_or_default(),
    };
    section.finish(Unknown::Warn);
    authority
}

fn claims(section: &mut Section<'_>) -> Claims {
    let default = Claims::default();
    let overrides = section
        .section("claims")
        .map(read_claims)
        .unwrap_or_default();
    default.merge(&overrides).unwrap_or_else(|error| {
        section.fault("claims", error.to_string());
        default
    })
}

/// Reads a `claims` section, the authority's or a provisioner's.
pub(super) fn read_claims(mut section: Section<'_>) -> Overrides {
    let overrides = Overrides {
        minimum: section.duration("minTLSCertDuration"),
        maximum: section.duration("maxTLSCertDuration"),
        default: section.duration("defaultTLSCertDuration"),
        disable_renewal: section.bool("disableRenewal"),
        allow_renewal_after_expiry: section.bool("allowRenewalAfterExpiry"),
        disable_extension: section.bool("disableSmallstepExtensions"),
    };
    section.skip(&[
        "enableSSHCA",
        "minUserSSHCertDuration",
        "maxUserSSHCertDuration",
        "defaultUserSSHCertDuration",
        "minHostSSHCertDuration",
        "maxHostSSHCertDuration",
        "defaultHostSSHCertDuration",
    ]);
    section.finish(Unknown::Warn);
    overrides
}

fn provisioners(section: &mut Section<'_>, claims: &Claims) -> Vec<Provisioner> {
    let log = section.log();
    let mut found: Vec<Provisioner> = Vec::new();
    for (place, value) in section.list("provisioners") {
        let Value::Object(map) = value else {
            log.fault(place, "must be an object");
            continue;
        };
        let provisioner = super::provisioner::read(Section::new(map, &*place, log), value, claims);
        let name = provisioner.name();
        if let Some(n) = found.iter().position(|other| other.name() == name)
            && !name.is_empty()
        {
            log.fault(
                format!("{place}.name"),
                format!("{name:?} is also the name of authority.provisioners[{n}]"),
            );
        }
        found.push(provisioner);
    }
    found
}

fn not_ours(section: &mut Section<'_>) {
    if section.bool("enableAdmin") == Some(true) {
        section.fault(
            "enableAdmin",
            "provisioners kept in the database are not supported yet; list them in authority.provisioners and remove this key",
        );
    }
    if section
        .value("template")
        .is_some_and(|value| !is_blank(value))
    {
        section.warn(
            "template",
            "default subject parts are not added to certificates yet",
        );
    }
    if let Some(kind) = section.text("type").filter(|kind| kind != "softcas") {
        section.fault(
            "type",
            format!(
                "{kind:?}: registration authorities are not supported; the server signs itself"
            ),
        );
    }
    if let Some(kind) = section
        .text("deploymentType")
        .filter(|kind| kind != "standalone")
    {
        section.fault(
            "deploymentType",
            format!("{kind:?} deployments are not supported; only standalone ones are"),
        );
    }
    for key in REGISTRATION {
        if section.value(key).is_some_and(|value| !is_blank(value)) {
            section.fault(
                key,
                "registration authorities are not supported; remove this key",
            );
        }
    }
    section.skip(&[
        "authorityId",
        "disableGetSSHHosts",
        "IsCreator",
        "KeyManager",
    ]);
}
