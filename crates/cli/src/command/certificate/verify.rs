//! `step certificate verify`.

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use jiff::Timestamp;
use pki::Foreign;
use pki::chain::{self, Purpose};

use super::source;
use crate::command::system_roots;
use crate::output;

const EXAMPLES: &str = "Examples:
  Verify that a certificate chains to the root of the authority:
    $ step certificate verify example.crt --roots $(step path)/certs/root_ca.crt

  Verify that it is for a host, too:
    $ step certificate verify example.crt --roots root_ca.crt --host example.com

The command prints nothing and exits with 0 when the certificate is valid.";

/// Verify that a certificate chains to a trusted root and is valid now
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Certificate, followed by the intermediates
    crt_file: String,
    /// Host that the certificate must be for
    #[arg(long, value_name = "name")]
    host: Option<String>,
    /// Roots to trust: a file, comma-separated files, or a folder (default: the system's)
    #[arg(long, value_name = "files")]
    roots: Option<String>,
    /// Print the result, too
    #[arg(long, short = 'v')]
    verbose: bool,
    #[arg(long, hide = true)]
    verify_ocsp: bool,
    #[arg(long, hide = true)]
    verify_crl: bool,
    #[arg(long, hide = true, value_name = "file")]
    issuing_ca: Option<String>,
}

impl Args {
    /// Verifies it.
    pub(crate) fn run(self) -> Result<ExitCode> {
        if self.verify_ocsp || self.verify_crl || self.issuing_ca.is_some() {
            bail!(
                "'--verify-ocsp', '--verify-crl' and '--issuing-ca' do not exist yet in this version of step: revocation cannot be verified"
            );
        }
        let certificates = source::certificates(&self.crt_file)?;
        let roots = match &self.roots {
            Some(names) => source::pool(names)?,
            None => system_roots()
                .iter()
                .filter_map(|der| pki::Certificate::from_der(der).ok())
                .collect(),
        };
        let [leaf, intermediates @ ..] = certificates.as_slice() else {
            bail!("{} has no certificate in it", self.crt_file);
        };
        let host = self.host.as_deref().filter(|host| !host.is_empty());
        let options = chain::Options {
            intermediates,
            roots: &roots,
            at: Timestamp::now(),
            purpose: Purpose::Any,
            host,
        };
        chain::verify(leaf, &options)
            .map_err(|error| anyhow!("failed to verify certificate: {}", Foreign(error)))?;
        if self.verbose {
            // The second line's spelling is what scripts know.
            output::data("certificate validated against roots\ncertficiate is valid\n")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
