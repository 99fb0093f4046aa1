//! The restrictions of a configuration, section by section. A setting that bounds or forbids something belongs here.

use acme::challenge::Method;
use acme::rate::Rate;
use jiff::SignedDuration;

use super::Restriction;
use crate::admission::caa::CaaMode;
use crate::config::{
    CA_JSON, Config, Limits, ProvisionerSettings, RISER_TOML, RateLimits, TermsChanged, Validation,
};
use crate::policy::{Effect, Kind, List, Lists, Names, Policy};
use crate::provisioner::Provisioner;

/// All of them, in the order of the files.
pub(super) fn of(config: &Config) -> Vec<Restriction> {
    let mut all = Found::default();
    all.policy(CA_JSON, &config.authority.policy, |list| {
        format!("authority.policy.x509.{list}")
    });
    for provisioner in &config.authority.provisioners {
        all.provisioner(config, provisioner);
    }
    all.validation(&config.riser.validation);
    all.limits(&config.riser.limits);
    all.rate_limits(&config.riser.rate_limits);
    for (name, profile) in &config.riser.profiles {
        let at = |key: &str| format!("profile.{name}.{key}");
        let lives = profile.life.map(seconds);
        all.bounded(RISER_TOML, at("life"), lives);
        let longest = profile.longest_life.map(seconds);
        all.bounded(RISER_TOML, at("longest_life"), longest);
        let names = profile.most_names.and_then(|most| u64::try_from(most).ok());
        all.bounded(RISER_TOML, at("most_names"), names);
        all.holds(RISER_TOML, at("keys"), !profile.keys.is_empty());
        let has_sorts = !profile.identifiers.is_empty();
        all.holds(RISER_TOML, at("identifiers"), has_sorts);
        let usages = profile.key_usages.is_some();
        all.holds(RISER_TOML, at("key_usages"), usages);
        let purposes = profile.extended_key_usages.is_some();
        all.holds(RISER_TOML, at("extended_key_usages"), purposes);
        all.holds(RISER_TOML, at("must_staple"), profile.must_staple);
    }
    all.restrictions
}

#[derive(Default)]
struct Found {
    /// The provisioner whose restrictions are being listed.
    provisioner: Option<String>,
    restrictions: Vec<Restriction>,
}

impl Found {
    fn add(&mut self, file: &str, place: impl Into<String>, most: Option<u64>) {
        self.restrictions.push(Restriction {
            file: file.to_owned(),
            provisioner: self.provisioner.clone(),
            place: place.into(),
            most,
        });
    }

    fn holds(&mut self, file: &str, place: impl Into<String>, holds: bool) {
        if holds {
            self.add(file, place, None);
        }
    }

    fn bounded(&mut self, file: &str, place: impl Into<String>, most: Option<u64>) {
        if most.is_some() {
            self.add(file, place, most);
        }
    }

    fn policy(&mut self, file: &str, policy: &Policy, key: impl Fn(List) -> String) {
        let lists = Lists::from(policy.clone());
        for kind in Kind::ALL {
            let effect = Effect::Deny;
            for rule in names(&lists.deny, kind) {
                let place = key(List { effect, kind });
                self.add(file, format!("{place} {rule:?}"), None);
            }
            let effect = Effect::Allow;
            let has_some = !names(&lists.allow, kind).is_empty();
            self.holds(file, key(List { effect, kind }), has_some);
        }
        let unlisted = !lists.allow.dns.is_empty() && lists.allow_wildcards != Some(true);
        let refused = unlisted || lists.allow_wildcards == Some(false);
        let kind = Kind::Dns;
        let place = key(List {
            effect: Effect::Allow,
            kind,
        });
        self.holds(file, format!("{place} without wildcards"), refused);
    }

    fn provisioner(&mut self, config: &Config, provisioner: &Provisioner) {
        let name = provisioner.name();
        self.provisioner = Some(name.to_owned());
        let claims = provisioner.claims();
        let longest = Some(seconds(claims.maximum));
        self.bounded(CA_JSON, "claims.maxTLSCertDuration", longest);
        let disabled = claims.disable_renewal;
        self.holds(CA_JSON, "claims.disableRenewal", disabled);
        let ends = !claims.allow_renewal_after_expiry;
        self.holds(CA_JSON, "claims.allowRenewalAfterExpiry false", ends);
        let settings = config.riser.provisioner(name);
        if let Some(acme) = provisioner.as_acme() {
            self.holds(CA_JSON, "requireEAB", acme.require_eab());
            let offered = config.challenges(acme);
            let file = match settings.challenges {
                Some(_) => RISER_TOML,
                None => CA_JSON,
            };
            for method in Method::USUAL.iter().filter(|one| !offered.contains(one)) {
                self.add(
                    file,
                    format!("challenges without {}", method.as_str()),
                    None,
                );
            }
        }
        self.settings(&settings);
        self.provisioner = None;
    }

