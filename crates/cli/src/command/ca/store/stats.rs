//! `step ca store stats`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::Place;
use crate::context::Context;

const EXAMPLES: &str = "Examples:
  Print the size of the store and what is in it:
    $ step ca store stats
  Print the number of certificates that have not expired:
    $ step ca store stats --json | jq .certificates.unexpired";

/// Print how many records there are and how much room they take
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Store or backup (default: the store of the server)
    #[arg(value_name = "file")]
    file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl Args {
    /// Prints them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let words = self.file.map(Into::into).into_iter().collect();
        let flags: &[&str] = if self.json { &["--json"] } else { &[] };
        self.place.hand_over("stats", flags, words, context)
    }
}
