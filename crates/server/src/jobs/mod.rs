//! What the server does by itself, beside requests.

pub(crate) mod house;
pub(crate) mod sweep;
