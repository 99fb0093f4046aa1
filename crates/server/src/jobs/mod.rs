//! Background work, apart from requests.

pub(crate) mod server_certificate;
pub(crate) mod sweep;
