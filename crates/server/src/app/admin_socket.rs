//! Where the admin socket is, and what a start without one means.

use std::path::Path;

use anyhow::Context as _;
use ca::authority::Layout;

use crate::listen::{AdminSocket, AdminSocketError};

/// Opens the admin socket of the authority with this configuration file. A socket in use by another server
/// ends the start; for any other error the server starts without one and logs the reason.
pub(super) fn bind(config: &Path) -> anyhow::Result<Option<AdminSocket>> {
    let config = std::path::absolute(config).context("error finding the step path")?;
    match AdminSocket::bind(&Layout::around(&config).socket) {
        Ok(socket) => Ok(Some(socket)),
        Err(error @ AdminSocketError::InUse(_)) => Err(error.into()),
        Err(error @ (AdminSocketError::TooLong(_) | AdminSocketError::Io { .. })) => {
            tracing::warn!(
                event = "admin_socket",
                outcome = "closed",
                "{error}; the server starts without an admin socket, which commands such as `step ca acme eab` need"
            );
            Ok(None)
        }
    }
}
