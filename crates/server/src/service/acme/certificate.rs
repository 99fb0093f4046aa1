//! Certificates as their accounts download them (RFC 8555 §7.4.2).

use pki::Certificate;
use store::port::Certificates as _;
use uuid::Uuid;

use super::{AcmeService, Caller, Error};

/// A certificate, and the chains that lead from it to a root; all as DER.
pub(crate) struct Download {
    /// The certificate itself.
    pub(crate) leaf: Vec<u8>,
    /// The chains above it, nearest issuer first: the default chain, then the configured alternates.
    pub(crate) chains: Vec<Vec<Vec<u8>>>,
}

impl AcmeService {
    /// A certificate of this account and what goes above it.
    ///
    /// # Errors
    /// When there is none, or it is another account's.
    pub(crate) async fn certificate(
        &self,
        caller: Caller<'_>,
        id: Uuid,
    ) -> Result<Download, Error> {
        let Some(record) = self.store.certificate(id).await? else {
            return Err(Error::unknown("certificate"));
        };
        if record.account != Some(caller.account.id) {
            return Err(Error::Foreign("certificate"));
        }
        let mut chains = vec![record.chain];
        let issuer = (!caller.config.riser.chains.above.is_empty())
            .then(|| Certificate::from_der(chains[0].first()?).ok())
            .flatten();
        if let Some(issuer) = issuer {
            // One that was signed by an older intermediate has no alternates.
            let all = caller.config.riser.chains.above.iter();
            let fitting = all.filter(|above| ca::config::fits(&issuer, above).is_ok());
            let ders = fitting.map(|above| above.iter().map(|it| it.der().to_vec()).collect());
            chains.extend(ders);
        }
        Ok(Download {
            leaf: record.der,
            chains,
        })
    }
}
