//! `step ca provisioner remove`.

use std::process::ExitCode;

use anyhow::Result;
use ca::config::edit;

use super::file::{Expected, Target};
use crate::context::Context;

const EXAMPLES: &str = "Examples:
  Remove the provisioner acme; its accounts can order no more certificates:
    $ step ca provisioner remove acme";

/// Remove a provisioner from the configuration of the authority
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name of the provisioner
    name: String,
    #[command(flatten)]
    target: Target,
}

impl Args {
    /// Removes it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        self.target
            .change(context, &Expected::Gone(&self.name), |text| {
                edit::remove_provisioner(text, &self.name)
            })?;
        Ok(ExitCode::SUCCESS)
    }
}
