//! `step-ca`: the certificate authority's server. What it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::step_ca::run(std::env::args_os())
}
