//! Profiles (draft-ietf-acme-profiles): kinds of certificate that a client may choose from, each
//! with its life, usages, keys, identifiers and extensions.
//!
//! Not here: how riser.toml writes them.

mod offer;

use std::fmt;

use jiff::SignedDuration;
use pki::{AltName, ExtendedKeyUsage, Extension, KeyKind, KeyUsages, device, extension};

pub use offer::Offer;

use crate::claims::Claims;
use crate::go_duration;

/// A kind of certificate. What it does not say is as without a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name by which clients ask for it.
    pub name: String,
    /// What the directory says about it.
    pub description: String,
    /// The life of a certificate whose order names none.
    pub life: Option<SignedDuration>,
    /// The longest life that an order may ask for.
    pub longest_life: Option<SignedDuration>,
    /// keyUsage; what a key cannot do is left out of its certificate.
    pub key_usages: Option<KeyUsages>,
    /// extKeyUsage.
    pub extended_key_usages: Option<Vec<ExtendedKeyUsage>>,
    /// The keys that may be certified; all when empty.
    pub keys: Vec<KeyKind>,
    /// The sorts of identifiers that may be certified; all when empty.
    pub identifiers: Vec<Sort>,
    /// The most names in one certificate.
    pub most_names: Option<usize>,
    /// Whether the common name that a request asks for is kept.
    pub common_name: CommonName,
    /// `noRevAvail`, RFC 9608.
    pub no_rev_avail: bool,
    /// The TLS feature status_request, RFC 7633.
    pub must_staple: bool,
    /// Further extensions, in this order.
    pub extensions: Vec<Extension>,
}

/// A sort of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A host name.
    Dns,
    /// An address.
    Ip,
    /// A wildcard.
    Wildcard,
    /// A device.
    Device,
}

/// What becomes of the common name that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommonName {
    /// It is kept.
    Kept,
    /// It is left out.
    Dropped,
}

/// Why a profile cannot be had (`invalidProfile`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// No such profile is offered (any more).
    #[error("The profile {asked:?} is not offered here. {}", choice(.offered))]
    NotOffered {
        /// The name asked for.
        asked: String,
        /// The names that are offered.
        offered: Vec<String>,
    },
    /// The account's external account key is for another profile.
    #[error(
        "The profile {asked:?} is not for this account, whose external account key is for the \
         profile {pinned:?}: ask for that one, or for none."
    )]
    Pinned {
        /// The name asked for.
        asked: String,
        /// The one that the key is for.
        pinned: String,
    },
    /// The profile that the account's external account key is for is not offered.
    #[error(
        "The external account key of this account is for the profile {pinned:?}, which is not \
         offered here. {}", choice(.offered)
    )]
    PinnedAway {
        /// The one that the key is for.
        pinned: String,
        /// The names that are offered.
        offered: Vec<String>,
    },
    /// The profile is not for these identifiers.
    #[error(
        "The profile {profile:?} is for {allowed} only, and the order has {identifiers}: leave \
         them out or ask for another profile. {}", choice(.offered)
    )]
    Identifiers {
        /// The profile.
        profile: String,
        /// What it is for.
        allowed: String,
        /// What does not fit.
        identifiers: String,
        /// The names that are offered.
        offered: Vec<String>,
    },
    /// The order has more names than the profile allows.
    #[error(
        "The profile {profile:?} is for at most {most} names in one certificate, and the order has \
         {asked}: split it or ask for another profile. {}", choice(.offered)
    )]
    TooManyNames {
        /// The profile.
        profile: String,
        /// The most names.
        most: usize,
        /// Those asked for.
        asked: usize,
        /// The names that are offered.
        offered: Vec<String>,
    },
}

/// A key of a kind that the profile does not certify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "The profile {profile:?} certifies keys of {allowed} only, and the CSR's key is {kind}: \
     make a key of one of these kinds."
)]
pub struct UnfitKey {
    /// The profile.
    pub profile: String,
    /// The key's kind.
    pub kind: String,
    /// The kinds that would do.
    pub allowed: String,
}

/// Why a profile does not fit a provisioner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Beyond {
    /// Its life is outside the claims.
    #[error(
        "the profile's {what} of {} lies outside what the provisioner's claims allow ({} to {}): \
         change one of them", go_duration::format(*.life), go_duration::format(*.least),
        go_duration::format(*.most)
    )]
    Life {
        /// The setting.
        what: &'static str,
        /// What it says.
        life: SignedDuration,
        /// The claims' minimum.
        least: SignedDuration,
        /// The claims' maximum.
        most: SignedDuration,
    },
    /// It leaves out what the provisioner demands.
    #[error("the profile leaves the common name out, and the provisioner demands one (forceCN)")]
    CommonName,
}

