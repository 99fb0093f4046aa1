//! `step context list`.

use std::process::ExitCode;

use anyhow::Result;
use pki::Foreign;

use crate::context::Context;
use crate::contexts::Contexts;
use crate::output;

const EXAMPLES: &str = "Examples:
  List the contexts:
    $ step context list";

/// List the contexts, the current one first
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {}

impl Args {
    /// Lists them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let contexts = Contexts::load(context.base())?;
        let current = contexts
            .current()
            .filter(|name| contexts.find(name).is_some());
        let mut text = String::new();
        if let Some(name) = current {
            text += &format!("▶ {}\n", Foreign(name));
        }
        for name in contexts.names().filter(|name| Some(*name) != current) {
            text += &format!("{}\n", Foreign(name));
        }
        output::data(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
