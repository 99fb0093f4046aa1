//! Hostile requests, meant to crash the server, confuse it or fill its disk. Requirements of a section
//! of a standard are tested with that section.

mod http2;
mod nonces;
mod requests;