impl Profile {
    /// The claims of a provisioner, narrowed to this profile's life.
    ///
    /// # Errors
    /// When the profile's life is not within them.
    pub(crate) fn narrow(&self, claims: &Claims) -> Result<Claims, Beyond> {
        let within = |what, life: Option<SignedDuration>, most: SignedDuration| match life {
            Some(life) if life < claims.minimum || life > most => Err(Beyond::Life {
                what,
                life,
                least: claims.minimum,
                most,
            }),
            Some(_) | None => Ok(life),
        };
        let maximum = within("longest_life", self.longest_life, claims.maximum)?;
        let maximum = maximum.unwrap_or(claims.maximum);
        let default = within("life", self.life, maximum)?;
        Ok(Claims {
            default: default.unwrap_or_else(|| claims.default.min(maximum)),
            maximum,
            ..claims.clone()
        })
    }

    /// Decides whether the profile is for these names; `offered` is for the answer.
    pub(crate) fn check(&self, names: &[AltName], offered: &[Offer]) -> Result<(), Unfit> {
        let offered = || offer::names(offered);
        let fits = |name: &&AltName| {
            let sort = Sort::of(name);
            self.identifiers.is_empty() || sort.is_some_and(|it| self.identifiers.contains(&it))
        };
        let unfit: Vec<_> = names.iter().filter(|name| !fits(name)).collect();
        if !unfit.is_empty() {
            return Err(Unfit::Identifiers {
                profile: self.name.clone(),
                allowed: list(&self.identifiers),
                identifiers: list(unfit),
                offered: offered(),
            });
        }
        match self.most_names {
            Some(most) if names.len() > most => Err(Unfit::TooManyNames {
                profile: self.name.clone(),
                most,
                asked: names.len(),
                offered: offered(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// Decides whether a key may be certified.
    pub(crate) fn check_key(&self, kind: KeyKind) -> Result<(), UnfitKey> {
        if self.keys.is_empty() || self.keys.contains(&kind) {
            return Ok(());
        }
        Err(UnfitKey {
            profile: self.name.clone(),
            kind: key_name(kind),
            allowed: list(self.keys.iter().map(|kind| key_name(*kind))),
        })
    }

    /// keyUsage for a key of this kind, where the profile says something about it.
    pub(crate) fn key_usages_for(&self, kind: KeyKind) -> Option<KeyUsages> {
        let encipherment = KeyUsages::KEY_ENCIPHERMENT | KeyUsages::DATA_ENCIPHERMENT;
        let agreement = KeyUsages::KEY_AGREEMENT;
        // RFC 8813 §3, RFC 8410 §5: what the algorithm cannot do must not be asserted.
        let beyond = match kind {
            KeyKind::Rsa { .. } => agreement,
            KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => encipherment,
            KeyKind::Ed25519 => encipherment | agreement,
        };
        self.key_usages.map(|usages| usages.without(beyond))
    }

    /// What the profile adds after the extensions that every leaf has.
    pub(crate) fn further(&self) -> Vec<Extension> {
        let staple = self.must_staple.then(extension::must_staple);
        let none = self.no_rev_avail.then(extension::no_rev_avail);
        let own = staple.into_iter().chain(none);
        own.chain(self.extensions.iter().cloned()).collect()
    }
}

impl Sort {
    /// The sort of a name; none for the kinds that profiles cannot name.
    fn of(name: &AltName) -> Option<Self> {
        match name {
            AltName::Dns(text) if text.starts_with("*.") => Some(Self::Wildcard),
            AltName::Dns(_) => Some(Self::Dns),
            AltName::Ip(_) => Some(Self::Ip),
            AltName::Other { .. } if device::is_device_name(name) => Some(Self::Device),
            AltName::Email(_) | AltName::Uri(_) | AltName::Other { .. } => None,
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "host names",
            Self::Ip => "addresses",
            Self::Wildcard => "wildcards",
            Self::Device => "devices",
        })
    }
}

/// A kind of key as riser.toml writes it: `P-256`, `RSA-2048`, `Ed25519`.
pub(crate) fn key_name(kind: KeyKind) -> String {
    match kind {
        KeyKind::EcP256 => "P-256".to_owned(),
        KeyKind::EcP384 => "P-384".to_owned(),
        KeyKind::EcP521 => "P-521".to_owned(),
        KeyKind::Rsa { bits } => format!("RSA-{bits}"),
        KeyKind::Ed25519 => "Ed25519".to_owned(),
    }
}

fn list<T: fmt::Display>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<_> = all.into_iter().map(|one| one.to_string()).collect();
    all.join(", ")
}

fn choice(names: &[String]) -> String {
    if names.is_empty() {
        return "This provisioner offers no profiles: ask for none.".to_owned();
    }
    format!("This provisioner offers {}.", names.join(", "))
}

#[cfg(test)]
mod tests;
