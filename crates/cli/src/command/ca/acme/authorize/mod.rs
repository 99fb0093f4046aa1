//! `step ca acme authorize`: names that accounts may order without a challenge.

mod add;
mod list;
mod remove;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::permit::Permit;
use clap::Subcommand;
use pki::Foreign;

use crate::command::prose;
use crate::context::Context;

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  Authorize a name for an account, without a challenge:
    $ step ca acme authorize add acme --account https://ca:9000/acme/acme/account/0193… db.internal

  List the authorized names:
    $ step ca acme authorize list acme

  Remove an authorization:
    $ step ca acme authorize remove acme 0193…";

/// The commands of `step ca acme authorize`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Authorize names
    #[command(long_about = prose::<add::Args>())]
    Add(add::Args),
    /// List the authorized names
    #[command(long_about = prose::<list::Args>())]
    List(list::Args),
    /// Remove an authorized name
    #[command(long_about = prose::<remove::Args>())]
    Remove(remove::Args),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// When the command fails.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        match self {
            Self::Add(args) => args.run(context),
            Self::List(args) => args.run(context),
            Self::Remove(args) => args.run(context),
            Self::Other(words) => crate::command::other("step ca acme authorize", &words, &[]),
        }
    }
}

/// The path of the permits of a provisioner.
fn path(provisioner: &str) -> String {
    format!("/admin/acme/permits/{}", client::segment(provisioner))
}

/// A header and a line for each permit.
fn table(permits: &[Permit]) -> String {
    let row = |id: &str, account: &str, name: &str, expires: &str, by: &str| {
        let row = format!("{id:<34}{account:<34}{name:<32}{expires:<22}{by}");
        format!("{}\n", Foreign(row.trim_end()))
    };
    let mut text = row("ID", "Account or key", "Name", "Expires", "By");
    for permit in permits {
        let holder = match permit.account.as_str() {
            "" => &permit.external_key,
            account => account,
        };
        let expires = permit.expires_at.map_or_else(
            || "never".to_owned(),
            |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        );
        text += &row(&permit.id, holder, &permit.name, &expires, &permit.by);
    }
    text
}
