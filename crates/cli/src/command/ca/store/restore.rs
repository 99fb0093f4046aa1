//! `step ca store restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::Place;
use crate::context::Context;

const EXAMPLES: &str = "Examples:
  Replace a damaged store:
    $ systemctl stop step-ca
    $ mv $(step path)/db $(step path)/db.damaged
    $ step ca store restore /var/backups/ca.sqlite3
    $ systemctl start step-ca";

/// Copy a backup to where the store belongs
///
/// The server must be stopped, and there must be no store: move it away, with its '-wal' file. A damaged backup is refused.
/// What was issued or revoked after the backup is not in it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Backup to read
    #[arg(value_name = "file")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

impl Args {
    /// Copies it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let words = vec![self.file.into()];
        self.place.hand_over("restore", &[], words, context)
    }
}
