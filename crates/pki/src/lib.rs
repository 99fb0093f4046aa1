//! X.509 and JOSE: bytes to meaning and back.
//!
//! Here: keys, names, certificates, requests, chains and the JOSE forms ACME and the step API use.
//! Not here: policy (what may be issued), clocks, files, sockets and sources of random bytes.

pub mod alt_name;
pub mod certificate;
pub mod chain;
pub mod csr;
pub mod device;
pub mod digest;
pub mod encoding;
pub mod extension;
pub mod foreign;
pub mod jose;
pub mod key;
pub mod name;
pub mod name_constraints;
pub mod oid;
pub mod pem;
pub mod pkcs7;

mod asn1;
mod error;
mod time;

pub use alt_name::AltName;
pub use certificate::{Certificate, Serial, TbsCertificate, assemble};
pub use csr::{Csr, request};
pub use der::asn1::ObjectIdentifier;
pub use digest::sha256;
pub use error::Error;
pub use extension::{ExtendedKeyUsage, Extension, KeyUsages, StepProvisioner};
pub use foreign::Foreign;
pub use key::{KeyKind, PrivateKey, PublicKey, SignatureAlgorithm, Weakness};
pub use name::Name;
pub use name_constraints::NameConstraints;
