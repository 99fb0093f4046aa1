//! `step ca store backup`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::Place;
use crate::context::Context;

const EXAMPLES: &str = "Examples:
  Back up the store with the date in the name:
    $ step ca store backup /var/backups/ca-$(date +%F).sqlite3";

/// Copy the store to a new file, of one moment, while the server runs
///
/// The copy is read back and compared before it gets its name. A file that exists is not overwritten.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// File to write
    #[arg(value_name = "file")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

impl Args {
    /// Copies it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let words = vec![self.file.into()];
        self.place.hand_over("backup", &[], words, context)
    }
}
