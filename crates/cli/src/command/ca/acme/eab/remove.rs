//! `step ca acme eab remove`.

use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::eab::Removed;

use super::path;
use crate::command::block_on;
use crate::command::ca::admin_socket::{AdminSocket, Credentials};
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "Examples:
  Take a key back:
    $ step ca acme eab remove acme 4f6e0c…";

/// Takes a key back. It binds no more accounts, and the accounts that it has bound order nothing any
/// more; their unfinished orders end. Certificates that they have stay valid until they expire or are revoked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The ACME provisioner's name.
    provisioner: String,
    /// The key's id.
    key_id: String,
    #[command(flatten)]
    socket: AdminSocket,
    #[command(flatten)]
    credentials: Credentials,
}

impl Args {
    /// Takes it back.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let admin = self.socket.open(context)?;
        let path = format!(
            "{}/{}",
            path(&self.provisioner),
            client::segment(&self.key_id)
        );
        let removed: Removed =
            block_on(async { Ok(admin.delete("removing the key", &path).await?) })?;
        output::data("Key was deleted successfully!\n")?;
        if removed.orders > 0 {
            output::say(&format!(
                "Unfinished orders of its accounts that ended with it: {}.",
                removed.orders
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
