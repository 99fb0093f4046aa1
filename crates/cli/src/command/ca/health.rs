//! `step ca health`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use pki::Foreign;

use super::authority::Authority;
use crate::command::block_on;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "Examples:
  Check the authority that was bootstrapped:
    $ step ca health

  Check another one:
    $ step ca health --ca-url https://ca.example:9000 --root root_ca.crt";

/// Check the health of the authority: print ok and exit with 0 if it is healthy
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    authority: Authority,
}

impl Args {
    /// Checks it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let client = self.authority.client("step ca health", context)?;
        let health = block_on(async { Ok(client.health().await?) })?;
        if health.status != "ok" {
            bail!(
                "the authority answers, but its health is {:?}",
                health.status
            );
        }
        for problem in &health.problems {
            output::say(&format!("Warning: {}", Foreign(problem)));
        }
        output::data("ok\n")?;
        Ok(ExitCode::SUCCESS)
    }
}
