//! Finalize (RFC 8555 §7.4): from a ready order and a CSR to a certificate, in one answer.

use std::sync::Arc;

use acme::account::Account;
use acme::order::{Order, State};
use acme::problem::Problem;
use ca::Refusal;
use ca::config::Config;
use jiff::Timestamp;
use pki::Csr;
use store::port::{OrderLocks as _, Orders as _};
use uuid::Uuid;

use super::{AcmeService, Caller, Error};
use crate::service::accounts::rules;
use crate::service::caa_identity;

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
    /// order. It goes on to its end even if the client has left.
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
        let run = async move {
            let _lock = service.order_locks.lock(request.order).await?;
            service.finalize_locked(&config, &account, request).await
        };
        self.tasks.outlive(run).await
    }

    async fn finalize_locked(
        &self,
        config: &Config,
        account: &Account,
        request: Finalization,
    ) -> Result<Order, Error> {
        let now = Timestamp::now();
        let csr = Csr::verify(&request.csr);
        let key = csr.as_ref().ok().map(|csr| csr.public_key().digest());
        let found = self.store.finalization(request.order, key).await?;
        let found = found.ok_or_else(|| Error::unknown("order"))?;
        if found.order.account != account.id {
            return Err(Error::Foreign("order"));
        }
        let pending = match found.order.state(now) {
            State::Valid(valid) => return Ok(valid.as_order().clone()),
            state @ (State::Pending(_) | State::Processing(_) | State::Invalid(_)) => {
                state.into_pending()?
            }
        };
        let ready = pending
            .ready(&found.proofs)
            .map_err(|pending| pending.not_ready(&found.proofs))?;
        let csr =
            csr.map_err(|why| Problem::bad_csr(format!("The CSR cannot be taken: {why}.")))?;
        let finalized = ready.finalize(&csr, &account.key)?;
        if found.key_compromised {
            return Err(Refusal::CompromisedKey.into());
        }
        let identity = caa_identity(config, &account.provisioner, request.account_url);
        self.validator
            .check_caa(config, finalized.order(), &found.proofs, &identity)
            .await?;
        let acme = config.authority.working_acme(&account.provisioner)?;
        let rules = rules(account, found.external_key)?;
        let grant = acme.authorize(finalized, config, rules.as_ref(), now)?;
        self.issuer.issue(grant, &request.request_id).await?;
        self.order(account, request.order).await
    }
}
