//! Where the records live: accounts, orders, authorizations, challenges, certificates and the audit log, behind verbs
//! that are one atomic transaction each and repeat in their WHERE the status that they rely on.
//!
//! Not here: what may happen (that is decided by `acme` and `ca`) and when (the caller says what time it is).

mod error;
pub mod port;
mod record;
mod sqlite;

pub use error::{Error, OpenError};
pub use record::{
    AuditEntry, AuditLine, CertificateRecord, ChallengeRecord, Created, Issuance, Issued,
    KeyChanged, NewOrder, OrderPage, OrderRecord, Placed, RenewalRecord, RenewalScope,
    RenewalWindow, Revocation, Revoked, Revoker, Settled, Swept, UnfinishedChallenge,
};
pub use sqlite::{Figures, Options, Store, Synchronous};

#[cfg(test)]
mod suite;
