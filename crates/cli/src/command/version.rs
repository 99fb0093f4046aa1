//! `step version`.

use std::process::ExitCode;

use anyhow::Result;

use crate::output;

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  Print the version:
    $ step version";

/// Prints program, version and platform.
pub(crate) fn run() -> Result<ExitCode> {
    let date = option_env!("STEP_RELEASE_DATE").unwrap_or("development build");
    output::data(&format!("{}\nRelease Date: {date}\n", line_in_full()))?;
    Ok(ExitCode::SUCCESS)
}

/// The version as the parser prints it after the program's name.
pub(crate) fn line() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn line_in_full() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!(
        "Riser step/{} ({}/{architecture})",
        line(),
        std::env::consts::OS
    )
}
