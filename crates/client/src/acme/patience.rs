//! How long to wait between two looks, and when to stop looking.

use std::time::{Duration, Instant};

/// The longest pause that a server may ask for.
const LONGEST: Duration = Duration::from_secs(15);
/// The pauses where the server names none; the last one repeats.
const PAUSES: [u64; 5] = [250, 500, 1000, 2000, 3000];

/// A budget of time for one wait.
pub(super) struct Patience {
    start: Instant,
    budget: Duration,
    looks: usize,
}

impl Patience {
    pub(super) fn new(budget: Duration) -> Self {
        Self {
            start: Instant::now(),
            budget,
            looks: 0,
        }
    }

    /// Waits before the next look; `asked` is the server's `Retry-After`.
    /// The answer is whether there is time for another look.
    pub(super) async fn wait(&mut self, asked: Option<Duration>) -> bool {
        let pause = pause(asked, self.looks);
        self.looks += 1;
        if self.start.elapsed() + pause > self.budget {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }

    pub(super) fn seconds(&self) -> u64 {
        self.start.elapsed().as_secs()
    }
}

/// A `Retry-After` of zero names no pause: some servers send it to mean "soon".
fn pause(asked: Option<Duration>, looks: usize) -> Duration {
    match asked {
        Some(asked) if !asked.is_zero() => asked.min(LONGEST),
        _ => Duration::from_millis(PAUSES[looks.min(PAUSES.len() - 1)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_ask_for_a_bounded_pause_and_zero_means_soon() {
        assert_eq!(pause(Some(Duration::from_secs(3)), 0).as_secs(), 3);
        assert_eq!(pause(Some(Duration::from_secs(86_400)), 0), LONGEST);
        assert_eq!(pause(Some(Duration::ZERO), 0).as_millis(), 250);
        assert_eq!(pause(None, 99).as_secs(), 3);
    }
}
