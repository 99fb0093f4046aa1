//! What an attempt looked like, in words for the client and as evidence for the
//! operator. The body's octets appear in the evidence only.

use serde_json::{Value, json};

use super::sight::{HttpProbe, HttpSight, Trail};
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
    (trail, sight): (&Trail, Option<&HttpSight>),
    (what, advice): (&str, &str),
) -> Finding {
    let mut story = redirects(cx);
    story.extend(resolution(trail));
    story.extend(attempts(trail));
    story.push(what.to_owned());
    let detail = format!(
        "{} for {} failed: {}. {advice}",
        method.as_str(),
        cx.identifier,
        story.join("; ")
    );
    let mut evidence = evidence(method, cx, trail, sight);
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
    trail: &Trail,
    sight: Option<&HttpSight>,
) -> Value {
    let mut evidence = json!({
        "method": method.as_str(),
        "redirects": cx.redirects,
        "trail": trail,
    });
    if let Some(sight) = sight {
        let shown = &sight.body[..sight.body.len().min(SHOWN_BODY)];
        evidence["answer"] = json!({
            "status": sight.status,
            "location": sight.location.as_deref().map(cut),
            "media_type": sight.media_type.as_deref().map(cut),
            "length": sight.length,
            "truncated": sight.truncated,
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
pub(super) fn answer(url: &HttpProbe, sight: &HttpSight) -> String {
    let media = match sight.media_type.as_deref() {
        Some(media) => quote(media.split(';').next().unwrap_or(media).trim()),
        None => "no media type".to_owned(),
    };
    let more = if sight.truncated { "more than " } else { "" };
    format!(
        "{} answered {} ({media}, {more}{} octets) after {} ms",
        url.shown(),
        sight.status,
        sight.length,
        sight.trail.millis
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
pub(crate) fn resolution(trail: &Trail) -> Option<String> {
    let resolver = trail.resolver.as_deref()?;
    let who = if resolver.starts_with(|c: char| c.is_ascii_digit() || c == '[') {
        format!("resolver {resolver}")
    } else {
        resolver.to_owned()
    };
    Some(if trail.answers.is_empty() {
        format!("{who} gave no answer")
    } else {
        format!("{who} answered {}", trail.answers.join(", "))
    })
}

fn attempts(trail: &Trail) -> Option<String> {
    let tried: Vec<_> = (trail.attempts.iter())
        .map(|a| format!("{}: {} after {} ms", a.address, a.outcome, a.millis))
        .collect();
    (!tried.is_empty()).then(|| format!("tried {}", tried.join(", ")))
}
