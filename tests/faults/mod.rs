//! Faults: signals, crashes, full disks, invalid configuration, concurrent
//! clients, secrets in logs. Acknowledged writes are never lost.

mod admin_socket;
mod backup;
mod client_certificates;
mod clock;
mod crash;
mod crowd;
mod disk;
mod dns;
mod durable;
mod edit;
mod fail_closed;
mod files;
mod foreign_store;
mod handshake;
mod log;
mod policy;
mod race;
mod rights;
mod start;
mod stop;
