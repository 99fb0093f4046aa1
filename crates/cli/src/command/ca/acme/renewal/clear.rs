//! `step ca acme renewal clear`.

use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::RenewalCleared;

use super::PATH;
use crate::command::block_on;
use crate::command::ca::admin_socket::AdminSocket;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "Examples:
  Clear all windows that are for many certificates:
    $ step ca acme renewal clear

  Clear the window of one certificate:
    $ step ca acme renewal clear 340282366920938463463374607431768211455";

/// Clear the window of one certificate, or without a serial number all windows that are for many
///
/// A certificate for which no window is set has its own again, around two thirds of its lifetime.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Serial number of the certificate, in decimal
    #[arg(value_name = "serial")]
    serial: Option<String>,
    #[command(flatten)]
    socket: AdminSocket,
}

impl Args {
    /// Clears them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let admin = self.socket.open(context)?;
        let doing = "clearing the renewal windows";
        let path = match self.serial.as_deref().map(digits) {
            Some(serial) => format!("{PATH}/{}", serial?),
            None => PATH.to_owned(),
        };
        let gone: RenewalCleared = block_on(async { Ok(admin.delete(doing, &path).await?) })?;
        output::say(&match gone.cleared {
            0 => "No window was set.".to_owned(),
            1 => "Cleared one window.".to_owned(),
            many => format!("Cleared {many} windows."),
        });
        Ok(ExitCode::SUCCESS)
    }
}

/// A serial number that fits into a path.
fn digits(serial: &str) -> Result<&str> {
    if serial.is_empty() || !serial.bytes().all(|byte| byte.is_ascii_digit()) {
        anyhow::bail!(
            "{serial:?} is not a serial number: give it in decimal, as 'step certificate inspect' prints it"
        );
    }
    Ok(serial)
}
