//! Replay nonces (RFC 8555 §6.5): counters under a MAC, spent ones remembered as bits.
//!
//! Nothing is stored: key and epoch are drawn at start, so a nonce of an earlier process
//! is refused with a fresh one. Nonces for several nodes are not here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;

use crate::error::Error;
use crate::port::{self, NonceRejected, Spent};

/// The nonces of one process: what it has handed out and what has come back.
pub struct Nonces {
    key: hmac::Key,
    epoch: [u8; 8],
    next: AtomicU64,
    /// Counters below this one are too old.
    floor: AtomicU64,
    spent: Box<[AtomicU64]>,
    marked: AtomicI64,
    marks: Mutex<VecDeque<Mark>>,
}

/// Counters below `counter` were handed out before `second`.
struct Mark {
    second: i64,
    counter: u64,
}

impl Nonces {
    /// Starts a series under a fresh `key` and `epoch` at UNIX second `now`.
    #[must_use]
    pub fn new(key: [u8; 32], epoch: [u8; 8], now: i64) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            epoch,
            next: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            spent: (0..RING / 64).map(|_| AtomicU64::new(0)).collect(),
            marked: AtomicI64::new(now),
            marks: Mutex::new(VecDeque::new()),
        }
    }

    /// A nonce that was never handed out: base64url(epoch ‖ counter ‖ MAC), 43 characters.
    fn draw(&self, now: i64) -> String {
        self.age(now);
        let counter = self.next.fetch_add(1, Ordering::AcqRel);
        let (word, bit) = place(counter);
        self.spent[word].fetch_and(!bit, Ordering::AcqRel);
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&self.epoch);
        bytes[8..16].copy_from_slice(&counter.to_be_bytes());
        bytes[16..].copy_from_slice(&self.mac(counter));
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Takes `nonce` once; a second time it is [`NonceRejected::Spent`].
    fn take(&self, nonce: &str, now: i64) -> Result<(), NonceRejected> {
        self.age(now);
        let counter = self.open(nonce).ok_or(NonceRejected::Unknown)?;
        let next = self.next.load(Ordering::Acquire);
        if counter >= next {
            return Err(NonceRejected::Unknown);
        }
        if next - counter > WINDOW || counter < self.floor.load(Ordering::Acquire) {
            return Err(NonceRejected::Stale);
        }
        let (word, bit) = place(counter);
        match self.spent[word].fetch_or(bit, Ordering::AcqRel) & bit {
            0 => Ok(()),
            _ => Err(NonceRejected::Spent),
        }
    }

    /// The counter of a nonce whose epoch and MAC are ours.
    fn open(&self, nonce: &str) -> Option<u64> {
        let bytes = BASE64URL_NOPAD.decode(nonce.as_bytes()).ok()?;
        let bytes: [u8; LENGTH] = bytes.try_into().ok()?;
        let counter = u64::from_be_bytes(bytes[8..16].try_into().ok()?);
        let ours = self.mac(counter);
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(&ours, &bytes[16..]).is_ok();
        (same && bytes[..8] == self.epoch).then_some(counter)
    }

    fn mac(&self, counter: u64) -> [u8; 16] {
        let mut message = [0; 16];
        message[..8].copy_from_slice(&self.epoch);
        message[8..].copy_from_slice(&counter.to_be_bytes());
        let tag = hmac::sign(&self.key, &message);
        let mut mac = [0; 16];
        mac.copy_from_slice(&tag.as_ref()[..16]);
        mac
    }

    /// Raises the floor over what was handed out more than an hour ago.
    fn age(&self, now: i64) {
        if now - self.marked.load(Ordering::Acquire) < MARK_SECONDS {
            return;
        }
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.marked.load(Ordering::Acquire);
        if now - last < MARK_SECONDS {
            return;
        }
        // Each issue marks first, so all below `next` is older than one interval after the last mark.
        marks.push_back(Mark {
            second: last + MARK_SECONDS,
            counter: self.next.load(Ordering::Acquire),
        });
        self.marked.store(now, Ordering::Release);
        while let Some(mark) = marks.front()
            && mark.second + LIFE_SECONDS <= now
        {
            self.floor.store(mark.counter, Ordering::Release);
            marks.pop_front();
        }
    }
}

