//! `step ca renew --daemon`: keeps running and renews when it is time.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use pki::Foreign;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Renewal;
use super::when::{Schedule, rounded};
use crate::command::block_on;
use crate::output;

/// How long to wait after a renewal that failed.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(60);

/// Renews until a signal: SIGINT and SIGTERM end it with success, SIGHUP renews at once.
pub(crate) fn run(renewal: &Renewal<'_>, schedule: &Schedule) -> Result<ExitCode> {
    block_on(async {
        let mut signals = Signals::new()?;
        let leaf = renewal.leaf()?;
        let mut wait = schedule.wait(&leaf, Timestamp::now());
        inform(&format!("first renewal in {}", rounded(wait)))?;
        while signals.sleep(wait).await {
            match renewal.once(renewal.context).await {
                Ok(new) => {
                    wait = schedule.wait(&new, Timestamp::now());
                    let name = new.subject().cn().unwrap_or_default();
                    let next = rounded(wait);
                    let name = Foreign(name);
                    inform(&format!("{name} certificate renewed, next in {next}"))?;
                    if let Err(error) = renewal.after() {
                        complain(&error);
                    }
                }
                Err(error) => {
                    complain(&error);
                    wait = AFTER_FAILURE;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Whether to continue: `false` after a signal that ends the daemon.
    async fn sleep(&mut self, wait: SignedDuration) -> bool {
        let wait = Duration::try_from(wait).unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            _ = self.hangup.recv() => true,
            _ = self.interrupt.recv() => false,
            _ = self.terminate.recv() => false,
        }
    }
}

fn inform(words: &str) -> Result<()> {
    output::data(&format!("INFO: {} {words}\n", stamp()))
}

fn complain(error: &anyhow::Error) {
    output::say(&format!("ERROR: {} {error:#}", stamp()));
}

fn stamp() -> String {
    ZonedDateTime::now()
        .strftime("%Y/%m/%d %H:%M:%S")
        .to_string()
}
