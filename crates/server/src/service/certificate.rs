//! Certificates as their accounts download them (RFC 8555 §7.4.2).

use acme::account::Account;
use uuid::Uuid;

use super::{Error, Service};

impl Service {
    /// A certificate of this account and what goes above it, leaf first, as DER.
    ///
    /// # Errors
    /// When there is none, or it is another account's.
    pub(crate) async fn certificate(
        &self,
        account: &Account,
        id: Uuid,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let Some(record) = self.store().certificate(id).await? else {
            return Err(Error::unknown("certificate"));
        };
        if record.account != Some(account.id) {
            return Err(Error::Foreign("certificate"));
        }
        let mut chain = vec![record.der];
        chain.extend(record.chain);
        Ok(chain)
    }
}
