//! What an attempt looked like, in words for the client and as evidence for the
//! operator. The body's octets appear in the evidence only.

use serde_json::{Value, json};

use super::observation::{HttpObservation, HttpProbe, Trace};
use super::{Context, Finding, Method, redirect};
use crate::problem::{Kind, Problem, quote};

/// How much of a body the operator gets to see, in octets.
const SHOWN_BODY: usize = 200;
/// How much of a header, in characters.
const SHOWN_HEADER: usize = 1000;

/// Tells what happened: `what` went wrong, and the `advice` what to do next.
pub(super) fn finding(
    method: Method,
    cx: &Context<'_>,
    kind: Kind,
    (trace, observation): (&Trace, Option<&HttpObservation>),
    (what, advice): (&str, &str),
) -> Finding {
    let mut report = redirects(cx);
    report.extend(resolution(trace));
    report.extend(attempts(trace));
    report.push(what.to_owned());
    let detail = format!(
        "{} for {} failed: {}. {advice}",
        method.as_str(),
        cx.identifier,
        report.join("; ")
    );
    let mut evidence = evidence(method, cx, trace, observation);
    evidence["finding"] = json!(what);
    Finding {
        problem: Problem::new(kind, detail),
        evidence,
    }
}

/// What was seen, for the operator.
pub(super) fn evidence(
    method: Method,
    cx: &Context<'_>,
    trace: &Trace,
    observation: Option<&HttpObservation>,
) -> Value {
    let mut evidence = json!({
        "method": method.as_str(),
        "redirects": cx.redirects,
        "trace": trace,
    });
    if let Some(observation) = observation {
        let shown = &observation.body[..observation.body.len().min(SHOWN_BODY)];
        evidence["answer"] = json!({
            "status": observation.status,
            "location": observation.location.as_deref().map(cut),
            "media_type": observation.media_type.as_deref().map(cut),
            "length": observation.length,
            "truncated": observation.truncated,
            "body": String::from_utf8_lossy(shown),
        });
    }
    evidence
}

/// The first characters of a header.
fn cut(value: &str) -> String {
    value.chars().take(SHOWN_HEADER).collect()
}

/// Status, media type, length and time of an answer.
pub(super) fn answer(url: &HttpProbe, observation: &HttpObservation) -> String {
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
        url.shown(),
        observation.status,
        observation.length,
        observation.trace.millis
    )
}

fn redirects(cx: &Context<'_>) -> Vec<String> {
    let shown = cx.redirects.iter().map(|url| match redirect::parse(url) {
        Ok(target) => format!("redirected to {}", target.shown()),
        Err(_) => "redirected".to_owned(),
    });
    shown.collect()
}

/// Who was asked for records, and what came of it.
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
