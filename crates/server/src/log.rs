//! Logging: events through `tracing` to stderr, as text or JSON, and the lines at start, which scripts read.
//!
//! Secrets have no `Debug` and no `Display`, so they cannot be logged.

use std::io::{self, Write};

use ca::config::LogFormat;
use jiff::tz::TimeZone;
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
        .with_writer(io::stderr)
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
        let mut out = io::stdout().lock();
        drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    /// Prints a line, also when quiet.
    pub(crate) fn line(&self, words: impl AsRef<str>) {
        let now = jiff::Timestamp::now().to_zoned_datetime(self.zone.clone());
        let line = format!("{} {}\n", now.strftime("%Y/%m/%d %H:%M:%S"), words.as_ref());
        // A closed stderr must not stop the authority.
        drop(io::stderr().lock().write_all(line.as_bytes()));
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
