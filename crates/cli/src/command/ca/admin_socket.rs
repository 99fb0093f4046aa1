//! The admin socket of the server on this machine: the flags that select it, and the connection.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use ca::authority::Layout;
use client::AdminClient;

use crate::context::Context;

/// The flags that select the server.
#[derive(clap::Args)]
#[group(id = "admin_socket")]
pub(crate) struct AdminSocket {
    /// Configuration of the server (default: $(step path)/config/ca.json)
    #[arg(long, value_name = "file")]
    ca_config: Option<PathBuf>,
    /// Context to use
    #[arg(long, value_name = "name")]
    context: Option<String>,
    #[arg(long, hide = true)]
    no_context: bool,
}

/// The credentials that smallstep's `step` needs. Accepted so that scripts go on working, and ignored:
/// the kernel tells the server who connects to its socket.
#[derive(clap::Args)]
#[group(id = "credentials")]
pub(crate) struct Credentials {
    #[arg(long, hide = true, value_name = "file")]
    admin_cert: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "file")]
    admin_key: Option<PathBuf>,
    #[arg(long, alias = "admin-issuer", hide = true, value_name = "name")]
    admin_provisioner: Option<String>,
    #[arg(long, alias = "admin-name", hide = true, value_name = "subject")]
    admin_subject: Option<String>,
    #[arg(long, alias = "admin-password-file", hide = true, value_name = "file")]
    password_file: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "uri")]
    ca_url: Option<String>,
}

impl AdminSocket {
    /// A client of the server that runs on the step path. Nothing is connected yet.
    ///
    /// # Errors
    /// When the working folder is unknown.
    pub(crate) fn open(&self, context: &Context) -> Result<AdminClient> {
        let ca_json = match &self.ca_config {
            Some(file) => std::path::absolute(file).context("error finding the step path")?,
            None => context.ca_file(),
        };
        Ok(AdminClient::new(&Layout::around(&ca_json).socket))
    }
}
