//! Who may have which certificate: the configuration as data, provisioners and their claims, the
//! decisions on issuance and renewal, the files and certificates of a new authority, the bodies of its API.
//!
//! Not here: keys, stores, sockets, files, clocks and randomness. Time, random bytes and file
//! contents are arguments.

pub mod admission;
pub mod api;
pub mod authority;
pub mod claims;
pub mod config;
pub mod external_key;
pub mod go_duration;
pub mod issue;
pub mod issuing_chain;
pub mod lint;
pub mod policy;
pub mod profile;
pub mod provisioner;
pub mod refusal;
pub mod renew;
pub mod revoke;
pub mod tls;
pub mod words;

#[cfg(test)]
mod fixture;

pub use admission::{Admission, Grant, IssuancePolicy, IssuanceRequest, Recipient, admit};
pub use config::{Config, Fault, Warning};
pub use external_key::ExternalKeyRules;
pub use issue::{Unsigned, UnsignedCertificate, prepare};
pub use issuing_chain::IssuingChain;
pub use policy::Policy;
pub use provisioner::Provisioner;
pub use refusal::Refusal;
