//! `step path`.

use std::process::ExitCode;

use anyhow::Result;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "Examples:
  Start the authority that `step ca init` created:
    $ step-ca $(step path)/config/ca.json

  Use another folder:
    $ STEPPATH=/etc/step-ca step path";

/// Print the folder of configuration, certificates and keys
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print $STEPPATH itself, whatever the context
    #[arg(long, conflicts_with = "profile")]
    base: bool,
    /// Print the folder of the profile
    #[arg(long)]
    profile: bool,
}

impl Args {
    /// Prints it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let path = if self.base {
            context.base().to_owned()
        } else if self.profile {
            context.profile()
        } else {
            context.path()
        };
        output::data(&format!("{}\n", path.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
