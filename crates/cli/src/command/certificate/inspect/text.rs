//! The text form: openssl-like, in the wording of smallstep's `step`.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use pki::{Certificate, Foreign, PublicKey, SignatureAlgorithm};

use super::key::{Numbers, numbers};
use super::{extensions, words};

/// Bytes of a number per line.
const NUMBER_LINE: usize = 15;
/// Bytes of the signature per line.
pub(super) const SIGNATURE_LINE: usize = 18;

/// Everything about a certificate.
pub(crate) fn print(certificate: &Certificate) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, certificate);
    out
}

fn write(out: &mut String, certificate: &Certificate) -> fmt::Result {
    let algorithm = signature_algorithm(certificate);
    let version = certificate.version();
    writeln!(out, "Certificate:\n    Data:")?;
    writeln!(
        out,
        "        Version: {version} ({:#x})",
        version.saturating_sub(1)
    )?;
    let serial = certificate.serial();
    writeln!(
        out,
        "        Serial Number: {serial} (0x{})",
        even(&serial.hex())
    )?;
    writeln!(out, "        Signature Algorithm: {algorithm}")?;
    // Smallstep's `step` ends no line after an issuer without a name.
    write!(out, "        Issuer: ")?;
    if !certificate.issuer().is_empty() {
        writeln!(out, "{}", Foreign(certificate.issuer().in_order()))?;
    }
    writeln!(out, "        Validity")?;
    writeln!(
        out,
        "            Not Before: {}",
        day(certificate.not_before())
    )?;
    writeln!(
        out,
        "            Not After : {}",
        day(certificate.not_after())
    )?;
    match certificate.subject().is_empty() {
        true => writeln!(out, "        Subject:")?,
        false => {
            let subject = certificate.subject().in_order();
            writeln!(out, "        Subject: {}", Foreign(subject))?;
        }
    }
    public_key(out, certificate.public_key().ok())?;
    if certificate.version() == 3 && !certificate.extensions().is_empty() {
        writeln!(out, "        X509v3 extensions:")?;
        for extension in certificate.extensions() {
            extensions::write(out, certificate, extension)?;
        }
    }
    writeln!(out, "    Signature Algorithm: {algorithm}")?;
    write!(out, "         ")?;
    bytes(out, certificate.signature(), SIGNATURE_LINE, "\n         ")?;
    writeln!(out)
}

/// The name of the algorithm that signed; its object identifier where it has no name.
pub(crate) fn signature_algorithm(certificate: &Certificate) -> String {
    certificate.signature_algorithm().map_or_else(
        |_| "Unknown".to_owned(),
        |known: SignatureAlgorithm| known.to_string(),
    )
}

/// The key, and what it consists of.
pub(super) fn public_key(out: &mut String, key: Option<&PublicKey>) -> fmt::Result {
    writeln!(out, "        Subject Public Key Info:")?;
    let Some(key) = key else {
        return writeln!(out, "            Public Key Algorithm: Unknown");
    };
    let algorithm = words::algorithm(key.kind());
    writeln!(out, "            Public Key Algorithm: {algorithm}")?;
    match numbers(key) {
        Numbers::Rsa { modulus, exponent } => {
            let bits = words::parameters(key.kind());
            writeln!(out, "                Public-Key: ({bits} bit)")?;
            number(out, "Modulus", &modulus)?;
            writeln!(out, "                Exponent: {exponent} ({exponent:#x})")
        }
        Numbers::Point { x, y, bits } => {
            writeln!(out, "                Public-Key: ({bits} bit)")?;
            number(out, "X", &x)?;
            number(out, "Y", &y)?;
            let curve = words::parameters(key.kind());
            writeln!(out, "                Curve: {curve}")
        }
        Numbers::Bytes(key) => {
            // Smallstep's `step` prints bytes here, although the label says bit.
            write!(out, "                Public-Key: ({} bit)", key.len())?;
            lines(out, &key)
        }
    }
}

fn number(out: &mut String, name: &str, value: &[u8]) -> fmt::Result {
    write!(out, "                {name}:")?;
    lines(out, value)
}

fn lines(out: &mut String, value: &[u8]) -> fmt::Result {
    const START: &str = "\n                    ";
    out.push_str(START);
    bytes(out, value, NUMBER_LINE, START)?;
    writeln!(out)
}

/// Bytes in hex with colons, a line end after every `line` of them.
pub(super) fn bytes(out: &mut String, value: &[u8], line: usize, start: &str) -> fmt::Result {
    for (at, byte) in value.iter().enumerate() {
        if at > 0 && at % line == 0 {
            out.push_str(start);
        }
        write!(out, "{byte:02x}")?;
        if at + 1 < value.len() {
            out.push(':');
        }
    }
    Ok(())
}

fn even(hex: &str) -> String {
    match hex.len() % 2 {
        0 => hex.to_owned(),
        _ => format!("0{hex}"),
    }
}

fn day(time: Timestamp) -> String {
    time.strftime("%b %-d %H:%M:%S %Y UTC").to_string()
}
