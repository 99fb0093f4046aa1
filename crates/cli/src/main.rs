//! `step`: the command line of the private certificate authority.

mod app;
mod arguments;
mod command;
mod context;
mod contexts;
mod file;
mod json;
mod output;
mod place;
mod prompt;

use std::process::ExitCode;

fn main() -> ExitCode {
    app::run(std::env::args_os().collect())
}
