//! The same load on our server, smallstep's step-ca and Pebble, side by side.
//!
//! Each server runs on loopback with a store of its own kind; each client has an account and a
//! connection of its own and gets certificates for `localhost` by http-01, one after the other.

pub mod load;
pub mod peer;
pub mod responder;
