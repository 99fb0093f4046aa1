//! The certificate authority's server as a library: every part of it, and for each program that is built from
//! them a module with its command line. The programs themselves are in `bin/` and hold nothing.

mod app;
mod dev;
mod flags;
mod http;
mod jobs;
mod listen;
mod live;
mod log;
mod probe;
mod service;
pub mod step_ca;
mod steppath;
mod store_command;
