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
  Authorize one name, for one account:
    $ step ca acme authorize add acme --account 0193a7c05f7b7d1c9d3b1d2e3f405162 db.internal

  Authorize every name one label below internal, and the wildcard *.internal, for a month:
    $ step ca acme authorize add acme --account 0193… '*.internal' --expires 720h

  Authorize every name below lab, and a network, for the accounts of an external account key:
    $ step ca acme authorize add acme --eab-key 4f6e… '**.lab' 10.7.0.0/16";

/// Authorize names: the account can order certificates for them without a challenge
///
/// Policies still apply, and the audit log records who authorized what. A name may be a host name, an IP
/// address or a network; '*.example.com' is every name one label below and the wildcard itself,
/// '**.example.com' every name below.
#[derive(clap::Args)]
#[command(
    after_help = EXAMPLES,
    group = clap::ArgGroup::new("holder").required(true).args(["account", "eab_key"]),
)]
pub(crate) struct Args {
    /// Name of the ACME provisioner
    provisioner: String,
    /// Names, addresses, networks or patterns
    #[arg(required = true, value_name = "name")]
    names: Vec<String>,
    /// Account, by its URL or id
    #[arg(long, value_name = "url|id")]
    account: Option<String>,
    /// External account key, by its id: every account that is bound to it
    #[arg(long, value_name = "id")]
    eab_key: Option<String>,
    /// When the authorization expires: a time (RFC 3339) or a duration from now, such as 720h (default: never)
    #[arg(long, value_name = "time|duration")]
    expires: Option<String>,
    #[command(flatten)]
    socket: AdminSocket,
}

impl Args {
    /// Authorizes them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let asked = NewPermits {
            account: self.account.unwrap_or_default(),
            external_key: self.eab_key.unwrap_or_default(),
            names: self.names,
            expires_at: moment("expires", self.expires.as_deref(), Timestamp::now())?,
        };
        let admin = self.socket.open(context)?;
        let path = path(&self.provisioner);
        let doing = "authorizing the names";
        let made: Permits = block_on(async { Ok(admin.post(doing, &path, &asked).await?) })?;
        output::data(&table(&made.permits))?;
        Ok(ExitCode::SUCCESS)
    }
}
