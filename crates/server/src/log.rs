//! Logging: events through `tracing` to stderr, as text or JSON, and the lines at start, which scripts read.
//!
//! Secrets have no `Debug` and no `Display`, so they cannot be logged. Clients choose parts of what is
//! logged: each event is one line, and nothing printed here controls a terminal.

use std::io::{self, Write};

use ca::config::LogFormat;
use jiff::tz::TimeZone;
use pki::Foreign;
use pki::foreign::Lines;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// The environment variable with the filter, such as `debug` or `hyper=trace,info`.
const VARIABLE: &str = "RISER_LOG";

/// Starts logging in this format. Later calls have no effect.
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| OneLine(io::stderr()))
        .with_ansi(false)
        .with_timer(Utc);
    let started = match format {
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
        LogFormat::Text | LogFormat::Common => builder.with_target(false).try_init(),
    };
    // Fails where the logger has been started already.
    drop(started);
}

/// Prints on stderr what ends the program or a command.
pub(crate) fn say(text: &str) {
    // A closed stderr must not stop the program.
    drop(writeln!(io::stderr().lock(), "{}", Lines(text)));
}

/// Prints on stderr why the program or a command failed.
pub(crate) fn failure(error: &anyhow::Error) {
    if std::env::var("STEPDEBUG").is_ok_and(|v| v == "1") {
        say(&format!("{error:?}"));
    } else {
        say(&format!("{error:#}"));
    }
}

/// Prints text for pasting or for scripts on stdout.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{}", Lines(text))?;
    out.flush()
}

/// Stdout for data that is written piece by piece.
pub(crate) struct Data;

impl Write for Data {
    /// Takes a piece of whole characters.
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        write!(
            io::stdout().lock(),
            "{}",
            Lines(String::from_utf8_lossy(piece))
        )?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().lock().flush()
    }
}

/// Writes each event, which the subscriber hands over whole, as one line.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = Foreign(text.strip_suffix('\n').unwrap_or(&text));
        // In one call, so that the lines of two threads do not mix.
        self.0.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// RFC 3339 in UTC, to the millisecond.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, w: &mut Writer<'_>) -> std::fmt::Result {
        write!(w, "{:.3}", jiff::Timestamp::now())
    }
}

/// Prints the lines of start and stop in the form that scripts expect:
/// `2026/11/23 21:49:19 Serving HTTPS on 127.0.0.1:9443 ...`.
#[derive(Debug, Clone)]
pub(crate) struct Announcer {
    zone: TimeZone,
    quiet: bool,
}

impl Announcer {
    /// Prints every line.
    pub(crate) fn full() -> Self {
        Self {
            zone: zone(),
            quiet: false,
        }
    }

    /// Prints the essential lines only.
    pub(crate) fn quiet() -> Self {
        Self {
            quiet: true,
            ..Self::full()
        }
    }

    /// Prints a line unless quiet.
    pub(crate) fn detail(&self, words: impl AsRef<str>) {
        if !self.quiet {
            self.line(words);
        }
    }

    /// Prints text for pasting or for scripts to stdout.
    pub(crate) fn output(&self, text: &str) {
        drop(data(text));
    }

    /// Prints a line, also when quiet.
    pub(crate) fn line(&self, words: impl AsRef<str>) {
        let now = jiff::Timestamp::now().to_zoned_datetime(self.zone.clone());
        say(&format!(
            "{} {}",
            now.strftime("%Y/%m/%d %H:%M:%S"),
            words.as_ref()
        ));
    }
}

/// The machine's time zone, from `/etc/localtime`: looking its name up would list the whole database
/// at each start.
fn zone() -> TimeZone {
    if std::env::var_os("TZ").is_some() {
        return TimeZone::system();
    }
    let file = std::fs::read("/etc/localtime").unwrap_or_default();
    TimeZone::tzif("Local", &file).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What is written, shared with the subscriber.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_client_sent_neither_forges_a_line_nor_controls_a_terminal() {
        let written = Written::default();
        let writer = written.clone();
        let text = tracing_subscriber::fmt()
            .with_writer(move || OneLine(writer.clone()))
            .with_ansi(false)
            .finish();
        let sent = "a\n2026-11-28T00:00:00Z  INFO forged\r\u{1b}[2J\u{9b}1m\u{202e}";
        tracing::subscriber::with_default(text, || {
            tracing::info!(detail = sent, "refused: {sent}");
            tracing::info!(detail = %sent, "refused");
        });
        let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(log.lines().count(), 2, "{log}");
        let active = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!log.contains(active), "{log:?}");
    }
}
