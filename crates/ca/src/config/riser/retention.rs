//! `[retention]`: how long records stay that have served their purpose.

use jiff::SignedDuration;

use crate::config::section::{Section, Unknown};
use crate::go_duration;

/// `[retention]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// `orders`: how long orders and authorizations stay after they have expired, 7 days.
    pub orders: SignedDuration,
    /// `certificates`: how long certificates stay after they have expired; for good if none.
    pub certificates: Option<SignedDuration>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            orders: SignedDuration::from_hours(7 * 24),
            certificates: None,
        }
    }
}

/// Reads the table.
pub(super) fn read(mut section: Section<'_>) -> Retention {
    let default = Retention::default();
    let retention = Retention {
        orders: age(&mut section, "orders").unwrap_or(default.orders),
        certificates: age(&mut section, "certificates"),
    };
    section.finish(Unknown::Fault);
    retention
}

/// A number of days, such as `90d`, or a duration.
fn age(section: &mut Section<'_>, key: &str) -> Option<SignedDuration> {
    let text = section.text(key)?;
    let days = text.strip_suffix('d').map(str::parse::<u16>);
    let age = match days {
        Some(Ok(days)) => Some(SignedDuration::from_hours(24 * i64::from(days))),
        Some(Err(_)) => None,
        None => go_duration::parse(&text).ok(),
    };
    match age {
        Some(age) if age > SignedDuration::ZERO => Some(age),
        Some(_) | None => {
            let what =
                format!("{text:?} is not an age; write it like \"90d\" or \"36h\", greater than 0");
            section.fault(key, what);
            None
        }
    }
}
