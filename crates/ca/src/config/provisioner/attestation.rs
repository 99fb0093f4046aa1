//! Whose statements about devices an ACME provisioner believes, as ca.json writes it.

use acme::challenge::{AttestationRules, Format, FormatRoots};
use data_encoding::BASE64;
use pki::Certificate;

use super::disable;
use crate::config::section::Section;
use crate::provisioner::Common;

pub(super) fn read(common: &mut Common, section: &mut Section<'_>) -> AttestationRules {
    let formats = formats(common, section);
    let roots = roots(common, section);
    if formats.len() > 1 && !roots.is_empty() {
        let what = "holds for every format of the provisioner, so that a maker of one could vouch in \
                    another: name one format, or the roots of each in riser.toml: \
                    [provisioner.<name>.attestation.roots]";
        section.warn("attestationRoots", what);
    }
    let roots = formats.into_iter().map(|format| FormatRoots {
        format,
        roots: roots.clone(),
    });
    AttestationRules {
        roots: roots.collect(),
        ..AttestationRules::default()
    }
}

fn formats(common: &mut Common, section: &mut Section<'_>) -> Vec<Format> {
    let mut formats = Vec::new();
    let words = section.strings("attestationFormats");
    for (n, word) in words.iter().enumerate() {
        match Format::parse(&word.to_ascii_lowercase()) {
            Some(format) if formats.contains(&format) => {}
            Some(format) => formats.push(format),
            None => {
                let known = Format::ALL.map(Format::as_str).join(", ");
                let what = format!("{word:?} is not one of {known}");
                disable(common, section, &format!("attestationFormats[{n}]"), what);
            }
        }
    }
    if words.is_empty() {
        formats.extend(Format::USUAL);
    }
    formats
}

/// The certificates of a bundle in PEM, which ca.json has in base64.
fn roots(common: &mut Common, section: &mut Section<'_>) -> Vec<Certificate> {
    let Some(text) = section.text("attestationRoots") else {
        return Vec::new();
    };
    let read = BASE64
        .decode(text.as_bytes())
        .map_err(|error| error.to_string())
        .and_then(|pem| Certificate::all_from_pem(&pem).map_err(|error| error.to_string()));
    match read {
        Ok(roots) => roots,
        Err(error) => {
            let what = format!("is not a list of certificates in PEM, in base64: {error}");
            disable(common, section, "attestationRoots", what);
            Vec::new()
        }
    }
}
