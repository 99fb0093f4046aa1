//! Grant: the right to one certificate, made by [`admit`](super::admit) alone and used up by
//! [`crate::issue::prepare`]. The server's own certificate is the one exception, below.

use std::collections::BTreeSet;
use std::net::IpAddr;

use acme::challenge::Means;
use jiff::{SignedDuration, Timestamp};
use pki::{AltName, Certificate, PublicKey, Serial, StepProvisioner};
use uuid::Uuid;

use super::Objection;
use super::policy::PublishedAt;
use super::request::Validation;
use crate::claims::Lifetime;
use crate::profile::Profile;
use crate::refusal::Refusal;

/// The right to one certificate: which names, which key, how long, for whom. Having one is
/// proof that it was admitted; it cannot be copied.
pub struct Grant {
    parts: Parts,
    objections: Vec<Objection>,
}

/// What a grant is made of; only what consumes the grant sees it.
pub(crate) struct Parts {
    pub(crate) key: PublicKey,
    pub(crate) lifetime: Lifetime,
    pub(crate) recipient: Recipient,
    pub(crate) grounds: Grounds,
    pub(crate) body: CertificateContents,
}

/// What a renewal of the certificate is asked for again, for the records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grounds {
    /// The profile.
    pub profile: Option<String>,
    /// What the right to each name rests on, where it is known.
    pub validations: Vec<Validation>,
}

impl Grounds {
    /// What the right to a name rests on; none where that is not known.
    #[must_use]
    pub fn means(&self, name: &AltName) -> Option<Means> {
        let mut all = self.validations.iter();
        all.find(|it| it.name == *name).map(|it| it.means)
    }
}

/// Where the certificate's contents come from.
pub(crate) enum CertificateContents {
    /// They are put together from names.
    LeafContents(Box<LeafContents>),
    /// They are those of an older certificate.
    Copy(Certificate),
}

/// What a certificate is put together from.
#[derive(Default)]
pub(crate) struct LeafContents {
    pub(crate) common_name: Option<String>,
    pub(crate) names: Vec<AltName>,
    pub(crate) provisioner: Option<StepProvisioner>,
    pub(crate) profile: Option<Profile>,
    pub(crate) published_at: PublishedAt,
}

/// For whom a certificate is, for the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The owner of an ACME order.
    Order {
        /// The order.
        order: Uuid,
        /// The account that it belongs to.
        account: Uuid,
        /// The provisioner that granted it.
        provisioner: String,
        /// The serial number of the certificate that it takes the place of.
        replaces: Option<Serial>,
    },
    /// The holder of an older certificate.
    Renewal {
        /// The older one's serial number.
        of: Serial,
        /// The SHA-256 of the bits of the older one's key, whose holder asks.
        asking_key: [u8; 32],
        /// The serial number of the first certificate of the older one's lineage.
        lineage: Serial,
        /// The account that ordered the first.
        account: Option<Uuid>,
        /// The provisioner that granted the older one.
        provisioner: Option<String>,
    },
    /// The authority's own server.
    ServerCertificate,
    /// The authority itself: its root or its intermediate.
    Authority,
}

impl Grant {
    pub(super) fn new(parts: Parts, objections: Vec<Objection>) -> Self {
        Self { parts, objections }
    }

    /// The one grant that no admission precedes: the certificate of the authority's own server.
    /// The operator's configuration is what it rests on. `names` are DNS names and addresses; it
    /// begins a minute before `now` and ends `life` after it.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn server_certificate(
        names: &[String],
        common_name: &str,
        key: &PublicKey,
        life: SignedDuration,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let names = names
            .iter()
            .map(|name| {
                server_name(name).map_err(|reason| Refusal::BadName {
                    name: name.clone(),
                    reason: reason.to_owned(),
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let parts = Parts {
            key: key.clone(),
            lifetime: Lifetime::from_now(now, SignedDuration::from_mins(1), life),
            recipient: Recipient::ServerCertificate,
            grounds: Grounds::default(),
            body: CertificateContents::LeafContents(Box::new(LeafContents {
                common_name: Some(common_name.to_owned()).filter(|name| !name.is_empty()),
                names: in_order(names),
                ..LeafContents::default()
            })),
        };
        Ok(Self::new(parts, Vec::new()))
    }

    /// For whom the certificate will be.
    #[must_use]
    pub fn recipient(&self) -> &Recipient {
        &self.parts.recipient
    }

    /// What a renewal of the certificate will be asked for again.
    #[must_use]
    pub fn grounds(&self) -> &Grounds {
        &self.parts.grounds
    }

    /// What would have refused it if the operator had not asked for a warning only.
    #[must_use]
    pub fn objections(&self) -> &[Objection] {
        &self.objections
    }

    /// From when to when it will hold, unless its issuer ends earlier.
    #[must_use]
    pub fn lifetime(&self) -> Lifetime {
        self.parts.lifetime
    }

    pub(crate) fn into_parts(self) -> Parts {
        self.parts
    }
}

/// Sorted and without repetition: DNS names, then addresses.
pub(super) fn in_order(names: Vec<AltName>) -> Vec<AltName> {
    names
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// A name of the configuration: an address, or a DNS name.
/// Reads a name of the server's own certificate: an address, with or without brackets, or a DNS name.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn server_name(name: &str) -> Result<AltName, &'static str> {
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(AltName::Ip(address));
    }
    if name.is_empty() {
        return Err("it is empty");
    }
    if name.len() > 253 {
        return Err("it is longer than 253 characters");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '*');
    if !name.chars().all(plain) {
        return Err("it is neither an address nor a DNS name");
    }
    Ok(AltName::Dns(name.to_owned()))
}
