//! The use cases of the authority, one a file: they fetch, decide with the pure crates, and store.
//! Status codes and headers are not here, nor are the prober that look outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use acme::challenge::{CaaIdentity, Ports};
use ca::config::Config;
use ca::profile::Offer;
use ca::provisioner::{Acme, Provisioner};
use jiff::Timestamp;
use keys::CertificateSigner;
use pki::Certificate;
use store::Store;
use tokio_util::task::TaskTracker;

use crate::live::Live;
use crate::probe::Prober;

mod account;
pub(crate) mod authority;
mod authorization;
mod caa;
mod certificate;
mod error;
mod external;
mod finalize;
mod issue;
mod key_change;
mod limits;
mod nonce;
mod operator;
mod order;
mod order_locks;
mod permit;
mod reload;
mod renew;
mod renewal;
mod renewal_windows;
mod revoke;
mod server_certificate;
mod validate;
mod validation_slots;

pub(crate) use account::{Origin, Registered};
pub(crate) use authorization::Ahead;
pub(crate) use certificate::Download;
pub(crate) use error::Error;
pub(crate) use key_change::Rolled;
pub(crate) use limits::Limited;
pub(crate) use operator::Operator;
pub(crate) use revoke::Requester;

/// The authority at work. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Service {
    state: Arc<State>,
}

/// What a service is made of; see [`Service::new`].
pub(crate) struct Parts {
    /// Where the records are.
    pub(crate) store: Store,
    /// What signs certificates.
    pub(crate) certificate_signer: CertificateSigner,
    /// The configuration in force.
    pub(crate) live: Arc<Live>,
    /// What looks at challenges.
    pub(crate) prober: Prober,
    /// The roots that clients trust.
    pub(crate) roots: Vec<Certificate>,
    /// Further roots, of befriended authorities.
    pub(crate) federated: Vec<Certificate>,
    /// The chain above a leaf, without the root; the first is the certificate_signer's issuer.
    pub(crate) intermediates: Vec<Certificate>,
    /// Whether a certificate that the store does not know may be renewed.
    pub(crate) renews_unknown: bool,
}

struct State {
    parts: Parts,
    nonces: nonce::Nonces,
    order_locks: order_locks::OrderLocks,
    validation_jobs: validate::ValidationJobs,
    limiter: limits::Limiter,
    /// Validations and issuances, which run to their end even if the request that began them is dropped.
    tasks: TaskTracker,
}

impl Service {
    /// Puts the authority together; nothing runs yet.
    pub(crate) fn new(parts: Parts) -> Self {
        let now = Timestamp::now().as_second();
        Self {
            state: Arc::new(State {
                parts,
                nonces: nonce::Nonces::new(keys::random(), keys::random(), now),
                order_locks: order_locks::OrderLocks::new(),
                validation_jobs: validate::ValidationJobs::new(),
                limiter: limits::Limiter::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// The configuration in force now.
    pub(crate) fn config(&self) -> Arc<Config> {
        self.state.parts.live.config()
    }

    /// The ports of validation, as configured now.
    fn ports(&self) -> Ports {
        let config = self.config();
        let validation = &config.riser.validation;
        Ports {
            http: validation.http_port,
            tls: validation.tls_port,
        }
    }

    /// What a record in the DNS has to name to speak for this authority and an account whose URL
    /// is this one for its client.
    pub(crate) fn caa_identity(&self, provisioner: &str, account_url: String) -> CaaIdentity {
        let config = self.config();
        let acme = config.authority.acme(provisioner);
        CaaIdentity {
            account_url,
            issuers: acme.map_or_else(Vec::new, |acme| config.issuers(acme)),
        }
    }

    /// Why the newest configuration is not in force; nothing when it is.
    pub(crate) fn configuration_fault(&self) -> Option<String> {
        self.state.parts.live.fault()
    }

    /// The ACME provisioner of this name, as configured now.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none, it is of another type, or there is no store.
    pub(crate) fn acme_provisioner(&self, name: &str) -> Result<Acme, Error> {
        let config = self.config();
        if config.db.is_none() {
            return Err(Error::NotFound(
                "There is no ACME here: this authority is configured without a store (`db`)."
                    .to_owned(),
            ));
        }
        let mut all = config.authority.provisioners.iter();
        match all.find(|provisioner| provisioner.name() == name) {
            Some(Provisioner::Acme(acme)) => Ok(acme.clone()),
            Some(other) => Err(Error::NotFound(format!(
                "Provisioner {name:?} is of type {}, not ACME.",
                other.kind_name()
            ))),
            None => Err(Error::NotFound(format!(
                "There is no provisioner {name:?} here: see /provisioners for those in force."
            ))),
        }
    }

    /// The profiles that an ACME provisioner offers now, each with its description.
    pub(crate) fn profiles(&self, provisioner: &str) -> BTreeMap<String, String> {
        let config = self.config();
        let profiles = config.offers(provisioner).iter().map(Offer::profile);
        profiles
            .map(|profile| (profile.name.clone(), profile.description.clone()))
            .collect()
    }

    /// The roots that clients trust.
    pub(crate) fn roots(&self) -> &[Certificate] {
        &self.state.parts.roots
    }

    /// Further roots, of befriended authorities.
    pub(crate) fn federated(&self) -> &[Certificate] {
        &self.state.parts.federated
    }

    /// What goes with a leaf: the chain above it, without the root.
    pub(crate) fn chain(&self) -> &[Certificate] {
        &self.state.parts.intermediates
    }

    /// A nonce that nobody has seen yet.
    pub(crate) fn nonce(&self) -> String {
        self.state.nonces.issue(Timestamp::now().as_second())
    }

    /// Takes a nonce, once.
    ///
    /// # Errors
    /// `badNonce`, with the reason.
    pub(crate) fn spend(&self, nonce: &str) -> Result<(), Error> {
        let now = Timestamp::now().as_second();
        self.state
            .nonces
            .spend(nonce, now)
            .map_err(|why| Error::Problem(acme::Problem::bad_nonce(format!("Not taken: {why}."))))
    }

    /// Waits until every validation and issuance in flight has ended.
    pub(crate) async fn drain(&self) {
        self.state.tasks.close();
        self.state.tasks.wait().await;
    }

    /// Runs `task` to its end even if the request that began it is dropped.
    async fn outlive<F, T>(&self, task: F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        self.state
            .tasks
            .spawn(task)
            .await
            .unwrap_or_else(|lost| Err(Error::Internal(format!("a task was lost: {lost}"))))
    }

    fn store(&self) -> &Store {
        &self.state.parts.store
    }
}

#[cfg(test)]
pub(crate) mod harness;

#[cfg(test)]
mod tests {
    use super::harness::Harness;

    #[tokio::test]
    async fn draining_waits_for_a_task_that_no_request_waits_for() {
        let service = Harness::new().await.service;
        let (release, wait) = tokio::sync::oneshot::channel::<()>();
        drop(service.state.tasks.spawn(async move { wait.await.is_ok() }));
        let drained = tokio::spawn({
            let service = service.clone();
            async move { service.drain().await }
        });
        tokio::task::yield_now().await;
        assert!(!drained.is_finished());
        release.send(()).unwrap();
        drained.await.unwrap();
    }
}
