//! The targets, one file each.

pub mod attestation;
pub mod body;
pub mod caa;
pub mod certificate;
pub mod certificate_id;
pub mod contact;
pub mod csr;
pub mod der;
pub mod dns_persist01;
pub mod eab;
pub mod header;
pub mod http01;
pub mod identifier;
pub mod jwk;
pub mod jws;
pub mod key_description;
pub mod pem;
pub mod problem;
pub mod tls_alpn01;
pub mod tpm_attest;
pub mod tpm_public;
