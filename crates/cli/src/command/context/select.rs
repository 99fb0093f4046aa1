//! `step context select`.

use std::process::ExitCode;

use anyhow::Result;

use crate::context::Context;
use crate::contexts::Contexts;
use crate::output;

const EXAMPLES: &str = "Examples:
  Use the context lab from now on:
    $ step context select lab";

/// Use a context from now on
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name of the context
    name: String,
}

impl Args {
    /// Selects it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        Contexts::load(context.base())?.select(&self.name)?;
        output::selected("Context", &self.name);
        Ok(ExitCode::SUCCESS)
    }
}
