//! `step ca provisioner update`.

use std::process::ExitCode;

use anyhow::Result;
use ca::config::edit;
use serde_json::Value;

use super::file::{Expected, Target};
use super::options::Options;
use crate::context::Context;

const EXAMPLES: &str = "Examples:
  Certificates of two days at most:
    $ step ca provisioner update acme --x509-max-dur 48h

  Make accounts without an external account binding again:
    $ step ca provisioner update acme --require-eab=false

  Offer every challenge again, and another name:
    $ step ca provisioner update acme --remove-challenge http-01 --name acme2";

/// Changes a provisioner; what is not named stays as it is.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The provisioner's name.
    provisioner: String,
    /// Its new name.
    #[arg(long = "name", value_name = "name")]
    new_name: Option<String>,
    /// ACME: a challenge not to offer any more; with none left, all are offered.
    #[arg(long = "remove-challenge", value_name = "challenge")]
    removed: Vec<String>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    target: Target,
}

impl Args {
    /// Changes it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let mut provisioner = self.target.find(context, &self.provisioner)?;
        let mut said = self.options.acme()?;
        let offered = texts(&provisioner["challenges"]);
        if said.challenges.is_some() || !self.removed.is_empty() {
            let mut list = offered;
            list.extend(said.challenges.unwrap_or_default());
            list.retain(|challenge| !self.removed.contains(challenge));
            list.dedup();
            said.challenges = Some(list);
        }
        said.apply(&mut provisioner);
        if let Some(name) = &self.new_name {
            provisioner["name"] = Value::String(name.clone());
        }
        let expected = Expected::Changed(provisioner.clone());
        self.target.change(context, &expected, |text| {
            edit::update_provisioner(text, &self.provisioner, provisioner)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}
