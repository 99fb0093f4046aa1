//! Where words go: events through `tracing` to stderr, as text or JSON, and the
//! lines at start that scripts read.
//!
//! Secrets have no `Debug` and no `Display`, so they cannot get here.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// The variable that says what is logged, as in `debug` or `hyper=trace,info`.
const VARIABLE: &str = "RISER_LOG";

/// Starts logging, as JSON or as text. Later calls change nothing.
pub(crate) fn start(json: bool) {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_timer(Utc);
    let started = if json {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init()
    } else {
        builder.with_target(false).try_init()
    };
    // A second start in one process finds the first one's logger in place.
    drop(started);
}

/// RFC 3339 in UTC, to the millisecond.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, w: &mut Writer<'_>) -> std::fmt::Result {
        write!(w, "{:.3}", jiff::Timestamp::now())
    }
}

/// Says the lines of start and stop in the form that scripts know:
/// `2026/11/23 21:49:19 Serving HTTPS on 127.0.0.1:9443 ...`.
#[derive(Debug, Clone)]
pub(crate) struct Announcer {
    zone: TimeZone,
    quiet: bool,
}

impl Announcer {
    /// A quiet one leaves out what is only nice to know.
    pub(crate) fn new(quiet: bool) -> Self {
        Self {
            zone: zone(),
            quiet,
        }
    }

    /// A line that is left out when quiet.
    pub(crate) fn tell(&self, words: impl AsRef<str>) {
        if !self.quiet {
            self.say(words);
        }
    }

    /// Text that somebody pastes or a script reads, on stdout.
    pub(crate) fn hand_over(&self, text: &str) {
        let mut out = io::stdout().lock();
        drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    /// A line that is always there.
    pub(crate) fn say(&self, words: impl AsRef<str>) {
        let now = jiff::Timestamp::now().to_zoned_datetime(self.zone.clone());
        let line = format!("{} {}\n", now.strftime("%Y/%m/%d %H:%M:%S"), words.as_ref());
        // A closed stderr must not stop the authority.
        drop(io::stderr().lock().write_all(line.as_bytes()));
    }
}

/// The machine's time zone. Its own file is enough: looking the zone's name up
/// would list the whole database at each start.
fn zone() -> TimeZone {
    if std::env::var_os("TZ").is_some() {
        return TimeZone::system();
    }
    let file = std::fs::read("/etc/localtime").unwrap_or_default();
    TimeZone::tzif("Local", &file).unwrap_or(TimeZone::UTC)
}
