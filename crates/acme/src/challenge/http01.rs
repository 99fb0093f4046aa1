//! http-01 (RFC 8555 §8.3, RFC 8738 §4): a file with the key authorization under
//! a well-known path, over plain HTTP at first.
//!
//! What may be a race or an outage (a closed port, a 404, a wrong body, DNS) is
//! tried again; what breaks a rule of ours is final at once.

use super::sight::{Failure, FailureKind, Host, HttpProbe, HttpSight, Probe, Sight};
use super::{Context, Finding, Method, Proof, Verdict, redirect, story};
use crate::identifier::Identifier;
use crate::problem::Kind;

/// How many redirects are followed.
const MOST_REDIRECTS: usize = 10;

pub(super) fn ask(cx: &Context<'_>) -> HttpProbe {
    let host = match cx.identifier {
        Identifier::Dns(name) | Identifier::Wildcard(name) => Host::Name(name.as_str().to_owned()),
        Identifier::Ip(address) => Host::Ip(*address),
    };
    HttpProbe {
        host,
        port: cx.ports.http,
        path_and_query: format!("/.well-known/acme-challenge/{}", cx.token),
        https: false,
    }
}

pub(super) fn judge(cx: &Context<'_>, seen: &Sight) -> Verdict {
    let sight = match seen {
        Sight::Http(sight) => sight,
        Sight::Failed(failure) => return failed(cx, failure),
    };
    // The last redirect came from `follow`, so it can be read again.
    let last = cx.redirects.last();
    let asked = last
        .and_then(|url| redirect::parse(url).ok())
        .unwrap_or_else(|| ask(cx));
    match sight.status {
        200 => body(cx, &asked, sight),
        301 | 302 | 303 | 307 | 308 => redirected(cx, &asked, sight),
        status => Verdict::Retry(finding(
            cx,
            Kind::Unauthorized,
            sight,
            (&story::answer(&asked, sight), status_advice(status)),
        )),
    }
}

fn body(cx: &Context<'_>, asked: &HttpProbe, sight: &HttpSight) -> Verdict {
    let body = sight.body.trim_ascii_end();
    if !sight.truncated && body == cx.key_authorization.as_bytes() {
        let evidence = story::evidence(Method::Http01, cx, &sight.trail, Some(sight));
        return Verdict::Valid(Proof::new(Method::Http01, cx, evidence));
    }
    let token = cx.token.as_bytes();
    let contains = |text: &[u8]| !text.is_empty() && body.windows(text.len()).any(|w| w == text);
    let (fault, advice) = if body.is_empty() {
        (
            "the body is empty",
            "Let the web server send the key authorization, not an empty file.",
        )
    } else if contains(cx.key_authorization.as_bytes()) {
        (
            "the body has the key authorization, but also other text around it",
            "Let the web server send the key authorization alone.",
        )
    } else if body == token {
        (
            "the body is the token alone",
            "The key authorization is the token, a dot, and the account key's thumbprint.",
        )
    } else if body
        .strip_prefix(token)
        .is_some_and(|rest| rest.starts_with(b"."))
    {
        (
            "the body is the key authorization of another account key",
            "Another client or an older account answers here: serve the file of the account that \
             made this order.",
        )
    } else {
        (
            "the body is not the key authorization",
            "Another web server, a default page or a login may answer here: check that this host \
             and port reach the server that has the file.",
        )
    };
    let what = format!("{}: {fault}", story::answer(asked, sight));
    Verdict::Retry(finding(cx, Kind::Unauthorized, sight, (&what, advice)))
}

