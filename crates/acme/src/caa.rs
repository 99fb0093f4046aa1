//! CAA (RFC 8659, RFC 8657): which authorities may issue for a name, by the records of its zone.
//!
//! The tree is climbed by [`Answer::Ask`] until the relevant records are known. Not here: the
//! lookups, and the handling of outages.

use std::collections::BTreeMap;

use crate::challenge::{Failure, Method, report};
use crate::identifier::Identifier;
use crate::issue_value::IssueValue;
use crate::problem::{Kind, Problem, Subproblem, quote};

/// One CAA record (RFC 8659 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whether an authority that does not know the tag must not issue.
    pub critical: bool,
    /// Its tag: `issue`, `issuewild`, `iodef` or another.
    pub tag: String,
    /// Its value, invalid UTF-8 replaced.
    pub value: String,
}

/// The results of lookups so far: the records of each name, aliases followed; empty for a name
/// that has no records or does not exist.
pub type Facts = BTreeMap<String, Vec<Record>>;

/// The authority, the account and the method of an issuance.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The issuer domain names of this authority, in lower case.
    pub issuers: &'a [String],
    /// The account's URL as the client uses it.
    pub account_url: &'a str,
    /// The hosts of this authority: the account's URL may have any of them.
    pub hosts: &'a [String],
    /// The method that proved the identifier; none if no challenge did.
    pub method: Option<Method>,
}

/// The verdict for one identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The CAA records of this name are needed, aliases followed.
    Ask(String),
    /// No record forbids it.
    Allowed,
    /// Records forbid it: which ones, at which name, and what to do.
    Refused(Subproblem),
}

/// Judges one identifier: a wildcard by its base, `issuewild` first; an address is always allowed
/// (RFC 8659 §3, §4.3). A name without records on its [`CLIMB`] lowest levels that has more levels is refused.
pub fn judge(identifier: &Identifier, cx: &Context<'_>, facts: &Facts) -> Answer {
    let Some(base) = identifier.host_name() else {
        return Answer::Allowed;
    };
    let mut next = Some(base.as_str());
    for _ in 0..CLIMB {
        let Some(name) = next else {
            return Answer::Allowed;
        };
        match facts.get(name) {
            None => return Answer::Ask(name.to_owned()),
            Some(records) if records.is_empty() => {}
            Some(records) => {
                let found = Found {
                    owner: name,
                    records,
                };
                return decide(identifier, found, cx);
            }
        }
        next = name.split_once('.').map(|(_, parent)| parent);
    }
    next.map_or(Answer::Allowed, |_| Answer::Refused(too_deep(identifier)))
}

/// The refusal of a name whose tree is not climbed to its root.
fn too_deep(identifier: &Identifier) -> Subproblem {
    Subproblem {
        kind: Kind::Caa,
        detail: format!(
            "{identifier} has more than {CLIMB} labels and no CAA records on its {CLIMB} lowest levels, and \
             no more levels are looked up: use a shorter name, or add a CAA record to it."
        ),
        identifier: Some(identifier.clone().into()),
    }
}

/// How many levels of the tree are looked up for one name.
pub const CLIMB: usize = 16;

/// The problem of an order with these forbidden names, at least one.
pub fn problem(refused: Vec<Subproblem>) -> Problem {
    let detail = match refused.as_slice() {
        [one] => one.detail.clone(),
        several => format!(
            "CAA records forbid {} of the names: see the subproblems for the records and the \
             advice.",
            several.len()
        ),
    };
    let start = Problem::new(Kind::Caa, detail);
    refused.into_iter().fold(start, Problem::with_subproblem)
}

/// The problem of a name whose records could not be looked up: an outage, which is temporary.
pub fn unanswered(name: &str, failure: &Failure) -> Problem {
    let mut results: Vec<_> = report::resolution(&failure.trace).into_iter().collect();
    if !failure.words.is_empty() {
        results.push(failure.words.clone());
    }
    if results.is_empty() {
        results.push("no server could be queried".to_owned());
    }
    Problem::new(
        Kind::Dns,
        format!(
            "The CAA records of {name} could not be looked up: {}. Check that resolver and the \
             name's zone: try `dig CAA {name}` on the CA's host.",
            results.join("; ")
        ),
    )
}

