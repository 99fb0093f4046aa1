//! Shared by the DNS methods: one lookup of the TXT records of a name, and the report of its
//! result. The DNS is public, so its values are shown to the client, truncated.
//!
//! Records take time to propagate, so everything is retried except what the operator forbids.

use std::net::SocketAddr;

use serde_json::json;

use super::observation::{Failure, FailureKind, Observation, Trace, TxtObservation, TxtProbe};
use super::report::{self, Fault};
use super::{Context, Finding, Method, Proof, Verdict};
use crate::problem::{Kind, quote};

/// The most values that are shown to the client.
const SHOWN: usize = 3;
/// The most values in the evidence.
const KEPT: usize = 20;
/// The most characters of each value in the evidence.
const KEPT_CHARACTERS: usize = 400;

/// The lookup of one method at one name.
pub(super) struct TxtLookup<'a> {
    pub(super) method: Method,
    pub(super) cx: &'a Context<'a>,
    /// The full name of the TXT records.
    pub(super) name: String,
    /// The expected value, for the report to the client.
    pub(super) wanted: String,
}

impl TxtLookup<'_> {
    pub(super) fn probe(&self) -> TxtProbe {
        TxtProbe {
            name: self.name.clone(),
        }
    }

    /// The verdict: valid if one of the records is exactly the expected value (RFC 8555 §8.4).
    pub(super) fn exact(&self, seen: &Observation) -> Verdict {
        let observation = match self.records(seen) {
            Ok(observation) => observation,
            Err(verdict) => return *verdict,
        };
        if observation.values.contains(&self.wanted) {
            return self.proven(observation);
        }
        let what = format!(
            "{}, {} the expected value {}",
            self.found(observation),
            if observation.values.len() == 1 {
                "which is not"
            } else {
                "none of which is"
            },
            quote(&self.wanted)
        );
        let advice = "Publish that value, in addition to values that are still in use; if the client \
                      has published it, wait until every server of the zone has it";
        Verdict::Retry(self.finding(observation, &Fault::unauthorized(&what, advice)))
    }

    /// The records, at least one; otherwise the verdict on their absence.
    pub(super) fn records<'s>(
        &self,
        seen: &'s Observation,
    ) -> Result<&'s TxtObservation, Box<Verdict>> {
        match seen {
            Observation::Txt(observation) if observation.values.is_empty() => {
                let what = "the name has no TXT record";
                let finding =
                    self.finding(observation, &Fault::unauthorized(what, &self.publish()));
                Err(Box::new(Verdict::Retry(finding)))
            }
            Observation::Txt(observation) => Ok(observation),
            Observation::Failed(failure) => Err(Box::new(self.failed(failure))),
            Observation::Http(_) | Observation::Tls(_) | Observation::Payload => {
                Err(Box::new(super::unexpected(self.method, self.cx)))
            }
        }
    }

    pub(super) fn proven(&self, observation: &TxtObservation) -> Verdict {
        let evidence = self.evidence(&observation.trace, &observation.values);
        Verdict::Valid(Proof::new(self.method, self.cx, evidence))
    }

    /// The finding for a fault of the records, with a command to try.
    pub(super) fn finding(&self, observation: &TxtObservation, fault: &Fault<'_>) -> Finding {
        self.report(&observation.trace, &observation.values, fault)
    }

    /// The first values that were found, each truncated to a hundred characters. What an alias leads to
    /// in another zone is not the client's to read: it is counted only.
    pub(super) fn found(&self, observation: &TxtObservation) -> String {
        let values = &observation.values;
        if let Some(alias) = observation.alias.as_deref().filter(|it| !self.is_own(it)) {
            let count = match values.len() {
                1 => "a value".to_owned(),
                n => format!("{n} values"),
            };
            return format!(
                "found {count} at {} (not shown: another zone)",
                quote(alias)
            );
        }
        let shown: Vec<_> = values.iter().take(SHOWN).map(|v| quote(v)).collect();
        let shown = shown.join(", ");
        match values.len() {
            1 => format!("found the value {shown}"),
            n if n > SHOWN => format!("found {n} values, including {shown}"),
            _ => format!("found the values {shown}"),
        }
    }

    /// Whether a name is the identifier's or below it.
    fn is_own(&self, name: &str) -> bool {
        let own = self.cx.identifier.base();
        report::is_within(name, &own)
    }

    fn failed(&self, failure: &Failure) -> Verdict {
        let (kind, words, advice) = (failure.kind, failure.words.as_str(), self.publish());
        let (what, advice) = if kind == FailureKind::NoSuchName {
            ("the name does not exist", advice.as_str())
        } else if kind == FailureKind::AddressNotAllowed {
            (
                "this CA does not query servers at addresses like this",
                "Use other servers for the zone, or ask the CA's operator to allow these addresses",
            )
        } else {
            (
                "the DNS gave no usable answer",
                "Check that server and the zone",
            )
        };
        let mut what = what.to_owned();
        if !words.is_empty() {
            what += &format!(": {words}");
        }
        let fault = Fault {
            kind: Kind::Dns,
            what: &what,
            advice,
        };
        let finding = self.report(&failure.trace, &[], &fault);
        if kind == FailureKind::AddressNotAllowed {
            Verdict::Invalid(finding)
        } else {
            Verdict::Retry(finding)
        }
    }

    fn publish(&self) -> String {
        format!(
            "Publish a TXT record with the value {}, and wait until the zone's servers have it",
            quote(&self.wanted)
        )
    }

    fn report(&self, trace: &Trace, values: &[String], fault: &Fault<'_>) -> Finding {
        let Fault { kind, what, advice } = *fault;
        let mut report = vec![format!("looked for TXT records of {}", self.name)];
        report.extend(report::resolution(trace));
        report.push(format!("{what} (after {} ms)", trace.millis));
        let detail = format!(
            "{} for {} failed: {}. {advice}: try `{}`.",
            self.method.as_str(),
            self.cx.identifier,
            report.join("; "),
            self.command(trace),
        );
        let mut evidence = self.evidence(trace, values);
        evidence["finding"] = json!(what);
        Finding {
            problem: crate::Problem::new(kind, detail),
            evidence,
        }
    }

    fn evidence(&self, trace: &Trace, values: &[String]) -> serde_json::Value {
        report::without_nothing(json!({
            "name": self.name,
            "trace": trace,
            "values": values.iter().take(KEPT).map(|value| cut(value)).collect::<Vec<_>>(),
        }))
    }

    /// The command that repeats the query manually.
    fn command(&self, trace: &Trace) -> String {
        let mut command = format!("dig +short TXT {}", self.name);
        let asked = trace.resolver.as_deref().unwrap_or_default();
        let mut words = asked.split([' ', ',']);
        if let Some(server) = words.find_map(|word| word.parse::<SocketAddr>().ok()) {
            command += &format!(" @{}", server.ip());
            if server.port() != 53 {
                command += &format!(" -p {}", server.port());
            }
        }
        command
    }
}

