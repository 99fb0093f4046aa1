//! The router end to end in one process: signed requests in, answers out.

mod admin;
mod attestation;
mod client;
mod flow;
mod not_asked;
mod refusals;
mod revocation;
mod rights;
mod step;
mod url_layout;
mod validation;
