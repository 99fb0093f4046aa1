//! `[rate_limits]` of riser.toml: how often something may be asked for (RFC 8555 §6.6).

use std::time::Duration;

use acme::rate::Rate;
use serde_json::Value;

use crate::config::section::{Section, Unknown};

/// `[rate_limits]`: how often something may be asked for; what is not said has no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimits {
    /// `help`: a URL for those who are refused, shown as `Link rel="help"`.
    pub help: Option<String>,
    /// `accounts_per_address`: new accounts from one IPv4 address or IPv6 /64.
    pub accounts_per_address: Option<Rate>,
    /// `orders_per_account`: new orders, and authorizations ahead of one, of one account.
    pub orders_per_account: Option<Rate>,
    /// `orders_per_name`: new orders of one account that have this name.
    pub orders_per_name: Option<Rate>,
    /// `failures_per_name`: failed validations of one account for one name.
    pub failures_per_name: Option<Rate>,
    /// `validations_per_account`: validations of one account at a time, 512.
    pub validations_per_account: usize,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            help: None,
            accounts_per_address: None,
            orders_per_account: None,
            orders_per_name: None,
            failures_per_name: None,
            validations_per_account: 512,
        }
    }
}

pub(super) fn read(mut section: Section<'_>) -> RateLimits {
    let default = RateLimits::default();
    let limits = RateLimits {
        help: help(&mut section),
        accounts_per_address: rate(&mut section, "accounts_per_address"),
        orders_per_account: rate(&mut section, "orders_per_account"),
        orders_per_name: rate(&mut section, "orders_per_name"),
        failures_per_name: rate(&mut section, "failures_per_name"),
        validations_per_account: section
            .whole("validations_per_account", 1..=1 << 20)
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(default.validations_per_account),
    };
    section.finish(Unknown::Fault);
    limits
}

fn help(section: &mut Section<'_>) -> Option<String> {
    let url = section.text("help")?;
    if !["https://", "http://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        let what = format!("{url:?} is no URL; write it like \"https://ca.example.com/limits\"");
        section.fault("help", what);
    }
    Some(url)
}

/// `{ count = 10, per = "1h" }`; both are needed.
fn rate(section: &mut Section<'_>, key: &str) -> Option<Rate> {
    let value = section.value(key)?;
    let Value::Object(table) = value else {
        section.fault(
            key,
            "must be a count and a time: { count = 10, per = \"1h\" }",
        );
        return None;
    };
    let mut section = Section::new(table, section.at(key), section.log());
    let count = section.whole("count", 1..=u64::from(u32::MAX));
    let per = section.positive("per");
    for (key, given) in [("count", count.is_some()), ("per", per.is_some())] {
        if !given && section.value(key).is_none() {
            section.fault(key, "is missing; write { count = 10, per = \"1h\" }");
        }
    }
    section.finish(Unknown::Fault);
    Some(Rate {
        count: u32::try_from(count?).ok()?,
        per: Duration::try_from(per?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::Log;

    fn limits(text: &str) -> (RateLimits, Vec<String>) {
        let table = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
        let log = Log::new("riser.toml");
        let limits = read(Section::new(
            table.as_object().unwrap(),
            "rate_limits",
            &log,
        ));
        let (faults, _) = log.into_parts();
        (limits, faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_limit_is_a_count_and_a_time() {
        let (limits, faults) = limits("orders_per_account = { count = 300, per = \"3h\" }");
        assert_eq!(faults, [] as [String; 0]);
        let expected = Rate {
            count: 300,
            per: Duration::from_secs(3 * 3600),
        };
        assert_eq!(limits.orders_per_account, Some(expected));
        assert_eq!(limits.accounts_per_address, None);
    }

    #[test]
    fn half_a_limit_is_a_fault() {
        let (_, faults) = limits(
            "help = \"see the wiki\"\naccounts_per_address = 5\n\
             orders_per_account = { count = 0, per = \"3h\" }\n\
             orders_per_name = { count = 1 }\n\
             failures_per_name = { per = \"1h\", burst = 2 }",
        );
        let places: Vec<_> = faults
            .iter()
            .filter_map(|found| found.split(": ").nth(1))
            .collect();
        assert_eq!(
            places,
            [
                "rate_limits.help",
                "rate_limits.accounts_per_address",
                "rate_limits.orders_per_account.count",
                "rate_limits.orders_per_name.per",
                "rate_limits.failures_per_name.count",
                "rate_limits.failures_per_name.burst",
            ]
        );
    }
}
