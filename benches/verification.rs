//! What a P-256 verification costs on this machine now: the unit that makes runs comparable.
//!
//! Server time divided by it, times 53 µs (its cost on an idle machine of ours), is in normal milliseconds.

use std::fs;
use std::time::Duration;

use pki::KeyKind;

use crate::Failure;

/// The cost of one verification on an idle machine.
pub const NORMAL: Duration = Duration::from_micros(53);

/// Measures the CPU time of one verification.
///
/// # Errors
/// When no key can be made, or `/proc` does not say the time.
pub fn cost() -> Result<Duration, Failure> {
    let key = keys::generate(KeyKind::EcP256)?;
    let (algorithm, public) = (key.default_signature(), key.public());
    let message = [7; 200];
    let signature = key.sign(algorithm, &message)?;
    let began = cpu()?;
    for _ in 0..RUNS {
        public.verify(algorithm, &message, &signature)?;
    }
    Ok((cpu()? - began) / RUNS)
}

/// CPU time that this thread has used.
fn cpu() -> Result<Duration, Failure> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().ok_or("no time in schedstat")?;
    Ok(Duration::from_nanos(first.parse()?))
}

const RUNS: u32 = 2000;
