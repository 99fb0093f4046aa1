//! `step ca acme eab`: external account keys (RFC 8555 §7.3.4).

mod add;
mod lines;
mod list;
mod remove;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::eab::Key;
use clap::Subcommand;
use pki::Foreign;

use crate::command::prose;
use crate::context::Context;

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  Create a key with which one account can be created:
    $ step ca acme eab add acme

  List the keys and their accounts:
    $ step ca acme eab list acme

  Remove a key; its accounts can order no more certificates:
    $ step ca acme eab remove acme 4f6e…";

/// The commands of `step ca acme eab`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create an external account key
    #[command(long_about = prose::<add::Args>())]
    Add(Box<add::Args>),
    /// List external account keys
    #[command(long_about = prose::<list::Args>())]
    List(Box<list::Args>),
    /// Remove an external account key
    #[command(long_about = prose::<remove::Args>())]
    Remove(Box<remove::Args>),
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
            Self::Other(words) => crate::command::other("step ca acme eab", &words, &[]),
        }
    }
}

/// The path of the keys of a provisioner.
fn path(provisioner: &str) -> String {
    format!("/admin/acme/eab/{}", client::segment(provisioner))
}

/// A line of the table as smallstep's `step` prints it; the masked key is not known here.
fn row(key: &Key) -> String {
    let shown = |at: jiff::Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let bound_at = key.bound_at.map(shown).unwrap_or_default();
    let row = format!(
        "{:<36}{:<28}{:<16}{:<30}{:<30}{:<36}{}",
        key.id,
        key.provisioner,
        "*****",
        shown(key.created_at),
        bound_at,
        key.account,
        key.reference
    );
    format!("{}\n", Foreign(row.trim_end()))
}

const HEAD: &str = "Key ID                              Provisioner                 \
    Key (masked)    Created At                    Bound At                      \
    Account                             Reference\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_rows_have_the_same_columns() {
        let key = Key {
            id: "0".repeat(32),
            provisioner: "acme".into(),
            reference: "web".into(),
            account: "1".repeat(32),
            hmac_key: String::new(),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            bound_at: Some(jiff::Timestamp::UNIX_EPOCH),
            accounts: 1,
            bound: 1,
            expires_at: None,
            policy: ca::policy::Lists::default(),
            profile: None,
            directory: String::new(),
        };
        let row = row(&key);
        for (title, value) in [
            ("Provisioner", "acme"),
            ("Key (masked)", "*****"),
            ("Created At", "1970"),
            ("Account", "1111"),
            ("Reference", "web"),
        ] {
            assert_eq!(HEAD.find(title), row.find(value), "{title}");
        }
        assert!(!row.contains("  \n"));
    }
}
