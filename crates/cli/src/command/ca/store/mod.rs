//! `step ca store`: the records as a whole.
//!
//! The file is read by `step-ca store`, which is the program that knows its format. Each command here starts that in its
//! own place, whether a server runs or not.

mod backup;
mod check;
mod export;
mod restore;
mod stats;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;

use crate::command::prose;
use crate::context::Context;

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  Back up the store while the server runs:
    $ step ca store backup /var/backups/ca.sqlite3

  Replace a store that is lost or damaged, with the server stopped:
    $ step ca store restore /var/backups/ca.sqlite3

  List the names of all certificates:
    $ step ca store export | jq -c 'select(.type == \"certificate\") | .names'";

/// The commands of `step ca store`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print how many records there are and how much room they take
    Stats(stats::Args),
    /// Look for damage and contradictions
    #[command(long_about = prose::<check::Args>())]
    Check(check::Args),
    /// Copy the store to a new file while the server runs
    #[command(long_about = prose::<backup::Args>())]
    Backup(backup::Args),
    /// Copy a backup to where the store belongs
    #[command(long_about = prose::<restore::Args>())]
    Restore(restore::Args),
    /// Print all records as lines of JSON
    #[command(long_about = prose::<export::Args>())]
    Export(export::Args),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// When `step-ca` cannot be started.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        match self {
            Self::Stats(args) => args.run(context),
            Self::Check(args) => args.run(context),
            Self::Backup(args) => args.run(context),
            Self::Restore(args) => args.run(context),
            Self::Export(args) => args.run(context),
            Self::Other(words) => crate::command::other("step ca store", &words, &[]),
        }
    }
}

/// The flags that select a store.
#[derive(clap::Args)]
#[group(id = "store_place")]
struct Place {
    /// Configuration of the server (default: $(step path)/config/ca.json)
    #[arg(long, value_name = "file")]
    ca_config: Option<PathBuf>,
    /// Context to use
    #[arg(long, value_name = "name")]
    context: Option<String>,
    #[arg(long, hide = true)]
    no_context: bool,
}

impl Place {
    /// Becomes `step-ca store VERB FLAGS… WORDS…` on this store. Returns only where that is not possible.
    fn hand_over(
        self,
        verb: &str,
        flags: &[&str],
        words: Vec<OsString>,
        context: &Context,
    ) -> Result<ExitCode> {
        let ca_json = match self.ca_config {
            Some(file) => {
                std::path::absolute(file).context("error finding the file of '--ca-config'")?
            }
            None => context.ca_file(),
        };
        let error = std::process::Command::new(program())
            .args(["store", verb, "--ca-config"])
            .arg(ca_json)
            .args(flags)
            .arg("--")
            .args(words)
            .exec();
        if error.kind() == ErrorKind::NotFound {
            bail!("step-ca is neither beside this program nor in PATH: {ELSEWHERE}");
        }
        Err(error).context("error starting step-ca")
    }
}

/// `step-ca` of the same installation, else the one in PATH.
fn program() -> PathBuf {
    let own = std::env::current_exe().ok();
    let beside = own.map(|own| own.with_file_name(SERVER));
    let beside = beside.filter(|program| program.exists());
    beside.unwrap_or_else(|| PathBuf::from(SERVER))
}

const SERVER: &str = "step-ca";
const ELSEWHERE: &str = "run the command on the machine of the CA";
