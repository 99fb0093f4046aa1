//! `step ca acme`.

mod authorize;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::context::Context;

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  Let an account have a name without a challenge:
    $ step ca acme authorize add acme --account 0193a7c05f7b7d1c9d3b1d2e3f405162 db.internal";

/// The commands of `step ca acme`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Gives names without a challenge, lists what was given, and takes it back.
    #[command(subcommand, arg_required_else_help = true, after_help = authorize::EXAMPLES)]
    Authorize(authorize::Command),
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
            Self::Other(words) => crate::command::other("step ca acme", &words, LATER),
        }
    }
}

const LATER: &[&str] = &["eab"];
