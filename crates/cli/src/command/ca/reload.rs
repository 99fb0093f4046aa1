//! `step ca reload`.

use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::{Reload, ReloadRequest, Reloaded};

use super::admin_socket::AdminSocket;
use crate::command::block_on;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "Examples:
  Check after an edit of ca.json or riser.toml whether it is in force:
    $ step ca reload
  Accept that riser.toml was removed, so that its restrictions end:
    $ step ca reload --accept-removal";

/// Make the server on this machine read its configuration files now, and report the result
///
/// The server reads them by itself when they change; this command waits for the result.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Accept that riser.toml, or restrictions in it, are gone
    #[arg(long)]
    accept_removal: bool,
    #[command(flatten)]
    socket: AdminSocket,
}

impl Args {
    /// Reloads it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let admin = self.socket.open(context)?;
        let doing = "reloading the configuration";
        let request = ReloadRequest {
            accept_removal: self.accept_removal,
        };
        let reloaded: Reloaded =
            block_on(async { Ok(admin.post(doing, "/admin/reload", &request).await?) })?;
        output::say(match reloaded.status {
            Reload::Same => "The configuration files have not changed; they are in force.",
            Reload::Changed => "The configuration files have changed; they are now in force.",
        });
        for warning in reloaded.warnings {
            output::say(&format!("Warning: {warning}"));
        }
        Ok(ExitCode::SUCCESS)
    }
}
