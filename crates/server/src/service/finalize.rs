//! Finalize (RFC 8555 §7.4): from a ready order and a CSR to a certificate, in one answer.

use acme::account::Account;
use acme::challenge::CaaIdentity;
use acme::order::{Order, State};
use acme::problem::Problem;
use jiff::Timestamp;
use pki::Csr;
use store::port::Orders as _;
use uuid::Uuid;

use super::{Error, Service};

impl Service {
    /// Makes the certificate of an order, once: a second finalize waits for the first and gets its
    /// order. It goes on to its end even if the client has left. `caa_identity` is what CAA records have
    /// to name.
    ///
    /// # Errors
    /// When the order is not ready, the CSR does not fit it, or the authority refuses.
    pub(crate) async fn finalize(
        &self,
        (account, caa_identity): (&Account, CaaIdentity),
        id: Uuid,
        csr: Vec<u8>,
        request_id: String,
    ) -> Result<Order, Error> {
        let (service, account) = (self.clone(), account.clone());
        self.outlive(async move {
            service.order(&account, id).await?;
            let _lock = service.state.order_locks.lock(id).await;
            service
                .finalize_locked((&account, &caa_identity), id, &csr, &request_id)
                .await
        })
        .await
    }

    async fn finalize_locked(
        &self,
        (account, caa_identity): (&Account, &CaaIdentity),
        id: Uuid,
        csr: &[u8],
        request_id: &str,
    ) -> Result<Order, Error> {
        let now = Timestamp::now();
        let order = self.order(account, id).await?;
        let state = match order.state(now) {
            State::Valid(valid) => return Ok(valid.as_order().clone()),
            State::Pending(pending) => {
                let proofs = self.store().proofs(id).await?;
                pending
                    .ready(&proofs)
                    .map_or_else(State::Pending, State::Ready)
            }
            state @ (State::Ready(_) | State::Processing(_) | State::Invalid(_)) => state,
        };
        let ready = state.into_ready()?;
        let csr = Csr::verify(csr)
            .map_err(|why| Problem::bad_csr(format!("The CSR cannot be taken: {why}.")))?;
        let finalized = ready.finalize(&csr, &account.key)?;
        self.check_key_not_compromised(csr.public_key()).await?;
        self.check_caa(finalized.order(), caa_identity).await?;
        let config = self.config();
        let acme = config.authority.working_acme(&account.provisioner)?;
        let caa_identity = self.external_key_rules(account).await?;
        let grant = acme.authorize(finalized, &config, caa_identity.as_ref(), now)?;
        self.issue(grant, request_id).await?;
        self.order(account, id).await
    }
}
