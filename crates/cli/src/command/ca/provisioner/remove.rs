//! `step ca provisioner remove`.

use std::process::ExitCode;

use anyhow::Result;
use ca::config::edit;

use super::file::{Expected, Target};
use crate::context::Context;

const EXAMPLES: &str = "Examples:
  Let nobody in by it any more:
    $ step ca provisioner remove acme";

/// Removes a provisioner from the authority's configuration.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The provisioner's name.
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
