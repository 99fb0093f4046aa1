//! How records in the DNS name this authority, and which challenges a provisioner can offer
//! because of it.

use acme::challenge::{AttestationRules, Method};
use acme::identifier::DnsName;

use super::{Config, Fault, RISER_TOML, Warning};
use crate::admission::caa::CaaMode;
use crate::provisioner::Acme;

/// More names of one issuer than this are not announced (draft-ietf-acme-dns-persist).
const MOST_NAMES: usize = 10;

impl Config {
    /// The names by which records in the DNS name this issuer, at most ten, in lower case:
    /// `caaIdentities` of the provisioner, else the first of `dnsNames` that is a host name
    /// (RFC 8659 §4.2, draft-ietf-acme-dns-persist).
    #[must_use]
    pub fn issuers(&self, acme: &Acme) -> Vec<String> {
        let name = |text: &String| DnsName::parse(text).ok().map(|n| n.as_str().to_owned());
        let named: Vec<_> = acme.caa_identities().iter().filter_map(name).collect();
        if named.is_empty() {
            return self.dns_names.iter().find_map(name).into_iter().collect();
        }
        named.into_iter().take(MOST_NAMES).collect()
    }

    /// The challenge types that a provisioner offers: riser.toml's list, else ca.json's; none
    /// that needs a name of this issuer where it has none.
    #[must_use]
    pub fn challenges(&self, acme: &Acme) -> Vec<Method> {
        let settings = self.riser.provisioners.get(acme.name());
        let listed = settings.and_then(|settings| settings.challenges.as_deref());
        let mut methods = listed.unwrap_or_else(|| acme.challenges()).to_vec();
        if self.issuers(acme).is_empty() {
            methods.retain(|method| *method != Method::DnsPersist01);
        }
        methods
    }

    /// Whose statements about devices a provisioner believes: for each format that ca.json enables,
    /// riser.toml's roots, else ca.json's; a format with roots of its own in riser.toml is enabled by
    /// them.
    #[must_use]
    pub fn attestation(&self, acme: &Acme) -> AttestationRules {
        let mut rules = acme.attestation().clone();
        let Some(settings) = self.riser.provisioners.get(acme.name()) else {
            return rules;
        };
        let settings = &settings.attestation;
        for own in &settings.roots {
            rules.roots.retain(|one| one.format != own.format);
            rules.roots.push(own.clone());
        }
        rules.stale_apple = settings.stale_apple;
        rules.any_enrolled_tpm = settings.any_enrolled_tpm;
        rules
    }

    /// A fault for each provisioner that looks at CAA records and has no name that they could
    /// allow.
    pub(super) fn unnamed(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (name, settings) in &self.riser.provisioners {
            let acme = self.authority.acme(name);
            let named = acme.is_some_and(|acme| {
                let mut identities = acme.caa_identities().iter();
                identities.any(|text| DnsName::parse(text).is_ok())
            });
            if settings.caa == CaaMode::Off || named {
                continue;
            }
            let what = match acme {
                Some(_) => format!(
                    "CAA records need a name for this authority: give the provisioner {name:?} of \
                     ca.json its domain name, as \"caaIdentities\": [\"ca.example.com\"]"
                ),
                None => "only ACME provisioners check CAA records; remove it".to_owned(),
            };
            faults.push(Fault {
                file: RISER_TOML,
                place: format!("provisioner.{name}.caa"),
                what,
            });
        }
        faults
    }

    /// A warning for each provisioner that cannot offer dns-persist-01 although it should.
    pub(super) fn nameless(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for provisioner in &self.authority.provisioners {
            let Some(acme) = provisioner.as_acme() else {
                continue;
            };
            let settings = self.riser.provisioner(acme.name());
            let asked = settings.challenges.clone().unwrap_or_default();
            if asked.contains(&Method::DnsPersist01) && self.issuers(acme).is_empty() {
                warnings.push(Warning {
                    file: RISER_TOML,
                    place: format!("provisioner.{}.challenges", acme.name()),
                    what: "dns-persist-01 is not offered, since records have no name for this \
                           authority: put a host name into caaIdentities or dnsNames of ca.json"
                        .to_owned(),
                });
            }
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(names: &str, more: &str, riser: &str) -> (Config, Vec<Warning>) {
        let text = format!(
            r#"{{"root": "r", "crt": "c", "key": "k", "address": ":9000", "dnsNames": {names},
                "db": {{"type": "sqlite", "dataSource": "db"}},
                "authority": {{"provisioners": [{{"type": "ACME", "name": "acme"{more}}}]}}}}"#
        );
        Config::parse(&text, Some(riser)).unwrap()
    }

    fn issuers(names: &str, more: &str) -> Vec<String> {
        let (config, _) = config(names, more, "");
        config.issuers(config.authority.acme("acme").unwrap())
    }

    fn challenges(config: &Config) -> Vec<&'static str> {
        let methods = config.challenges(config.authority.acme("acme").unwrap());
        methods.into_iter().map(Method::as_str).collect()
    }

    #[test]
    fn the_issuer_is_named_by_caa_identities_else_by_the_first_host_name() {
        let names = r#"["10.0.0.1", "CA.lab", "localhost"]"#;
        assert_eq!(issuers(names, ""), ["ca.lab"]);
        let more = r#", "caaIdentities": ["Ca.example", "not a name", "other.example"]"#;
        assert_eq!(issuers(names, more), ["ca.example", "other.example"]);
        assert_eq!(issuers(r#"["10.0.0.1"]"#, ""), [""; 0]);
    }

    #[test]
    fn the_list_of_riser_toml_stands_in_for_that_of_ca_json() {
        let lasting = "[provisioner.acme]\nchallenges = [\"dns-persist-01\", \"http-01\"]";
        let more = r#", "challenges": ["dns-01"]"#;
        let (plain, _) = config(r#"["ca.lab"]"#, more, "");
        assert_eq!(challenges(&plain), ["dns-01"]);
        let (replaced, warnings) = config(r#"["ca.lab"]"#, more, lasting);
        assert_eq!(challenges(&replaced), ["dns-persist-01", "http-01"]);
        assert_eq!(warnings, []);
        let (nameless, warnings) = config(r#"["10.0.0.1"]"#, more, lasting);
        assert_eq!(challenges(&nameless), ["http-01"]);
        assert!(warnings[0].what.contains("caaIdentities"), "{warnings:?}");
    }

    #[test]
    fn a_provisioner_that_checks_caa_needs_a_name_in_the_records() {
        let text = |more: &str| {
            format!(
                r#"{{"root": "r", "crt": "c", "key": "k", "address": ":9000", "dnsNames": ["ca.lab"],
                    "db": {{"type": "sqlite", "dataSource": "db"}},
                    "authority": {{"provisioners": [{{"type": "ACME", "name": "acme"{more}}}]}}}}"#
            )
        };
        for word in ["warn", "enforce"] {
            let riser = format!("[provisioner.acme]\ncaa = \"{word}\"");
            let faults = Config::parse(&text(""), Some(&riser)).err().unwrap();
            assert_eq!(faults.len(), 1);
            let found = faults[0].to_string();
            assert!(
                found.starts_with("riser.toml: provisioner.acme.caa: "),
                "{found}"
            );
            assert!(found.contains("caaIdentities"), "{found}");
            let named = text(r#", "caaIdentities": ["ca.lab"]"#);
            assert!(Config::parse(&named, Some(&riser)).is_ok());
        }
        let off = "[provisioner.acme]\ncaa = \"off\"";
        assert!(Config::parse(&text(""), Some(off)).is_ok());
    }
}
