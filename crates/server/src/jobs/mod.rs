//! What the server does by itself, beside requests.

pub(crate) mod server_certificate;
pub(crate) mod sweep;
