//! `step context remove`.

use std::fs;
use std::io::ErrorKind;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};

use crate::context::Context;
use crate::contexts::Contexts;
use crate::prompt::Terminal;
use crate::{file, output};

const EXAMPLES: &str = "Examples:
  Remove the context lab, with its certificates, keys and configuration:
    $ step context remove lab";

/// Remove a context and the folders that no other context uses
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name of the context
    name: String,
    /// Remove it without asking
    #[arg(long, short)]
    force: bool,
}

impl Args {
    /// Removes it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let mut contexts = Contexts::load(context.base())?;
        if !contexts.is_enabled() {
            bail!(
                "context '{}' not found - step path context management not enabled",
                self.name
            );
        }
        if contexts.find(&self.name).is_none() {
            bail!("context '{}' not found", self.name);
        }
        if contexts.current() == Some(&self.name) {
            bail!("cannot remove current context");
        }
        let folders = contexts.own_folders(&self.name);
        if !self.force {
            output::say("The following directories will be removed:\n");
            for folder in &folders {
                output::say(&format!("  - {}", folder.display()));
            }
            output::say("");
            let question = format!("Would you like to remove the context {}", self.name);
            let terminal =
                Terminal::open().map_err(|error| anyhow!("{error}\nuse '--force' to remove it"))?;
            if !terminal.confirm(&question)? {
                bail!("the context {} was not removed", self.name);
            }
        }
        // First the list: a context without folders is of no use, folders without a context do no harm.
        contexts.remove(&self.name)?;
        for folder in &folders {
            match fs::remove_dir_all(folder) {
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    bail!("error removing {}: {}", folder.display(), file::words(&e))
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
