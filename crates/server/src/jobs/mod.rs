//! Background work, apart from requests.

pub(crate) mod configuration;
pub(crate) mod server_certificate;
pub(crate) mod sweep;
