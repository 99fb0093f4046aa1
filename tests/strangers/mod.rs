//! Our certificates, read and verified by software that is not ours: openssl,
//! Go's crypto/x509, and webpki.

use std::path::Path;
use std::process::Command;

use acceptance::{paths, process};

/// openssl verifies the chain in this file up to this root, for a server.
#[track_caller]
pub fn openssl_accepts(chain: &Path, root: &Path) {
    let Some(openssl) = paths::peer("openssl") else {
        return;
    };
    let mut command = Command::new(openssl);
    command
        .args(["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile"])
        .arg(root)
        .arg("-untrusted")
        .arg(chain)
        .arg(chain);
    process::run(&mut command).success();
}
