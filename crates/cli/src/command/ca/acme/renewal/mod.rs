//! `step ca acme renewal`: the windows in which certificates should be renewed (RFC 9773).

mod clear;
mod set;
mod show;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::command::prose;
use crate::context::Context;

/// The path of the windows.
const PATH: &str = "/admin/acme/renewal";

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  Make clients renew the certificates issued before noon within six hours:
    $ step ca acme renewal set --issued-before 2027-01-31T12:00:00Z --start 0s --end 6h

  List the windows that are set:
    $ step ca acme renewal show

  Return to the server's own windows:
    $ step ca acme renewal clear";

/// The commands of `step ca acme renewal`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Set the window of one certificate, or of many
    #[command(long_about = prose::<set::Args>())]
    Set(Box<set::Args>),
    /// List the windows that are set
    #[command(long_about = prose::<show::Args>())]
    Show(show::Args),
    /// Clear the window of one certificate, or all windows of many
    #[command(long_about = prose::<clear::Args>())]
    Clear(clear::Args),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// When the command fails.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        match self {
            Self::Set(args) => args.run(context),
            Self::Show(args) => args.run(context),
            Self::Clear(args) => args.run(context),
            Self::Other(words) => crate::command::other("step ca acme renewal", &words, &[]),
        }
    }
}
