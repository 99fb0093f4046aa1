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

/// Where the server keeps them.
const PATH: &str = "/admin/acme/renewal";

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  The certificates issued before noon have to be renewed this afternoon:
    $ step ca acme renewal set --issued-before 2027-01-31T12:00:00Z --start 0s --end 6h

  Which windows are set?
    $ step ca acme renewal show

  Back to the server's own:
    $ step ca acme renewal clear";

/// The commands of `step ca acme renewal`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Sets a window for one certificate, or for many.
    #[command(long_about = prose::<set::Args>())]
    Set(Box<set::Args>),
    /// Lists the windows that are set.
    #[command(long_about = prose::<show::Args>())]
    Show(show::Args),
    /// Clears the window of one certificate, or all windows for many.
    #[command(long_about = prose::<clear::Args>())]
    Clear(clear::Args),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Command {
    /// Does what was asked.
    ///
    /// # Errors
    /// Whatever stops the command.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        match self {
            Self::Set(args) => args.run(context),
            Self::Show(args) => args.run(context),
            Self::Clear(args) => args.run(context),
            Self::Other(words) => crate::command::other("step ca acme renewal", &words, &[]),
        }
    }
}
