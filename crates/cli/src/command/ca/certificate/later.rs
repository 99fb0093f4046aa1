//! Flags of smallstep's `step` that have no effect over ACME, or are not supported yet.

use std::path::PathBuf;

use anyhow::{Result, bail};

/// The flags, known so that they are refused by name. Those about provisioners' passwords and
/// browsers have no effect for an ACME provisioner.
#[derive(clap::Args)]
#[group(id = "later")]
pub(crate) struct Flags {
    #[arg(long, hide = true, value_name = "token")]
    token: Option<String>,
    #[arg(long, hide = true)]
    offline: bool,
    #[arg(long, hide = true, value_name = "uri")]
    kms: Option<String>,
    #[arg(long, hide = true, value_name = "file")]
    x5c_cert: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "file")]
    x5c_key: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "file")]
    nebula_cert: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "uri")]
    attestation_uri: Option<String>,
    #[arg(long, hide = true, value_name = "key=value")]
    set: Vec<String>,
    #[arg(long, hide = true, value_name = "file")]
    set_file: Option<PathBuf>,
    #[arg(long, hide = true, alias = "password-file", value_name = "file")]
    provisioner_password_file: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "file")]
    ca_config: Option<PathBuf>,
    #[arg(long, hide = true)]
    console: bool,
}

impl Flags {
    /// Refuses flags that would change the certificate.
    ///
    /// # Errors
    /// When one is given.
    pub(crate) fn refuse(&self) -> Result<()> {
        let given = [
            ("--token", self.token.is_some()),
            ("--offline", self.offline),
            ("--kms", self.kms.is_some()),
            ("--x5c-cert", self.x5c_cert.is_some()),
            ("--x5c-key", self.x5c_key.is_some()),
            ("--nebula-cert", self.nebula_cert.is_some()),
            ("--attestation-uri", self.attestation_uri.is_some()),
            ("--set", !self.set.is_empty()),
            ("--set-file", self.set_file.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => bail!(
                "'step ca certificate {flag}' does not exist yet in this version of step: use an ACME provisioner without it"
            ),
            None => Ok(()),
        }
    }
}
