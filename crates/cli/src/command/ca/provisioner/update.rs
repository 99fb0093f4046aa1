//! `step ca provisioner update`.

use std::process::ExitCode;

use acme::challenge::Format;
use anyhow::{Result, bail};
use ca::config::edit;
use serde_json::Value;

use super::file::{Expected, Target};
use super::options::Options;
use crate::context::Context;

const EXAMPLES: &str = "Examples:
  Limit certificates to two days:
    $ step ca provisioner update acme --x509-max-dur 48h

  Allow accounts without an external account binding again:
    $ step ca provisioner update acme --require-eab=false

  Offer the usual challenges again, and rename the provisioner:
    $ step ca provisioner update acme --remove-challenge http-01 --name acme2";

/// Change a provisioner; settings without a flag stay as they are
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name of the provisioner
    provisioner: String,
    /// New name
    #[arg(long = "name", value_name = "name")]
    new_name: Option<String>,
    /// ACME: challenge to stop offering (repeatable); when none is left, http-01, dns-01 and tls-alpn-01 are offered
    #[arg(long = "remove-challenge", value_name = "challenge")]
    removed: Vec<String>,
    /// ACME: format of statements about devices to stop accepting (repeatable)
    #[arg(long = "remove-attestation-format", value_name = "format")]
    removed_formats: Vec<String>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    target: Target,
}

impl Args {
    /// Changes it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let mut provisioner = self.target.find(context, &self.provisioner)?;
        let mut changes = self.options.acme()?;
        if changes.challenges.is_some() || !self.removed.is_empty() {
            let added = changes.challenges.unwrap_or_default();
            let offered = texts(&provisioner["challenges"]);
            changes.challenges = Some(merged(offered, added, &self.removed));
        }
        if changes.attestation_formats.is_some() || !self.removed_formats.is_empty() {
            let added = changes.attestation_formats.unwrap_or_default();
            changes.attestation_formats = Some(self.formats(&provisioner, added)?);
        }
        changes.apply(&mut provisioner);
        if let Some(name) = &self.new_name {
            provisioner["name"] = Value::String(name.clone());
        }
        let expected = Expected::Changed(provisioner.clone());
        self.target.change(context, &expected, |text| {
            edit::update_provisioner(text, &self.provisioner, provisioner)
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// The accepted formats of statements, with those added and without those removed.
    ///
    /// # Errors
    /// When none is left: a provisioner that names none accepts the usual ones.
    fn formats(&self, provisioner: &Value, added: Vec<String>) -> Result<Vec<String>> {
        let mut list = texts(&provisioner["attestationFormats"]);
        if list.is_empty() {
            list.extend(Format::USUAL.map(|format| format.as_str().to_owned()));
        }
        let list = merged(list, added, &self.removed_formats);
        if list.is_empty() {
            bail!(
                "no format of statements would be left, and a provisioner that names none accepts {}: add another one, or \
                 stop offering device-attest-01 with '--remove-challenge'",
                Format::USUAL.map(Format::as_str).join(", ")
            );
        }
        Ok(list)
    }
}

/// The list with what is added and without what is removed, each once.
fn merged(mut list: Vec<String>, added: Vec<String>, removed: &[String]) -> Vec<String> {
    for word in added {
        if !list.contains(&word) {
            list.push(word);
        }
    }
    list.retain(|word| !removed.contains(word));
    list
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}
