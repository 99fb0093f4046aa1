//! Verdicts on failed probes, shared by the methods that connect to a host.

use super::observation::{Failure, FailureKind, Host};
use super::report::{self, Fault, Seen};
use super::{Context, Finding, Method, Verdict};
use crate::problem::Kind;

/// The target of an attempt, for the advice to the client.
pub(super) struct Target<'a> {
    pub(super) host: &'a Host,
    /// A command that repeats the attempt manually.
    pub(super) command: &'a str,
}

/// Judges a failure: a forbidden address is final; everything else may be a race or an outage.
pub(super) fn judge(
    method: Method,
    cx: &Context<'_>,
    failure: &Failure,
    target: &Target<'_>,
) -> Verdict {
    let symptom = symptom(failure.kind);
    let fault = Fault {
        kind: symptom.kind,
        what: symptom.what,
        advice: &advice(failure.kind, target),
    };
    let finding = finding(method, cx, failure, &fault);
    if failure.kind == FailureKind::AddressNotAllowed {
        Verdict::Invalid(finding)
    } else {
        Verdict::Retry(finding)
    }
}

/// Reports a failure with the given fault.
pub(super) fn finding(
    method: Method,
    cx: &Context<'_>,
    failure: &Failure,
    fault: &Fault<'_>,
) -> Finding {
    let mut what: Vec<_> = [fault.what, &failure.words].into();
    what.retain(|words| !words.is_empty());
    let what = match what.join(": ") {
        none if none.is_empty() => format!("{} ms in total", failure.trace.millis),
        words => format!("{words} (after {} ms)", failure.trace.millis),
    };
    let fault = Fault {
        what: &what,
        ..*fault
    };
    report::finding(method, cx, Seen::trace(&failure.trace), &fault)
}

/// The problem type of a failure, and a description of what the trace does not contain.
struct Symptom {
    kind: Kind,
    what: &'static str,
}

fn symptom(failure: FailureKind) -> Symptom {
    let (kind, what) = match failure {
        FailureKind::NoSuchName => (Kind::Dns, "the name does not exist"),
        FailureKind::NoAddress => (Kind::Dns, "the name has no address"),
        FailureKind::Dns => (Kind::Dns, "the DNS gave no usable answer"),
        FailureKind::AddressNotAllowed => (
            Kind::Connection,
            "this CA does not connect to addresses like this",
        ),
        FailureKind::Refused => (Kind::Connection, ""),
        FailureKind::Unreachable => (Kind::Connection, "the CA's host has no route to it"),
        FailureKind::Timeout => (Kind::Connection, "no answer in time"),
        FailureKind::Reset => (
            Kind::Connection,
            "the connection was closed before there was an answer",
        ),
        FailureKind::Tls | FailureKind::Alert(_) | FailureKind::OldTls => {
            (Kind::Tls, "the TLS handshake failed")
        }
        FailureKind::Protocol => (Kind::Connection, "the answer is not HTTP"),
        FailureKind::LongHeader => (
            Kind::Connection,
            "the answer has a header of more than 100 lines or 64 KiB",
        ),
    };
    Symptom { kind, what }
}

/// The advice to the client.
fn advice(failure: FailureKind, target: &Target<'_>) -> String {
    let Target {
        host,
        command: attempt,
    } = target;
    let lookup = format!("try `getent ahosts {host}` on the CA's host.");
    match failure {
        FailureKind::NoSuchName => format!(
            "Add an A or AAAA record for it, or configure a resolver that knows the name: {lookup}"
        ),
        FailureKind::NoAddress => format!("Add an A or AAAA record for it: {lookup}"),
        FailureKind::Dns => format!("Check that resolver and the name's zone: {lookup}"),
        FailureKind::AddressNotAllowed => "Point the name at another address, or ask the CA's \
                                           operator to allow this one."
            .to_owned(),
        FailureKind::Refused => {
            format!("No server listens there, or a firewall rejects the connection: {attempt}")
        }
        FailureKind::Unreachable => format!("Check the routes of the CA's host: {attempt}"),
        FailureKind::Timeout => {
            format!("The host is down, or a firewall drops the packets: {attempt}")
        }
        FailureKind::Reset => {
            format!("A proxy, or a server that expects TLS on this port, can cause this: {attempt}")
        }
        FailureKind::Tls | FailureKind::Alert(_) | FailureKind::OldTls => {
            "Fix the https server, or exclude the path /.well-known/acme-challenge/ from the \
             redirect to https."
                .to_owned()
        }
        FailureKind::Protocol => {
            format!("Another service uses this port, or it expects TLS: {attempt}")
        }
        FailureKind::LongHeader => {
            "Make the web server send fewer headers for /.well-known/acme-challenge/.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::super::{CaaIdentity, Ports, RedirectPorts, Trace};
    use super::*;
    use crate::identifier::Identifier;

    fn judged(kind: FailureKind) -> Verdict {
        let identifier = Identifier::parse("dns", "foo.lab").unwrap();
        let cx = Context {
            identifier: &identifier,
            token: "tok",
            payload: b"{}",
            key_authorization: "tok.thumb",
            account: Uuid::nil(),
            caa_identity: &CaaIdentity::default(),
            ports: Ports::default(),
            redirect_ports: RedirectPorts::NONE,
            attestation: crate::challenge::AttestationRules::NONE,
            now: Timestamp::UNIX_EPOCH,
            redirects: &[],
        };
        let failure = Failure {
            kind,
            words: "the words".into(),
            trace: Trace::default(),
        };
        let host = Host::Name("foo.lab".into());
        let target = Target {
            host: &host,
            command: "try it.",
        };
        judge(Method::Http01, &cx, &failure, &target)
    }

    #[test]
    fn every_failure_has_a_problem_type_and_may_be_retried() {
        use FailureKind::{
            Dns, LongHeader, NoAddress, NoSuchName, Protocol, Refused, Reset, Timeout, Tls,
            Unreachable,
        };
        for (kind, expected, advice) in [
            (NoSuchName, Kind::Dns, "getent ahosts foo.lab"),
            (NoAddress, Kind::Dns, "A or AAAA"),
            (Dns, Kind::Dns, "resolver"),
            (Refused, Kind::Connection, "try it."),
            (Unreachable, Kind::Connection, "try it."),
            (Timeout, Kind::Connection, "try it."),
            (Reset, Kind::Connection, "try it."),
            (Protocol, Kind::Connection, "try it."),
            (LongHeader, Kind::Connection, "fewer headers"),
            (Tls, Kind::Tls, "https"),
        ] {
            let Verdict::Retry(finding) = judged(kind) else {
                panic!("{kind:?}");
            };
            let detail = &finding.problem.detail;
            assert_eq!(finding.problem.kind, expected);
            assert!(detail.contains("the words (after 0 ms)"), "{detail}");
            assert!(detail.contains(advice), "{detail}");
        }
    }

    #[test]
    fn a_forbidden_address_is_final() {
        let Verdict::Invalid(finding) = judged(FailureKind::AddressNotAllowed) else {
            panic!();
        };
        assert_eq!(finding.problem.kind, Kind::Connection);
        assert!(finding.problem.detail.contains("does not connect"));
    }
}
