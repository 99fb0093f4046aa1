//! `step ca root`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use client::{Http, Trust, step};

use super::authority::Authority;
use crate::command::block_on;
use crate::{file, output, prompt};

const EXAMPLES: &str = "Examples:
  Print the root certificate:
    $ step ca root

  Save the root certificate of another authority, verified by its fingerprint:
    $ step ca root root_ca.crt --ca-url https://ca.example:9000 --fingerprint 0d7d…";

/// Download the root certificate and verify it by its fingerprint
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// File to save the certificate in (default: print it)
    root_file: Option<PathBuf>,
    /// SHA-256 fingerprint of the root certificate
    #[arg(long, value_name = "fingerprint")]
    fingerprint: Option<String>,
    /// Overwrite the file without asking
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    authority: Authority,
}

impl Args {
    /// Downloads it.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let url = self.authority.url("step ca root")?;
        let Some(fingerprint) = &self.fingerprint else {
            bail!("'step ca root' requires the '--fingerprint' flag");
        };
        if let Some(path) = &self.root_file {
            prompt::may_overwrite(&[path], self.force)?;
        }
        let root = download(&url, fingerprint)?;
        match &self.root_file {
            None => output::data(&root.to_pem())?,
            Some(path) => {
                file::write(path, root.to_pem().as_bytes(), file::PRIVATE)?;
                let path = path.display();
                output::say(&format!("The root certificate has been saved in {path}."));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Downloads the root from a server that is not trusted yet; its fingerprint proves it.
pub(crate) fn download(url: &str, fingerprint: &str) -> Result<pki::Certificate> {
    let client = step::Client::new(Http::new(&Trust::Unverified, None)?, url);
    block_on(async { Ok(client.root(fingerprint).await?) })
}
