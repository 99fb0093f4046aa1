//! Reports of an attempt: a detail for the client, and evidence for the operator. Octets of the
//! body appear in the evidence only.

use serde_json::{Value, json};

use super::observation::{Host, HttpObservation, HttpProbe, Trace};
use super::{Context, Finding, Method, redirect};
use crate::identifier::Identifier;
use crate::problem::{Kind, Problem, quote};

/// The most octets of a body in the evidence.
const SHOWN_BODY: usize = 200;
/// The most characters of a header in the evidence.
const SHOWN_HEADER: usize = 1000;

/// What is wrong, and how the client can fix it.
pub(super) struct Fault<'a> {
    pub(super) kind: Kind,
    pub(super) what: &'a str,
    pub(super) advice: &'a str,
}

impl<'a> Fault<'a> {
    /// The answer does not prove the identifier.
    pub(super) fn unauthorized(what: &'a str, advice: &'a str) -> Self {
        Self {
            kind: Kind::Unauthorized,
            what,
            advice,
        }
    }
}

/// The trace of a probe, with the HTTP answer if there is one.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    trace: &'a Trace,
    answer: Option<&'a HttpObservation>,
}

impl<'a> Seen<'a> {
    /// A probe without an HTTP answer.
    pub(super) fn trace(trace: &'a Trace) -> Self {
        Self {
            trace,
            answer: None,
        }
    }

    /// An HTTP answer.
    pub(super) fn answer(observation: &'a HttpObservation) -> Self {
        Self {
            trace: &observation.trace,
            answer: Some(observation),
        }
    }
}

/// Reports a failed attempt to the client and, as evidence, to the operator.
pub(super) fn finding(
    method: Method,
    cx: &Context<'_>,
    seen: Seen<'_>,
    fault: &Fault<'_>,
) -> Finding {
    let mut report = redirects(cx);
    report.extend(resolution(seen.trace));
    report.extend(attempts(seen.trace));
    report.push(fault.what.to_owned());
    let detail = format!(
        "{} for {} failed: {}. {}",
        method.as_str(),
        cx.identifier,
        report.join("; "),
        fault.advice,
    );
    let mut evidence = evidence(cx, seen);
    evidence["finding"] = json!(fault.what);
    Finding {
        problem: Problem::new(fault.kind, detail),
        evidence,
    }
}

/// The observation, for the operator, without what says nothing.
pub(super) fn evidence(cx: &Context<'_>, seen: Seen<'_>) -> Value {
    let mut evidence = json!({
        "redirects": cx.redirects,
        "trace": seen.trace,
    });
    if let Some(observation) = seen.answer {
        let shown = &observation.body[..observation.body.len().min(SHOWN_BODY)];
        // That of a proof is known: its token and the account's thumbprint.
        let is_expected = observation.body.trim_ascii_end() == cx.key_authorization.as_bytes();
        evidence["answer"] = json!({
            "status": observation.status,
            "location": observation.location.as_deref().map(cut),
            "media_type": observation.media_type.as_deref().map(cut),
            "length": observation.length,
            "truncated": observation.truncated.then_some(true),
            "body": (!is_expected).then(|| String::from_utf8_lossy(shown)),
        });
    }
    without_nothing(evidence)
}

/// A value without members that are null or empty lists.
pub(super) fn without_nothing(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter();
            let kept = members.map(|(name, member)| (name, without_nothing(member)));
            let says = |member: &Value| {
                !member.is_null() && member.as_array().is_none_or(|list| !list.is_empty())
            };
            kept.filter(|(_, member)| says(member)).collect()
        }
        Value::Array(list) => list.into_iter().map(without_nothing).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// The first characters of a header.
fn cut(value: &str) -> String {
    value.chars().take(SHOWN_HEADER).collect()
}

/// The status, media type, length and time of an answer.
pub(super) fn answer(cx: &Context<'_>, url: &HttpProbe, observation: &HttpObservation) -> String {
    let media = match observation.media_type.as_deref() {
        Some(media) => quote(media.split(';').next().unwrap_or(media).trim()),
        None => "no media type".to_owned(),
    };
    let more = if observation.truncated {
        "more than "
    } else {
        ""
    };
    format!(
        "{} answered {} ({media}, {more}{} octets) after {} ms",
        shown(cx, url),
        observation.status,
        observation.length,
        observation.trace.millis
    )
}

/// The URL of a probe as the client sees it: of a host that is not the identifier's, where a redirect
/// may have led into a network that the client cannot reach, scheme and authority only.
pub(super) fn shown(cx: &Context<'_>, url: &HttpProbe) -> String {
    let own = match (&url.host, cx.identifier) {
        (Host::Ip(host), Identifier::Ip(own)) => host == own,
        (Host::Name(host), Identifier::Dns(own) | Identifier::Wildcard(own)) => {
            is_within(host, own.as_str())
        }
        (Host::Ip(_) | Host::Name(_), _) => false,
    };
    if own { url.shown() } else { url.origin() }
}

/// Whether a name is `domain` or below it.
pub(super) fn is_within(name: &str, domain: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let before = name.strip_suffix(domain);
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn redirects(cx: &Context<'_>) -> Vec<String> {
    let shown = cx.redirects.iter().map(|url| match redirect::parse(url) {
        Ok(target) => format!("redirected to {}", shown(cx, &target)),
        Err(_) => "asked again for a certificate with another kind of key".to_owned(),
    });
    shown.collect()
}

/// The source of the DNS records and its answers.
pub(crate) fn resolution(trace: &Trace) -> Option<String> {
    let resolver = trace.resolver.as_deref()?;
    let who = if resolver.starts_with(|c: char| c.is_ascii_digit() || c == '[') {
        format!("resolver {resolver}")
    } else {
        resolver.to_owned()
    };
    Some(if trace.answers.is_empty() {
        format!("{who} gave no answer")
    } else {
        format!("{who} answered {}", trace.answers.join(", "))
    })
}

fn attempts(trace: &Trace) -> Option<String> {
    let tried: Vec<_> = (trace.attempts.iter())
        .map(|a| format!("{}: {} after {} ms", a.address, a.outcome, a.millis))
        .collect();
    (!tried.is_empty()).then(|| format!("tried {}", tried.join(", ")))
}
