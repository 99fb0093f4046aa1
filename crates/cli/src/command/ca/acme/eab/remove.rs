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
  Remove a key:
    $ step ca acme eab remove acme 4f6e0c…";

/// Remove an external account key
///
/// The key binds no more accounts, and its accounts can order no more certificates; their unfinished
/// orders become invalid. Issued certificates stay valid until they expire or are revoked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name of the ACME provisioner
    provisioner: String,
    /// Id of the key
    key_id: String,
    #[command(flatten)]
    socket: AdminSocket,
    #[command(flatten)]
    credentials: Credentials,
}

impl Args {
    /// Removes it.
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
                "Unfinished orders of its accounts that became invalid: {}.",
                removed.orders
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
