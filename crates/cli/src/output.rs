//! Output for users and scripts: data on stdout, messages on stderr, colours on a terminal only.
//!
//! Text that scripts match (the ✔ lines, ` done!`, the exit codes) is interface and stays as
//! smallstep's `step` prints it. Whatever is printed here can contain text from a server, a certificate
//! or a file, so everything but our own colours is escaped; one that stands in a line of ours is
//! [`Foreign`] already.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use pki::Foreign;
use pki::foreign::Lines;

/// Writes data to stdout, without what would control a terminal.
///
/// # Errors
/// When stdout cannot be written; a closed pipe ends the program quietly.
pub(crate) fn data(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written = write!(out, "{}", Lines(text)).and_then(|()| out.flush());
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => Ok(other?),
    }
}

/// Prints a line on stderr.
pub(crate) fn say(line: &str) {
    print(&format!("{line}\n"));
}

/// Prints text on stderr without ending the line.
pub(crate) fn print(text: &str) {
    paint(&Lines(text).to_string());
}

/// Prints our own text with its colours on stderr.
fn paint(text: &str) {
    let mut err = anstream::stderr().lock();
    // When stderr is closed, nothing can report it.
    let _ = err.write_all(text.as_bytes());
    let _ = err.flush();
}

/// `✔ Name: value`.
pub(crate) fn selected(name: &str, value: impl Display) {
    let value = Foreign(value);
    paint(&format!(
        "\x1b[32m\x1b[32m✔\x1b[0m \x1b[1m{name}\x1b[0m\x1b[1m:\x1b[0m {value}\n"
    ));
}

/// Prints a help or version text that the parser made, on stdout.
pub(crate) fn help(text: &clap::Error) {
    let mut out = anstream::stdout().lock();
    // A closed pipe is no failure.
    let _ = write!(out, "{}", text.render().ansi());
    let _ = out.flush();
}

/// Reports why the command failed: one line, then what to do and where the CA logged it.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    if std::env::var_os("STEPDEBUG").is_some_and(|value| value == "1") {
        say(&format!("{error:?}"));
    } else {
        say(&one_line(error));
    }
    let client = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<client::Error>());
    if matches!(client, Some(client::Error::Exchange { cause, .. }) if cause.starts_with("dial ")) {
        say(
            "Check that the server runs there: the address comes from '--ca-url', STEP_CA_URL or $(step path)/config/defaults.json.",
        );
    }
    if matches!(client, Some(client::Error::Exchange { cause, .. }) if cause.contains("unknown authority"))
    {
        say(
            "The trusted root is the one of '--root', or $(step path)/certs/root_ca.crt; 'step ca bootstrap' downloads that of another authority.",
        );
    }
    if matches!(client, Some(client::Error::Refused { .. })) {
        say("Re-run with STEPDEBUG=1 for more info.");
    }
    if let Some(client) = client
        && client.is_logged()
        && let Some(id) = client.request_id()
    {
        say(&format!("The CA logged details under the request id {id}."));
    }
    ExitCode::FAILURE
}

/// The error and its causes on one line, each once.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in error.chain().skip(1) {
        let words = cause.to_string();
        if !line.contains(&words) {
            line.push_str(": ");
            line.push_str(&words);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_cause_is_printed_once() {
        let error = anyhow::anyhow!("no such file")
            .context("open a.crt: no such file")
            .context("reading the certificate");
        assert_eq!(
            one_line(&error),
            "reading the certificate: open a.crt: no such file"
        );
        let plain: anyhow::Result<()> = Err(io::Error::other("x")).context("y");
        assert_eq!(one_line(&plain.unwrap_err()), "y: x");
    }
}
