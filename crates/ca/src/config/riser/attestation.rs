//! `[provisioner.<name>.attestation]` of riser.toml: roots by format, and what is not demanded.

use acme::challenge::{Format, FormatRoots};
use pki::Certificate;

use crate::config::section::{Section, Unknown};

/// What riser.toml says about the statements that a provisioner believes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttestationSettings {
    /// `roots.<format>`: the roots of a format, in PEM, in place of ca.json's.
    pub roots: Vec<FormatRoots>,
    /// `stale_apple`: an Apple statement without a freshness code is believed.
    pub stale_apple: bool,
    /// `any_enrolled_tpm`: an attestation key's certificate that names no device stands for every
    /// device.
    pub any_enrolled_tpm: bool,
}

pub(super) fn read(mut section: Section<'_>) -> AttestationSettings {
    let roots = section.section("roots").map(roots).unwrap_or_default();
    let settings = AttestationSettings {
        roots,
        stale_apple: section.bool("stale_apple").unwrap_or_default(),
        any_enrolled_tpm: section.bool("any_enrolled_tpm").unwrap_or_default(),
    };
    section.finish(Unknown::Fault);
    settings
}

fn roots(mut section: Section<'_>) -> Vec<FormatRoots> {
    let mut all = Vec::new();
    for format in Format::ALL {
        let Some(pem) = section.text(format.as_str()) else {
            continue;
        };
        match Certificate::all_from_pem(pem.as_bytes()) {
            Ok(roots) => all.push(FormatRoots { format, roots }),
            Err(error) => {
                let what = format!("is not a list of certificates in PEM: {error}");
                section.fault(format.as_str(), what);
            }
        }
    }
    section.finish(Unknown::Fault);
    all
}