impl port::Nonces for Nonces {
    async fn issue(&self, now: Timestamp) -> Result<String, Error> {
        Ok(self.draw(now.as_second()))
    }

    async fn spend(&self, nonce: &str, now: Timestamp) -> Result<Spent, Error> {
        Ok(match self.take(nonce, now.as_second()) {
            Ok(()) => Spent::Accepted,
            Err(why) => Spent::Rejected(why),
        })
    }
}

fn place(counter: u64) -> (usize, u64) {
    let index = counter % RING;
    (
        usize::try_from(index / 64).unwrap_or_default(),
        1 << (index % 64),
    )
}

const LENGTH: usize = 32;
/// Bits remembered: half a mebibyte of memory.
const RING: u64 = 1 << 22;
/// Half the ring, so that a bit is never cleared while its last owner may still be spent.
const WINDOW: u64 = RING / 2;
const MARK_SECONDS: i64 = 60;
const LIFE_SECONDS: i64 = 3600;

#[cfg(test)]
mod tests {
    use super::*;

    fn nonces() -> Nonces {
        Nonces::new([7; 32], [1; 8], 1_000)
    }

    #[test]
    fn a_nonce_is_taken_once() {
        let nonces = nonces();
        let one = nonces.draw(1_000);
        assert_eq!(one.len(), 43);
        assert_eq!(nonces.take(&one, 1_001), Ok(()));
        assert_eq!(nonces.take(&one, 1_001), Err(NonceRejected::Spent));
    }

    #[test]
    fn sixteen_threads_with_one_nonce_pass_once() {
        let nonces = nonces();
        let one = nonces.draw(1_000);
        let passed = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| nonces.take(&one, 1_000).is_ok()))
                .collect();
            threads
                .into_iter()
                .map(|t| t.join().unwrap())
                .filter(|ok| *ok)
                .count()
        });
        assert_eq!(passed, 1);
    }

    #[test]
    fn a_nonce_of_another_process_or_an_altered_one_is_unknown() {
        let ours = nonces();
        let theirs = Nonces::new([8; 32], [2; 8], 1_000);
        assert_eq!(
            ours.take(&theirs.draw(1_000), 1_000),
            Err(NonceRejected::Unknown)
        );
        assert_eq!(ours.take("", 1_000), Err(NonceRejected::Unknown));
        let mut altered = ours.draw(1_000).into_bytes();
        altered[12] ^= 1;
        let altered = String::from_utf8(altered).unwrap();
        assert_eq!(ours.take(&altered, 1_000), Err(NonceRejected::Unknown));
    }

    #[test]
    fn a_nonce_is_stale_after_an_hour_without_requests() {
        let nonces = nonces();
        let early = nonces.draw(1_030);
        assert_eq!(
            nonces.take(&early, 1_030 + 2 * LIFE_SECONDS),
            Err(NonceRejected::Stale)
        );
        let late = nonces.draw(1_030 + 2 * LIFE_SECONDS);
        assert_eq!(nonces.take(&late, 1_040 + 2 * LIFE_SECONDS), Ok(()));
    }

    #[test]
    fn a_nonce_of_half_an_hour_is_accepted() {
        let nonces = nonces();
        let one = nonces.draw(1_000);
        nonces.draw(1_100);
        assert_eq!(nonces.take(&one, 1_000 + LIFE_SECONDS / 2), Ok(()));
    }

    #[test]
    fn a_nonce_is_stale_after_a_full_window_of_others() {
        let nonces = nonces();
        let one = nonces.draw(1_000);
        nonces.next.fetch_add(WINDOW, Ordering::AcqRel);
        assert_eq!(nonces.take(&one, 1_000), Err(NonceRejected::Stale));
    }
}
