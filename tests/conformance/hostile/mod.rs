//! Requests that no document asks for, from clients that want the server to fall, to forget itself or
//! to fill its disk. What a section of a document answers stands with that section.

mod http2;
mod nonces;
mod requests;
