//! Extensions in the text form.

use std::fmt::{self, Write as _};

use der::asn1::{AnyRef, Ia5StringRef};
use der::{Decode, Tagged};
use pki::{AltName, Certificate, Extension, Foreign, StepProvisioner, extension};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{AuthorityInfoAccessSyntax, CertificatePolicies, CrlDistributionPoints};

use super::words;

const AUTHORITY_INFORMATION: &str = "1.3.6.1.5.5.7.1.1";
const NETSCAPE_COMMENT: &str = "2.16.840.1.113730.1.13";
const STEP_PROVISIONER: &str = "1.3.6.1.4.1.37476.9000.64.1";
const OCSP: &str = "1.3.6.1.5.5.7.48.1";
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";
pub(super) const FIELD: &str = "                ";

/// Where revocation and issuers are to be found.
#[derive(Default)]
pub(crate) struct Access {
    /// OCSP responders.
    pub(crate) ocsp: Vec<String>,
    /// Certificates of the issuer.
    pub(crate) issuers: Vec<String>,
}

/// One extension with its head line.
pub(crate) fn write(
    out: &mut String,
    certificate: &Certificate,
    extension: &Extension,
) -> fmt::Result {
    let oid = extension.oid.to_string();
    if let Some((name, body)) = known(&oid) {
        head(out, name, extension)?;
        return body(out, certificate, extension);
    }
    match oid.strip_prefix("2.5.29.") {
        Some(number) if !number.contains('.') => {
            writeln!(out, "Unknown extension 2.5.29.{number}")
        }
        _ => {
            head(out, &oid, extension)?;
            field(out, &printable(&extension.value))
        }
    }
}

/// Writes what an extension says, below its head line.
type Body = fn(&mut String, &Certificate, &Extension) -> fmt::Result;

/// The name of an extension, and how its body is written.
fn known(oid: &str) -> Option<(&'static str, Body)> {
    let found: (&'static str, Body) = match oid {
        "2.5.29.14" => ("X509v3 Subject Key Identifier", |out, certificate, _| {
            field(out, &colons(certificate.subject_key_id()))
        }),
        "2.5.29.15" => ("X509v3 Key Usage", |out, _, e| key_usage(out, e)),
        "2.5.29.17" => ("X509v3 Subject Alternative Name", |out, certificate, _| {
            alt_names(out, certificate.alt_names())
        }),
        "2.5.29.19" => ("X509v3 Basic Constraints", |out, _, e| {
            basic_constraints(out, e)
        }),
        "2.5.29.31" => ("X509v3 CRL Distribution Points", |out, _, e| {
            revocation_lists(out, e)
        }),
        "2.5.29.32" => ("X509v3 Certificate Policies", |out, _, e| {
            let each = policies(e);
            each.iter()
                .try_for_each(|policy| field(out, &format!("Policy: {policy}")))
        }),
        "2.5.29.35" => ("X509v3 Authority Key Identifier", |out, certificate, _| {
            field(out, &colons(certificate.authority_key_id()))
        }),
        "2.5.29.37" => ("X509v3 Extended Key Usage", |out, _, e| {
            extended_key_usage(out, e)
        }),
        AUTHORITY_INFORMATION => ("Authority Information Access", |out, _, e| {
            authority_information(out, e)
        }),
        NETSCAPE_COMMENT => ("Netscape Comment", |out, _, e| field(out, &comment(e))),
        STEP_PROVISIONER => ("X509v3 Step Provisioner", |out, _, e| {
            step_provisioner(out, e)
        }),
        _ => return None,
    };
    Some(found)
}

pub(super) fn head(out: &mut String, name: &str, extension: &Extension) -> fmt::Result {
    let critical = if extension.critical { " critical" } else { "" };
    writeln!(out, "            {name}:{critical}")
}

pub(super) fn field(out: &mut String, text: &str) -> fmt::Result {
    writeln!(out, "{FIELD}{}", Foreign(text))
}

pub(super) fn key_usage(out: &mut String, extension: &Extension) -> fmt::Result {
    let usages = extension::parse_key_usage(&extension.value).unwrap_or_default();
    let named: Vec<&str> = words::KEY_USAGES
        .iter()
        .filter(|(usage, ..)| usages.contains(*usage))
        .map(|(_, words, _)| *words)
        .collect();
    if named.is_empty() {
        return field(out, "None");
    }
    field(out, &named.join(", "))
}

/// Those with words go first.
fn extended_key_usage(out: &mut String, extension: &Extension) -> fmt::Result {
    let usages = extension::parse_extended_key_usage(&extension.value).unwrap_or_default();
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for usage in usages {
        let oid = usage.oid();
        match words::extended_key_usage(&oid) {
            Some((words, _)) => known.push(words.to_owned()),
            None if oid.to_string() == "2.23.133.8.1" => unknown.push("EK Certificate".to_owned()),
            None => unknown.push(oid.to_string()),
        }
    }
    known.append(&mut unknown);
    if known.is_empty() {
        return Ok(());
    }
    field(out, &known.join(", "))
}

