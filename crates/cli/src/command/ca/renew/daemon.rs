//! `step ca renew --daemon`: keeps running and renews when it is time.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow};
use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use pki::{Certificate, Foreign};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Renewal;
use super::when::{Jitter, Schedule, Streak, rounded};
use crate::command::block_on;
use crate::output;

/// Renews until a signal: SIGINT and SIGTERM end it with success, SIGHUP renews at once.
pub(crate) fn run(renewal: &Renewal<'_>, schedule: &Schedule) -> Result<ExitCode> {
    block_on(async {
        let mut signals = Signals::new()?;
        let mut leaf = renewal.leaf()?;
        let mut streak = Streak::default();
        let wait = |leaf: &Certificate, streak| {
            let [random] = keys::random();
            schedule.wait(leaf, Timestamp::now(), streak, Jitter(random))
        };
        let mut next = schedule.first(&leaf, Timestamp::now());
        inform(&format!("first renewal in {}", rounded(next)))?;
        while signals.sleep(next).await {
            match renewal.once(renewal.context).await {
                Ok(new) => {
                    let is_due = schedule.is_due(&new, Timestamp::now());
                    streak.useless = if is_due {
                        streak.useless.saturating_add(1)
                    } else {
                        0
                    };
                    leaf = new;
                    next = wait(&leaf, streak);
                    let name = leaf.subject().cn().unwrap_or_default();
                    let (name, wait) = (Foreign(name), rounded(next));
                    inform(&format!("{name} certificate renewed, next in {wait}"))?;
                    if is_due {
                        complain(&due_at_once(&leaf));
                    }
                    if let Err(error) = renewal.after() {
                        complain(&error);
                    }
                }
                Err(error) => {
                    complain(&error);
                    streak.useless = streak.useless.saturating_add(1);
                    next = wait(&leaf, streak);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Why a new certificate is due already.
fn due_at_once(leaf: &Certificate) -> anyhow::Error {
    anyhow!(
        "the new certificate is valid until {} and due for renewal already: check this machine's clock, and \
         that '--expires-in' is shorter than the lifetime",
        leaf.not_after()
    )
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
