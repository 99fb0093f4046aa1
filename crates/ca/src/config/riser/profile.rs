//! `[profile.<name>]` of riser.toml: kinds of certificate that clients may choose from.

use std::collections::{BTreeMap, HashSet};

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use pki::{ExtendedKeyUsage, Extension, KeyKind, KeyUsages, ObjectIdentifier, encoding, oid};
use serde_json::Value;

use crate::config::section::{Section, Unknown};
use crate::profile::{CommonName, Profile, Sort};

/// Reads all of them.
pub(super) fn read_all(top: &mut Section<'_>) -> BTreeMap<String, Profile> {
    let mut found = BTreeMap::new();
    let Some(value) = top.value("profile") else {
        return found;
    };
    let Some(map) = value.as_object() else {
        top.fault("profile", "must be tables: [profile.<name>]");
        return found;
    };
    for (name, value) in map {
        let place = format!("profile.{name}");
        let Value::Object(table) = value else {
            top.log().fault(place, "must be a table");
            continue;
        };
        if name.is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
            let what = "is no name for a profile: use 1 to 64 characters that can be seen";
            top.log().fault(place.clone(), what);
        }
        found.insert(
            name.clone(),
            read(name, Section::new(table, place, top.log())),
        );
    }
    found
}

fn read(name: &str, mut section: Section<'_>) -> Profile {
    let keys = words(
        &mut section,
        "keys",
        key,
        "P-256, P-384, P-521, Ed25519 or RSA-2048 to RSA-8192",
    );
    let sorts = "dns, ip, wildcard or device";
    let profile = Profile {
        name: name.to_owned(),
        description: section
            .text("description")
            .unwrap_or_else(|| name.to_owned()),
        life: section.positive("life"),
        longest_life: section.positive("longest_life"),
        key_usages: key_usages(&mut section),
        extended_key_usages: extended_key_usages(&mut section),
        keys,
        identifiers: words(&mut section, "identifiers", sort, sorts),
        most_names: section
            .whole("most_names", 1..=100)
            .and_then(|most| usize::try_from(most).ok()),
        common_name: match section.bool("common_name") {
            Some(false) => CommonName::Dropped,
            Some(true) | None => CommonName::Kept,
        },
        no_rev_avail: section.bool("no_rev_avail").unwrap_or_default(),
        must_staple: section.bool("must_staple").unwrap_or_default(),
        extensions: extensions(&mut section),
    };
    check(&profile, &section);
    section.finish(Unknown::Fault);
    profile
}

/// What contradicts something else in a profile, or has no effect.
fn check(profile: &Profile, section: &Section<'_>) {
    if let (Some(life), Some(longest)) = (profile.life, profile.longest_life)
        && life > longest
    {
        section.fault("life", "is longer than longest_life: change one of them");
    }
    if profile.must_staple && profile.no_rev_avail {
        let what =
            "contradicts no_rev_avail: a certificate without OCSP answers has nothing to staple";
        section.fault("must_staple", what);
    } else if profile.must_staple {
        let what = "this authority gives no OCSP answers yet, so servers have nothing to staple and \
                    clients that look at the extension will refuse them";
        section.warn("must_staple", what);
    }
    let about_revocation = [
        oid::CRL_DISTRIBUTION_POINTS,
        oid::FRESHEST_CRL,
        oid::AUTHORITY_INFO_ACCESS,
    ];
    if profile.no_rev_avail
        && profile
            .extensions
            .iter()
            .any(|e| about_revocation.contains(&e.oid))
    {
        let what =
            "contradicts an extension that names a source of revocation information (RFC 9608 §2)";
        section.fault("no_rev_avail", what);
    }
}

/// A list of words, each read by `parse`; all wrong ones are reported.
fn words<T: PartialEq>(
    section: &mut Section<'_>,
    key: &str,
    parse: impl Fn(&str) -> Option<T>,
    known: &str,
) -> Vec<T> {
    let mut found = Vec::new();
    for (n, word) in section.strings(key).iter().enumerate() {
        match parse(word) {
            Some(value) if found.contains(&value) => {}
            Some(value) => found.push(value),
            None => section.fault(
                &format!("{key}[{n}]"),
                format!("{word:?} is not known; use {known}"),
            ),
        }
    }
    found
}

fn key_usages(section: &mut Section<'_>) -> Option<KeyUsages> {
    const KNOWN: &str = "digitalSignature, contentCommitment, keyEncipherment, dataEncipherment or \
                         keyAgreement";
    let named = words(section, "key_usages", key_usage, KNOWN);
    let all = named.into_iter().reduce(|a, b| a | b)?;
    if !all.contains(KeyUsages::DIGITAL_SIGNATURE) {
        let what = "must have digitalSignature, which every certificate here has";
        section.fault("key_usages", what);
    }
    Some(all)
}

