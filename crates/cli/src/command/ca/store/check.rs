//! `step ca store check`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::Place;
use crate::context::Context;

const EXAMPLES: &str = "Examples:
  Check the store of the running server:
    $ step ca store check
  Check a backup:
    $ step ca store check /var/backups/ca.sqlite3";

/// Look for damage and contradictions in the store or a backup
///
/// Exit code 0 if there are none, 1 if there are, with a line for each on stdout. The server goes on meanwhile.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Store or backup (default: the store of the server)
    #[arg(value_name = "file")]
    file: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

impl Args {
    /// Checks it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let words = self.file.map(Into::into).into_iter().collect();
        self.place.hand_over("check", &[], words, context)
    }
}
