//! `step ca roots`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::authority::Authority;
use super::bundle;
use crate::command::block_on;
use crate::context::Context;
use crate::prompt;

const EXAMPLES: &str = "Examples:
  Print the certificates:
    $ step ca roots

  Save them:
    $ step ca roots roots.crt";

/// Download all root certificates of the authority
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// File to save the certificates in (default: print them)
    roots_file: Option<PathBuf>,
    /// Overwrite the file without asking
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    authority: Authority,
}

impl Args {
    /// Downloads them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let client = self.authority.client("step ca roots", context)?;
        if let Some(path) = &self.roots_file {
            prompt::may_overwrite(&[path], self.force)?;
        }
        let found = block_on(async { Ok(client.roots().await?) })?;
        bundle::deliver(&found, self.roots_file.as_deref(), "root")
    }
}
