//! Finalize (RFC 8555 §7.4): from a ready order and a CSR to a certificate, in one answer.

use std::sync::Arc;

use acme::account::Account;
use acme::challenge::{Means, Proof};
use acme::order::{Order, State};
use acme::problem::{Kind, Problem};
use ca::admission::{AccountBasis, Standing};
use ca::config::Config;
use ca::external_key::ExternalKey;
use jiff::Timestamp;
use pki::Csr;
use store::CertifiedKey;
use store::port::{OrderKey, OrderLocks as _, Orders as _};
use uuid::Uuid;

use super::{AcmeService, Caller, Error};
use crate::service::standing;

/// A request to finalize an order.
pub(crate) struct Finalization {
    /// The order.
    pub(crate) order: Uuid,
    /// The CSR as DER.
    pub(crate) csr: Vec<u8>,
    /// The account's URL as its client knows it, which CAA records may name.
    pub(crate) account_url: String,
    /// The id of the request.
    pub(crate) request_id: String,
}

impl AcmeService {
    /// Makes the certificate of an order, once: a second finalize waits for the first and gets its
    /// order. Once it has begun it goes on to its end, even if the client has left.
    ///
    /// # Errors
    /// When the order is not ready, the CSR does not fit it, or the authority refuses.
    pub(crate) async fn finalize(
        &self,
        caller: Caller<'_>,
        request: Finalization,
    ) -> Result<Order, Error> {
        let (service, account) = (self.clone(), caller.account.clone());
        let config = Arc::clone(caller.config);
        let key = OrderKey {
            account: account.id,
            order: request.order,
        };
        // A client that leaves while it waits leaves the queue: nobody makes us keep what waits.
        let lock = self.order_locks.lock(key).await?;
        let run = async move {
            let _lock = lock;
            service.finalize_locked(&config, &account, request).await
        };
        self.tasks.outlive(run).await?
    }

    async fn finalize_locked(
        &self,
        config: &Config,
        account: &Account,
        request: Finalization,
    ) -> Result<Order, Error> {
        let now = Timestamp::now();
        let csr = Csr::verify(&request.csr);
        let key = csr
            .as_ref()
            .ok()
            .map(|csr| CertifiedKey::of(csr.public_key()));
        let found = self.store.finalization(request.order, key).await?;
        let found = found.ok_or_else(|| Error::unknown("order"))?;
        if found.order.account != account.id {
            return Err(Error::Foreign("order"));
        }
        let order = found.order.clone();
        let pending = match found.order.state(now) {
            State::Valid(valid) => return Ok(valid.as_order().clone()),
            state @ (State::Pending(_) | State::Processing(_) | State::Invalid(_)) => {
                state.into_pending()?
            }
        };
        let ready = pending
            .ready(&found.proofs)
            .map_err(|pending| pending.not_ready(&found.proofs))?;
        let limits = self.limiter.under(&config.riser.rate_limits);
        limits.count_finalization(account.id).await?;
        let csr =
            csr.map_err(|why| Problem::bad_csr(format!("The CSR cannot be taken: {why}.")))?;
        let finalized = ready.finalize(&csr, found.key_use)?;
        let rules = found.external_key.map(ExternalKey::into_rules);
        let rules = rules.as_ref();
        let standing = Standing {
            account: standing::account(account),
            external_key: standing::external_key(account, rules),
            permits: found.proofs.iter().filter_map(permit).collect(),
            certified_key: standing::key(found.key_compromised),
            ..Standing::default()
        };
        let external = account.external.as_ref();
        let basis = AccountBasis {
            id: account.id,
            uri: request.account_url,
            external_key: external.map(|external| external.key.clone()),
        };
        let asked = ca::provisioner::acme::request(finalized, &found.proofs, basis);
        let admission = self.issuer.admit(config, asked, rules, &standing, now);
        let grant = admission.await?;
        let issued = self.issuer.issue(grant, &request.request_id).await?;
        let issued = issued.ok_or_else(ended)?;
        limits.count_finished(account.id).await?;
        Ok(order.issued(issued.id))
    }
}

fn ended() -> Problem {
    Problem::new(
        Kind::OrderNotReady,
        "The order ended while its certificate was made: create a new one.",
    )
}

/// The permit that a proof rests on, which is there while the proof is read.
fn permit(proof: &Proof) -> Option<Uuid> {
    match proof.means() {
        Means::Challenge(_) => None,
        Means::Permit(id) => Some(id),
    }
}
