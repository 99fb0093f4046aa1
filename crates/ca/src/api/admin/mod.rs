//! Bodies of `/admin/`: what an operator asks of a running server. Paths, statuses and who is an
//! operator are not here.

pub mod eab;
mod error;
pub mod permit;
mod renewal;

use serde::{Deserialize, Serialize};

pub use error::{Error, Kind};
pub use renewal::{RenewalCleared, RenewalScope, RenewalSetting, RenewalWindows};

/// The body of `POST /admin/reload`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReloadRequest {
    /// Whether a file that was in force may be missing, and restrictions may end at once.
    #[serde(default)]
    pub accept_removal: bool,
}

/// What `POST /admin/reload` came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reload {
    /// The files say what is in force already.
    Same,
    /// New settings are in force.
    Changed,
}

/// `POST /admin/reload`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// What it came to.
    pub status: Reload,
    /// What of the files has no effect, or not before the next start.
    #[serde(default)]
    pub warnings: Vec<String>,
}
