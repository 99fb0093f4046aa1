//! The use cases of the native API of `step`: health, the authority's certificates, renewal.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use pki::Certificate;
use store::Store;

use super::issuer::Issuer;
use super::limiter::Limiter;
use super::tasks::Tasks;
use super::{AuthorityCertificates, Error};
use crate::live::Live;

mod renew;

pub(crate) use self::renew::RenewalRequest;

/// Serves the native API. Cheap to clone.
#[derive(Clone)]
pub(crate) struct NativeService {
    pub(super) store: Store,
    pub(super) issuer: Issuer,
    pub(super) certificates: Arc<AuthorityCertificates>,
    pub(super) live: Arc<Live>,
    pub(super) limiter: Arc<Limiter>,
    pub(super) renews_unknown: bool,
    pub(super) tasks: Tasks,
    /// Why the server's own certificate could not be renewed last.
    pub(super) certificate_fault: Arc<ArcSwapOption<String>>,
}

impl NativeService {
    /// Why the newest configuration is not in force; nothing when it is.
    pub(crate) fn configuration_fault(&self) -> Option<String> {
        self.live.fault()
    }

    /// Why nothing can be recorded until the server is started again; nothing while it can.
    pub(crate) fn store_fault(&self) -> Option<&'static str> {
        self.store
            .has_failed()
            .then_some("the store has failed: nothing is written until the server is started again")
    }

    /// Why the server's own certificate cannot be renewed; nothing when it can.
    pub(crate) fn certificate_fault(&self) -> Option<String> {
        self.certificate_fault.load().as_deref().cloned()
    }

    /// Notes whether the server's own certificate was renewed, or why not.
    pub(crate) fn note_certificate(&self, fault: Option<String>) {
        self.certificate_fault.store(fault.map(Arc::new));
    }

    /// The roots that clients trust.
    pub(crate) fn roots(&self) -> &[Certificate] {
        &self.certificates.roots
    }

    /// The roots of federated authorities.
    pub(crate) fn federated(&self) -> &[Certificate] {
        &self.certificates.federated
    }

    /// The chain above a leaf, without the root.
    pub(crate) fn chain(&self) -> &[Certificate] {
        &self.certificates.intermediates
    }
}