fn key_usage(word: &str) -> Option<KeyUsages> {
    Some(match word {
        "digitalSignature" => KeyUsages::DIGITAL_SIGNATURE,
        "contentCommitment" | "nonRepudiation" => KeyUsages::CONTENT_COMMITMENT,
        "keyEncipherment" => KeyUsages::KEY_ENCIPHERMENT,
        "dataEncipherment" => KeyUsages::DATA_ENCIPHERMENT,
        "keyAgreement" => KeyUsages::KEY_AGREEMENT,
        _ => return None,
    })
}

fn extended_key_usages(section: &mut Section<'_>) -> Option<Vec<ExtendedKeyUsage>> {
    const KNOWN: &str = "serverAuth, clientAuth, codeSigning, emailProtection, timeStamping or an \
                         object identifier such as 1.3.6.1.5.5.7.3.17";
    let named = words(section, "extended_key_usages", purpose, KNOWN);
    for signs in [ExtendedKeyUsage::OcspSigning, ExtendedKeyUsage::Any] {
        if named.contains(&signs) {
            let what = format!(
                "has {}, which would let the holder speak for this authority or be taken for anything",
                signs.oid()
            );
            section.fault("extended_key_usages", what);
        }
    }
    (!named.is_empty()).then_some(named)
}

fn purpose(word: &str) -> Option<ExtendedKeyUsage> {
    Some(match word {
        "serverAuth" => ExtendedKeyUsage::ServerAuth,
        "clientAuth" => ExtendedKeyUsage::ClientAuth,
        "codeSigning" => ExtendedKeyUsage::CodeSigning,
        "emailProtection" => ExtendedKeyUsage::EmailProtection,
        "timeStamping" => ExtendedKeyUsage::TimeStamping,
        other => ExtendedKeyUsage::from_oid(ObjectIdentifier::new(other).ok()?),
    })
}

fn key(word: &str) -> Option<KeyKind> {
    Some(match word {
        "P-256" => KeyKind::EcP256,
        "P-384" => KeyKind::EcP384,
        "P-521" => KeyKind::EcP521,
        "Ed25519" => KeyKind::Ed25519,
        other => {
            let bits: usize = other.strip_prefix("RSA-")?.parse().ok()?;
            (2048..=8192)
                .contains(&bits)
                .then_some(KeyKind::Rsa { bits })?
        }
    })
}

fn sort(word: &str) -> Option<Sort> {
    Some(match word {
        "dns" => Sort::Dns,
        "ip" => Sort::Ip,
        "wildcard" => Sort::Wildcard,
        "device" => Sort::Device,
        _ => return None,
    })
}

fn extensions(section: &mut Section<'_>) -> Vec<Extension> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for (place, value) in section.list("extensions") {
        let Value::Object(table) = value else {
            section
                .log()
                .fault(place, "must be a table: [[profile.<name>.extensions]]");
            continue;
        };
        let Some(extension) = extension(Section::new(table, place.clone(), section.log())) else {
            continue;
        };
        if !seen.insert(extension.oid) {
            let what = format!("{} is there twice", extension.oid);
            section.log().fault(format!("{place}.oid"), what);
        }
        found.push(extension);
    }
    found
}

fn extension(mut section: Section<'_>) -> Option<Extension> {
    let text = section.required("oid");
    let oid = ObjectIdentifier::new(&text);
    if oid.is_err() && !text.is_empty() {
        section.fault(
            "oid",
            format!("{text:?} is not an object identifier, such as 1.2.3.4"),
        );
    }
    let oid = oid.ok().filter(|oid| {
        let taken = OURS.iter().find(|(ours, _)| ours == oid);
        if let Some((_, instead)) = taken {
            section.fault("oid", format!("{oid} is not set here: {instead}"));
        }
        taken.is_none()
    });
    let critical = section.bool("critical").unwrap_or_default();
    let value = value(&mut section);
    section.finish(Unknown::Fault);
    Some(Extension {
        oid: oid?,
        critical,
        value: value?,
    })
}

fn value(section: &mut Section<'_>) -> Option<Vec<u8>> {
    let (hex, base64) = (section.text("hex"), section.text("base64"));
    let (key, decoded) = match (hex, base64) {
        (Some(hex), None) => ("hex", HEXLOWER_PERMISSIVE.decode(hex.as_bytes())),
        (None, Some(base64)) => ("base64", BASE64.decode(base64.as_bytes())),
        (None, None) | (Some(_), Some(_)) => {
            section.fault("hex", "give the value in DER, in either hex or base64");
            return None;
        }
    };
    let octets = match decoded {
        Ok(octets) => octets,
        Err(error) => {
            section.fault(key, format!("cannot be decoded: {error}"));
            return None;
        }
    };
    if encoding::check(&octets).is_err() {
        section.fault(
            key,
            "is not DER: one value, its lengths exact and as short as can be",
        );
        return None;
    }
    Some(octets)
}

