//! The harness: a DNS server, a web server, a CA in a directory of its own, a
//! network namespace, and the programs of others.

pub mod acme;
pub mod admin_socket;
pub mod alpn;
pub mod authority;
pub mod clock;
pub mod cross;
pub mod dns;
pub mod https;
pub mod namespace;
pub mod paths;
pub mod process;
pub mod table;
pub mod web;
