//! `step ca federation`.

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
    $ step ca federation

  Save them:
    $ step ca federation federation.crt";

/// Download the root certificates of the authority and its federation
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// File to save the certificates in (default: print them)
    federation_file: Option<PathBuf>,
    /// Overwrite the file without asking
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    authority: Authority,
}

impl Args {
    /// Downloads them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let client = self.authority.client("step ca federation", context)?;
        if let Some(path) = &self.federation_file {
            prompt::may_overwrite(&[path], self.force)?;
        }
        let found = block_on(async { Ok(client.federation().await?) })?;
        bundle::deliver(&found, self.federation_file.as_deref(), "federation")
    }
}
