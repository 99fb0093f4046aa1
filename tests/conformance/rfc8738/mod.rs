//! RFC 8738: IP identifiers.

mod s3_identifiers;
mod s4_http01;
mod s6_tls_alpn01;
