//! http-01 (RFC 8555 §8.3, RFC 8738 §4): a file with the key authorization at a well-known path,
//! first requested over plain HTTP.
//!
//! What may be a race or an outage (a closed port, a 404, a wrong body, DNS) is retried; a
//! forbidden redirect or address is final.

use super::failure::{self, Target};
use super::observation::{Failure, Host, HttpObservation, HttpProbe, Observation, Probe};
use super::report::{self, Fault, Seen};
use super::{Context, Finding, Method, Proof, Properties, Verdict, redirect, unexpected};
use crate::problem::{Kind, quote};

/// The most redirects that are followed.
const MOST_REDIRECTS: usize = 10;

/// What the method can prove, and what its challenges have.
pub(super) const PROPERTIES: Properties = Properties {
    word: "http-01",
    code: 2,
    names: true,
    wildcards: false,
    addresses: true,
    devices: false,
    serves_again: true,
    reaches_subdomains: false,
    has_token: true,
    judges_payload: false,
};

pub(super) fn ask(cx: &Context<'_>) -> HttpProbe {
    let host = Host::of(cx.identifier);
    HttpProbe {
        host,
        port: cx.ports.http,
        path_and_query: format!("/.well-known/acme-challenge/{}", cx.token),
        https: false,
    }
}

pub(super) fn judge(cx: &Context<'_>, seen: &Observation) -> Verdict {
    let observation = match seen {
        Observation::Http(observation) => observation,
        Observation::Failed(failure) => return failed(cx, failure),
        Observation::Txt(_) | Observation::Tls(_) | Observation::Payload => {
            return unexpected(Method::Http01, cx);
        }
    };
    // The last redirect came from `follow`, so it parses.
    let last = cx.redirects.last();
    let asked = last
        .and_then(|url| redirect::parse(url).ok())
        .unwrap_or_else(|| ask(cx));
    match observation.status {
        200 => body(cx, &asked, observation),
        301 | 302 | 303 | 307 | 308 => redirected(cx, &asked, observation),
        status => Verdict::Retry(finding(
            cx,
            observation,
            &Fault::unauthorized(
                &report::answer(cx, &asked, observation),
                status_advice(status),
            ),
        )),
    }
}

fn body(cx: &Context<'_>, asked: &HttpProbe, observation: &HttpObservation) -> Verdict {
    let body = observation.body.trim_ascii_end();
    if !observation.truncated && body == cx.key_authorization.as_bytes() {
        let evidence = report::evidence(cx, Seen::answer(observation));
        return Verdict::Valid(Proof::new(Method::Http01, cx, evidence));
    }
    let token = cx.token.as_bytes();
    let contains = |text: &[u8]| !text.is_empty() && body.windows(text.len()).any(|w| w == text);
    if let Some(encoding) = encoding(observation) {
        let what = format!(
            "{}: the body is encoded ({}), and no encoding was asked for",
            report::answer(cx, asked, observation),
            quote(encoding)
        );
        let advice = "Turn off compression for /.well-known/acme-challenge/ on the web server.";
        let fault = Fault::unauthorized(&what, advice);
        return Verdict::Retry(finding(cx, observation, &fault));
    }
    let (fault, advice) = if body.is_empty() {
        (
            "the body is empty",
            "Make the web server send the key authorization, not an empty file.",
        )
    } else if contains(cx.key_authorization.as_bytes()) {
        (
            "the body contains the key authorization with other text around it",
            "Make the web server send only the key authorization.",
        )
    } else if body == token {
        (
            "the body is only the token",
            "Send the key authorization: the token, a dot, and the thumbprint of the account key.",
        )
    } else if body
        .strip_prefix(token)
        .is_some_and(|rest| rest.starts_with(b"."))
    {
        (
            "the body is the key authorization of another account key",
            "Another client or an older account may have written the file: serve the file of the \
             account that created this order.",
        )
    } else {
        (
            "the body is not the key authorization",
            "Another web server, a default page or a login page may answer here: check that this \
             host and port reach the server that has the file.",
        )
    };
    let what = format!("{}: {fault}", report::answer(cx, asked, observation));
    Verdict::Retry(finding(
        cx,
        observation,
        &Fault::unauthorized(&what, advice),
    ))
}

