//! `step ca acme renewal set`.

use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::{RenewalScope, RenewalSetting};
use jiff::Timestamp;

use super::PATH;
use crate::command::block_on;
use crate::command::ca::admin_socket::AdminSocket;
use crate::command::ca::certificate::times::moment;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "Examples:
  Make the client of one certificate renew at once:
    $ step ca acme renewal set 340282366920938463463374607431768211455 --start=-1h --end 0s

  Make all clients of a provisioner renew, spread over two hours, with a page that says why:
    $ step ca acme renewal set --provisioner acme --start 0s --end 2h \
        --explanation-url https://example.com/why";

/// Set the window in which clients renew one certificate, or all that were issued until now
///
/// Clients see it with their next renewal query: after a 24th of the certificate's lifetime, and after six
/// hours at most.
#[derive(clap::Args)]
#[command(
    after_help = EXAMPLES,
    group = clap::ArgGroup::new("scope").required(true).multiple(true)
        .args(["serial", "provisioner", "issued_before"]),
)]
pub(crate) struct Args {
    /// Serial number of the certificate, in decimal
    #[arg(value_name = "serial")]
    serial: Option<String>,
    /// All certificates of this provisioner
    #[arg(long, value_name = "name", conflicts_with = "serial")]
    provisioner: Option<String>,
    /// All certificates issued before this: a time (RFC 3339) or a duration from now
    #[arg(
        long,
        value_name = "time|duration",
        conflicts_with = "serial",
        allow_hyphen_values = true
    )]
    issued_before: Option<String>,
    /// Start of the window: a time (RFC 3339) or a duration from now, such as 0s
    #[arg(long, value_name = "time|duration", allow_hyphen_values = true)]
    start: String,
    /// End of the window: a time (RFC 3339) or a duration from now, such as 2h
    #[arg(long, value_name = "time|duration", allow_hyphen_values = true)]
    end: String,
    /// URL of a page for users that says why
    #[arg(long, value_name = "url")]
    explanation_url: Option<String>,
    #[command(flatten)]
    socket: AdminSocket,
}

impl Args {
    /// Sets it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let now = Timestamp::now();
        let start = moment("start", Some(&self.start), now)?.unwrap_or(now);
        let end = moment("end", Some(&self.end), now)?.unwrap_or(now);
        let asked = RenewalSetting {
            scope: RenewalScope {
                serial: self.serial,
                issued_before: moment("issued-before", self.issued_before.as_deref(), now)?,
                provisioner: self.provisioner,
            },
            start,
            end,
            explanation_url: self.explanation_url,
        };
        let admin = self.socket.open(context)?;
        let doing = "setting the renewal window";
        let _: RenewalSetting = block_on(async { Ok(admin.post(doing, PATH, &asked).await?) })?;
        output::say(&format!(
            "Clients that ask are told to renew between {start:.0} and {end:.0}."
        ));
        Ok(ExitCode::SUCCESS)
    }
}
