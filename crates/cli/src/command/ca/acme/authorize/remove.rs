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
  Remove an authorized name:
    $ step ca acme authorize remove acme 0193a7c05f7b7d1c9d3b1d2e3f405162";

/// Remove an authorized name
///
/// Orders that rely on it and have no certificate yet become invalid. Issued certificates stay valid
/// until they expire or are revoked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name of the ACME provisioner
    provisioner: String,
    /// Id of the authorization, as the list shows it
    id: String,
    #[command(flatten)]
    socket: AdminSocket,
}

impl Args {
    /// Removes it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let admin = self.socket.open(context)?;
        let path = format!("{}/{}", path(&self.provisioner), client::segment(&self.id));
        let doing = "removing the authorized name";
        let removed: Permit = block_on(async { Ok(admin.delete(doing, &path).await?) })?;
        output::say(&format!("{} requires a challenge again.", removed.name));
        Ok(ExitCode::SUCCESS)
    }
}
