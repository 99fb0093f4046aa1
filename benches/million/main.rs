//! `make bench-million`: what a store of a million certificates costs, compared with an empty one.
//!
//! The store is filled through its own verbs: for each certificate an order, a verdict on its http-01 challenge and the
//! issuance, and for every hundred an account. Certificates are not signed one by one: they are one self-signed
//! certificate, in which serial number and times are replaced. The file is kept in `target/million`, so that a second run begins at once.
//! `RISER_MILLION=100000` sets how many there are.

mod fill;
mod search;
mod serve;
mod sweep;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// What goes wrong in a benchmark ends it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let count = match std::env::var("RISER_MILLION") {
        Ok(text) => text.parse()?,
        Err(_) => 1_000_000,
    };
    let folder = root().join("target/million");
    let path = folder.join(format!("{count}.sqlite3"));
    if !path.exists() {
        let now = Timestamp::now();
        let began = Instant::now();
        fill::fill(&path, count, now).await?;
        say(&format!("filled in {:.0} s", began.elapsed().as_secs_f64()))?;
    }
    let bytes = std::fs::metadata(&path)?.len();
    say(&format!(
        "{count} certificates, {} MiB, {} bytes a certificate",
        bytes >> 20,
        bytes / count
    ))?;
    search::measure(&path, count).await?;
    serve::measure(&path).await?;
    sweep::measure(&path).await
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

/// Median, 99th percentile and maximum, in milliseconds.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |per_mille: usize| {
        let index = (times.len() * per_mille / 1000).min(times.len().saturating_sub(1));
        times
            .get(index)
            .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms",
        at(500),
        at(990),
        at(1000)
    )
}
