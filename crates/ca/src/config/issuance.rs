//! What both files say about one request, as an [`IssuancePolicy`].

use std::borrow::Cow;

use pki::Certificate;

use super::Config;
use crate::admission::caa::{CaaMode, CaaPolicy};
use crate::admission::{
    CommonNameRule, Contents, IssuancePolicy, IssuanceRequest, LeafTerms, Profiles, PublishedAt,
};
use crate::external_key::ExternalKeyRules;
use crate::policy::{Level, Levels};
use crate::profile::{Offer, Unfit};
use crate::provisioner::{self, Acme, Provisioner};
use crate::refusal::Refusal;

impl Config {
    /// The policy for a request. `rules` are those of the account's external account key.
    #[must_use]
    pub fn issuance_policy<'a>(
        &'a self,
        request: &IssuanceRequest,
        rules: Option<&'a ExternalKeyRules>,
    ) -> IssuancePolicy<'a> {
        let named = request.basis.provisioner.as_deref();
        if let Contents::Renewed(certificate) = &request.contents {
            return self.renewal_policy(request, certificate, rules);
        }
        let name = named.unwrap_or_default();
        match self.authority.working_acme(name) {
            Ok(acme) => self.order_policy(acme, request.asked.profile.as_deref(), rules),
            Err(refusal) => IssuancePolicy {
                barred: Some(refusal),
                ..self.base_policy(None, None)
            },
        }
    }

    /// The policy for an order of a provisioner that asks for this profile, or for none. The same
    /// answer serves at newOrder and, with what is in force by then, at finalize.
    #[must_use]
    pub fn order_policy<'a>(
        &'a self,
        acme: &'a Acme,
        profile: Option<&str>,
        rules: Option<&'a ExternalKeyRules>,
    ) -> IssuancePolicy<'a> {
        let offered = self.offers(acme.name());
        let pinned = rules.and_then(|rules| rules.profile.as_deref());
        let (offer, unfit) = match choose(offered, profile, pinned) {
            Ok(offer) => (offer, None),
            Err(unfit) => (None, Some(Refusal::from(unfit))),
        };
        IssuancePolicy {
            provisioner: Some(acme.name()),
            barred: acme.check().err().or(unfit),
            claims: offer.map_or_else(|| acme.claims(), Offer::claims),
            profiles: Profiles {
                chosen: offer.map(Offer::profile),
                offered,
            },
            leaf: LeafTerms {
                common_name: match acme.force_cn() {
                    true => CommonNameRule::Required,
                    false => CommonNameRule::Optional,
                },
                extension: acme.extension(),
                published_at: PublishedAt::default(),
            },
            caa: self.caa_policy(acme),
            ..self.base_policy(Some(acme.name()), rules)
        }
    }

    /// The profiles that a provisioner offers; the first is taken where none is asked for.
    #[must_use]
    pub fn offers(&self, provisioner: &str) -> &[Offer] {
        self.offers.get(provisioner).map_or(&[], Vec::as_slice)
    }

    /// The policies that hold for the certificates of a provisioner, and of an account's external
    /// account key: the key's, the provisioner's, the authority's.
    #[must_use]
    pub fn levels<'a>(
        &'a self,
        provisioner: Option<&str>,
        rules: Option<&'a ExternalKeyRules>,
    ) -> Levels<'a> {
        let mut levels = Levels::default();
        if let Some(ExternalKeyRules { key, policy, .. }) = rules {
            levels = levels.then(Level::Key(key.clone()), Cow::Borrowed(policy));
        }
        let settings = provisioner.and_then(|name| self.riser.provisioners.get_key_value(name));
        if let Some((name, settings)) = settings {
            let level = Level::Provisioner(name.clone());
            levels = levels.then(level, Cow::Borrowed(&settings.policy));
        }
        levels.then(Level::Authority, Cow::Borrowed(&self.authority.policy))
    }

    /// The policy for renewing a certificate: what an order would get now where an account has ordered
    /// it, else claims and policies of the provisioner that made it, or of the authority.
    fn renewal_policy<'a>(
        &'a self,
        request: &IssuanceRequest,
        certificate: &Certificate,
        rules: Option<&'a ExternalKeyRules>,
    ) -> IssuancePolicy<'a> {
        let all = &self.authority.provisioners;
        let recorded = request.basis.provisioner.as_deref();
        let (provisioner, mut gone) = match provisioner::maker(all, certificate, recorded) {
            Ok(found) => (found, None),
            Err(refusal) => (None, Some(refusal)),
        };
        if request.basis.account.is_some() {
            if let Some(Provisioner::Acme(acme)) = provisioner {
                return IssuancePolicy {
                    leaf: LeafTerms::default(),
                    ..self.order_policy(acme, request.asked.profile.as_deref(), rules)
                };
            }
            // Accounts belong to ACME: another type of this name is not what granted the order.
            let name = recorded.unwrap_or_default().to_owned();
            gone = gone.or(Some(Refusal::UnknownProvisioner { name }));
        }
        let name = provisioner.map(Provisioner::name);
        IssuancePolicy {
            barred: gone,
            claims: provisioner.map_or(&self.authority.claims, Provisioner::claims),
            profiles: Profiles {
                chosen: None,
                offered: name.map_or(&[], |name| self.offers(name)),
            },
            ..self.base_policy(name, None)
        }
    }

    /// What holds for every certificate of a provisioner.
    fn base_policy<'a>(
        &'a self,
        provisioner: Option<&'a str>,
        rules: Option<&'a ExternalKeyRules>,
    ) -> IssuancePolicy<'a> {
        IssuancePolicy {
            provisioner,
            barred: None,
            claims: &self.authority.claims,
            backdate: self.authority.backdate,
            profiles: Profiles::default(),
            levels: self.levels(provisioner, rules),
            leaf: LeafTerms::default(),
            caa: CaaPolicy::default(),
            chain: None,
        }
    }

    fn caa_policy(&self, acme: &Acme) -> CaaPolicy {
        let settings = self.riser.provisioners.get(acme.name());
        let mode = settings.map_or(CaaMode::Off, |settings| settings.caa);
        if mode == CaaMode::Off {
            return CaaPolicy::default();
        }
        let hosts = self.dns_names.iter().chain(&self.riser.public_names);
        CaaPolicy {
            mode,
            issuers: self.issuers(acme),
            hosts: hosts.cloned().collect(),
        }
    }
}

/// The offer that an order gets: the profile that its account's external account key is for, else
/// the one asked for, else the first.
fn choose<'a>(
    offered: &'a [Offer],
    asked: Option<&str>,
    pinned: Option<&str>,
) -> Result<Option<&'a Offer>, Unfit> {
    let find = |name: &str| offered.iter().find(|offer| offer.profile().name == name);
    let names = || {
        let names = offered.iter().map(|offer| offer.profile().name.clone());
        names.collect()
    };
    match (asked, pinned) {
        (Some(asked), Some(pinned)) if asked != pinned => Err(Unfit::Pinned {
            asked: asked.to_owned(),
            pinned: pinned.to_owned(),
        }),
        (_, Some(pinned)) => find(pinned).map(Some).ok_or_else(|| Unfit::PinnedAway {
            pinned: pinned.to_owned(),
            offered: names(),
        }),
        (Some(asked), None) => find(asked).map(Some).ok_or_else(|| Unfit::NotOffered {
            asked: asked.to_owned(),
            offered: names(),
        }),
        (None, None) => Ok(offered.first()),
    }
}