/// The records that apply to a name, and their owner name.
#[derive(Clone, Copy)]
struct Found<'a> {
    owner: &'a str,
    records: &'a [Record],
}

/// Judges by the relevant records (RFC 8659 §4).
fn decide(identifier: &Identifier, found: Found<'_>, cx: &Context<'_>) -> Answer {
    let Found { owner, records } = found;
    let refused = |what: &str, advice: &str| {
        let at = if identifier.base() == owner {
            owner.to_owned()
        } else {
            format!("{owner}, a parent of {identifier}")
        };
        Answer::Refused(Subproblem {
            kind: Kind::Caa,
            detail: format!("CAA forbids {identifier}: at {at}, {what}. {advice}"),
            identifier: Some(identifier.clone().into()),
        })
    };
    let unknown = records.iter().find(|r| r.critical && !is_known(&r.tag));
    if let Some(record) = unknown {
        return refused(
            &format!(
                "{} is critical, and this CA does not support its tag",
                shown(record)
            ),
            "Remove the record or its critical flag (RFC 8659 §4.1).",
        );
    }
    let relevant = relevant(records, identifier.is_wildcard());
    if relevant.is_empty() {
        return Answer::Allowed;
    }
    let mut faults = Vec::new();
    for record in relevant {
        match fault(&record.value, cx) {
            None => return Answer::Allowed,
            Some(fault) => faults.push(format!("{} {fault}", shown(record))),
        }
    }
    let more = faults.len().saturating_sub(SHOWN);
    faults.truncate(SHOWN);
    if more > 0 {
        faults.push(format!("{more} more records do not allow it either"));
    }
    refused(&faults.join("; "), &advice(owner, identifier, cx))
}

/// The records that restrict issuance: for a wildcard `issuewild` if there is one (RFC 8659 §4.3).
fn relevant(records: &[Record], wildcard: bool) -> Vec<&Record> {
    let of = |tag: &str| -> Vec<&Record> {
        let all = records.iter();
        all.filter(|r| r.tag.eq_ignore_ascii_case(tag)).collect()
    };
    let wild = if wildcard { of(WILDCARDS) } else { Vec::new() };
    if wild.is_empty() { of(NAMES) } else { wild }
}

/// Why a value does not allow this authority to issue to this account; none if it does.
fn fault(text: &str, cx: &Context<'_>) -> Option<String> {
    let value = match IssueValue::parse(text) {
        Ok(value) => value,
        Err(why) => return Some(format!("is invalid ({why}), so it allows no authority")),
    };
    let Some(issuer) = value.issuer.as_deref() else {
        return Some("allows no authority".to_owned());
    };
    if !cx.issuers.iter().any(|ours| ours == issuer) {
        return Some("allows another authority".to_owned());
    }
    if let Some(tag) = value.repeated() {
        return Some(format!("repeats {tag}, so it allows no authority"));
    }
    if let Some(uri) = value.parameter("accounturi")
        && !is_account(uri, cx)
    {
        return Some(format!("allows another account than {}", cx.account_url));
    }
    let methods = value.parameter("validationmethods")?;
    let Some(used) = cx.method.map(Method::as_str) else {
        return Some(
            "requires a validation method, and the name was authorized by an operator's permit"
                .to_owned(),
        );
    };
    if methods.split(',').any(|method| method == used) {
        return None;
    }
    Some(format!("does not allow validation by {used}"))
}

/// Whether a URI is the account's URL (RFC 8657 §3), with any host of this authority.
fn is_account(uri: &str, cx: &Context<'_>) -> bool {
    if uri == cx.account_url {
        return true;
    }
    let (Some((authority, path)), Some((_, own))) = (split(uri), split(cx.account_url)) else {
        return false;
    };
    let host = host(authority);
    path == own
        && !authority.contains('@')
        && cx.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host))
}

