//! `--short`.

use std::fmt::Write as _;

use pki::{AltName, Certificate, Foreign, Name, PublicKey};

use super::words;

/// How many characters of a long number are shown at each end.
const ENDS: usize = 4;

/// A few lines about a certificate.
pub(crate) fn print(certificate: &Certificate) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, certificate);
    out
}

fn write(out: &mut String, certificate: &Certificate) -> std::fmt::Result {
    let algorithm = kind(certificate.public_key().ok());
    writeln!(
        out,
        "X.509v3 {} Certificate ({algorithm}) [Serial: {}]",
        role(certificate),
        abbreviated(&certificate.serial().to_string())
    )?;
    subject(&mut *out, certificate.subject(), certificate.alt_names())?;
    let issuer = certificate.issuer().cn().unwrap_or_default();
    writeln!(out, "  Issuer:      {}", Foreign(issuer))?;
    if let Ok(Some(provisioner)) = certificate.step_provisioner() {
        write!(out, "  Provisioner: {}", Foreign(&provisioner.name))?;
        if !provisioner.credential_id.is_empty() {
            write!(
                out,
                " [ID: {}]",
                Foreign(abbreviated(&provisioner.credential_id))
            )?;
        }
        writeln!(out)?;
    }
    writeln!(out, "  Valid from:  {}", certificate.not_before())?;
    writeln!(out, "          to:  {}", certificate.not_after())
}

/// The kind of a key: `ECDSA P-256`.
pub(super) fn kind(key: Option<&PublicKey>) -> String {
    let Some(key) = key else {
        return "unknown".to_owned();
    };
    let (algorithm, parameters) = (words::algorithm(key.kind()), words::parameters(key.kind()));
    format!("{algorithm} {parameters}")
}

/// All names, one on each line.
pub(super) fn subject(out: &mut String, subject: &Name, others: &[AltName]) -> std::fmt::Result {
    let names = names(subject, others);
    let Some((first, others)) = names.split_first() else {
        return writeln!(out, "  Subject: ");
    };
    writeln!(out, "  Subject:     {}", Foreign(first))?;
    let mut others = others.iter();
    others.try_for_each(|name| writeln!(out, "               {}", Foreign(name)))
}

fn role(certificate: &Certificate) -> &'static str {
    if !certificate.is_ca() {
        "TLS"
    } else if certificate.is_issued_by(certificate).is_ok() {
        "Root CA"
    } else {
        "Intermediate CA"
    }
}

/// The common name, then the other names by kind.
fn names(subject: &Name, others: &[AltName]) -> Vec<String> {
    let common_name = subject.cn().unwrap_or_default();
    let mut names = by_kind(others);
    names.retain(|name| *name != common_name);
    if !common_name.is_empty() {
        names.insert(0, common_name);
    }
    names
}

/// DNS names, addresses, e-mail addresses, URIs.
fn by_kind(names: &[AltName]) -> Vec<String> {
    let rank = |name: &AltName| match name {
        AltName::Dns(_) => Some(0),
        AltName::Ip(_) => Some(1),
        AltName::Email(_) => Some(2),
        AltName::Uri(_) => Some(3),
        AltName::Other { .. } => None,
    };
    let mut ranked: Vec<_> = names
        .iter()
        .filter_map(|name| Some((rank(name)?, name.to_string())))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, name)| name).collect()
}

fn abbreviated(text: &str) -> String {
    let (head, tail) = (text.get(..ENDS), text.len().checked_sub(ENDS));
    match (head, tail.and_then(|at| text.get(at..))) {
        (Some(head), Some(tail)) if text.len() > 2 * ENDS => format!("{head}...{tail}"),
        _ => text.to_owned(),
    }
}
