//! The support library of the acceptance tests: a fake harness around real
//! programs. No test is here, and nothing here is a fake of our own code.

pub mod support;

pub use support::{
    acme, alpn, authority, clock, cross, dns, door, https, namespace, paths, process, table, web,
};