/// The `Content-Encoding` of an answer whose body is not as the web server has it.
fn encoding(observation: &HttpObservation) -> Option<&str> {
    let encoding = observation.encoding.as_deref()?.trim();
    (!encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity")).then_some(encoding)
}

fn redirected(cx: &Context<'_>, asked: &HttpProbe, observation: &HttpObservation) -> Verdict {
    let answer = report::answer(cx, asked, observation);
    let Some(location) = observation.location.as_deref() else {
        let what = format!("{answer}: a redirect without Location");
        let advice = "Make the web server send the file, or a Location with its URL.";
        return Verdict::Retry(finding(
            cx,
            observation,
            &Fault::unauthorized(&what, advice),
        ));
    };
    let invalid = |what: String, advice: &str| {
        let fault = Fault {
            kind: Kind::Connection,
            what: &what,
            advice,
        };
        Verdict::Invalid(finding(cx, observation, &fault))
    };
    let target = match redirect::follow(asked, location, cx.ports, cx.redirect_ports) {
        Ok(target) => target,
        Err(forbidden) => {
            return invalid(
                format!("{answer}: a redirect that is not followed: {forbidden}"),
                "Exclude the path /.well-known/acme-challenge/ from this redirect.",
            );
        }
    };
    let (url, shown) = (target.url(), report::shown(cx, &target));
    if url == ask(cx).url() || cx.redirects.contains(&url) {
        return invalid(
            format!("{answer}: the redirect to {shown} is a loop"),
            "Exclude the path /.well-known/acme-challenge/ from this redirect.",
        );
    }
    if cx.redirects.len() >= MOST_REDIRECTS {
        return invalid(
            format!("{answer}: more than {MOST_REDIRECTS} redirects, the next to {shown}"),
            "Make the first redirect point directly to the file.",
        );
    }
    Verdict::Ask(Probe::Http(target))
}

fn failed(cx: &Context<'_>, failure: &Failure) -> Verdict {
    let first = ask(cx);
    let target = Target {
        host: &first.host,
        command: &format!("try `curl -v {}` from the CA's host.", first.url()),
    };
    failure::judge(Method::Http01, cx, failure, &target)
}

fn finding(cx: &Context<'_>, observation: &HttpObservation, fault: &Fault<'_>) -> Finding {
    report::finding(Method::Http01, cx, Seen::answer(observation), fault)
}

fn status_advice(status: u16) -> &'static str {
    match status {
        404 | 410 => {
            "The web server does not have the file: check that this host reaches the server where \
             the client writes it, and that the server serves the client's webroot."
        }
        401 | 403 | 407 => {
            "The web server denies access: allow reading /.well-known/acme-challenge/ without \
             authentication."
        }
        500..=599 => "The web server or its backend fails: check its log.",
        _ => "Make the web server answer with status 200 and the key authorization.",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::super::observation::{Attempt, Trace};
    use super::super::{CaaIdentity, Ports, RedirectPorts, judge};
    use super::*;
    use crate::identifier::Identifier;

    static NO_IDENTITY: CaaIdentity = CaaIdentity {
        account_url: String::new(),
        issuers: Vec::new(),
    };
    const BASE: &str = "http://foo.lab/.well-known/acme-challenge/tok";

    fn identifier() -> Identifier {
        Identifier::parse("dns", "foo.lab").unwrap()
    }

    fn context<'a>(identifier: &'a Identifier, redirects: &'a [String]) -> Context<'a> {
        Context {
            identifier,
            token: "tok",
            payload: b"{}",
            key_authorization: "tok.thumb",
            account: Uuid::nil(),
            caa_identity: &NO_IDENTITY,
            ports: Ports::default(),
            redirect_ports: RedirectPorts::NONE,
            attestation: crate::challenge::AttestationRules::NONE,
            now: Timestamp::UNIX_EPOCH,
            redirects,
        }
    }

    fn trace() -> Trace {
        Trace {
            resolver: Some("10.0.0.53:53".into()),
            answers: vec!["A 10.0.0.7".into(), "no AAAA".into()],
            attempts: vec![Attempt {
                address: "10.0.0.7:80".parse().unwrap(),
                outcome: "connected".into(),
                millis: 1,
            }],
            millis: 4,
        }
    }

    fn answer(status: u16, body: &str) -> HttpObservation {
        HttpObservation {
            status,
            location: None,
            encoding: None,
            media_type: Some("text/plain; charset=utf-8".into()),
            body: body.into(),
            length: body.len() as u64,
            truncated: false,
            trace: trace(),
        }
    }

    fn seen(observation: HttpObservation) -> Verdict {
        judge(
            Method::Http01,
            &context(&identifier(), &[]),
            &Observation::Http(observation),
        )
    }

    fn redirected(location: &str, before: &[String]) -> Verdict {
        let mut observation = answer(302, "");
        observation.location = Some(location.into());
        let identifier = identifier();
        judge(
            Method::Http01,
            &context(&identifier, before),
            &Observation::Http(observation),
        )
    }

    fn retry(verdict: Verdict) -> Finding {
        let Verdict::Retry(finding) = verdict else {
            panic!("{verdict:?}");
        };
        finding
    }

    fn invalid(verdict: Verdict) -> Finding {
        let Verdict::Invalid(finding) = verdict else {
            panic!("{verdict:?}");
        };
        finding
    }

    #[test]
    fn the_first_probe_is_plain_http_at_the_well_known_path() {
        for (kind, value, url) in [
            ("dns", "Foo.lab", BASE),
            (
                "ip",
                "10.0.0.7",
                "http://10.0.0.7/.well-known/acme-challenge/tok",
            ),
            ("ip", "::1", "http://[::1]/.well-known/acme-challenge/tok"),
        ] {
            let identifier = Identifier::parse(kind, value).unwrap();
            assert_eq!(ask(&context(&identifier, &[])).url(), url);
        }
        let identifier = identifier();
        let mut cx = context(&identifier, &[]);
        cx.ports.http = 5002;
        assert_eq!(ask(&cx).authority(), "foo.lab:5002");
    }

    #[test]
    fn the_key_authorization_with_white_space_after_it_proves_the_name() {
        for body in ["tok.thumb", "tok.thumb\n", "tok.thumb \r\n\t "] {
            let Verdict::Valid(proof) = seen(answer(200, body)) else {
                panic!("{body:?}");
            };
            assert_eq!(proof.identifier(), &identifier());
            let answer = &proof.evidence()["answer"];
            assert_eq!(answer["status"], 200);
            // Neither what is known from elsewhere nor what says nothing.
            assert_eq!((answer.get("body"), answer.get("location")), (None, None));
        }
    }

    #[test]
    fn any_other_body_is_retried_and_never_shown_to_the_client() {
        for (body, word) in [
            ("", "empty"),
            (" tok.thumb", "other text around it"),
            ("tok.thumbtok.thumb", "other text around it"),
            ("tok", "only the token"),
            ("tok.other", "another account key"),
            ("<html>secret</html>", "not the key authorization"),
            ("tok.Thumb", "another account key"),
        ] {
            let finding = retry(seen(answer(200, body)));
            assert_eq!(finding.problem.kind, Kind::Unauthorized);
            let detail = &finding.problem.detail;
            assert!(detail.contains(word), "{body}: {detail}");
            assert!(!detail.contains("secret"), "{detail}");
            assert_eq!(finding.evidence["answer"]["body"], body);
        }
    }

    #[test]
    fn the_report_of_a_redirect_is_short_whatever_its_length() {
        for location in ["x", "https://www.foo.lab/", "/?", "ftp://"] {
            let location = location.to_owned() + &"x".repeat(60_000);
            let Verdict::Invalid(finding) = redirected(&location, &[]) else {
                panic!("the redirect is followed");
            };
            let length = finding.problem.detail.len() + finding.evidence.to_string().len();
            assert!(length < 5000, "{length} octets");
        }
    }

    #[test]
    fn a_truncated_body_proves_nothing() {
        let mut observation = answer(200, "tok.thumb");
        observation.truncated = true;
        retry(seen(observation));
    }

    #[test]
    fn the_evidence_has_at_most_two_hundred_octets_of_the_body() {
        let finding = retry(seen(answer(200, &"x".repeat(1000))));
        let shown = finding.evidence["answer"]["body"].as_str().unwrap();
        assert_eq!(shown.len(), 200);
    }

    #[test]
    fn a_404_is_reported_with_its_url_and_advice() {
        let finding = retry(seen(answer(404, "not here")));
        assert_eq!(
            finding.problem.detail,
            "http-01 for foo.lab failed: resolver 10.0.0.53:53 answered A 10.0.0.7, no AAAA; \
             tried 10.0.0.7:80: connected after 1 ms; \
             http://foo.lab/.well-known/acme-challenge/tok answered 404 (\"text/plain\", 8 octets) \
             after 4 ms. The web server does not have the file: check that this host reaches the \
             server where the client writes it, and that the server serves the client's webroot."
        );
        for status in [100, 201, 204, 300, 304, 401, 403, 500, 503] {
            let finding = retry(seen(answer(status, "tok.thumb")));
            assert_eq!(finding.problem.kind, Kind::Unauthorized);
        }
    }

    #[test]
    fn a_redirect_is_probed_next() {
        for status in [301, 302, 303, 307, 308] {
            let mut observation = answer(status, "tok.thumb");
            observation.location = Some("https://www.foo.lab/x?y".into());
            let Verdict::Ask(probe) = seen(observation) else {
                panic!("{status}");
            };
            assert_eq!(probe.url(), "https://www.foo.lab/x?y");
        }
        retry(seen(answer(302, "")));
    }

    #[test]
    fn a_relative_redirect_starts_from_the_last_url() {
        let before = ["https://www.foo.lab/a/b".to_owned()];
        let Verdict::Ask(probe) = redirected("c", &before) else {
            panic!();
        };
        assert_eq!(probe.url(), "https://www.foo.lab/a/c");
    }

    #[test]
    fn a_redirect_that_breaks_a_rule_is_final() {
        for (location, word) in [
            ("http://foo.lab:22/", "port 22"),
            ("gopher://foo.lab/", "gopher"),
            ("http://me:pw@foo.lab/", "user name"),
            (BASE, "a loop"),
        ] {
            let finding = invalid(redirected(location, &[]));
            let detail = &finding.problem.detail;
            assert_eq!(finding.problem.kind, Kind::Connection);
            assert!(detail.contains(word) && !detail.contains("pw"), "{detail}");
        }
        let before = ["http://a.lab/".to_owned(), "http://b.lab/".to_owned()];
        let again = invalid(redirected("http://a.lab/", &before));
        assert!(again.problem.detail.contains("a loop"));
    }

    #[test]
    fn ten_redirects_are_followed_and_an_eleventh_is_not() {
        let hops = |n: usize| -> Vec<_> { (0..n).map(|i| format!("http://h{i}.lab/")).collect() };
        let next = redirected("/x", &hops(9));
        assert!(matches!(next, Verdict::Ask(_)), "{next:?}");
        let finding = invalid(redirected("/x", &hops(10)));
        assert!(finding.problem.detail.contains("more than 10 redirects"));
    }

    #[test]
    fn the_client_does_not_see_paths_of_other_hosts() {
        let identifier = identifier();
        for (url, shown) in [
            ("https://intranet.lab/secret/page", "https://intranet.lab"),
            ("http://10.0.0.9/secret/page", "http://10.0.0.9"),
            ("http://notfoo.lab/secret/page", "http://notfoo.lab"),
            ("http://a.foo.lab/open/page", "http://a.foo.lab/open/page"),
            ("https://foo.lab/open/page", "https://foo.lab/open/page"),
        ] {
            let before = [url.to_owned()];
            let cx = context(&identifier, &before);
            let finding = retry(judge(
                Method::Http01,
                &cx,
                &Observation::Http(answer(404, "")),
            ));
            let detail = &finding.problem.detail;
            assert!(
                detail.contains(&format!("redirected to {shown};")),
                "{detail}"
            );
            assert!(
                detail.contains(&format!("{shown} answered 404")),
                "{detail}"
            );
            assert!(!detail.contains("secret"), "{detail}");
            assert_eq!(finding.evidence["redirects"][0], before[0]);
        }
    }

    #[test]
    fn a_compressed_body_is_told_apart_from_another_page() {
        let mut compressed = answer(200, "\u{1f}\u{8b}");
        compressed.encoding = Some("gzip".to_owned());
        let identifier = identifier();
        let cx = context(&identifier, &[]);
        let finding = retry(judge(Method::Http01, &cx, &Observation::Http(compressed)));
        let detail = finding.problem.detail;
        assert!(
            detail.contains("gzip") && detail.contains("compression"),
            "{detail}"
        );
        let mut plain = answer(200, "tok.thumb");
        plain.encoding = Some("identity".to_owned());
        let verdict = judge(Method::Http01, &cx, &Observation::Http(plain));
        assert!(matches!(verdict, Verdict::Valid(_)), "{verdict:?}");
    }

    #[test]
    fn the_client_sees_each_redirect_without_its_query() {
        let identifier = identifier();
        let before = ["https://www.foo.lab/x?secret=1".to_owned()];
        let observation = Observation::Http(answer(404, ""));
        let finding = retry(judge(
            Method::Http01,
            &context(&identifier, &before),
            &observation,
        ));
        let detail = &finding.problem.detail;
        assert!(
            detail.contains("redirected to https://www.foo.lab/x;"),
            "{detail}"
        );
        assert!(!detail.contains("secret"), "{detail}");
        assert_eq!(finding.evidence["redirects"][0], before[0]);
    }

    #[test]
    fn a_closed_port_is_reported_with_a_command_to_try() {
        let mut trace = trace();
        trace.attempts[0].outcome = "refused".into();
        let failure = Failure {
            kind: super::super::FailureKind::Refused,
            words: String::new(),
            trace,
        };
        let finding = retry(failed(&context(&identifier(), &[]), &failure));
        assert_eq!(finding.problem.kind, Kind::Connection);
        assert_eq!(
            finding.problem.detail,
            "http-01 for foo.lab failed: resolver 10.0.0.53:53 answered A 10.0.0.7, no AAAA; \
             tried 10.0.0.7:80: refused after 1 ms; 4 ms in total. No server listens there, or a \
             firewall rejects the connection: try `curl -v http://foo.lab/.well-known/acme-challenge/tok` from \
             the CA's host."
        );
    }
}
