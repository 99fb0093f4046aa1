//! `step ca reload`.

use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::{Reload, Reloaded};
use serde_json::json;

use super::admin_socket::AdminSocket;
use crate::command::block_on;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "Examples:
  After editing ca.json or riser.toml: is it in force, and if not, what is wrong?
    $ step ca reload";

/// Lets the server that runs on this machine read its configuration files now, and tells what came
/// of it. It reads them by itself when they change; this waits for the verdict.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    socket: AdminSocket,
}

impl Args {
    /// Asks for it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let admin = self.socket.open(context)?;
        let doing = "reloading the configuration";
        let reloaded: Reloaded =
            block_on(async { Ok(admin.post(doing, "/admin/reload", &json!({})).await?) })?;
        output::say(match reloaded.status {
            Reload::Same => "What the configuration files say is in force.",
            Reload::Changed => {
                "The configuration files have changed; what they say now is in force."
            }
        });
        for warning in reloaded.warnings {
            output::say(&format!("Warning: {warning}"));
        }
        Ok(ExitCode::SUCCESS)
    }
}
