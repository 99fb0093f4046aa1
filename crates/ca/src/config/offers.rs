//! Which profiles each provisioner offers: what riser.toml lists, fitted to the provisioners of
//! ca.json.

use std::collections::BTreeMap;

use super::section::Log;
use super::{Authority, ProvisionerSettings, Riser};
use crate::profile::{Beyond, CommonName, Offer};
use crate::provisioner::{Acme, Provisioner};

/// Fits them; the default comes first.
pub(super) fn fit(riser: &Riser, authority: &Authority, log: &Log) -> BTreeMap<String, Vec<Offer>> {
    let mut offers = BTreeMap::new();
    for (name, settings) in &riser.provisioners {
        if let Some(provisioner) = authority.provisioner(name) {
            offers.insert(name.clone(), of(settings, provisioner, riser, log));
        }
    }
    offers
}

fn of(
    settings: &ProvisionerSettings,
    provisioner: &Provisioner,
    riser: &Riser,
    log: &Log,
) -> Vec<Offer> {
    let at = |key: &str| format!("provisioner.{}.{key}", provisioner.name());
    let mut offers: Vec<Offer> = Vec::new();
    for (n, name) in settings.profiles.iter().enumerate() {
        let place = at(&format!("profiles[{n}]"));
        let Some(profile) = riser.profiles.get(name) else {
            let known: Vec<_> = riser.profiles.keys().map(String::as_str).collect();
            let what = match known.as_slice() {
                [] => "there are none: add a table [profile.<name>]".to_owned(),
                known => format!("there are {}", known.join(", ")),
            };
            log.fault(place, format!("{name:?} is not a profile; {what}"));
            continue;
        };
        if offers.iter().any(|offer| offer.profile().name == *name) {
            log.fault(place, format!("{name:?} is listed twice"));
            continue;
        }
        let demands_name = provisioner.as_acme().is_some_and(Acme::force_cn);
        let offer = match profile.common_name {
            CommonName::Dropped if demands_name => Err(Beyond::CommonName),
            CommonName::Dropped | CommonName::Kept => Offer::new(profile, provisioner.claims()),
        };
        match offer {
            Ok(offer) => offers.push(offer),
            Err(beyond) => log.fault(place, format!("{name:?}: {beyond}")),
        }
    }
    if let Some(default) = &settings.default_profile {
        match offers
            .iter()
            .position(|offer| offer.profile().name == *default)
        {
            Some(place) => offers[..=place].rotate_right(1),
            None if settings.profiles.contains(default) => {}
            None => log.fault(
                at("default_profile"),
                format!("{default:?} is not among profiles: add it there"),
            ),
        }
    }
    offers
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::config::Config;
    use crate::fixture;

    fn parsed(provisioner: &Value, toml: &str) -> Result<Config, Vec<String>> {
        let mut value: Value = serde_json::from_str(fixture::CA_JSON).unwrap();
        value["authority"]["provisioners"] = json!([provisioner]);
        match Config::parse(&value.to_string(), Some(toml)) {
            Ok((config, _)) => Ok(config),
            Err(faults) => Err(faults.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn the_default_comes_first_and_the_others_stay_in_order() {
        let toml = r#"
            profile = { a = {}, b = {}, c = {} }
            [provisioner.acme]
            profiles = ["a", "b", "c"]
            default_profile = "b"
        "#;
        let config = parsed(&json!({"type": "ACME", "name": "acme"}), toml)
            .ok()
            .unwrap();
        let names: Vec<_> = config
            .offers("acme")
            .iter()
            .map(|o| o.profile().name.as_str())
            .collect();
        assert_eq!(names, ["b", "a", "c"]);
        assert_eq!(config.offers("other"), []);
    }

    #[test]
    fn a_profile_that_does_not_fit_its_provisioner_is_a_fault() {
        let toml = r#"
            [profile.month]
            life = "720h"
            [profile.brief]
            longest_life = "1m"
            [profile.bare]
            common_name = false
            [provisioner.acme]
            profiles = ["month", "brief", "bare", "gone"]
            default_profile = "other"
        "#;
        let acme = json!({"type": "ACME", "name": "acme", "forceCN": true});
        let faults = parsed(&acme, toml).err().unwrap();
        let expected = [
            "profiles[0]: \"month\": the profile's life of 720h0m0s lies outside what the \
             provisioner's claims allow (5m0s to 24h0m0s): change one of them",
            "profiles[1]: \"brief\": the profile's longest_life of 1m0s",
            "profiles[2]: \"bare\": the profile leaves the common name out",
            "profiles[3]: \"gone\" is not a profile; there are bare, brief, month",
            "default_profile: \"other\" is not among profiles: add it there",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for (fault, words) in faults.iter().zip(expected) {
            let words = format!("riser.toml: provisioner.acme.{words}");
            assert!(fault.starts_with(&words), "{fault}");
        }
    }
}
