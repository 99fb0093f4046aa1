//! `step ca provisioner list`.

use std::process::ExitCode;

use anyhow::Result;

use crate::command::block_on;
use crate::command::ca::authority::Authority;
use crate::context::Context;
use crate::json::pretty;
use crate::output;

const EXAMPLES: &str = "Examples:
  Print the names of all provisioners:
    $ step ca provisioner list | jq -r '.[].name'";

/// List the provisioners of the authority as JSON
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    authority: Authority,
}

impl Args {
    /// Lists them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let client = self.authority.client("step ca provisioner list", context)?;
        let found = block_on(async { Ok(client.provisioners().await?) })?;
        let text = String::from_utf8(pretty(&found, b"   ")?)?;
        output::data(&format!("{text}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
