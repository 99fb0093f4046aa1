//! dns-persist-01 (draft-ietf-acme-dns-persist): a persistent TXT record that names this authority
//! and the account, and needs no token.
//!
//! Records for other issuers are ignored; one valid record for this authority is enough.

use jiff::Timestamp;

use super::observation::{Observation, TxtProbe};
use super::txt::TxtLookup;
use super::{Context, Method, Properties, Verdict, report};
use crate::issue_value::{IssueValue, issuer_of};
use crate::problem::{Kind, quote};

/// Why a record for this authority does not prove the name.
struct Fault {
    kind: Kind,
    words: String,
}

/// What the method can prove, and what its challenges have.
pub(super) const PROPERTIES: Properties = Properties {
    word: "dns-persist-01",
    code: 5,
    names: true,
    wildcards: true,
    addresses: false,
    devices: false,
    // A persistent record would let a proof outlive the record's TTL, and states its own scope.
    serves_again: false,
    reaches_subdomains: false,
    has_token: false,
    judges_payload: false,
};

pub(super) fn ask(cx: &Context<'_>) -> TxtProbe {
    lookup(cx).probe()
}

pub(super) fn judge(cx: &Context<'_>, seen: &Observation) -> Verdict {
    let lookup = lookup(cx);
    let observation = match lookup.records(seen) {
        Ok(observation) => observation,
        Err(verdict) => return *verdict,
    };
    let mut fault = None;
    for value in observation.values.iter().filter(|value| is_ours(cx, value)) {
        match check(cx, value) {
            Ok(()) => return lookup.proven(observation),
            Err(found) => fault = fault.or(Some((value, found))),
        }
    }
    let (kind, what) = match fault {
        Some((value, Fault { kind, words })) => (
            kind,
            format!("found the value {}, but {words}", quote(value)),
        ),
        None => {
            let found = lookup.found(observation);
            (
                Kind::Unauthorized,
                format!("{found}, but no record for this issuer"),
            )
        }
    };
    let advice = format!("The value must be {}", quote(&lookup.wanted));
    let fault = report::Fault {
        kind,
        what: &what,
        advice: &advice,
    };
    Verdict::Retry(lookup.finding(observation, &fault))
}

/// Whether a record names this authority, even if the rest of it is invalid.
fn is_ours(cx: &Context<'_>, value: &str) -> bool {
    let named = issuer_of(value).trim_end_matches('.');
    let mut ours = cx.caa_identity.issuers.iter();
    ours.any(|issuer| issuer.eq_ignore_ascii_case(named))
}

fn check(cx: &Context<'_>, value: &str) -> Result<(), Fault> {
    let malformed = |words: String| Fault {
        kind: Kind::Malformed,
        words,
    };
    let unauthorized = |words: String| Fault {
        kind: Kind::Unauthorized,
        words,
    };
    let value = IssueValue::parse(value).map_err(|fault| malformed(fault.to_string()))?;
    if let Some(tag) = value.repeated() {
        return Err(malformed(format!("its parameter {tag} is repeated")));
    }
    let until = value.parameter("persistuntil").map(seconds).transpose();
    let until = until.map_err(malformed)?;
    match value.parameter("accounturi") {
        None => return Err(malformed("it has no accounturi".to_owned())),
        Some(account) if account != cx.caa_identity.account_url => {
            return Err(unauthorized(
                "its accounturi is that of another account".to_owned(),
            ));
        }
        Some(_) => {}
    }
    if until.is_some_and(|until| cx.now.as_second() > until) {
        return Err(unauthorized("its persistUntil is in the past".to_owned()));
    }
    let policy = value.parameter("policy").unwrap_or_default();
    if cx.identifier.is_wildcard() && !policy.eq_ignore_ascii_case("wildcard") {
        return Err(unauthorized(
            "a wildcard requires a record with policy=wildcard".to_owned(),
        ));
    }
    Ok(())
}

/// Seconds since 1970 in decimal digits; a number that is too large means the latest time.
fn seconds(text: &str) -> Result<i64, String> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "its persistUntil {} is not a number of seconds since 1970",
            quote(text)
        ));
    }
    Ok(text.parse().unwrap_or_else(|_| Timestamp::MAX.as_second()))
}

