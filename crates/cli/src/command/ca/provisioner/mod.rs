//! `step ca provisioner`.

mod add;
mod file;
mod list;
mod options;
mod remove;
mod update;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::context::Context;

pub(crate) use add::jwk_provisioner;

const LATER: &[&str] = &["getEncryptedKey", "jwe-key", "webhook"];

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  List who may request certificates:
    $ step ca provisioner list

  Add an ACME provisioner:
    $ step ca provisioner add acme --type ACME";

/// The commands of `step ca provisioner`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the provisioners
    List(list::Args),
    /// Add a provisioner
    Add(Box<add::Args>),
    /// Change a provisioner
    Update(Box<update::Args>),
    /// Remove a provisioner
    Remove(remove::Args),
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
            Self::List(args) => args.run(context),
            Self::Add(args) => args.run(context),
            Self::Update(args) => args.run(context),
            Self::Remove(args) => args.run(context),
            Self::Other(words) => crate::command::other("step ca provisioner", &words, LATER),
        }
    }
}
