//! The flags by which a provisioner is described, shared by `add` and `update`.

use anyhow::{Context as _, Result, bail};
use ca::claims::Overrides;
use ca::config::edit::AcmeOptions;
use ca::go_duration;

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
    /// ACME: set the common name of a certificate without one to its first DNS name
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    force_cn: Option<bool>,
    /// ACME: challenge to offer: http-01, dns-01, tls-alpn-01 or device-attest-01 (repeatable; default: all)
    #[arg(long = "challenge", value_name = "challenge")]
    challenges: Vec<String>,
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
            claims: self.claims()?,
        })
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