fn lookup<'a>(cx: &'a Context<'a>) -> TxtLookup<'a> {
    let issuer = cx.caa_identity.issuers.first().map_or("", String::as_str);
    let policy = if cx.identifier.is_wildcard() {
        "; policy=wildcard"
    } else {
        ""
    };
    TxtLookup {
        method: Method::DnsPersist01,
        cx,
        name: format!("_validation-persist.{}", cx.identifier.base()),
        wanted: format!(
            "{issuer}; accounturi={}{policy}",
            cx.caa_identity.account_url
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::txt::tests::{context, retry, seen};
    use super::super::{CaaIdentity, judge};
    use super::*;
    use crate::Problem;
    use crate::identifier::Identifier;

    const ACCOUNT: &str = "https://ca.lab/acme/acme/account/1";
    const MINE: &str = "ca.lab; accounturi=https://ca.lab/acme/acme/account/1";

    fn judged(name: &str, values: &[&str]) -> Verdict {
        let identifier = Identifier::parse("dns", name).unwrap();
        let caa_identity = CaaIdentity {
            account_url: ACCOUNT.into(),
            issuers: vec!["ca.lab".into(), "ca.example".into()],
        };
        let cx = context(&identifier, &caa_identity);
        judge(Method::DnsPersist01, &cx, &seen(values))
    }

    fn is_valid(name: &str, values: &[&str]) -> bool {
        matches!(judged(name, values), Verdict::Valid(_))
    }

    fn refused(name: &str, values: &[&str]) -> Problem {
        retry(judged(name, values)).problem
    }

    fn with(parameters: &str) -> String {
        format!("{MINE}; {parameters}")
    }

    #[test]
    fn the_record_is_under_its_own_label() {
        let identifier = Identifier::parse("dns", "*.foo.lab").unwrap();
        let caa_identity = CaaIdentity::default();
        let probe = ask(&context(&identifier, &caa_identity));
        assert_eq!(probe.name, "_validation-persist.foo.lab");
    }

    #[test]
    fn a_record_with_any_issuer_name_and_the_account_proves_the_name() {
        assert!(is_valid("foo.lab", &[MINE]));
        assert!(is_valid(
            "foo.lab",
            &[&MINE.replace("ca.lab;", "CA.example ;")]
        ));
        assert!(is_valid("foo.lab", &[&with("future=yes; policy=strict")]));
        assert!(is_valid(
            "foo.lab",
            &["other.lab; accounturi=x", "v=spf1", MINE]
        ));
        assert!(
            is_valid("foo.lab", &["ca.lab; broken", MINE]),
            "one is enough"
        );
    }

    #[test]
    fn a_wildcard_requires_policy_wildcard_in_any_letter_case() {
        for policy in ["policy=wildcard", "Policy=WildCard"] {
            assert!(is_valid("*.foo.lab", &[&with(policy)]));
            assert!(is_valid("foo.lab", &[&with(policy)]));
        }
        for record in [MINE.to_owned(), with("policy=wild")] {
            let problem = refused("*.foo.lab", &[&record]);
            assert_eq!(problem.kind, Kind::Unauthorized);
            assert!(problem.detail.contains("policy=wildcard"), "{problem}");
        }
    }

    #[test]
    fn a_record_is_valid_until_its_persist_until() {
        for until in ["1800000000", "1800000001", "99999999999999999999999"] {
            let record = with(&format!("persistUntil={until}"));
            assert!(is_valid("foo.lab", &[&record]), "{until}");
        }
        let problem = refused("foo.lab", &[&with("persistUntil=1799999999")]);
        assert_eq!(problem.kind, Kind::Unauthorized);
        assert!(
            problem.detail.contains("persistUntil is in the past"),
            "{problem}"
        );
    }

    #[test]
    fn an_invalid_record_for_this_authority_is_malformed() {
        for (record, word) in [
            ("ca.lab", "no accounturi"),
            (&with("a=1; A=2"), "is repeated"),
            (&with("accounturi=https://x"), "is repeated"),
            (&with("policy"), "no value"),
            (&with("persistUntil=-1"), "persistUntil"),
            (&with("persistUntil=1e9"), "persistUntil"),
            (&with("persistUntil="), "persistUntil"),
        ] {
            let problem = refused("foo.lab", &[record]);
            assert_eq!(problem.kind, Kind::Malformed, "{record}");
            assert!(problem.detail.contains(word), "{problem}");
        }
    }

    #[test]
    fn records_for_another_account_or_another_issuer_prove_nothing() {
        let theirs = format!("{MINE}2");
        let problem = refused("foo.lab", &[&theirs]);
        assert_eq!(problem.kind, Kind::Unauthorized);
        assert!(problem.detail.contains("another account"), "{problem}");
        let other = refused("foo.lab", &["other.lab; broken", "%%"]);
        assert_eq!(other.kind, Kind::Unauthorized);
        assert!(other.detail.contains("for this issuer"), "{other}");
        assert!(other.detail.contains(MINE), "the expected value: {other}");
    }
}
