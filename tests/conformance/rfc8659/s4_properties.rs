//! RFC 8659 §4: properties of records.

use acceptance::dns::{Answer, CaaRecord};

use super::{account, finalize, issued, with_records};
use crate::conformance::rfc8555::{start, value};
use crate::conformance::subject::{refused, subject};

/// One record that names this authority is enough (§4.2).
#[test]
fn a_record_with_our_name_allows() {
    issued(&with_records(
        "one.allow-caa.test",
        &[CaaRecord::new("issue", "ca.example")],
    ));
    issued(&with_records(
        "two.allow-caa.test",
        &[
            CaaRecord::new("issue", "other.example"),
            CaaRecord::critical("ISSUE", " CA.example ; x=1"),
        ],
    ));
    issued(&with_records(
        "iodef.allow-caa.test",
        &[CaaRecord::critical("iodef", "mailto:a@b.test")],
    ));
    issued(&with_records(
        "new.allow-caa.test",
        &[CaaRecord::new("new", "x")],
    ));
}

/// An empty issuer, another one, or a value that cannot be parsed permits no issuer (§4.2); the refusal
/// quotes the record and names the one to add.
#[test]
fn a_record_without_our_name_forbids() {
    for (n, value) in [";", "", "other.example", "ca.example; =", "%%"]
        .into_iter()
        .enumerate()
    {
        let name = format!("n{n}.forbid-caa.test");
        let detail = refused(
            &with_records(&name, &[CaaRecord::new("issue", value)]),
            403,
            "caa",
        );
        assert!(
            detail.contains(&format!("`CAA 0 issue {value:?}`")),
            "{detail}"
        );
        assert!(
            detail.contains(&format!("`{name}. CAA 0 issue \"ca.example\"`")),
            "{detail}"
        );
    }
}

/// A critical record that is not understood forbids, whatever the other records are (§4.1).
#[test]
fn a_critical_record_that_is_unknown_forbids() {
    let records = [
        CaaRecord::new("issue", "ca.example"),
        CaaRecord::critical("tbs", "unknown"),
    ];
    let detail = refused(&with_records("x.critical-caa.test", &records), 403, "caa");
    assert!(
        detail.contains("`CAA 128 tbs \"unknown\"` is critical"),
        "{detail}"
    );
}

/// What finalize answers for a wildcard, proven by dns-01, whose base has these records.
#[track_caller]
fn wildcard(base: &str, records: &[CaaRecord<'_>]) -> acceptance::https::Response {
    let account = account();
    let name = format!("*.{base}");
    let mut order = account.order(&[&name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.challenge(authorization, "dns-01").unwrap();
    let text = Answer::Text(vec![value(&account, &challenge)]);
    subject().dns.set(&format!("_acme-challenge.{base}"), text);
    assert_eq!(start(&account, &challenge)["status"], "valid");
    order.body = account.post(&order.url, None).json();
    subject().dns.set(base, Answer::caa(records));
    finalize(&account, &order, &[&name])
}

/// Wildcards go by issuewild where there is one, else by issue, at their base; other names never by
/// issuewild (§4.3).
#[test]
fn a_wildcard_goes_by_issuewild() {
    let (yes, no) = ("ca.example", ";");
    issued(&wildcard(
        "a.wild-caa.test",
        &[
            CaaRecord::new("issue", no),
            CaaRecord::new("issuewild", yes),
        ],
    ));
    let forbidden = wildcard(
        "b.wild-caa.test",
        &[
            CaaRecord::new("issue", yes),
            CaaRecord::new("issuewild", no),
        ],
    );
    let detail = refused(&forbidden, 403, "caa");
    assert!(detail.contains("CAA forbids *.b.wild-caa.test"), "{detail}");
    refused(
        &wildcard("c.wild-caa.test", &[CaaRecord::new("issue", no)]),
        403,
        "caa",
    );
    issued(&with_records(
        "d.wild-caa.test",
        &[CaaRecord::new("issuewild", no)],
    ));
}
