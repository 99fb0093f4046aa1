//! Certificate requests in every form.

use std::fmt::{self, Write as _};

use data_encoding::{BASE64, HEXLOWER};
use der::{Decode, Encode};
use pki::{AltName, Extension, Foreign, SignatureAlgorithm, alt_name, extension};
use serde_json::{Map, Value, json};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::extensions::{self, FIELD, field};
use super::short::{kind, subject};
use super::text::{SIGNATURE_LINE, bytes, public_key};
use super::{json_extensions, json_name, words};
use crate::command::certificate::request::Request;

/// Everything about a request, as text.
pub(super) fn text(request: &Request) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, request);
    out
}

/// A few lines about a request.
pub(super) fn short(request: &Request) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "X.509v3 Certificate Signing Request ({})",
        kind(request.key.as_ref())
    );
    let _ = subject(&mut out, &request.subject, &request.alt_names());
    out
}

fn write(out: &mut String, request: &Request) -> fmt::Result {
    writeln!(out, "Certificate Request:\n    Data:")?;
    writeln!(out, "        Version: 0 (0x0)")?;
    match request.subject.is_empty() {
        true => writeln!(out, "        Subject:")?,
        false => {
            let subject = Foreign(request.subject.in_order());
            writeln!(out, "        Subject: {subject}")?;
        }
    }
    public_key(out, request.key.as_ref())?;
    let is_known = |one: &&Extension| body(one).is_some();
    let (known, unknown): (Vec<_>, Vec<_>) = request.extensions.iter().partition(is_known);
    if !known.is_empty() {
        writeln!(out, "        Requested Extensions:")?;
    }
    for one in known {
        if let Some((name, body)) = body(one) {
            extensions::head(out, name, one)?;
            body(out, one)?;
        }
    }
    if !unknown.is_empty() {
        writeln!(out, "        Attributes:")?;
    }
    for one in unknown {
        writeln!(out, "            {}:", one.oid)?;
        field(out, &extensions::printable(&one.value))?;
        out.push_str(FIELD);
        bytes(out, &one.value, SIGNATURE_LINE, "\n                ")?;
        writeln!(out)?;
    }
    writeln!(out, "    Signature Algorithm: {}", algorithm(request))?;
    write!(out, "         ")?;
    bytes(out, &request.signature, SIGNATURE_LINE, "\n         ")?;
    writeln!(out)
}

fn algorithm(request: &Request) -> String {
    let known = SignatureAlgorithm::from_identifier(&request.algorithm);
    known.map_or_else(|_| "Unknown".to_owned(), |known| known.to_string())
}

/// Writes what an extension asks for, below its head line.
type Body = fn(&mut String, &Extension) -> fmt::Result;

/// The name of an extension, and how its body is written.
fn body(one: &Extension) -> Option<(&'static str, Body)> {
    let found: (&'static str, Body) = match one.oid.to_string().as_str() {
        "2.5.29.14" => ("X509v3 Subject Key Identifier", key_id),
        "2.5.29.15" => ("X509v3 Key Usage", extensions::key_usage),
        "2.5.29.17" => ("X509v3 Subject Alternative Name", alt_names),
        "2.5.29.19" => ("X509v3 Basic Constraints", extensions::basic_constraints),
        "2.5.29.37" => ("X509v3 Extended Key Usage", extended_key_usage),
        _ => return None,
    };
    Some(found)
}

fn key_id(out: &mut String, one: &Extension) -> fmt::Result {
    // An octet string of up to 127 octets.
    let id = one.value.get(2..).map(<[u8]>::to_vec);
    field(out, &extensions::colons(id))
}

/// Those without words go last, as in certificates, but by another word.
fn extended_key_usage(out: &mut String, one: &Extension) -> fmt::Result {
    let usages = extension::parse_extended_key_usage(&one.value).unwrap_or_default();
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for usage in usages {
        let oid = usage.oid();
        match words::extended_key_usage(&oid) {
            Some((words, _)) => known.push(words.to_owned()),
            None => unknown.push(format!("UNKNOWN({oid})")),
        }
    }
    known.append(&mut unknown);
    field(out, &known.join(", "))
}

/// One line for each kind of name, and one for each name of a kind of its own.
fn alt_names(out: &mut String, one: &Extension) -> fmt::Result {
    let names = alt_name::parse(&one.value).unwrap_or_default();
    extensions::alt_names(out, &names)?;
    let Ok(all) = SubjectAltName::from_der(&one.value) else {
        return Ok(());
    };
    for name in &all.0 {
        if let GeneralName::OtherName(other) = name {
            let value = HEXLOWER.encode(&other.value.to_der().unwrap_or_default());
            let kind = other.type_id;
            field(out, &format!("OtherName: Type: {kind}, Value: 0x{value}"))?;
        }
    }
    Ok(())
}

/// A request as JSON: the members that smallstep's `step` prints, without those that only Go can read.
pub(super) fn json(request: &Request) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    let names = request.alt_names();
    let of_kind = |text: fn(&AltName) -> Option<String>| -> Value {
        let texts: Vec<String> = names.iter().filter_map(text).collect();
        if texts.is_empty() {
            Value::Null
        } else {
            json!(texts)
        }
    };
    put("Raw", BASE64.encode(&request.der).into());
    let info = BASE64.encode(&request.info);
    put("RawTBSCertificateRequest", info.into());
    let spki = BASE64.encode(&request.spki);
    put("RawSubjectPublicKeyInfo", spki.into());
    let subject = BASE64.encode(request.subject.der());
    put("RawSubject", subject.into());
    put("Version", 0.into());
    put("Signature", BASE64.encode(&request.signature).into());
    let oid = json_extensions::algorithm_oid(&request.algorithm);
    let signature = json!({"name": algorithm(request), "oid": oid});
    put("SignatureAlgorithm", signature);
    let key = request.key.as_ref();
    let key = key.map_or("unknown", |key| words::algorithm(key.kind()));
    put("PublicKeyAlgorithm", json!({"name": key}));
    put("Subject", json_name::members(&request.subject));
    put("Extensions", extensions_json(&request.extensions));
    put(
        "DNSNames",
        of_kind(|name| matches!(name, AltName::Dns(_)).then(|| name.to_string())),
    );
    put(
        "EmailAddresses",
        of_kind(|name| matches!(name, AltName::Email(_)).then(|| name.to_string())),
    );
    put(
        "IPAddresses",
        of_kind(|name| matches!(name, AltName::Ip(_)).then(|| name.to_string())),
    );
    Value::Object(out)
}

fn extensions_json(extensions: &[Extension]) -> Value {
    let each = extensions.iter().map(|one| {
        json!({
            "id": one.oid.to_string(),
            "critical": one.critical,
            "value": BASE64.encode(&one.value),
        })
    });
    let all: Vec<Value> = each.collect();
    if all.is_empty() {
        Value::Null
    } else {
        all.into()
    }
}
