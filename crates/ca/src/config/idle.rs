//! What riser.toml says and nothing listens to: no fault, but the operator meant something by it.

use super::riser::ProvisionerSettings;
use super::{Config, RISER_TOML, TermsChanged, Warning};

impl Config {
    /// A warning for each setting of riser.toml that has no effect as the files stand.
    pub(super) fn idle(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |place: String, what: &str| {
            warnings.push(Warning {
                file: RISER_TOML,
                place,
                what: what.to_owned(),
            });
        };
        for (name, settings) in &self.riser.provisioners {
            let Some(acme) = self.authority.acme(name) else {
                // A policy counts for renewals of every certificate.
                let without_policy = ProvisionerSettings {
                    policy: crate::policy::Policy::default(),
                    ..settings.clone()
                };
                if without_policy != ProvisionerSettings::default() {
                    let what = "is not an ACME provisioner: only its policy has an effect";
                    warn(format!("provisioner.{name}"), what);
                }
                continue;
            };
            if settings.terms_changed == TermsChanged::Ask && acme.terms_of_service().is_none() {
                let what = "has no effect without termsOfService in ca.json";
                warn(format!("provisioner.{name}.terms_changed"), what);
            }
        }
        for name in self.riser.profiles.keys() {
            let mut offered = self.riser.provisioners.values();
            if !offered.any(|settings| settings.profiles.contains(name)) {
                let what = "is offered by no provisioner: name it in [provisioner.<name>] profiles";
                warn(format!("profile.{name}"), what);
            }
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(more: &str, riser: &str) -> Vec<String> {
        let text = format!(
            r#"{{"root": "r", "crt": "c", "key": "k", "address": ":9000", "dnsNames": ["ca.lab"],
                "db": {{"type": "sqlite", "dataSource": "db"}},
                "authority": {{"provisioners": [{{"type": "ACME", "name": "acme"{more}}},
                    {{"type": "OIDC", "name": "o"}}]}}}}"#
        );
        let (_, warnings) = Config::parse(&text, Some(riser)).unwrap();
        let found = warnings.iter().map(ToString::to_string);
        found
            .filter(|line| line.starts_with("riser.toml"))
            .collect()
    }

    #[test]
    fn what_has_no_effect_is_reported() {
        let found = warnings(
            "",
            "profile = { a = {}, b = {} }\n[provisioner.acme]\nterms_changed = \"ask\"\nprofiles = [\"b\"]\n\
             [provisioner.o]\norder_life = \"1h\"",
        );
        assert_eq!(
            found,
            [
                "riser.toml: provisioner.acme.terms_changed: has no effect without termsOfService in ca.json",
                "riser.toml: provisioner.o: is not an ACME provisioner: only its policy has an effect",
                "riser.toml: profile.a: is offered by no provisioner: name it in [provisioner.<name>] profiles",
            ]
        );
    }

    #[test]
    fn what_has_an_effect_is_not() {
        let found = warnings(
            r#", "termsOfService": "https://ca.lab/terms""#,
            "[provisioner.acme]\nterms_changed = \"ask\"\n[provisioner.o.policy]\ndeny_dns = [\"x.lab\"]",
        );
        assert_eq!(found, [] as [String; 0]);
    }
}
