//! Times on the wire: RFC 3339 in UTC at whole seconds, which every client can parse.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

use crate::requested_time::RequestedTime;

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
            Some(time) => RequestedTime::from(*time).serialize(to),
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
    RequestedTime::from(*time).serialize(to)
}

/// A requested time that may be absent, null, or Go's zero.
pub(super) mod requested {
    use super::*;

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<RequestedTime>, D::Error> {
        let time = Option::<RequestedTime>::deserialize(from)?;
        Ok(time.filter(|time| time.at().as_second() != GO_ZERO))
    }
}
