//! `step completion`.

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use clap_complete::Shell;

use crate::output;

const EXAMPLES: &str = "Examples:
  Enable completion in the running bash:
    $ source <(step completion bash)

  Enable completion in every new zsh:
    $ step completion zsh > \"${fpath[1]}/_step\"";

/// Print a completion script for a shell
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Shell to complete in
    shell: Kind,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Bash,
    Zsh,
    Fish,
}

impl Args {
    /// Prints it.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let shell = match self.shell {
            Kind::Bash => Shell::Bash,
            Kind::Zsh => Shell::Zsh,
            Kind::Fish => Shell::Fish,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut crate::app::tree(), "step", &mut script);
        output::data(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
