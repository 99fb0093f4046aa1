//! Provisioners: who may ask for certificates, and how. One file a type: its values, and how its
//! credential becomes an [`IssuanceRequest`](crate::admission::IssuanceRequest).
//!
//! Not here: how ca.json writes them, which `config::provisioner` knows.

pub mod acme;
pub(crate) mod jwk;
mod other;

use pki::{Certificate, StepProvisioner};
use serde_json::Value;

pub use acme::Acme;
pub(crate) use acme::AcmeSettings;
pub use jwk::Jwk;
pub(crate) use other::Known;
pub use other::Other;

use crate::claims::Claims;
use crate::refusal::Refusal;

/// What a type of provisioner says about itself.
pub(crate) trait ProvisionerType {
    /// What every provisioner has.
    fn common(&self) -> &Common;

    /// The type as other programs write it: `ACME`, `JWK`.
    fn type_name(&self) -> &str;

    /// The type's number in the certificate extension, if it has one.
    fn number(&self) -> Option<u32>;

    /// The id under which records name it; `<type>/<name>` unless the type has its own form.
    fn id(&self) -> String {
        format!("{}/{}", self.type_name().to_lowercase(), self.common().name)
    }

    /// Whether the credential that a certificate's extension names is one of this provisioner.
    fn has_credential(&self, _id: &str) -> bool {
        true
    }
}

/// A type is a file beside this one and a line in the list below; nothing else here names one.
macro_rules! provisioners {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// A provisioner of any type.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Provisioner {
            $($(#[$doc])+ $name($name),)+
        }

        impl Provisioner {
            fn as_type(&self) -> &dyn ProvisionerType {
                match self {
                    $(Self::$name(it) => it,)+
                }
            }
        }

        $(impl From<$name> for Provisioner {
            fn from(it: $name) -> Self {
                Self::$name(it)
            }
        })+
    };
}

provisioners! {
    /// RFC 8555
    Acme,
    /// Tokens signed by a key whose public half is in the configuration.
    Jwk,
    /// A type that is listed and cannot issue yet.
    Other,
}

/// What every provisioner has, whatever its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Common {
    pub(crate) name: String,
    pub(crate) claims: Claims,
    /// Why it cannot work; it is listed all the same.
    pub(crate) disabled: Option<String>,
    /// The object as `GET /provisioners` lists it.
    pub(crate) listing: Value,
}

impl Common {
    /// # Errors
    /// When the configuration of this provisioner is not consistent.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        match &self.disabled {
            None => Ok(()),
            Some(reason) => Err(Refusal::ProvisionerDisabled {
                name: self.name.clone(),
                reason: reason.clone(),
            }),
        }
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
        self.as_type().type_name()
    }

    /// The id under which records name it: `acme/<name>`, `<name>:<kid>`.
    #[must_use]
    pub fn id(&self) -> String {
        self.as_type().id()
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

    /// The object as `GET /provisioners` lists it: as written, secrets redacted.
    #[must_use]
    pub fn raw(&self) -> &Value {
        &self.common().listing
    }

    /// This provisioner, if it speaks ACME.
    #[must_use]
    pub fn as_acme(&self) -> Option<&Acme> {
        if let Self::Acme(acme) = self {
            Some(acme)
        } else {
            None
        }
    }

    /// This provisioner, if it takes tokens signed by a JWK.
    #[must_use]
    pub fn as_jwk(&self) -> Option<&Jwk> {
        if let Self::Jwk(jwk) = self {
            Some(jwk)
        } else {
            None
        }
    }

    /// `true` when a certificate's extension was made by this provisioner.
    fn made(&self, extension: &StepProvisioner) -> bool {
        let own = self.as_type();
        extension.name == self.name()
            && Some(extension.kind) == own.number()
            && own.has_credential(&extension.credential_id)
    }

    fn common(&self) -> &Common {
        self.as_type().common()
    }
}

/// The provisioner among `all` that made a certificate: the one that its extension names, else
/// the one `recorded` for it; none where there is neither.
///
/// # Errors
/// When that provisioner was removed, or another of the same name has taken its place, or the
/// extension cannot be read.
pub(crate) fn maker<'a>(
    all: &'a [Provisioner],
    certificate: &Certificate,
    recorded: Option<&str>,
) -> Result<Option<&'a Provisioner>, Refusal> {
    let extension = certificate.step_provisioner()?;
    let named = extension.as_ref().map(|extension| extension.name.as_str());
    let Some(name) = named.or(recorded) else {
        return Ok(None);
    };
    let found = all
        .iter()
        .find(|provisioner| provisioner.name() == name)
        .filter(|found| extension.as_ref().is_none_or(|it| found.made(it)))
        .ok_or_else(|| Refusal::UnknownProvisioner {
            name: name.to_owned(),
        })?;
    Ok(Some(found))
}
