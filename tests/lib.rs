//! The support library of the acceptance tests: a harness around real
//! programs. It contains no tests, and no fakes of our own code.

pub mod support;

pub use support::{
    acme, admin_socket, alpn, authority, clock, cross, dns, https, namespace, paths, process,
    table, web,
};
