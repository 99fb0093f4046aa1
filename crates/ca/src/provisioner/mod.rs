//! Provisioners: the doors by which certificates may be asked for. One file a type.

mod acme;
mod jwk;
mod other;

use serde_json::Value;

pub use acme::Acme;
pub use jwk::Jwk;
pub use other::Other;

use crate::Refusal;
use crate::claims::Claims;
use crate::config::section::{Section, Unknown, is_blank};

/// A provisioner of any type.
#[derive(Debug, Clone, PartialEq)]
pub enum Provisioner {
    /// RFC 8555
    Acme(Acme),
    /// Tokens signed by a key whose public half is in the configuration.
    Jwk(Jwk),
    /// A type that is listed and cannot issue yet.
    Other(Other),
}

/// What every provisioner has, whatever its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Common {
    pub(crate) name: String,
    pub(crate) claims: Claims,
    /// Why it cannot work; it is listed all the same.
    pub(crate) disabled: Option<String>,
    pub(crate) raw: Value,
}

impl Common {
    /// # Errors
    /// When the configuration of this provisioner does not hold together.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        match &self.disabled {
            None => Ok(()),
            Some(reason) => Err(Refusal::ProvisionerDisabled {
                name: self.name.clone(),
                reason: reason.clone(),
            }),
        }
    }

    /// Notes why the provisioner cannot work; the first reason stays.
    pub(crate) fn disable(&mut self, section: &Section<'_>, key: &str, reason: String) {
        section.warn(key, format!("{reason}; the provisioner is disabled"));
        self.disabled.get_or_insert(reason);
    }
}

impl Provisioner {
    /// The name, unique in the authority.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.common().name
    }

    /// The type as other programs write it: `ACME`, `JWK`.
    #[must_use]
    pub fn kind_name(&self) -> &str {
        match self {
            Self::Acme(_) => acme::KIND,
            Self::Jwk(_) => jwk::KIND,
            Self::Other(other) => other.kind(),
        }
    }

    /// The id under which records name it: `acme/<name>`, `<name>:<kid>`.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Acme(acme) => acme.id(),
            Self::Jwk(jwk) => format!("{}:{}", jwk.name(), jwk.kid()),
            Self::Other(other) => format!("{}/{}", other.kind().to_lowercase(), other.name()),
        }
    }

    /// The claims that hold for it.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.common().claims
    }

    /// Why it cannot work, if it cannot.
    #[must_use]
    pub fn disabled(&self) -> Option<&str> {
        self.common().disabled.as_deref()
    }

    /// The object as `GET /provisioners` lists it: as written, secrets blotted out.
    #[must_use]
    pub fn raw(&self) -> &Value {
        &self.common().raw
    }

    /// This provisioner, if it speaks ACME.
    #[must_use]
    pub fn as_acme(&self) -> Option<&Acme> {
        match self {
            Self::Acme(acme) => Some(acme),
            Self::Jwk(_) | Self::Other(_) => None,
        }
    }

    /// This provisioner, if it takes tokens signed by a JWK.
    #[must_use]
    pub fn as_jwk(&self) -> Option<&Jwk> {
        match self {
            Self::Jwk(jwk) => Some(jwk),
            Self::Acme(_) | Self::Other(_) => None,
        }
    }

    /// `true` when a certificate's extension was made by this provisioner.
    pub(crate) fn made(&self, extension: &pki::StepProvisioner) -> bool {
        extension.name == self.name()
            && match self {
                Self::Acme(_) => extension.kind == acme::NUMBER,
                Self::Jwk(jwk) => {
                    extension.kind == jwk::NUMBER && extension.credential_id == jwk.kid()
                }
                Self::Other(other) => Some(extension.kind) == other.number(),
            }
    }

    fn common(&self) -> &Common {
        match self {
            Self::Acme(acme) => acme.common(),
            Self::Jwk(jwk) => jwk.common(),
            Self::Other(other) => other.common(),
        }
    }
}

/// Reads one object of `authority.provisioners`; `value` is the same object.
pub(crate) fn read(mut section: Section<'_>, value: &Value, claims: &Claims) -> Provisioner {
    let kind = section.required("type");
    let name = section.required("name");
    let mut common = Common {
        name,
        claims: claims.clone(),
        disabled: None,
        raw: other::without_secrets(value),
    };
    if let Some(own) = section.section("claims") {
        match claims.merge(&crate::config::read_claims(own)) {
            Ok(merged) => common.claims = merged,
            Err(error) => common.disable(&section, "claims", error.to_string()),
        }
    }
    let provisioner = match kind.to_ascii_uppercase().as_str() {
        acme::KIND => Provisioner::Acme(Acme::read(common, &mut section)),
        jwk::KIND => Provisioner::Jwk(Jwk::read(common, &mut section)),
        _ => return Provisioner::Other(Other::read(common, &kind, &mut section)),
    };
    section.finish(Unknown::Warn);
    provisioner
}

/// Reads `options`: what would change or bar a certificate and cannot be done disables the
/// provisioner, so that no certificate leaves without it.
pub(crate) fn read_options(common: &mut Common, section: &mut Section<'_>) {
    let Some(mut options) = section.section("options") else {
        return;
    };
    if let Some(mut x509) = options.section("x509") {
        for key in ["template", "templateFile"] {
            if x509.value(key).is_some_and(|value| !is_blank(value)) {
                common.disable(&x509, key, "templates are not supported yet".into());
            }
        }
        x509.skip(&["templateData"]);
        x509.finish(Unknown::Warn);
    }
    for (key, reason) in [
        ("webhooks", "webhooks are not supported yet"),
        ("wire", "Wire challenges are not supported"),
    ] {
        if options.value(key).is_some_and(|value| !is_blank(value)) {
            common.disable(&options, key, reason.into());
        }
    }
    options.skip(&["ssh"]);
    options.finish(Unknown::Warn);
}
