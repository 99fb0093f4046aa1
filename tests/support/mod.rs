//! The fake harness: a DNS server, a web server, a certificate authority in a
//! box, a network of its own; and the peers that are looked up in it.

pub mod acme;
pub mod alpn;
pub mod authority;
pub mod clock;
pub mod cross;
pub mod dns;
pub mod door;
pub mod https;
pub mod namespace;
pub mod paths;
pub mod process;
pub mod table;
pub mod web;