/// The authority and the path of an `https` URL.
fn split(url: &str) -> Option<(&str, &str)> {
    url.strip_prefix("https://")?.split_once('/')
}

/// The host of an authority, without the brackets of IPv6.
fn host(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

fn advice(owner: &str, identifier: &Identifier, cx: &Context<'_>) -> String {
    let tag = if identifier.is_wildcard() {
        WILDCARDS
    } else {
        NAMES
    };
    match cx.issuers.first() {
        Some(ours) => format!(
            "Add the record `{owner}. CAA 0 {tag} \"{ours}\"` to the zone, or use an authority that \
             is allowed."
        ),
        None => {
            "This CA has no name for CAA records: ask its operator to configure one.".to_owned()
        }
    }
}

fn shown(record: &Record) -> String {
    let flags = if record.critical { 128 } else { 0 };
    let tag = quote(&record.tag);
    format!(
        "`CAA {flags} {} {}`",
        tag.trim_matches('"'),
        quote(&record.value)
    )
}

fn is_known(tag: &str) -> bool {
    [NAMES, WILDCARDS, "iodef"]
        .iter()
        .any(|known| tag.eq_ignore_ascii_case(known))
}

/// The most records that are quoted in a detail.
const SHOWN: usize = 3;
/// The tag for all names (RFC 8659 §4.2).
const NAMES: &str = "issue";
/// The tag for wildcards (RFC 8659 §4.3).
const WILDCARDS: &str = "issuewild";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const URL: &str = "https://ca.lab/acme/acme/account/7";

    fn judged(name: &str, facts: &Facts, method: Method) -> Answer {
        let issuers = ["ca.lab".to_owned(), "ca.example".to_owned()];
        let hosts = ["ca.lab".to_owned(), "10.0.0.1".to_owned(), "::1".to_owned()];
        let cx = Context {
            issuers: &issuers,
            account_url: URL,
            hosts: &hosts,
            method: Some(method),
        };
        judge(&Identifier::guess(name).unwrap(), &cx, facts)
    }

    fn record(tag: &str, value: &str) -> Record {
        Record {
            critical: false,
            tag: tag.to_owned(),
            value: value.to_owned(),
        }
    }

    /// The answer for a name with these records.
    fn at(name: &str, records: &[Record]) -> Answer {
        let base = name.trim_start_matches("*.").to_owned();
        let facts = Facts::from([(base, records.to_vec())]);
        judged(name, &facts, Method::Http01)
    }

    fn issue(value: &str) -> Answer {
        at("a.lab", &[record("issue", value)])
    }

    #[track_caller]
    fn refused(answer: Answer, words: &str) {
        let Answer::Refused(problem) = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(problem.kind, Kind::Caa);
        assert!(problem.detail.contains(words), "{}", problem.detail);
    }

    #[test]
    fn the_tree_is_climbed_to_the_child_of_the_root() {
        let mut facts = Facts::new();
        for name in ["x.y.lab", "y.lab", "lab"] {
            let asked = judged("x.y.lab", &facts, Method::Http01);
            assert_eq!(asked, Answer::Ask(name.to_owned()));
            facts.insert(name.to_owned(), Vec::new());
        }
        assert_eq!(judged("x.y.lab", &facts, Method::Http01), Answer::Allowed);
        facts.insert("lab".to_owned(), vec![record("issue", ";")]);
        let above = judged("x.y.lab", &facts, Method::Http01);
        refused(above, "at lab, a parent of x.y.lab");
        facts.insert("y.lab".to_owned(), vec![record("issue", "ca.lab")]);
        assert_eq!(judged("x.y.lab", &facts, Method::Http01), Answer::Allowed);
    }

    #[test]
    fn only_the_first_records_are_quoted_and_the_others_counted() {
        let records = vec![record("issue", "other.example"); 400];
        let answer = at("a.lab", &records);
        refused(
            answer.clone(),
            "; 397 more records do not allow it either. Add the",
        );
        let Answer::Refused(problem) = answer else {
            unreachable!("it is refused");
        };
        assert!(problem.detail.len() < 600, "{}", problem.detail);
        refused(at("a.lab", &records[..1]), "another authority. Add the");
    }

    #[test]
    fn a_permit_is_not_a_method_that_a_record_can_allow() {
        let cx = Context {
            issuers: &["ca.lab".to_owned()],
            account_url: URL,
            hosts: &[],
            method: None,
        };
        for methods in ["", ",", "http-01"] {
            let value = format!("ca.lab; validationmethods={methods}");
            let facts = Facts::from([("a.lab".to_owned(), vec![record("issue", &value)])]);
            let answer = judge(&Identifier::guess("a.lab").unwrap(), &cx, &facts);
            refused(answer, "an operator's permit");
        }
    }

    #[test]
    fn addresses_have_no_records() {
        let answer = judged("192.0.2.1", &Facts::new(), Method::Http01);
        assert_eq!(answer, Answer::Allowed);
    }

    #[test]
    fn one_allowing_record_is_enough_and_no_issue_record_is_needed() {
        let other = record("issue", "other.lab");
        assert_eq!(issue("CA.lab"), Answer::Allowed);
        assert_eq!(
            at("a.lab", &[other.clone(), record("ISSUE", "ca.example")]),
            Answer::Allowed
        );
        assert_eq!(
            at("a.lab", &[record("iodef", "mailto:a@lab")]),
            Answer::Allowed
        );
        assert_eq!(at("a.lab", &[record("new", "x")]), Answer::Allowed);
        refused(
            at("a.lab", &[other]),
            "`CAA 0 issue \"other.lab\"` allows another authority",
        );
        for none in [";", "", " ; ", "; accounturi=x"] {
            refused(issue(none), "allows no authority");
        }
        refused(issue("%%%"), "is invalid");
        refused(issue("ca.lab; ;"), "is invalid");
    }

    #[test]
    fn issuewild_applies_to_wildcards_only() {
        let (yes, no) = ("ca.lab", ";");
        for (name, issue, wild, allowed) in [
            ("*.a.lab", yes, no, false),
            ("*.a.lab", no, yes, true),
            ("a.lab", yes, no, true),
            ("a.lab", no, yes, false),
        ] {
            let answer = at(name, &[record("issue", issue), record("issuewild", wild)]);
            assert_eq!(answer == Answer::Allowed, allowed, "{name} {issue} {wild}");
        }
        assert_eq!(at("a.lab", &[record("issuewild", no)]), Answer::Allowed);
        refused(
            at("*.a.lab", &[record("issue", no)]),
            "CAA forbids *.a.lab: at a.lab",
        );
    }

    #[test]
    fn an_unknown_critical_tag_forbids_whatever_else_is_there() {
        let critical = |tag: &str| Record {
            critical: true,
            ..record(tag, "ca.lab")
        };
        let answer = at("a.lab", &[record("issue", "ca.lab"), critical("tbs")]);
        refused(answer, "`CAA 128 tbs \"ca.lab\"` is critical");
        assert_eq!(at("a.lab", &[critical("Issue")]), Answer::Allowed);
    }

    #[test]
    fn an_account_is_identified_by_its_path_at_any_host_of_the_authority() {
        for uri in [
            URL,
            "https://ca.lab:9000/acme/acme/account/7",
            "https://10.0.0.1/acme/acme/account/7",
            "https://[::1]:9000/acme/acme/account/7",
        ] {
            assert_eq!(issue(&format!("ca.lab; accounturi={uri}")), Answer::Allowed);
        }
        for uri in [
            "https://ca.lab/acme/acme/account/8",
            "https://ca.lab/acme/other/account/7",
            "http://ca.lab/acme/acme/account/7",
            "https://evil.lab/acme/acme/account/7",
            "https://ca.lab@evil.lab/acme/acme/account/7",
            "https://ca.lab:x@evil.lab/acme/acme/account/7",
            "https://ca.lab/acme/acme/account/7/",
            "",
        ] {
            refused(
                issue(&format!("ca.lab; accounturi={uri}")),
                "another account",
            );
        }
    }

    #[test]
    fn the_method_must_be_among_the_allowed_ones() {
        for methods in ["http-01", "dns-01,http-01", "ca-x,http-01"] {
            assert_eq!(
                issue(&format!("ca.lab; validationmethods={methods}")),
                Answer::Allowed
            );
        }
        for methods in ["dns-01", "", "http-01x", "HTTP-01", "dns-01,tls-alpn-01"] {
            let answer = issue(&format!("ca.lab; validationmethods={methods}"));
            refused(answer, "validation by http-01");
        }
    }

    #[test]
    fn each_name_of_an_order_is_judged_by_the_method_of_its_own_proof() {
        let only_dns = record("issue", "ca.lab; validationmethods=dns-01");
        let facts = Facts::from([
            ("a.lab".to_owned(), vec![only_dns.clone()]),
            ("b.lab".to_owned(), vec![only_dns]),
        ]);
        assert_eq!(judged("a.lab", &facts, Method::Dns01), Answer::Allowed);
        refused(
            judged("b.lab", &facts, Method::Http01),
            "validation by http-01",
        );
        refused(
            judged("a.lab", &facts, Method::Http01),
            "validation by http-01",
        );
        assert_eq!(judged("b.lab", &facts, Method::Dns01), Answer::Allowed);
    }

    #[test]
    fn a_repeated_parameter_allows_no_authority() {
        refused(
            issue("ca.lab; validationmethods=http-01; ValidationMethods=dns-01"),
            "repeats",
        );
        refused(
            issue(&format!("ca.lab; accounturi={URL}; accounturi={URL}")),
            "repeats",
        );
        assert_eq!(issue("ca.lab; policy=ev; other=1"), Answer::Allowed);
    }

    #[test]
    fn the_problem_has_a_subproblem_for_each_name() {
        let of = |name| match at(name, &[record("issue", ";")]) {
            Answer::Refused(problem) => problem,
            other @ (Answer::Ask(_) | Answer::Allowed) => panic!("{other:?}"),
        };
        let one = problem(vec![of("a.lab")]);
        assert_eq!(one.status, 403);
        assert!(
            one.detail
                .contains("`CAA 0 issue \";\"` allows no authority"),
            "{one}"
        );
        assert!(
            one.detail.contains("`a.lab. CAA 0 issue \"ca.lab\"`"),
            "{one}"
        );
        let two = problem(vec![of("a.lab"), of("*.b.lab")]);
        assert_eq!(two.subproblems.len(), 2);
        let wildcard = two.subproblems[1].identifier.clone().unwrap();
        assert_eq!(wildcard.value, "*.b.lab");
    }

    proptest! {
        #[test]
        fn any_record_is_judged_and_only_an_issuer_name_of_ours_allows(tag in ".{0,20}", value in ".{0,60}", critical: bool) {
            let answer = at("a.lab", &[
                Record { critical, tag, value: value.clone() },
                record("issue", &value),
            ]);
            let lower = value.to_ascii_lowercase();
            if answer == Answer::Allowed {
                prop_assert!(lower.contains("ca.lab") || lower.contains("ca.example"));
            }
        }
    }

    #[test]
    fn a_name_is_climbed_so_far_and_is_refused_where_the_rest_would_go_unseen() {
        let name = |labels: usize| vec!["a"; labels].join(".");
        let empty = |labels: usize| -> Facts {
            (1..=labels).map(|left| (name(left), Vec::new())).collect()
        };
        let climbed = judged(&name(CLIMB), &empty(CLIMB), Method::Http01);
        assert_eq!(climbed, Answer::Allowed);
        let deep = name(CLIMB + 1);
        refused(
            judged(&deep, &empty(CLIMB + 1), Method::Http01),
            "more than 16 labels",
        );
        let mut facts = empty(CLIMB + 1);
        facts.insert(name(2), vec![record("issue", "ca.lab")]);
        assert_eq!(judged(&deep, &facts, Method::Http01), Answer::Allowed);
    }
}
