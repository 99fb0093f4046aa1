//! Extensions in the JSON form.

use data_encoding::{BASE64, HEXLOWER};
use der::Decode;
use pki::{AltName, Certificate, Extension, extension};
use serde_json::{Map, Value, json};
use x509_cert::spki::AlgorithmIdentifierRef;

use super::{extensions, words};

/// The extensions with a word, in the reference implementation's order, and the others.
pub(crate) fn values(certificate: &Certificate) -> (Map<String, Value>, Vec<Value>) {
    const KNOWN: [(&str, &str); 11] = [
        ("key_usage", "2.5.29.15"),
        ("basic_constraints", "2.5.29.19"),
        ("subject_alt_name", "2.5.29.17"),
        ("name_constraints", "2.5.29.30"),
        ("crl_distribution_points", "2.5.29.31"),
        ("authority_key_id", "2.5.29.35"),
        ("subject_key_id", "2.5.29.14"),
        ("extended_key_usage", "2.5.29.37"),
        ("certificate_policies", "2.5.29.32"),
        ("authority_info_access", "1.3.6.1.5.5.7.1.1"),
        ("step_provisioner", "1.3.6.1.4.1.37476.9000.64.1"),
    ];
    let all = certificate.extensions();
    let mut known = Map::new();
    for (name, oid) in KNOWN {
        let found = all.iter().find(|one| one.oid.to_string() == oid);
        if let Some(value) = found.and_then(|one| value(name, certificate, one)) {
            known.insert(name.to_owned(), value);
        }
    }
    let is_known = |one: &&Extension| {
        let oid = one.oid.to_string();
        KNOWN.iter().any(|(_, known)| *known == oid)
    };
    let unknown = all.iter().filter(|one| !is_known(one)).map(|one| {
        json!({
            "id": one.oid.to_string(),
            "critical": one.critical,
            "value": BASE64.encode(&one.value),
        })
    });
    (known, unknown.collect())
}

/// The object identifier of an AlgorithmIdentifier.
pub(crate) fn algorithm_oid(der: &[u8]) -> Option<String> {
    let identifier = AlgorithmIdentifierRef::from_der(der).ok()?;
    Some(identifier.oid.to_string())
}

fn value(name: &str, certificate: &Certificate, one: &Extension) -> Option<Value> {
    let hex = |id: Option<Vec<u8>>| id.map(|id| HEXLOWER.encode(&id).into());
    match name {
        "key_usage" => Some(key_usage(one)),
        "basic_constraints" => Some(basic_constraints(certificate)),
        "subject_alt_name" => Some(alt_names(certificate.alt_names())),
        "crl_distribution_points" => Some(json!(extensions::distribution_points(one))),
        "authority_key_id" => hex(certificate.authority_key_id()),
        "subject_key_id" => hex(certificate.subject_key_id()),
        "extended_key_usage" => Some(extended_key_usage(one)),
        "certificate_policies" => {
            let policies = extensions::policies(one).into_iter();
            Some(policies.map(|id| json!({"id": id})).collect())
        }
        "authority_info_access" => Some(access(one)),
        "step_provisioner" => step_provisioner(certificate),
        _ => None,
    }
}

fn key_usage(one: &Extension) -> Value {
    let usages = extension::parse_key_usage(&one.value).unwrap_or_default();
    let mut out = Map::new();
    let mut bits = 0;
    for (at, (usage, _, member)) in words::KEY_USAGES.iter().enumerate() {
        if usages.contains(*usage) {
            out.insert((*member).to_owned(), true.into());
            bits |= 1 << at;
        }
    }
    out.insert("value".to_owned(), bits.into());
    Value::Object(out)
}

fn basic_constraints(certificate: &Certificate) -> Value {
    let (is_ca, path) = certificate.basic_constraints().unwrap_or((false, None));
    match path {
        Some(path) => json!({"is_ca": is_ca, "max_path_len": path}),
        None => json!({"is_ca": is_ca}),
    }
}

fn alt_names(names: &[AltName]) -> Value {
    type IsKind = fn(&AltName) -> bool;
    const KINDS: [(&str, IsKind); 4] = [
        ("dns_names", |name| matches!(name, AltName::Dns(_))),
        ("email_addresses", |name| matches!(name, AltName::Email(_))),
        ("ip_addresses", |name| matches!(name, AltName::Ip(_))),
        ("uniform_resource_identifiers", |name| {
            matches!(name, AltName::Uri(_))
        }),
    ];
    let mut out = Map::new();
    for (member, is_kind) in KINDS {
        let of_kind = names.iter().filter(|name| is_kind(name));
        let texts: Vec<String> = of_kind.map(ToString::to_string).collect();
        if !texts.is_empty() {
            out.insert(member.to_owned(), json!(texts));
        }
    }
    Value::Object(out)
}

fn extended_key_usage(one: &Extension) -> Value {
    let usages = extension::parse_extended_key_usage(&one.value).unwrap_or_default();
    let mut out = Map::new();
    let mut unknown = Vec::new();
    for usage in usages {
        match words::extended_key_usage(&usage.oid()) {
            Some((_, member)) => {
                out.insert(member.to_owned(), true.into());
            }
            None => unknown.push(usage.oid().to_string()),
        }
    }
    if !unknown.is_empty() {
        out.insert("unknown".to_owned(), json!(unknown));
    }
    out.sort_keys();
    Value::Object(out)
}

fn access(one: &Extension) -> Value {
    let access = extensions::access(one);
    let mut out = Map::new();
    if !access.ocsp.is_empty() {
        out.insert("ocsp_urls".to_owned(), json!(access.ocsp));
    }
    if !access.issuers.is_empty() {
        out.insert("issuer_urls".to_owned(), json!(access.issuers));
    }
    Value::Object(out)
}

fn step_provisioner(certificate: &Certificate) -> Option<Value> {
    let provisioner = certificate.step_provisioner().ok().flatten()?;
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    if !provisioner.credential_id.is_empty() {
        put("credentialID", provisioner.credential_id.into());
    }
    put("name", provisioner.name.into());
    put("type", words::provisioner(provisioner.kind).into());
    Some(Value::Object(out))
}
