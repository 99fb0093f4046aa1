//! File descriptors: raises the limit to what the system allows, and reserves some for the store and the
//! prober.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Reserved for the store, configuration, logs, and validations, which may wait for 1,280 addresses at a time.
const RESERVED: usize = 2048;

/// Raises this process's limit to the maximum, and returns how many of `wanted` connections fit.
pub(super) fn room_for(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let granted = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    // `None` means no limit.
    let granted = granted.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let room = granted.saturating_sub(RESERVED).max(granted / 2).max(1);
    if room < wanted {
        tracing::warn!(
            "the limit of {granted} open files leaves room for {room} connections, not {wanted}"
        );
    }
    wanted.min(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_at_least_one_connection_and_never_for_more_than_configured() {
        assert_eq!(room_for(1), 1);
        assert!(room_for(usize::MAX) > 0);
    }
}