/// What the authority writes itself, or never into a leaf, and where it is set.
const OURS: [(ObjectIdentifier, &str); 10] = [
    (oid::SUBJECT_KEY_ID, "it follows from the key"),
    (oid::AUTHORITY_KEY_ID, "it follows from the issuer"),
    (oid::SUBJECT_ALT_NAME, "it follows from the order"),
    (oid::KEY_USAGE, "use key_usages"),
    (oid::EXTENDED_KEY_USAGE, "use extended_key_usages"),
    (oid::BASIC_CONSTRAINTS, "a leaf is no authority"),
    (oid::NAME_CONSTRAINTS, "it has no meaning in a leaf"),
    (
        oid::STEP_PROVISIONER,
        "use claims.disableSmallstepExtensions in ca.json",
    ),
    (oid::NO_REV_AVAIL, "use no_rev_avail"),
    (oid::TLS_FEATURE, "use must_staple"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::Log;

    fn faults(text: &str) -> Vec<String> {
        let table = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
        let log = Log::new("riser.toml");
        read_all(&mut Section::new(table.as_object().unwrap(), "", &log));
        let (faults, _) = log.into_parts();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_setting_is_read() {
        let text = r#"
            [profile.tls]
            description = "For servers"
            life = "6h"
            longest_life = "12h"
            key_usages = ["digitalSignature", "keyEncipherment"]
            extended_key_usages = ["serverAuth", "1.3.6.1.5.5.7.3.17"]
            keys = ["P-256", "RSA-3072", "P-256"]
            identifiers = ["dns", "wildcard"]
            most_names = 5
            common_name = false
            no_rev_avail = true
            [[profile.tls.extensions]]
            oid = "1.2.3.4"
            critical = true
            hex = "0C0161"
            [[profile.tls.extensions]]
            oid = "1.2.3.5"
            base64 = "BQA="
        "#;
        assert_eq!(faults(text), Vec::<String>::new());
        let table = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
        let log = Log::new("riser.toml");
        let all = read_all(&mut Section::new(table.as_object().unwrap(), "", &log));
        let tls = &all["tls"];
        assert_eq!(tls.keys, [KeyKind::EcP256, KeyKind::Rsa { bits: 3072 }]);
        assert_eq!(tls.identifiers, [Sort::Dns, Sort::Wildcard]);
        assert_eq!(tls.common_name, CommonName::Dropped);
        assert_eq!(tls.extensions[0].value, [0x0c, 1, 0x61]);
        assert!(tls.extensions[0].critical && !tls.extensions[1].critical);
        assert_eq!(tls.extended_key_usages.as_ref().unwrap().len(), 2);
    }

    #[test]
    fn a_life_beyond_the_longest_is_a_fault() {
        let found = faults("[profile.a]\nlife = \"2h\"\nlongest_life = \"1h\"");
        assert_eq!(
            found,
            ["riser.toml: profile.a.life: is longer than longest_life: change one of them"]
        );
    }

    #[test]
    fn all_faults_are_reported_together() {
        let text = r#"
            [profile.bad]
            life = "0s"
            key_usages = ["keyEncipherment", "keyCertSign"]
            extended_key_usages = ["webServer", "2.5.29.37.0"]
            keys = ["RSA-1024", "P-224"]
            identifiers = ["email"]
            most_names = 0
            no_rev_avail = true
            must_staple = true
            lifetime = "1h"
            [[profile.bad.extensions]]
            oid = "2.5.29.17"
            hex = "0500"
            [[profile.bad.extensions]]
            oid = "1.2"
            hex = "050000"
            [[profile.bad.extensions]]
            oid = "1.2.3.4"
            hex = "0500"
            base64 = "BQA="
            [[profile.bad.extensions]]
            oid = "2.5.29.31"
            hex = "3000"
        "#;
        let found = faults(text).join("\n");
        for place in [
            "life: must be greater",
            "key_usages[1]: \"keyCertSign\" is not known",
            "key_usages: must have digitalSignature",
            "extended_key_usages[0]: \"webServer\"",
            "extended_key_usages: has 2.5.29.37.0",
            "keys[0]: \"RSA-1024\" is not known",
            "keys[1]",
            "identifiers[0]: \"email\"",
            "most_names: must be",
            "must_staple: contradicts no_rev_avail",
            "no_rev_avail: contradicts an extension",
            "lifetime: is not a known key",
            "extensions[0].oid: 2.5.29.17 is not set here: it follows from the order",
            "extensions[1].hex: is not DER",
            "extensions[2].hex: give the value in DER, in either",
        ] {
            let place = format!("profile.bad.{place}");
            assert!(found.contains(&place), "{place} is not in\n{found}");
        }
    }
}