/// A value for the evidence, truncated: values in the DNS can be very long.
fn cut(value: &str) -> String {
    value.chars().take(KEPT_CHARACTERS).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::super::{CaaIdentity, Ports, RedirectPorts};
    use super::*;
    use crate::identifier::Identifier;

    /// A context for the tests of each DNS method.
    pub(in crate::challenge) fn context<'a>(
        identifier: &'a Identifier,
        caa_identity: &'a CaaIdentity,
    ) -> Context<'a> {
        Context {
            identifier,
            token: "tok",
            payload: b"{}",
            key_authorization: "tok.thumb",
            account: Uuid::nil(),
            caa_identity,
            ports: Ports::default(),
            redirect_ports: RedirectPorts::NONE,
            attestation: crate::challenge::AttestationRules::NONE,
            now: Timestamp::from_second(1_800_000_000).unwrap(),
            redirects: &[],
        }
    }

    pub(in crate::challenge) fn trace() -> Trace {
        Trace {
            resolver: Some("10.0.0.53:53".into()),
            answers: vec!["CNAME x.auth.lab".into()],
            attempts: Vec::new(),
            millis: 4,
        }
    }

    pub(in crate::challenge) fn seen(values: &[&str]) -> Observation {
        Observation::Txt(TxtObservation {
            values: values.iter().map(|v| (*v).to_owned()).collect(),
            alias: None,
            trace: trace(),
        })
    }

    pub(in crate::challenge) fn retry(verdict: Verdict) -> Finding {
        let Verdict::Retry(finding) = verdict else {
            panic!("{verdict:?}");
        };
        finding
    }

    fn lookup(seen: &Observation) -> Verdict {
        let identifier = Identifier::parse("dns", "foo.lab").unwrap();
        let caa_identity = CaaIdentity::default();
        let lookup = TxtLookup {
            method: Method::Dns01,
            cx: &context(&identifier, &caa_identity),
            name: "_acme-challenge.foo.lab".into(),
            wanted: "right".into(),
        };
        lookup.exact(seen)
    }

    #[test]
    fn long_records_are_truncated_in_the_evidence() {
        let long = "x".repeat(60_000);
        let finding = retry(lookup(&seen(&[long.as_str(); 30])));
        let kept = finding.evidence.to_string().len();
        assert!(kept < 10_000, "{kept} octets");
    }

    #[test]
    fn one_right_value_among_others_is_enough() {
        for values in [&["right"][..], &["wrong", "right"]] {
            let Verdict::Valid(proof) = lookup(&seen(values)) else {
                panic!();
            };
            assert_eq!(
                proof.evidence()["values"].as_array().unwrap().len(),
                values.len()
            );
        }
    }

    #[test]
    fn wrong_values_are_shown_truncated_with_the_expected_one() {
        let finding = retry(lookup(&seen(&["left \"over\""])));
        assert_eq!(finding.problem.kind, Kind::Unauthorized);
        assert_eq!(
            finding.problem.detail,
            "dns-01 for foo.lab failed: looked for TXT records of _acme-challenge.foo.lab; \
             resolver 10.0.0.53:53 answered CNAME x.auth.lab; found the value \
             \"left \\\"over\\\"\", which is not the expected value \"right\" (after 4 ms). Publish \
             that value, in addition to values that are still in use; if the client has published \
             it, wait until every server of the zone has it: try `dig +short TXT \
             _acme-challenge.foo.lab @10.0.0.53`."
        );
        let long = "x".repeat(300);
        let many = [long.as_str(), "b", "c", "d"];
        let detail = retry(lookup(&seen(&many))).problem.detail;
        assert!(detail.contains("found 4 values, including"), "{detail}");
        assert!(
            !detail.contains("\"d\"") && !detail.contains(&long),
            "{detail}"
        );
        for near in ["Right", " right", "right ", "rightright", ""] {
            retry(lookup(&seen(&[near])));
        }
    }

    #[test]
    fn an_absent_record_is_unauthorized_and_an_absent_name_a_dns_problem() {
        let none = retry(lookup(&seen(&[]))).problem;
        assert_eq!(none.kind, Kind::Unauthorized);
        assert!(none.detail.contains("no TXT record"), "{none}");
        for (kind, word) in [
            (FailureKind::NoSuchName, "Publish a TXT record with"),
            (FailureKind::Dns, "Check that server"),
        ] {
            let failure = Failure {
                kind,
                words: String::new(),
                trace: trace(),
            };
            let problem = retry(lookup(&Observation::Failed(failure))).problem;
            assert_eq!(problem.kind, Kind::Dns);
            assert!(problem.detail.contains(word), "{problem}");
        }
    }

    #[test]
    fn a_server_at_a_forbidden_address_is_final() {
        let failure = Failure {
            kind: FailureKind::AddressNotAllowed,
            words: String::new(),
            trace: Trace {
                resolver: Some("the authoritative server 169.254.0.1:5353 (ns.lab)".into()),
                ..Trace::default()
            },
        };
        let Verdict::Invalid(finding) = lookup(&Observation::Failed(failure)) else {
            panic!();
        };
        let detail = finding.problem.detail;
        assert!(detail.contains("@169.254.0.1 -p 5353`"), "{detail}");
    }

    #[test]
    fn values_in_another_zone_are_counted_and_not_shown() {
        for (alias, shown) in [
            ("_acme-challenge.x.foo.lab", true),
            ("FOO.lab", true),
            ("x.auth.lab", false),
            ("notfoo.lab", false),
        ] {
            let Observation::Txt(mut observation) = seen(&["secret", "more"]) else {
                panic!("TXT records");
            };
            observation.alias = Some(alias.to_owned());
            let finding = retry(lookup(&Observation::Txt(observation)));
            let detail = &finding.problem.detail;
            assert_eq!(detail.contains("secret"), shown, "{detail}");
            assert!(shown || detail.contains("found 2 values at"), "{detail}");
            assert_eq!(finding.evidence["values"][0], "secret");
        }
    }
}
