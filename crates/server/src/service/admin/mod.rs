//! What operators do, one resource a file: external account keys, permits, renewal windows, and the
//! configuration. Every change leaves an audit entry that says who made it.

use std::sync::Arc;

use store::Store;

use super::{Error, Operator};
use crate::live::Live;

mod external_keys;
mod permits;
mod reload;
mod renewal_windows;

/// Carries out the verbs of operators. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(super) store: Store,
    pub(super) live: Arc<Live>,
}