    fn settings(&mut self, settings: &ProvisionerSettings) {
        let caa = match settings.caa {
            CaaMode::Off => None,
            CaaMode::Warn => Some(1),
            CaaMode::Enforce => Some(0),
        };
        self.bounded(RISER_TOML, "caa", caa);
        let life = Some(seconds(settings.authorization_life));
        self.bounded(RISER_TOML, "authorization_life", life);
        let reuse = settings.authorization_reuse.map_or(0, seconds);
        self.bounded(RISER_TOML, "authorization_reuse", Some(reuse));
        let asks = settings.terms_changed == TermsChanged::Ask;
        self.holds(RISER_TOML, "terms_changed", asks);
        let attestation = &settings.attestation;
        for one in &attestation.roots {
            self.add(
                RISER_TOML,
                format!("attestation.roots.{}", one.format),
                None,
            );
        }
        self.holds(
            RISER_TOML,
            "attestation.stale_apple false",
            !attestation.stale_apple,
        );
        let named = !attestation.any_enrolled_tpm;
        self.holds(RISER_TOML, "attestation.any_enrolled_tpm false", named);
        let has_profiles = !settings.profiles.is_empty();
        self.holds(RISER_TOML, "profiles", has_profiles);
        self.policy(RISER_TOML, &settings.policy, |list| {
            format!("policy.{}_{}", list.effect.as_str(), list.kind.as_str())
        });
    }

    fn validation(&mut self, validation: &Validation) {
        for network in &validation.deny {
            self.add(RISER_TOML, format!("validation.deny \"{network}\""), None);
        }
        let has_resolvers = !validation.resolvers.is_empty();
        self.holds(RISER_TOML, "validation.resolvers", has_resolvers);
        for zone in &validation.zones {
            self.add(
                RISER_TOML,
                format!("validation.zone \"{}\"", zone.name),
                None,
            );
        }
        let asks_owners = validation.authoritative;
        self.holds(RISER_TOML, "validation.authoritative", asks_owners);
    }

    fn limits(&mut self, limits: &Limits) {
        let counts = [
            ("connections", limits.connections),
            ("body_bytes", limits.body_bytes),
        ];
        for (key, count) in counts {
            let most = u64::try_from(count).ok();
            self.bounded(RISER_TOML, format!("limits.{key}"), most);
        }
        let times = [
            ("handshake", limits.handshake),
            ("header", limits.header),
            ("body", limits.body),
            ("idle", limits.idle),
        ];
        for (key, time) in times {
            let most = Some(seconds(time));
            self.bounded(RISER_TOML, format!("limits.{key}"), most);
        }
    }

    fn rate_limits(&mut self, limits: &RateLimits) {
        let rates = [
            ("accounts_per_address", limits.accounts_per_address),
            ("orders_per_account", limits.orders_per_account),
            ("orders_per_name", limits.orders_per_name),
            (
                "unfinished_orders_per_account",
                limits.unfinished_orders_per_account,
            ),
            (
                "finalizations_per_account",
                limits.finalizations_per_account,
            ),
            ("caa_lookups_per_account", limits.caa_lookups_per_account),
            ("failures_per_name", limits.failures_per_name),
        ];
        for (key, rate) in rates {
            let burst = rate.map(|rate| u64::from(rate.count));
            self.bounded(RISER_TOML, format!("rate_limits.{key}.count"), burst);
            let a_day = rate.map(per_day);
            self.bounded(RISER_TOML, format!("rate_limits.{key}"), a_day);
        }
        let most = u64::try_from(limits.validations_per_account).ok();
        let place = "rate_limits.validations_per_account";
        self.bounded(RISER_TOML, place, most);
    }
}

fn names(names: &Names, kind: Kind) -> &[String] {
    match kind {
        Kind::Cn => &names.cn,
        Kind::Dns => &names.dns,
        Kind::Ip => &names.ip,
        Kind::Email => &names.email,
        Kind::Uri => &names.uri,
    }
}

fn seconds(duration: SignedDuration) -> u64 {
    u64::try_from(duration.as_secs()).unwrap_or_default()
}

fn per_day(rate: Rate) -> u64 {
    let per = rate.per.as_millis().max(1);
    u64::try_from(u128::from(rate.count) * 86_400_000 / per).unwrap_or(u64::MAX)
}
