//! `step ca acme renewal show`.

use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::{RenewalSetting, RenewalWindows};
use pki::Foreign;

use super::PATH;
use crate::command::block_on;
use crate::command::ca::admin_socket::AdminSocket;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "Examples:
  List the windows and their certificates:
    $ step ca acme renewal show";

/// List the windows that are set, newest first; the newest that matches a certificate applies
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    socket: AdminSocket,
}

impl Args {
    /// Lists them.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let admin = self.socket.open(context)?;
        let doing = "listing the renewal windows";
        let all: RenewalWindows = block_on(async { Ok(admin.get(doing, PATH).await?) })?;
        if all.windows.is_empty() {
            output::say(
                "No window is set: each certificate has its own, around two thirds of its lifetime.",
            );
        }
        let lines: String = all.windows.iter().map(line).collect();
        output::data(&lines)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn line(set: &RenewalSetting) -> String {
    let scope = &set.scope;
    let mut whose = scope.serial.clone().unwrap_or_default();
    if let Some(name) = &scope.provisioner {
        whose.push_str(&format!("provisioner {name} "));
    }
    if let Some(before) = scope.issued_before {
        whose.push_str(&format!("issued before {before:.0}"));
    }
    let why = set.explanation_url.as_deref().unwrap_or_default();
    let line = format!("{whose}: {:.0} to {:.0} {why}", set.start, set.end);
    format!("{}\n", Foreign(line.trim_end()))
}