fn redirected(cx: &Context<'_>, asked: &HttpProbe, sight: &HttpSight) -> Verdict {
    let answer = story::answer(asked, sight);
    let Some(location) = sight.location.as_deref() else {
        let what = format!("{answer}: a redirect without Location");
        let advice = "Let the web server send the file itself, or say where it is.";
        return Verdict::Retry(finding(cx, Kind::Unauthorized, sight, (&what, advice)));
    };
    let invalid = |what: String, advice: &str| {
        Verdict::Invalid(finding(cx, Kind::Connection, sight, (&what, advice)))
    };
    let target = match redirect::follow(asked, location, cx.ports) {
        Ok(target) => target,
        Err(forbidden) => {
            return invalid(
                format!("{answer}: a redirect that is not followed: {forbidden}"),
                "Keep the path /.well-known/acme-challenge/ out of this redirect.",
            );
        }
    };
    let (url, shown) = (target.url(), target.shown());
    if url == ask(cx).url() || cx.redirects.contains(&url) {
        return invalid(
            format!("{answer}: the redirect to {shown} goes round in a circle"),
            "Keep the path /.well-known/acme-challenge/ out of this redirect.",
        );
    }
    if cx.redirects.len() >= MOST_REDIRECTS {
        return invalid(
            format!("{answer}: more than {MOST_REDIRECTS} redirects, the next to {shown}"),
            "Let the first answer lead straight to the file.",
        );
    }
    Verdict::Ask(Probe::Http(target))
}

fn failed(cx: &Context<'_>, failure: &Failure) -> Verdict {
    let host = ask(cx).host;
    let curl = format!("try `curl -v {}` from the CA's host", ask(cx).url());
    let (kind, what, advice) = match failure.kind {
        FailureKind::NoSuchName => (
            Kind::Dns,
            "the name does not exist",
            format!(
                "Add an A or AAAA record for it, or give the CA a resolver that knows the name: \
                 try `getent ahosts {host}` on the CA's host."
            ),
        ),
        FailureKind::NoAddress => (
            Kind::Dns,
            "the name has no address",
            "Add an A or AAAA record for it.".to_owned(),
        ),
        FailureKind::Dns => (
            Kind::Dns,
            "the DNS gave no usable answer",
            format!(
                "Look at that resolver and at the name's zone: try `getent ahosts {host}` on the \
                 CA's host."
            ),
        ),
        FailureKind::AddressNotAllowed => (
            Kind::Connection,
            "this CA does not connect to such an address",
            "Point the name at another address, or ask the CA's operator to allow this one."
                .to_owned(),
        ),
        FailureKind::Refused => (
            Kind::Connection,
            "",
            format!("Nothing listens there, or a firewall rejects: {curl}."),
        ),
        FailureKind::Unreachable => (
            Kind::Connection,
            "the CA's host has no route to it",
            format!("Look at the CA's network: {curl}."),
        ),
        FailureKind::Timeout => (
            Kind::Connection,
            "no answer in time",
            format!("The host is down, or a firewall drops the packets: {curl}."),
        ),
        FailureKind::Reset => (
            Kind::Connection,
            "the connection was closed before there was an answer",
            format!("A proxy or a server that wants TLS on this port may do that: {curl}."),
        ),
        FailureKind::Tls => (
            Kind::Tls,
            "the TLS handshake failed",
            "Mend the https server, or keep the path /.well-known/acme-challenge/ out of the \
             redirect to https."
                .to_owned(),
        ),
        FailureKind::Protocol => (
            Kind::Connection,
            "what came is not HTTP",
            format!("Another service has this port, or it wants TLS: {curl}."),
        ),
    };
    let what = [what, &failure.words].into_iter().filter(|w| !w.is_empty());
    let mut what = what.collect::<Vec<_>>().join(": ");
    if what.is_empty() {
        what = format!("{} ms in all", failure.trail.millis);
    } else {
        what = format!("{what} (after {} ms)", failure.trail.millis);
    }
    let finding = story::finding(
        Method::Http01,
        cx,
        kind,
        (&failure.trail, None),
        (&what, &advice),
    );
    if failure.kind == FailureKind::AddressNotAllowed {
        Verdict::Invalid(finding)
    } else {
        Verdict::Retry(finding)
    }
}

fn finding(cx: &Context<'_>, kind: Kind, sight: &HttpSight, words: (&str, &str)) -> Finding {
    story::finding(Method::Http01, cx, kind, (&sight.trail, Some(sight)), words)
}

fn status_advice(status: u16) -> &'static str {
    match status {
        404 | 410 => {
            "The web server has no such file: check that this host reaches the server where the \
             client puts it, and that the client's webroot is the folder that is served."
        }
        401 | 403 | 407 => {
            "The web server asks for permission: let everybody read \
             /.well-known/acme-challenge/."
        }
        500..=599 => "The web server, or what stands behind it, fails: see its log.",
        _ => "Only status 200 with the key authorization proves the name.",
    }
}
