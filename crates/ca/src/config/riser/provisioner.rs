//! `[provisioner.<name>]` of riser.toml: what ca.json has no place for.

use std::collections::BTreeMap;

use acme::challenge::Method;
use acme::scope::Scope;
use jiff::SignedDuration;
use serde_json::Value;

use super::Provisioners;
use super::attestation::{self, AttestationSettings};
use crate::admission::caa::CaaMode;
use crate::config::UnusedTable;
use crate::config::policy;
use crate::config::section::{Section, Unknown};
use crate::go_duration;
use crate::policy::Policy;

/// `[provisioner.<name>]`: what ca.json has no place for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionerSettings {
    /// `order_life`: how long an order and its authorizations stay open, 24 h.
    pub order_life: SignedDuration,
    /// `challenges`: the challenge types to offer, in place of ca.json's list, which cannot name
    /// those of drafts.
    pub challenges: Option<Vec<Method>>,
    /// `authorization_life`: how long an authorization holds after its proof; `order_life` and
    /// `authorization_reuse` together unless it is said.
    pub authorization_life: SignedDuration,
    /// `authorization_reuse`: how long after its proof an authorization serves further orders;
    /// none for not at all (RFC 8555 §7.4).
    pub authorization_reuse: Option<SignedDuration>,
    /// `preauthorization`: names may be authorized ahead of an order (RFC 8555 §7.4.1).
    pub preauthorization: bool,
    /// `subdomains`: names may be proven by a domain above them (RFC 9444).
    pub subdomains: Scope,
    /// `caa`: what CAA records mean for its certificates.
    pub caa: CaaMode,
    /// `terms_changed`
    pub terms_changed: TermsChanged,
    /// What becomes of orders that would replace a certificate of which there is no record; no setting
    /// of the file.
    pub unknown_replaces: UnknownReplaces,
    /// `[provisioner.<name>.policy]`: which names its certificates may have.
    pub policy: Policy,
    /// `[provisioner.<name>.attestation]`: whose statements about devices it believes.
    pub attestation: AttestationSettings,
    /// `profiles`: the names of those that it offers.
    pub profiles: Vec<String>,
    /// `default_profile`: the one for orders that ask for none; the first of `profiles`.
    pub default_profile: Option<String>,
}

/// `terms_changed`: what becomes of accounts that agreed to other terms of service than those in
/// force (RFC 8555 §7.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TermsChanged {
    /// `ignore`: nothing; automatic clients go on.
    #[default]
    Ignore,
    /// `ask`: they get no new orders until they have agreed.
    Ask,
}

/// What becomes of an order that would replace a certificate that the account never had here: another
/// authority's, another account's, or one whose record is lost (RFC 9773 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownReplaces {
    /// It replaces nothing. Clients send the same again until they succeed, so a refusal would end their
    /// renewals.
    #[default]
    Ignore,
    /// It is refused, to see whether a client can do without.
    Refuse,
}

impl Default for ProvisionerSettings {
    fn default() -> Self {
        Self {
            order_life: SignedDuration::from_hours(24),
            challenges: None,
            caa: CaaMode::default(),
            authorization_life: SignedDuration::from_hours(24),
            authorization_reuse: None,
            preauthorization: false,
            subdomains: Scope::Name,
            terms_changed: TermsChanged::default(),
            unknown_replaces: UnknownReplaces::default(),
            policy: Policy::default(),
            attestation: AttestationSettings::default(),
            profiles: Vec::new(),
            default_profile: None,
        }
    }
}

pub(super) fn read_all(
    top: &mut Section<'_>,
    known: Provisioners<'_>,
) -> BTreeMap<String, ProvisionerSettings> {
    let mut found = BTreeMap::new();
    let Some(value) = top.value("provisioner") else {
        return found;
    };
    let Some(map) = value.as_object() else {
        top.fault("provisioner", "must be tables: [provisioner.<name>]");
        return found;
    };
    for (name, value) in map {
        let place = format!("provisioner.{name}");
        let Value::Object(table) = value else {
            top.log().fault(place, "must be a table");
            continue;
        };
        if !known.names.contains(&name.as_str()) {
            match known.unused {
                UnusedTable::Fault => top.log().fault(
                    place,
                    "names no provisioner of ca.json; correct the name or remove the table",
                ),
                UnusedTable::Warning => top.log().warn(
                    place,
                    "has no effect: ca.json no longer has this provisioner; remove the table",
                ),
            }
            continue;
        }
        found.insert(name.clone(), read(Section::new(table, place, top.log())));
    }
    found
}

fn read(mut section: Section<'_>) -> ProvisionerSettings {
    let default = ProvisionerSettings::default();
    let order_life = section.positive("order_life").unwrap_or(default.order_life);
    let reuse = section.duration("authorization_reuse").unwrap_or_default();
    if reuse.is_negative() {
        section.fault(
            "authorization_reuse",
            "must not be negative; 0 turns it off",
        );
    }
    let life = section.positive("authorization_life");
    if let Some(short) = life.filter(|life| *life < reuse) {
        let what = format!(
            "{} is less than authorization_reuse: what has ended serves no further order; change one of \
             them",
            go_duration::format(short)
        );
        section.fault("authorization_life", what);
    }
    let challenges = challenges(&mut section);
    let settings = ProvisionerSettings {
        order_life,
        subdomains: subdomains(&mut section, challenges.as_deref()),
        challenges,
        caa: caa(&mut section),
        authorization_life: life.unwrap_or_else(|| order_life.saturating_add(reuse)),
        authorization_reuse: reuse.is_positive().then_some(reuse),
        preauthorization: section.bool("preauthorization").unwrap_or_default(),
        terms_changed: terms_changed(&mut section),
        unknown_replaces: default.unknown_replaces,
        policy: section
            .section("policy")
            .map(policy::read_flat)
            .unwrap_or_default(),
        attestation: (section.section("attestation"))
            .map(attestation::read)
            .unwrap_or_default(),
        profiles: section.strings("profiles"),
        default_profile: section.text("default_profile"),
    };
    section.finish(Unknown::Fault);
    settings
}

