//! The router end to end in one process: signed requests in, answers out.

mod admin;
mod client;
mod flow;
mod refusals;
mod revocation;
mod step;
mod url_layout;
mod validation;
