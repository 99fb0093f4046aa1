//! How long to wait between two polls, and when to stop polling.

use std::time::{Duration, Instant};

/// The longest pause that a server may ask for.
const LONGEST: Duration = Duration::from_secs(15);
/// The pauses when the server names none, in milliseconds; the last one repeats.
const PAUSES: [u64; 5] = [250, 500, 1000, 2000, 3000];

/// The time limit of one wait.
pub(super) struct Deadline {
    start: Instant,
    budget: Duration,
    polls: usize,
}

impl Deadline {
    pub(super) fn new(budget: Duration) -> Self {
        Self {
            start: Instant::now(),
            budget,
            polls: 0,
        }
    }

    /// Waits before the next poll; `asked` is the server's `Retry-After`. Returns whether there is
    /// time for another poll.
    pub(super) async fn wait(&mut self, asked: Option<Duration>) -> bool {
        let pause = pause(asked, self.polls);
        self.polls += 1;
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

/// A `Retry-After` of zero names no pause: some servers mean "soon" by it.
fn pause(asked: Option<Duration>, polls: usize) -> Duration {
    match asked {
        Some(asked) if !asked.is_zero() => asked.min(LONGEST),
        _ => Duration::from_millis(PAUSES[polls.min(PAUSES.len() - 1)]),
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
