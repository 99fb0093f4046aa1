//! `step ca store export`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::Place;
use crate::context::Context;

const EXAMPLES: &str = "Examples:
  Write all records to a file:
    $ step ca store export > records.jsonl
  Print the serial number and end of every certificate:
    $ step ca store export | jq -r 'select(.type == \"certificate\") | .serial + \" \" + .not_after'";

/// Print all records as lines of JSON: accounts, orders, certificates, revocations, audit log
///
/// All lines are of one moment; the server goes on meanwhile. Secrets of external account keys are left out.
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
    /// Prints them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let words = self.file.map(Into::into).into_iter().collect();
        self.place.hand_over("export", &[], words, context)
    }
}
