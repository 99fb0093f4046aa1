//! What an order gets at a provisioner: the profile that it asked for or that holds by default,
//! and the bounds of its life.

use acme::identifier::Identifier;

use super::{Beyond, CommonName, Profile, Unfit};
use crate::claims::Claims;
use crate::config::Config;
use crate::policy::Binding;
use crate::provisioner::{Acme, Provisioner};

/// A profile as one provisioner offers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    profile: Profile,
    claims: Claims,
}

impl Offer {
    /// Fits a profile to a provisioner.
    ///
    /// # Errors
    /// When the two contradict each other.
    pub(crate) fn new(profile: &Profile, provisioner: &Provisioner) -> Result<Self, Beyond> {
        let demands_name = provisioner.as_acme().is_some_and(Acme::force_cn);
        if demands_name && profile.common_name == CommonName::Dropped {
            return Err(Beyond::CommonName);
        }
        Ok(Self {
            claims: profile.narrow(provisioner.claims())?,
            profile: profile.clone(),
        })
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }
}

/// What an order gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms<'a> {
    claims: &'a Claims,
    profile: Option<&'a Profile>,
    offered: &'a [Offer],
}

impl<'a> Terms<'a> {
    /// The bounds of its life.
    #[must_use]
    pub fn claims(&self) -> &'a Claims {
        self.claims
    }

    /// The profile, where the provisioner offers any.
    #[must_use]
    pub fn profile(&self) -> Option<&'a Profile> {
        self.profile
    }

    /// Decides whether they can be had for these identifiers.
    ///
    /// # Errors
    /// When the profile is not for them.
    pub fn check<'i>(
        &self,
        identifiers: impl IntoIterator<Item = &'i Identifier>,
    ) -> Result<(), Unfit> {
        match self.profile {
            Some(profile) => profile.check(identifiers, self.offered),
            None => Ok(()),
        }
    }
}

impl Config {
    /// The profiles that a provisioner offers; the first is taken where none is asked for.
    #[must_use]
    pub fn offers(&self, provisioner: &str) -> &[Offer] {
        self.offers.get(provisioner).map_or(&[], Vec::as_slice)
    }

    /// What an order of a provisioner gets that asks for this profile, or for none. The same
    /// answer serves at newOrder and, with what is in force by then, at finalize.
    ///
    /// # Errors
    /// When the profile is not offered, or the account's external account key is for another.
    pub fn terms<'a>(
        &'a self,
        acme: &'a Acme,
        asked: Option<&str>,
        binding: Option<&Binding>,
    ) -> Result<Terms<'a>, Unfit> {
        let offered = self.offers(acme.name());
        let find = |name: &str| offered.iter().find(|offer| offer.profile.name == name);
        let pinned = binding.and_then(|binding| binding.profile.as_deref());
        let offer = match (asked, pinned) {
            (Some(asked), Some(pinned)) if asked != pinned => {
                return Err(Unfit::Pinned {
                    asked: asked.to_owned(),
                    pinned: pinned.to_owned(),
                });
            }
            (_, Some(pinned)) => Some(find(pinned).ok_or_else(|| Unfit::PinnedAway {
                pinned: pinned.to_owned(),
                offered: names(offered),
            })?),
            (Some(asked), None) => Some(find(asked).ok_or_else(|| Unfit::NotOffered {
                asked: asked.to_owned(),
                offered: names(offered),
            })?),
            (None, None) => offered.first(),
        };
        Ok(Terms {
            claims: offer.map_or_else(|| acme.claims(), |offer| &offer.claims),
            profile: offer.map(Offer::profile),
            offered,
        })
    }
}

pub(super) fn names(offered: &[Offer]) -> Vec<String> {
    let names = offered.iter().map(|offer| offer.profile.name.clone());
    names.collect()
}
