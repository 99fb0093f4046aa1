//! `step ca acme`.

mod authorize;
mod eab;
mod renewal;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::context::Context;

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  Create a key with which one account can be created:
    $ step ca acme eab add acme

  Authorize a name for an account, without a challenge:
    $ step ca acme authorize add acme --account 0193a7c05f7b7d1c9d3b1d2e3f405162 db.internal

  Make all clients of a provisioner renew within the next two hours:
    $ step ca acme renewal set --provisioner acme --start 0s --end 2h";

/// The commands of `step ca acme`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Authorize names without a challenge, list and remove such authorizations
    #[command(subcommand, arg_required_else_help = true, after_help = authorize::EXAMPLES)]
    Authorize(authorize::Command),
    /// Create, list and remove external account keys
    #[command(subcommand, arg_required_else_help = true, after_help = eab::EXAMPLES)]
    Eab(eab::Command),
    /// Set, show and clear the windows in which clients renew
    #[command(subcommand, arg_required_else_help = true, after_help = renewal::EXAMPLES)]
    Renewal(renewal::Command),
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
            Self::Authorize(command) => command.run(context),
            Self::Renewal(command) => command.run(context),
            Self::Eab(command) => command.run(context),
            Self::Other(words) => crate::command::other("step ca acme", &words, &[]),
        }
    }
}

/// Text for users, or JSON for programs.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}
