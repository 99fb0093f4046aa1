//! `step ca acme eab list`.

use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::eab::{Key, Keys};
use client::AdminClient;

use super::super::Format;
use super::{HEAD, path, row};
use crate::command::block_on;
use crate::command::ca::admin_socket::{AdminSocket, Credentials};
use crate::context::Context;
use crate::json::pretty;
use crate::output;

const EXAMPLES: &str = "Examples:
  List the keys of a provisioner:
    $ step ca acme eab list acme

  Print the policy of the key named web:
    $ step ca acme eab list acme web --format json | jq '.[].policy'";

/// List the external account keys of a provisioner, oldest first, without their secrets
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name of the ACME provisioner
    provisioner: String,
    /// Name of the key
    reference: Option<String>,
    /// Output format; JSON has every field of each key
    #[arg(long, value_name = "format", value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Number of keys per request to the server; all keys are listed
    #[arg(long, value_name = "number", value_parser = clap::value_parser!(u32).range(1..=100), default_value_t = 100)]
    limit: u32,
    /// Has no effect: there is no pager
    #[arg(long, hide = true)]
    no_pager: bool,
    #[command(flatten)]
    socket: AdminSocket,
    #[command(flatten)]
    credentials: Credentials,
}

impl Args {
    /// Lists them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let admin = self.socket.open(context)?;
        let mut keys = block_on(self.keys(&admin))?;
        keys.sort_by_key(|key| key.created_at);
        if self.format == Format::Json {
            let text = String::from_utf8(pretty(&keys, b"   ")?)?;
            output::data(&format!("{text}\n"))?;
        } else if keys.is_empty() {
            output::say(&format!(
                "No external account keys for provisioner {}; 'step ca acme eab add {0}' creates one.",
                self.provisioner
            ));
        } else {
            let rows: String = keys.iter().map(row).collect();
            output::data(&format!("{HEAD}{rows}"))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn keys(&self, admin: &AdminClient) -> Result<Vec<Key>> {
        let doing = "listing the keys";
        let path = path(&self.provisioner);
        if let Some(reference) = &self.reference {
            let path = format!("{path}/{}", client::segment(reference));
            return Ok(admin.get::<Keys>(doing, &path).await?.eaks);
        }
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = format!("{path}?cursor={cursor}&limit={}", self.limit);
            let page: Keys = admin.get(doing, &page).await?;
            all.extend(page.eaks);
            if page.next_cursor.is_empty() || page.next_cursor == cursor {
                return Ok(all);
            }
            cursor = page.next_cursor;
        }
    }
}