fn subdomains(section: &mut Section<'_>, challenges: Option<&[Method]>) -> Scope {
    if section.bool("subdomains") != Some(true) {
        return Scope::Name;
    }
    if challenges.is_some_and(|all| !all.iter().any(|method| method.reaches_subdomains())) {
        let what = "has no effect: only dns-01 and dns-account-01 prove a domain with all names \
                    below; add one of them to challenges";
        section.fault("subdomains", what);
    }
    Scope::Subdomains
}

fn caa(section: &mut Section<'_>) -> CaaMode {
    match section.text("caa").as_deref() {
        None | Some("off") => CaaMode::Off,
        Some("warn") => CaaMode::Warn,
        Some("enforce") => CaaMode::Enforce,
        Some(word) => {
            section.fault("caa", format!("{word:?} is not one of off, warn, enforce"));
            CaaMode::Off
        }
    }
}

fn challenges(section: &mut Section<'_>) -> Option<Vec<Method>> {
    section.value("challenges")?;
    let mut methods = Vec::new();
    let words = section.strings("challenges");
    if words.is_empty() {
        section.fault("challenges", "names none; remove it to offer ca.json's");
    }
    for (n, word) in words.iter().enumerate() {
        match Method::parse(word) {
            Some(method) if methods.contains(&method) => {}
            Some(method) => methods.push(method),
            None => {
                let known: Vec<_> = Method::ALL.iter().map(|m| m.as_str()).collect();
                section.fault(
                    &format!("challenges[{n}]"),
                    format!("{word:?} is not one of {}", known.join(", ")),
                );
            }
        }
    }
    Some(methods)
}

fn terms_changed(section: &mut Section<'_>) -> TermsChanged {
    match section.text("terms_changed").as_deref() {
        None | Some("ignore") => TermsChanged::Ignore,
        Some("ask") => TermsChanged::Ask,
        Some(other) => {
            let what = format!("must be \"ignore\" or \"ask\", not {other:?}");
            section.fault("terms_changed", what);
            TermsChanged::Ignore
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::Log;

    fn settings(text: &str) -> (ProvisionerSettings, Vec<String>) {
        let table: Value = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
        let log = Log::new("riser.toml");
        let settings = read(Section::new(table.as_object().unwrap(), "p", &log));
        let (faults, _) = log.into_parts();
        (settings, faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn authorizations_live_as_long_as_orders_and_their_reuse_need() {
        let (settings, faults) = settings("order_life = \"2h\"\nauthorization_reuse = \"1h\"");
        assert_eq!(faults, [] as [String; 0]);
        let hours = SignedDuration::from_hours;
        assert_eq!(settings.authorization_life, hours(3));
        assert_eq!(settings.authorization_reuse, Some(hours(1)));
        let (off, _) = self::settings("authorization_reuse = \"0s\"");
        assert_eq!(off, ProvisionerSettings::default());
    }

    #[test]
    fn a_reuse_beyond_the_life_of_authorizations_is_a_fault() {
        let (_, faults) = settings("authorization_life = \"1h\"\nauthorization_reuse = \"2h\"");
        assert!(
            faults[0].starts_with("riser.toml: p.authorization_life: 1h0m0s is less than"),
            "{faults:?}"
        );
        let (_, faults) = settings("authorization_life = \"2h\"\nauthorization_reuse = \"2h\"");
        assert_eq!(faults, [] as [String; 0]);
    }

    #[test]
    fn subdomains_that_no_challenge_can_prove_are_a_fault() {
        let (_, faults) = settings("subdomains = true\nchallenges = [\"http-01\"]");
        assert!(
            faults[0].starts_with("riser.toml: p.subdomains: has no effect"),
            "{faults:?}"
        );
        for text in [
            "subdomains = true\nchallenges = [\"http-01\", \"dns-account-01\"]",
            "subdomains = true",
        ] {
            let (settings, faults) = settings(text);
            assert_eq!(faults, [] as [String; 0]);
            assert_eq!(settings.subdomains, Scope::Subdomains);
        }
        let (off, faults) = settings("subdomains = false\nchallenges = [\"http-01\"]");
        assert_eq!((off.subdomains, faults.len()), (Scope::Name, 0));
    }

    #[test]
    fn a_word_that_is_none_of_the_choices_is_a_fault() {
        let (_, faults) = settings("terms_changed = \"maybe\"\nauthorization_reuse = \"-1h\"");
        assert_eq!(
            faults,
            [
                "riser.toml: p.authorization_reuse: must not be negative; 0 turns it off",
                "riser.toml: p.terms_changed: must be \"ignore\" or \"ask\", not \"maybe\"",
            ]
        );
    }
}
