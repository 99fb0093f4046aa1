//! Times on the wire: RFC 3339 in UTC at whole seconds, which every client can parse.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serializer};

/// Go's zero time, which `step` sends for "not set": 0001-01-01T00:00:00Z.
const GO_ZERO: i64 = -62_135_596_800;

/// A time that may be absent, null, or Go's zero.
pub(super) mod optional {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => to.collect_str(&whole(*time)),
            None => to.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let time = Option::<Timestamp>::deserialize(from)?;
        Ok(time.filter(|time| time.as_second() != GO_ZERO))
    }
}

/// Writes a required time.
pub(super) fn exact<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&whole(*time))
}

fn whole(time: Timestamp) -> Timestamp {
    let second = time.as_nanosecond().div_euclid(1_000_000_000);
    i64::try_from(second)
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok())
        .unwrap_or(time)
}
