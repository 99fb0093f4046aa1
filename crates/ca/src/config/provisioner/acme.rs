//! ACME provisioners as ca.json writes them.

use acme::challenge::Method;
use acme::identifier::DnsName;

use super::{attestation, disable, read_options};
use crate::config::section::{Section, is_url};
use crate::provisioner::{Acme, AcmeSettings, Common, Provisioner};

pub(super) fn read(mut common: Common, section: &mut Section<'_>) -> Provisioner {
    let challenges = challenges(&mut common, section);
    read_options(&mut common, section);
    let attestation = attestation::read(&mut common, section);
    section.skip(&["ID"]);
    let settings = AcmeSettings {
        force_cn: section.bool("forceCN").unwrap_or_default(),
        require_eab: section.bool("requireEAB").unwrap_or_default(),
        terms_of_service: url(section, "termsOfService"),
        website: url(section, "website"),
        caa_identities: caa_identities(section),
        challenges,
        attestation,
    };
    Acme::new(common, settings).into()
}

fn url(section: &mut Section<'_>, key: &str) -> Option<String> {
    let url = section.text(key)?;
    if !is_url(&url) {
        let what = format!("{url:?} is not a URL: clients may not be able to open it");
        section.warn(key, what);
    }
    Some(url)
}

fn caa_identities(section: &mut Section<'_>) -> Vec<String> {
    let names = section.strings("caaIdentities");
    for (n, name) in names.iter().enumerate() {
        if DnsName::parse(name).is_err() {
            let what = format!("has no effect: {name:?} is not a host name");
            section.warn(&format!("caaIdentities[{n}]"), what);
        }
    }
    names
}

fn challenges(common: &mut Common, section: &mut Section<'_>) -> Vec<Method> {
    let named = section.strings("challenges");
    if named.is_empty() {
        return Method::USUAL.to_vec();
    }
    let mut methods = Vec::new();
    for (n, text) in named.iter().enumerate() {
        let key = format!("challenges[{n}]");
        let text = text.to_ascii_lowercase();
        let method = Method::parse(&text);
        if let Some(Method::DnsAccount01 | Method::DnsPersist01) = method {
            // The program that defined the file refuses to start with such a word.
            disable(
                common,
                section,
                &key,
                format!("{text} is enabled in riser.toml: [provisioner.<name>] challenges"),
            );
        } else if let Some(method) = method {
            if !methods.contains(&method) {
                methods.push(method);
            }
        } else if LATER.contains(&text.as_str()) {
            section.warn(
                &key,
                format!("{text} is not supported yet and is not offered"),
            );
        } else {
            disable(
                common,
                section,
                &key,
                format!("{text:?} is not a challenge type"),
            );
        }
    }
    if methods.is_empty() && common.disabled.is_none() {
        disable(
            common,
            section,
            "challenges",
            "none of the challenge types named is supported yet".into(),
        );
    }
    methods
}

/// Challenge types that ca.json may name and that are not supported yet.
const LATER: [&str; 2] = ["wire-oidc-01", "wire-dpop-01"];
