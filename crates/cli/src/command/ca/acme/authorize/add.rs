//! `step ca acme authorize add`.

use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::permit::{NewPermits, Permits};
use jiff::Timestamp;

use super::{path, table};
use crate::command::block_on;
use crate::command::ca::admin_socket::AdminSocket;
use crate::command::ca::certificate::times::moment;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "Examples:
  One name, for one account:
    $ step ca acme authorize add acme --account 0193a7c05f7b7d1c9d3b1d2e3f405162 db.internal

  Everything one label below internal, and the wildcard *.internal, for a month:
    $ step ca acme authorize add acme --account 0193… '*.internal' --expires 720h

  Everything below lab, and a network, for the accounts of an external account key:
    $ step ca acme authorize add acme --eab-key 4f6e… '**.lab' 10.7.0.0/16";

/// Gives names: orders of the account for them need no challenge. Policies hold nevertheless, and the
/// audit log says who gave what.
///
/// A name may be a host name, an IP address or a network; '*.example.com' is every name one label below
/// and the wildcard itself, '**.example.com' everything below.
#[derive(clap::Args)]
#[command(
    after_help = EXAMPLES,
    group = clap::ArgGroup::new("holder").required(true).args(["account", "eab_key"]),
)]
pub(crate) struct Args {
    /// The ACME provisioner's name.
    provisioner: String,
    /// Names, addresses, patterns.
    #[arg(required = true, value_name = "name")]
    names: Vec<String>,
    /// The account: its URL or its id.
    #[arg(long, value_name = "url|id")]
    account: Option<String>,
    /// An external account key's id: every account that is bound to it.
    #[arg(long, value_name = "id")]
    eab_key: Option<String>,
    /// When it ends by itself: a time (RFC 3339) or a duration from now, such as 720h.
    #[arg(long, value_name = "time|duration")]
    expires: Option<String>,
    #[command(flatten)]
    socket: AdminSocket,
}

impl Args {
    /// Gives them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let asked = NewPermits {
            account: self.account.unwrap_or_default(),
            external_key: self.eab_key.unwrap_or_default(),
            names: self.names,
            expires_at: moment("expires", self.expires.as_deref(), Timestamp::now())?,
        };
        let admin = self.socket.open(context)?;
        let path = path(&self.provisioner);
        let doing = "giving the names";
        let made: Permits = block_on(async { Ok(admin.post(doing, &path, &asked).await?) })?;
        output::data(&table(&made.permits))?;
        Ok(ExitCode::SUCCESS)
    }
}
