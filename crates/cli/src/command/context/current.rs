//! `step context current`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use pki::Foreign;
use serde::Serialize;

use crate::context::Context;
use crate::contexts::Contexts;
use crate::output;

const EXAMPLES: &str = "Examples:
  Print the name of the current context:
    $ step context current

  Print the names of its folders, too:
    $ step context current --json";

/// Print the name of the current context
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print the names of its folders, too, as JSON
    #[arg(long)]
    json: bool,
}

/// In the order in which smallstep's `step` prints it.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    authority: &'a str,
    profile: &'a str,
}

impl Args {
    /// Prints it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let contexts = Contexts::load(context.base())?;
        let Some(name) = contexts.current() else {
            bail!("no context selected");
        };
        let Some(named) = contexts.find(name) else {
            bail!(
                "could not load context '{}': select another one with 'step context select'",
                Foreign(name)
            );
        };
        if self.json {
            let shown = Shown {
                name,
                authority: &named.authority,
                profile: &named.profile,
            };
            output::data(&format!("{}\n", serde_json::to_string(&shown)?))?;
        } else {
            output::data(&format!("{}\n", Foreign(name)))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
