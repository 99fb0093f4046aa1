//! The use cases of the authority, one a file, in components that hold only what they need. They
//! fetch, decide with the pure crates, and store. Status codes and headers are not here, nor are
//! the connections to addresses that clients choose.

use std::ops::Deref;
use std::sync::Arc;

use ca::IssuingChain;
use ca::config::Config;
use keys::CertificateSigner;
use pki::Certificate;
use store::Store;

use crate::live::Live;
use crate::probe::Prober;

mod accounts;
mod acme;
mod admin;
mod caller;
mod error;
mod issuer;
mod limiter;
mod native;
mod nonces;
mod operator;
mod revocations;
mod standing;
mod tasks;
mod validator;

pub(crate) use self::accounts::{AccountService, Origin, Registered, Rolled};
pub(crate) use self::acme::{AcmeService, Ahead, Download, Finalization};
pub(crate) use self::admin::Admin;
pub(crate) use self::caller::{Caller, acme_provisioner, caa_identity, profiles};
pub(crate) use self::error::Error;
pub(crate) use self::issuer::Issuer;
pub(crate) use self::limiter::Limited;
pub(crate) use self::native::{NativeService, RenewalRequest};
pub(crate) use self::nonces::Nonces;
pub(crate) use self::operator::Operator;
pub(crate) use self::revocations::{Requester, Revocations};
pub(crate) use self::validator::{ChallengeAnswer, ChallengePath, Validator};

use self::limiter::Limiter;
use self::tasks::Tasks;

/// The components of one authority. Cheap to clone: every request does.
#[derive(Clone)]
pub(crate) struct Services(Arc<Components>);

/// The components, each for those that need it.
pub(crate) struct Components {
    pub(crate) accounts: AccountService,
    pub(crate) acme: AcmeService,
    pub(crate) admin: Admin,
    pub(crate) issuer: Issuer,
    pub(crate) native: NativeService,
    pub(crate) nonces: Arc<Nonces>,
    pub(crate) revocations: Revocations,
    pub(crate) validator: Validator,
    live: Arc<Live>,
    tasks: Tasks,
}

/// What the components are made of.
pub(crate) struct Parts {
    /// Where the records are.
    pub(crate) store: Store,
    /// What signs certificates.
    pub(crate) certificate_signer: CertificateSigner,
    /// The configuration in force.
    pub(crate) live: Arc<Live>,
    /// What connects to the addresses of a challenge.
    pub(crate) prober: Prober,
    /// The certificates of the authority and of federated ones.
    pub(crate) certificates: AuthorityCertificates,
    /// Whether a certificate that the store does not know may be renewed.
    pub(crate) renews_unknown: bool,
}

/// The certificates that an authority hands out beside its leaves.
pub(crate) struct AuthorityCertificates {
    /// The roots that clients trust.
    pub(crate) roots: Vec<Certificate>,
    /// The roots of federated authorities.
    pub(crate) federated: Vec<Certificate>,
    /// The chain above a leaf, without the root; the first is the signer's own.
    pub(crate) intermediates: Vec<Certificate>,
    /// The signer's own certificate with all above it, to the root.
    pub(crate) chain: IssuingChain,
}

impl Deref for Services {
    type Target = Components;

    fn deref(&self) -> &Components {
        &self.0
    }
}

impl Services {
    /// Puts the components together; nothing runs yet.
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { store, live, .. } = parts;
        let certificates = Arc::new(parts.certificates);
        let limiter = Arc::<Limiter>::default();
        let tasks = Tasks::new();
        let nonces = Arc::new(Nonces::new());
        let validator = Validator::new(store.clone(), parts.prober, limiter.clone(), tasks.clone());
        let issuer = Issuer {
            signer: Arc::new(parts.certificate_signer),
            certificates: certificates.clone(),
            store: store.clone(),
            validator: validator.clone(),
            tasks: tasks.clone(),
        };
        let accounts = AccountService {
            store: store.clone(),
            limiter: limiter.clone(),
        };
        Self(Arc::new(Components {
            acme: AcmeService {
                store: store.clone(),
                accounts: accounts.clone(),
                issuer: issuer.clone(),
                limiter: limiter.clone(),
                order_locks: Arc::default(),
                tasks: tasks.clone(),
            },
            native: NativeService {
                store: store.clone(),
                issuer: issuer.clone(),
                certificates: certificates.clone(),
                live: live.clone(),
                limiter,
                renews_unknown: parts.renews_unknown,
                tasks: tasks.clone(),
                certificate_fault: Arc::default(),
            },
            revocations: Revocations {
                store: store.clone(),
                certificates,
            },
            admin: Admin {
                store,
                live: live.clone(),
            },
            accounts,
            issuer,
            nonces,
            validator,
            live,
            tasks,
        }))
    }

    /// The configuration in force now: a request takes it once and keeps it to its end.
    pub(crate) fn snapshot(&self) -> Arc<Config> {
        self.live.config()
    }

    /// Waits until every validation and issuance under way has ended.
    pub(crate) async fn drain(&self) {
        self.tasks.drain().await;
    }
}

#[cfg(test)]
pub(crate) mod harness;
