//! Everything that can break: signals, crashes, full disks, broken edits,
//! racing clients, loose logs. What was acknowledged stays true.

mod admin_socket;
mod clock;
mod crash;
mod disk;
mod dns;
mod durable;
mod edit;
mod handshake;
mod log;
mod policy;
mod race;
mod start;
mod stop;