pub(super) fn alt_names(out: &mut String, names: &[AltName]) -> fmt::Result {
    let mut line = |label: &str, is_kind: fn(&AltName) -> bool| -> fmt::Result {
        let of_kind = names.iter().filter(|name| is_kind(name));
        let texts: Vec<String> = of_kind.map(|name| format!("{label}:{name}")).collect();
        match texts.is_empty() {
            true => Ok(()),
            false => field(out, &texts.join(", ")),
        }
    };
    line("DNS", |name| matches!(name, AltName::Dns(_)))?;
    line("email", |name| matches!(name, AltName::Email(_)))?;
    line("IP Address", |name| matches!(name, AltName::Ip(_)))?;
    line("URI", |name| matches!(name, AltName::Uri(_)))
}

pub(super) fn basic_constraints(out: &mut String, extension: &Extension) -> fmt::Result {
    let read = extension::parse_basic_constraints(&extension.value);
    let (is_ca, path) = read.unwrap_or_default();
    let is_ca = if is_ca { "CA:TRUE" } else { "CA:FALSE" };
    match path {
        Some(path) => field(out, &format!("{is_ca}, pathlen:{path}")),
        None => field(out, is_ca),
    }
}

fn revocation_lists(out: &mut String, extension: &Extension) -> fmt::Result {
    let points = distribution_points(extension);
    if points.is_empty() {
        return Ok(());
    }
    let points: Vec<String> = points.iter().map(|url| format!("URI:{url}")).collect();
    field(out, "Full Name:")?;
    field(out, &format!("  {}", points.join(", ")))
}

fn authority_information(out: &mut String, extension: &Extension) -> fmt::Result {
    let access = access(extension);
    let mut line = |label: &str, urls: &[String]| match urls.is_empty() {
        true => Ok(()),
        false => field(out, &format!("{label} - URI:{}", urls.join(",URI:"))),
    };
    line("OCSP", &access.ocsp)?;
    line("CA Issuers", &access.issuers)
}

fn step_provisioner(out: &mut String, extension: &Extension) -> fmt::Result {
    let Ok(provisioner) = StepProvisioner::parse(&extension.value) else {
        return field(out, &printable(&extension.value));
    };
    field(
        out,
        &format!("Type: {}", words::provisioner(provisioner.kind)),
    )?;
    field(out, &format!("Name: {}", provisioner.name))?;
    if !provisioner.credential_id.is_empty() {
        field(out, &format!("CredentialID: {}", provisioner.credential_id))?;
    }
    for pair in provisioner.pairs.chunks(2) {
        let value = pair.get(1).map_or("-", String::as_str);
        field(out, &format!("{}: {value}", pair[0]))?;
    }
    Ok(())
}

/// The URLs of revocation lists.
pub(crate) fn distribution_points(extension: &Extension) -> Vec<String> {
    let Ok(points) = CrlDistributionPoints::from_der(&extension.value) else {
        return Vec::new();
    };
    let named = points
        .0
        .into_iter()
        .filter_map(|point| match point.distribution_point? {
            DistributionPointName::FullName(names) => Some(names),
            DistributionPointName::NameRelativeToCRLIssuer(_) => None,
        });
    named.flatten().filter_map(|name| uri(&name)).collect()
}

/// The policies by object identifier.
pub(crate) fn policies(extension: &Extension) -> Vec<String> {
    let Ok(policies) = CertificatePolicies::from_der(&extension.value) else {
        return Vec::new();
    };
    let each = policies.0.into_iter();
    each.map(|policy| policy.policy_identifier.to_string())
        .collect()
}

/// Where OCSP and the issuer's certificates are.
pub(crate) fn access(extension: &Extension) -> Access {
    let mut access = Access::default();
    let Ok(found) = AuthorityInfoAccessSyntax::from_der(&extension.value) else {
        return access;
    };
    for description in found.0 {
        let Some(url) = uri(&description.access_location) else {
            continue;
        };
        match description.access_method.to_string().as_str() {
            OCSP => access.ocsp.push(url),
            CA_ISSUERS => access.issuers.push(url),
            _ => {}
        }
    }
    access
}

/// Bytes as text, a dot for each that is none.
pub(super) fn printable(value: &[u8]) -> String {
    let is_shown = |c: char| !c.is_control() && c != char::REPLACEMENT_CHARACTER;
    String::from_utf8_lossy(value)
        .chars()
        .map(|c| if is_shown(c) { c } else { '.' })
        .collect()
}

fn comment(extension: &Extension) -> String {
    match AnyRef::from_der(&extension.value) {
        Ok(any) if any.tag() == der::Tag::Ia5String => any
            .decode_as::<Ia5StringRef<'_>>()
            .map(|text| text.to_string())
            .unwrap_or_default(),
        _ => printable(&extension.value),
    }
}

fn uri(name: &GeneralName) -> Option<String> {
    if let GeneralName::UniformResourceIdentifier(url) = name {
        return Some(url.to_string());
    }
    None
}

pub(super) fn colons(id: Option<Vec<u8>>) -> String {
    let bytes: Vec<String> = id
        .unwrap_or_default()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    bytes.join(":")
}
