//! `step ca acme authorize list`.

use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::permit::Permits;

use super::super::Format;
use super::{path, table};
use crate::command::block_on;
use crate::command::ca::admin_socket::AdminSocket;
use crate::context::Context;
use crate::json::pretty;
use crate::output;

const EXAMPLES: &str = "Examples:
  List the authorized names of a provisioner:
    $ step ca acme authorize list acme

  Print the names of one account:
    $ step ca acme authorize list acme --format json | jq '.[] | select(.account == \"0193…\").name'";

/// List the names that accounts can order without a challenge, oldest first, including expired ones
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name of the ACME provisioner
    provisioner: String,
    /// Output format
    #[arg(long, value_name = "format", value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    socket: AdminSocket,
}

impl Args {
    /// Lists them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let admin = self.socket.open(context)?;
        let path = path(&self.provisioner);
        let doing = "listing the names";
        let found: Permits = block_on(async { Ok(admin.get(doing, &path).await?) })?;
        if self.format == Format::Json {
            let text = String::from_utf8(pretty(&found.permits, b"   ")?)?;
            output::data(&format!("{text}\n"))?;
        } else if found.permits.is_empty() {
            output::say(&format!(
                "No names are authorized at provisioner {}; 'step ca acme authorize add {0}' authorizes one.",
                self.provisioner
            ));
        } else {
            output::data(&table(&found.permits))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
