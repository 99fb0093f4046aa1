//! The same load on our server, smallstep's step-ca and Pebble, side by side.
//!
//! Each server runs on loopback with a store of its own kind and is ended with its measurement. Each client has
//! an account and a connection of its own and does one thing after the other.

pub mod challenges;
pub mod disk;
pub mod load;
pub mod peer;
pub mod picture;
pub mod report;
pub mod verification;
pub mod worker;

/// What goes wrong in a benchmark ends the measurement.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
