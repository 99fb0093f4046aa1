//! A new authority: its two certificates, its files and their contents, as data. Keys
//! and random bytes are arguments; signing and writing are the shell's.

mod files;

pub use crate::issue::authority::{intermediate, root};
pub use files::{
    Contents, Entry, Layout, NewAuthority, Plan, acme_provisioner, ca_json, defaults_json, entries,
    jwk_provisioner,
};

#[cfg(test)]
mod tests;
