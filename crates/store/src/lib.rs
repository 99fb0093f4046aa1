//! Where the records live: accounts, orders, authorizations, challenges, certificates and the audit log, behind verbs
//! that are one atomic transaction each and repeat in their WHERE the status that they rely on.
//!
//! Not here: what may happen (that is decided by `acme` and `ca`) and when (the caller says what time it is).

mod audit;
mod error;
mod export;
pub mod memory;
pub mod port;
mod record;
mod sqlite;
mod write;

pub use audit::{AuditEntry, Event};
pub use error::{Error, FileError, OpenError};
pub use record::{
    AcceptedConfiguration, AuditLine, BindingKey, CertificateCursor, CertificatePage,
    CertificateQuery, CertificateRecord, CertificateStanding, CertifiedKey, ChallengeRecord,
    Created, Finalization, Issued, KeyChanged, NamesClaim, NewOrderFacts, NewOrderQuery, OrderPage,
    OrderRecord, Placed, RenewalEnd, RenewalKeys, RenewalRecord, RenewalScope, RenewalWindow,
    RevocationFacts, Revoked, Revoker, Settled, Span, Swept, UnfinishedChallenge,
};
pub use sqlite::{
    Certificates, Copied, Figures, Options, Progress, Stats, Store, StoreFile, Synchronous,
    TableStats, Watch, restore,
};
pub use write::{Ending, Failed, Issuance, NewOrder, NewPermit, Proven, Registration, Revocation};

#[cfg(test)]
mod suite;
