//! Grant: the right to one certificate. It is made here alone, by one door for each way of
//! earning it, and used up by [`crate::issue::prepare`].

use std::collections::BTreeSet;
use std::net::IpAddr;

use acme::identifier::Identifier;
use acme::order::Finalized;
use jiff::{SignedDuration, Timestamp};
use pki::{AltName, Certificate, PublicKey, Serial, StepProvisioner};
use uuid::Uuid;

use crate::Refusal;
use crate::claims::Lifetime;
use crate::policy::{Admitted, Named};
use crate::profile::{CommonName, Profile, Terms};
use crate::provisioner::Acme;
use crate::renew::Renewable;

/// The right to one certificate: which names, which key, how long, for whom. Having one is
/// proof that somebody earned it; it cannot be copied.
pub struct Grant(Parts);

/// What a grant is made of; only what consumes the grant sees it.
pub(crate) struct Parts {
    pub(crate) key: PublicKey,
    pub(crate) lifetime: Lifetime,
    pub(crate) recipient: Recipient,
    pub(crate) body: CertificateContents,
}

/// A finalized order with the common name and the profile that its certificate would get.
pub(crate) struct IssuanceRequest {
    finalized: Finalized,
    common_name: Option<String>,
    profile: Option<Profile>,
}

impl IssuanceRequest {
    /// Settles the common name: the request's unless the profile drops it, or the first DNS name
    /// where the provisioner demands one.
    ///
    /// # Errors
    /// When one is demanded and there is no DNS name, or when the profile is not for these names
    /// or this key.
    pub(crate) fn new(
        finalized: Finalized,
        provisioner: &Acme,
        terms: &Terms<'_>,
    ) -> Result<Self, Refusal> {
        terms.check(finalized.names())?;
        let profile = terms.profile().cloned();
        if let Some(profile) = &profile {
            profile.check_key(finalized.public_key().kind())?;
        }
        let is_dropped = |profile: &Profile| profile.common_name == CommonName::Dropped;
        let mut request = Self {
            common_name: finalized
                .common_name()
                .filter(|_| !profile.as_ref().is_some_and(is_dropped))
                .map(ToString::to_string),
            finalized,
            profile,
        };
        if request.common_name.is_none() && provisioner.force_cn() {
            let first = first_dns_name(&request.names());
            request.common_name = Some(first.ok_or_else(|| Refusal::NoCommonName {
                provisioner: provisioner.name().to_owned(),
            })?);
        }
        Ok(request)
    }
}

impl Named for IssuanceRequest {
    fn names(&self) -> Vec<AltName> {
        let names = self.finalized.names().iter();
        names.map(Identifier::to_alt_name).collect()
    }

    fn common_name(&self) -> Option<String> {
        self.common_name.clone()
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
        /// The provisioner that its extension names.
        provisioner: Option<String>,
    },
    /// The authority's own server.
    ServerCertificate,
    /// The authority itself: its root or its intermediate.
    Authority,
}

impl Grant {
    /// The door of ACME: the names of a finalized order and the key of its request, once policy
    /// has let them pass.
    pub(crate) fn from_order(
        admitted: Admitted<IssuanceRequest>,
        provisioner: &Acme,
        lifetime: Lifetime,
    ) -> Self {
        let request = admitted.into_inner();
        let order = request.finalized.order();
        Self(Parts {
            key: request.finalized.public_key().clone(),
            lifetime,
            recipient: Recipient::Order {
                order: order.id,
                account: order.account,
                provisioner: provisioner.name().to_owned(),
                replaces: order.replaces.as_ref().map(|id| id.serial().clone()),
            },
            body: CertificateContents::LeafContents(Box::new(LeafContents {
                names: in_order(request.names()),
                common_name: request.common_name,
                provisioner: provisioner.extension(),
                profile: request.profile,
            })),
        })
    }

    /// The door of renewal: a certificate that may be renewed, its names let pass by policy, for its own key or, where the
    /// holder proved that it has it, for a new one. The period stays as long as it was.
    #[must_use]
    pub fn renewal(
        renewable: Admitted<Renewable>,
        new_key: Option<&PublicKey>,
        backdate: SignedDuration,
        now: Timestamp,
    ) -> Self {
        let (old, key, provisioner) = renewable.into_inner().into_parts();
        let period = old.not_after().duration_since(old.not_before());
        // A life no longer than the backdate would be over before it is handed out.
        let backdate = if backdate < period {
            backdate
        } else {
            SignedDuration::ZERO
        };
        Self(Parts {
            key: new_key.unwrap_or(&key).clone(),
            lifetime: Lifetime::from_now(now, backdate, period.saturating_sub(backdate)),
            recipient: Recipient::Renewal {
                of: old.serial().clone(),
                provisioner,
            },
            body: CertificateContents::Copy(old),
        })
    }

    /// The house's own door: the certificate by which the server shows itself. `names` are DNS
    /// names and addresses; it begins a minute before `now` and ends `life` after it.
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
            .map(|name| host(name))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self(Parts {
            key: key.clone(),
            lifetime: Lifetime::from_now(now, SignedDuration::from_mins(1), life),
            recipient: Recipient::ServerCertificate,
            body: CertificateContents::LeafContents(Box::new(LeafContents {
                common_name: Some(common_name.to_owned()).filter(|name| !name.is_empty()),
                names: in_order(names),
                ..LeafContents::default()
            })),
        }))
    }

    /// For whom the certificate will be.
    #[must_use]
    pub fn recipient(&self) -> &Recipient {
        &self.0.recipient
    }

    /// From when to when it will hold, unless its issuer ends earlier.
    #[must_use]
    pub fn lifetime(&self) -> Lifetime {
        self.0.lifetime
    }

    pub(crate) fn into_parts(self) -> Parts {
        self.0
    }
}

/// Sorted and without repetition: DNS names, then addresses.
fn in_order(names: Vec<AltName>) -> Vec<AltName> {
    names
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn first_dns_name(names: &[AltName]) -> Option<String> {
    names.iter().find_map(|name| {
        if let AltName::Dns(name) = name {
            Some(name.clone())
        } else {
            None
        }
    })
}

/// A name of the configuration: an address, or a DNS name.
fn host(name: &str) -> Result<AltName, Refusal> {
    let bad = |reason: &str| Refusal::BadName {
        name: name.to_owned(),
        reason: reason.to_owned(),
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(AltName::Ip(address));
    }
    if name.is_empty() {
        return Err(bad("it is empty"));
    }
    if name.len() > 253 {
        return Err(bad("it is longer than 253 characters"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '*');
    if !name.chars().all(plain) {
        return Err(bad("it is neither an address nor a DNS name"));
    }
    Ok(AltName::Dns(name.to_owned()))
}
