//! Where the operator's door is, and what it means when there is none.

use std::path::Path;

use anyhow::Context as _;
use ca::authority::Layout;

use crate::listen::{Socket, SocketError};

/// Makes the socket of the authority of this configuration. Only another server on it stops the
/// start; whatever else is in the way costs the door and is told.
pub(super) fn bind(config: &Path) -> anyhow::Result<Option<Socket>> {
    let config = std::path::absolute(config).context("error finding the step path")?;
    match Socket::bind(&Layout::around(&config).socket) {
        Ok(socket) => Ok(Some(socket)),
        Err(error @ SocketError::InUse(_)) => Err(error.into()),
        Err(error @ (SocketError::TooLong(_) | SocketError::Io { .. })) => {
            tracing::warn!(
                event = "operator_door",
                outcome = "closed",
                "{error}; the server goes on without the commands that need it, such as `step ca acme eab`"
            );
            Ok(None)
        }
    }
}
