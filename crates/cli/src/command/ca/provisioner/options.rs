//! The flags by which a provisioner is described, shared by `add` and `update`.

use std::path::PathBuf;

use acme::challenge::Format;
use anyhow::{Context as _, Result, bail};
use ca::claims::Overrides;
use ca::config::edit::AcmeOptions;
use ca::go_duration;
use data_encoding::BASE64;
use pki::Certificate;

use crate::file;

/// Every type of provisioner that `ca.json` may have.
const TYPES: &[&str] = &[
    "JWK", "OIDC", "AWS", "Azure", "GCP", "ACME", "X5C", "K8SSA", "SSHPOP", "SCEP", "Nebula",
];

/// The flags of claims and of ACME provisioners.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// ACME: require an external account binding for new accounts
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_eab: Option<bool>,
    /// ACME: set the common name of a certificate without one to its first DNS name or, without one, its first device
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    force_cn: Option<bool>,
    /// ACME: challenge to offer: http-01, dns-01, tls-alpn-01 or device-attest-01 (repeatable; default: the first
    /// three)
    #[arg(long = "challenge", value_name = "challenge")]
    challenges: Vec<String>,
    /// ACME: format of statements about devices to accept: apple, step, tpm or android-key (repeatable; default:
    /// apple, step and tpm)
    #[arg(long = "attestation-format", value_name = "format")]
    attestation_formats: Vec<String>,
    /// ACME: file with the roots of the devices' makers, in PEM (repeatable)
    #[arg(long, value_name = "file", value_hint = clap::ValueHint::FilePath)]
    attestation_roots: Vec<PathBuf>,
    /// Minimum lifetime of a certificate, such as 5m
    #[arg(long, value_name = "duration")]
    x509_min_dur: Option<String>,
    /// Maximum lifetime of a certificate, such as 48h
    #[arg(long, value_name = "duration")]
    x509_max_dur: Option<String>,
    /// Lifetime of a certificate when the request has none, such as 24h
    #[arg(long, value_name = "duration")]
    x509_default_dur: Option<String>,
    /// Refuse to renew certificates of this provisioner
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    disable_renewal: Option<bool>,
    /// Renew expired certificates, too
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    allow_renewal_after_expiry: Option<bool>,
    /// Leave the name of the provisioner out of certificates
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    disable_smallstep_extensions: Option<bool>,
}

impl Options {
    /// The settings of an ACME provisioner; those without a flag stay as they are.
    ///
    /// # Errors
    /// When a duration or challenge is invalid.
    pub(crate) fn acme(&self) -> Result<AcmeOptions> {
        Ok(AcmeOptions {
            force_cn: self.force_cn,
            require_eab: self.require_eab,
            challenges: self.challenges()?,
            attestation_formats: self.attestation_formats()?,
            attestation_roots: self.attestation_roots()?,
            claims: self.claims()?,
        })
    }

    /// The settings of a new ACME provisioner.
    ///
    /// # Errors
    /// As [`Options::acme`], and when it would believe no statement about any device.
    pub(crate) fn new_acme(&self) -> Result<AcmeOptions> {
        let options = self.acme()?;
        let attests = |all: &Vec<String>| all.iter().any(|one| one == "device-attest-01");
        if options.challenges.as_ref().is_some_and(attests) && options.attestation_roots.is_none() {
            bail!(
                "'--challenge device-attest-01' requires '--attestation-roots': without the roots of the devices' \
                 makers, no statement about a device is believed. Download them from the maker: Apple \
                 https://www.apple.com/certificateauthority/private/, Yubico \
                 https://developers.yubico.com/PKI/; for TPMs, take the root of the CA that certifies their \
                 attestation keys"
            );
        }
        Ok(options)
    }

    /// The settings of lifetimes and renewal.
    ///
    /// # Errors
    /// When a duration is invalid.
    pub(crate) fn claims(&self) -> Result<Overrides> {
        let duration = |flag: &str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => go_duration::parse(text)
                .map(Some)
                .with_context(|| format!("invalid value '{text}' for flag '--{flag}'")),
        };
        Ok(Overrides {
            minimum: duration("x509-min-dur", &self.x509_min_dur)?,
            maximum: duration("x509-max-dur", &self.x509_max_dur)?,
            default: duration("x509-default-dur", &self.x509_default_dur)?,
            disable_renewal: self.disable_renewal,
            allow_renewal_after_expiry: self.allow_renewal_after_expiry,
            disable_extension: self.disable_smallstep_extensions,
        })
    }

    fn attestation_formats(&self) -> Result<Option<Vec<String>>> {
        for word in &self.attestation_formats {
            if Format::parse(word).is_none() {
                bail!(
                    "invalid value '{word}' for flag '--attestation-format'; options are {}",
                    Format::ALL.map(Format::as_str).join(", ")
                );
            }
        }
        let formats = &self.attestation_formats;
        Ok((!formats.is_empty()).then(|| formats.clone()))
    }

    /// The certificates of all files, as ca.json has them.
    fn attestation_roots(&self) -> Result<Option<String>> {
        let mut bundle = String::new();
        for path in &self.attestation_roots {
            let shown = path.display();
            let text = file::read(path)?;
            let roots = Certificate::all_from_file(&text)
                .with_context(|| format!("error parsing {shown}"))?;
            for root in &roots {
                if !root.is_ca() {
                    bail!(
                        "{shown} has a certificate that is not a CA's: {}",
                        root.subject()
                    );
                }
                bundle.push_str(&root.to_pem());
            }
        }
        Ok((!bundle.is_empty()).then(|| BASE64.encode(bundle.as_bytes())))
    }

    fn challenges(&self) -> Result<Option<Vec<String>>> {
        const KNOWN: &[&str] = &["http-01", "dns-01", "tls-alpn-01", "device-attest-01"];
        const DRAFTS: &[&str] = &["dns-account-01", "dns-persist-01"];
        if self.challenges.is_empty() {
            return Ok(None);
        }
        for challenge in &self.challenges {
            if DRAFTS.contains(&challenge.as_str()) {
                bail!(
                    "ca.json cannot name the challenge '{challenge}': name it in riser.toml, as one of the \
                     'challenges' of [provisioner.<name>]"
                );
            }
            if !KNOWN.contains(&challenge.as_str()) {
                bail!(
                    "invalid value '{challenge}' for flag '--challenge'; options are {}",
                    KNOWN.join(", ")
                );
            }
        }
        Ok(Some(self.challenges.clone()))
    }
}

/// The type's name as `ca.json` has it, whatever its case on the command line.
///
/// # Errors
/// When the type is unknown.
pub(crate) fn kind(text: &str) -> Result<&'static str> {
    let found = TYPES.iter().find(|kind| kind.eq_ignore_ascii_case(text));
    match found {
        Some(kind) => Ok(kind),
        None => bail!(
            "invalid value '{text}' for flag '--type'; options are {}",
            TYPES.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_known_whatever_its_case() {
        assert_eq!(kind("acme").unwrap(), "ACME");
        assert!(
            kind("FOO")
                .unwrap_err()
                .to_string()
                .contains("options are JWK")
        );
    }
}
