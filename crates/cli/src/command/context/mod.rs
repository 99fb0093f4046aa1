//! `step context`.

mod current;
mod list;
mod remove;
mod select;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::context::Context;

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  Keep a second authority beside the first, and use it:
    $ step ca bootstrap --ca-url https://lab.example:9000 --fingerprint 93f1… --context lab

  Use another one from now on:
    $ step context select ca.example

  Use one for a single command:
    $ step ca health --context lab";

/// The commands of `step context`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print the name of the current context
    Current(current::Args),
    /// List the contexts
    List(list::Args),
    /// Remove a context and its folders
    Remove(remove::Args),
    /// Use a context from now on
    Select(select::Args),
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
            Self::Current(args) => args.run(context),
            Self::List(args) => args.run(context),
            Self::Remove(args) => args.run(context),
            Self::Select(args) => args.run(context),
            Self::Other(words) => super::other("step context", &words, &[]),
        }
    }
}
