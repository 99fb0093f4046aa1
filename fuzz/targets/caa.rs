//! CAA records at `foo.lab`, one per line as `FLAGS TAG VALUE`: whether they allow this authority, also
//! for names below and for wildcards.

use std::collections::BTreeMap;

use acme::Identifier;
use acme::caa::{Answer, Context, Record, judge};
use acme::challenge::Method;
use acme::issue_value::IssueValue;

const ACCOUNT: &str = "https://ca.lab/acme/acme/account/1";

/// Judges the octets as the records of a name.
pub fn check(octets: &[u8]) -> bool {
    let text = String::from_utf8_lossy(octets);
    let records: Vec<Record> = text.lines().filter_map(record).collect();
    let facts = BTreeMap::from([
        ("www.foo.lab".to_owned(), Vec::new()),
        ("foo.lab".to_owned(), records.clone()),
        ("lab".to_owned(), Vec::new()),
    ]);
    let issuers = ["ca.lab".to_owned()];
    let allowed = |name: &str| {
        let cx = Context {
            issuers: &issuers,
            account_url: ACCOUNT,
            hosts: &issuers,
            method: Some(Method::Dns01),
        };
        let identifier = Identifier::parse("dns", name).expect("a name");
        match judge(&identifier, &cx, &facts) {
            Answer::Allowed => true,
            Answer::Refused(problem) => {
                let most = 500 + 400 * records.len().min(3);
                assert!(problem.detail.len() < most, "a record is shown in full");
                false
            }
            Answer::Ask(name) => panic!("the lookup of {name} is repeated or not needed"),
        }
    };
    let plain = allowed("foo.lab");
    assert_eq!(plain, may(&records, "issue"));
    assert_eq!(allowed("www.foo.lab"), plain, "the tree is climbed");
    let has_wild = records
        .iter()
        .any(|r| r.tag.eq_ignore_ascii_case("issuewild"));
    let wild = if has_wild { "issuewild" } else { "issue" };
    assert_eq!(allowed("*.foo.lab"), may(&records, wild));
    plain
}

fn record(line: &str) -> Option<Record> {
    let mut words = line.splitn(3, ' ');
    let flags: u8 = words.next()?.parse().ok()?;
    Some(Record {
        critical: flags & 128 != 0,
        tag: words.next()?.to_owned(),
        value: words.next()?.to_owned(),
    })
}

/// The rules again, in their simplest form.
fn may(records: &[Record], tag: &str) -> bool {
    let known =
        |r: &Record| ["issue", "issuewild", "iodef"].contains(&r.tag.to_ascii_lowercase().as_str());
    if records.iter().any(|r| r.critical && !known(r)) {
        return false;
    }
    let mut about = records
        .iter()
        .filter(|r| r.tag.eq_ignore_ascii_case(tag))
        .peekable();
    about.peek().is_none() || about.any(|r| is_good(&r.value))
}

fn is_good(text: &str) -> bool {
    let Ok(value) = IssueValue::parse(text) else {
        return false;
    };
    let is = |tag: &str, good: &dyn Fn(&str) -> bool| value.parameter(tag).is_none_or(good);
    let ours = |uri: &str| {
        let rest = uri
            .strip_prefix("https://")
            .and_then(|rest| rest.split_once('/'));
        rest.is_some_and(|(authority, path)| {
            let host = authority.split(':').next().unwrap_or_default();
            path == "acme/acme/account/1"
                && !authority.contains('@')
                && host.eq_ignore_ascii_case("ca.lab")
        })
    };
    value.issuer.as_deref() == Some("ca.lab")
        && value.repeated().is_none()
        && is("accounturi", &ours)
        && is("validationmethods", &|methods| {
            methods.split(',').any(|m| m == "dns-01")
        })
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn any_records_are_judged_and_only_valid_ones_allow() {
        run::nearly_valid("caa");
    }
}
