//! A profile as one provisioner offers it.

use super::{Beyond, Profile};
use crate::claims::Claims;

/// A profile as one provisioner offers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    profile: Profile,
    claims: Claims,
}

impl Offer {
    /// Fits a profile to the claims of a provisioner.
    ///
    /// # Errors
    /// When the two contradict each other.
    pub(crate) fn new(profile: &Profile, claims: &Claims) -> Result<Self, Beyond> {
        Ok(Self {
            claims: profile.narrow(claims)?,
            profile: profile.clone(),
        })
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The claims of the provisioner, narrowed to the profile's life.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}

pub(super) fn names(offered: &[Offer]) -> Vec<String> {
    let names = offered.iter().map(|offer| offer.profile.name.clone());
    names.collect()
}
