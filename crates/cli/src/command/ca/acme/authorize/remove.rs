//! `step ca acme authorize remove`.

use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::permit::Permit;

use super::path;
use crate::command::block_on;
use crate::command::ca::admin_socket::AdminSocket;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "Examples:
  Take back what was given:
    $ step ca acme authorize remove acme 0193a7c05f7b7d1c9d3b1d2e3f405162";

/// Takes back what was given. Orders that stand on it and have no certificate yet become invalid;
/// certificates that were issued stay valid until they expire or are revoked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The ACME provisioner's name.
    provisioner: String,
    /// The id, as the list shows it.
    id: String,
    #[command(flatten)]
    socket: AdminSocket,
}

impl Args {
    /// Takes it back.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let admin = self.socket.open(context)?;
        let path = format!("{}/{}", path(&self.provisioner), client::segment(&self.id));
        let doing = "taking the name back";
        let removed: Permit = block_on(async { Ok(admin.delete(doing, &path).await?) })?;
        output::say(&format!("{} needs a challenge again.", removed.name));
        Ok(ExitCode::SUCCESS)
    }
}
