//! `[rate_limits]` of riser.toml: how often something may be asked for (RFC 8555 §6.6).

use std::time::Duration;

use acme::rate::Rate;
use serde_json::Value;

use crate::config::section::{Section, Unknown, is_url};

/// `[rate_limits]`: how often something may be asked for; `None` has no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimits {
    /// `help`: a URL for those who are refused, shown as `Link rel="help"`.
    pub help: Option<String>,
    /// `accounts_per_address`: new accounts from one IPv4 address or IPv6 /64, 30,000 in 3 h.
    pub accounts_per_address: Option<Rate>,
    /// `orders_per_account`: new orders, and authorizations ahead of one, of one account, 30,000 in 3 h.
    pub orders_per_account: Option<Rate>,
    /// `orders_per_name`: new orders of one account that have this name, 10,000 in 1 h.
    pub orders_per_name: Option<Rate>,
    /// `unfinished_orders_per_account`: orders of one account that have not ended, 20,000 in 24 h.
    pub unfinished_orders_per_account: Option<Rate>,
    /// `finalizations_per_account`: requests of one account to finalize an order, 60,000 in 3 h.
    pub finalizations_per_account: Option<Rate>,
    /// `caa_lookups_per_account`: names whose CAA records are looked up for one account, 300,000 in 3 h.
    pub caa_lookups_per_account: Option<Rate>,
    /// `failures_per_name`: failed validations of one account for one name, 300 in 1 h.
    pub failures_per_name: Option<Rate>,
    /// `validations_per_account`: validations of one account at a time, 4,096.
    pub validations_per_account: usize,
}

impl RateLimits {
    /// No limits: `"off"`.
    #[must_use]
    pub const fn off() -> Self {
        Self {
            help: None,
            accounts_per_address: None,
            orders_per_account: None,
            orders_per_name: None,
            unfinished_orders_per_account: None,
            finalizations_per_account: None,
            caa_lookups_per_account: None,
            failures_per_name: None,
            validations_per_account: usize::MAX,
        }
    }
}

impl Default for RateLimits {
    /// Ten thousand machines behind one address or with one account, each with a certificate a day, never meet these,
    /// not even when all begin anew at once.
    fn default() -> Self {
        Self {
            help: None,
            accounts_per_address: per_hours(30_000, 3),
            orders_per_account: per_hours(30_000, 3),
            orders_per_name: per_hours(10_000, 1),
            unfinished_orders_per_account: per_hours(20_000, 24),
            finalizations_per_account: per_hours(60_000, 3),
            caa_lookups_per_account: per_hours(300_000, 3),
            failures_per_name: per_hours(300, 1),
            validations_per_account: 4096,
        }
    }
}

const fn per_hours(count: u32, hours: u64) -> Option<Rate> {
    let per = Duration::from_hours(hours);
    Some(Rate { count, per })
}

/// Reads `rate_limits`: a table, or the word `"off"`.
pub(super) fn read_from(top: &mut Section<'_>) -> RateLimits {
    if top.value("rate_limits").and_then(Value::as_str) == Some(OFF) {
        return RateLimits::off();
    }
    top.section("rate_limits").map(read).unwrap_or_default()
}

fn read(mut section: Section<'_>) -> RateLimits {
    let default = RateLimits::default();
    let help = help(&mut section);
    let mut limit = |key, default| match section.value(key) {
        None => default,
        Some(value) if value.as_str() == Some(OFF) => None,
        Some(_) => rate(&mut section, key),
    };
    let limits = RateLimits {
        help,
        accounts_per_address: limit("accounts_per_address", default.accounts_per_address),
        orders_per_account: limit("orders_per_account", default.orders_per_account),
        orders_per_name: limit("orders_per_name", default.orders_per_name),
        unfinished_orders_per_account: limit(
            "unfinished_orders_per_account",
            default.unfinished_orders_per_account,
        ),
        finalizations_per_account: limit(
            "finalizations_per_account",
            default.finalizations_per_account,
        ),
        caa_lookups_per_account: limit("caa_lookups_per_account", default.caa_lookups_per_account),
        failures_per_name: limit("failures_per_name", default.failures_per_name),
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
    if !is_url(&url) {
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
            "must be a count and a time, { count = 10, per = \"1h\" }, or \"off\"",
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

/// The word for no limit.
const OFF: &str = "off";

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
        let default = RateLimits::default();
        assert_eq!(limits.accounts_per_address, default.accounts_per_address);
    }

    #[test]
    fn off_is_one_word_for_one_limit_and_for_all() {
        let (limits, faults) = limits("orders_per_account = \"off\"");
        assert_eq!(faults, [] as [String; 0]);
        assert_eq!(limits.orders_per_account, None);
        let table = serde_json::json!({"rate_limits": "off"});
        let log = Log::new("riser.toml");
        let mut top = Section::new(table.as_object().unwrap(), "", &log);
        assert_eq!(read_from(&mut top), RateLimits::off());
        assert!(log.into_parts().0.is_empty());
    }

    #[test]
    fn ten_thousand_machines_that_begin_at_once_meet_no_default() {
        let limits = RateLimits::default();
        for rate in [
            limits.accounts_per_address,
            limits.orders_per_account,
            limits.orders_per_name,
            limits.unfinished_orders_per_account,
            limits.finalizations_per_account,
            // Names of five labels.
            limits.caa_lookups_per_account.map(|rate| Rate {
                count: rate.count / 5,
                ..rate
            }),
        ] {
            assert!(rate.unwrap().count >= 10_000);
        }
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
