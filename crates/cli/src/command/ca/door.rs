//! The way to the server of a step path for its operator: the flags, and the connection.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use ca::birth::Layout;
use client::Operator;

use crate::context::Context;

/// The flags that say which server is meant.
#[derive(clap::Args)]
#[group(id = "door")]
pub(crate) struct Door {
    /// The ca.json of the server instead of $(step path)/config/ca.json.
    #[arg(long, value_name = "file")]
    ca_config: Option<PathBuf>,
    /// The context to work in.
    #[arg(long, value_name = "name")]
    context: Option<String>,
    #[arg(long, hide = true)]
    no_context: bool,
}

impl Door {
    /// The door of the server that runs on the step path of this machine.
    ///
    /// # Errors
    /// Where the working folder is unknown.
    pub(crate) fn open(&self, context: &Context) -> Result<Operator> {
        let ca_json = match &self.ca_config {
            Some(file) => std::path::absolute(file).context("error finding the step path")?,
            None => context.ca_file(),
        };
        Ok(Operator::new(&Layout::around(&ca_json).socket))
    }
}
