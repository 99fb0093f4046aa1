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
  Hand out a key with which one account can be made:
    $ step ca acme eab add acme

  Let an account have a name without a challenge:
    $ step ca acme authorize add acme --account 0193a7c05f7b7d1c9d3b1d2e3f405162 db.internal

  Let all clients of a provisioner renew within the next two hours:
    $ step ca acme renewal set --provisioner acme --start 0s --end 2h";

/// The commands of `step ca acme`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Gives names without a challenge, lists what was given, and takes it back.
    #[command(subcommand, arg_required_else_help = true, after_help = authorize::EXAMPLES)]
    Authorize(authorize::Command),
    /// Hands out external account keys, lists them and takes them back.
    #[command(subcommand, arg_required_else_help = true, after_help = eab::EXAMPLES)]
    Eab(eab::Command),
    /// Moves the times at which clients are told to renew.
    #[command(subcommand, arg_required_else_help = true, after_help = renewal::EXAMPLES)]
    Renewal(renewal::Command),
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
            Self::Authorize(command) => command.run(context),
            Self::Renewal(command) => command.run(context),
            Self::Eab(command) => command.run(context),
            Self::Other(words) => crate::command::other("step ca acme", &words, &[]),
        }
    }
}

/// Text for people, or JSON for programs.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}
