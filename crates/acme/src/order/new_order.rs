//! newOrder: from what a client sends to a request that was checked (RFC 8555 §7.4), or to a problem
//! that names every bad identifier.

use std::collections::{BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::validity;
use crate::challenge::{self, Method};
use crate::identifier::Identifier;
use crate::message::identifier::Asked;
use crate::message::order::NewOrder;
use crate::problem::{Kind, Problem, Subproblem};
use crate::renewal::CertificateId;
use crate::scope::{Scope, Subject};

/// What an order may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most identifiers in one order.
    pub identifiers: usize,
    /// The shortest life of a certificate.
    pub shortest: SignedDuration,
    /// The longest life of a certificate.
    pub longest: SignedDuration,
    /// How far in the past `notBefore` may be: clocks differ, requests take time.
    pub leeway: SignedDuration,
    /// Whether a name may be proven by a domain above it (RFC 9444).
    pub widest: Scope,
}

/// What was asked for, checked; [`OrderRequest::create`] makes the order of it.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderRequest {
    pub(super) wanted: Vec<Wanted>,
    widest: Scope,
    pub(super) not_before: Option<Timestamp>,
    pub(super) not_after: Option<Timestamp>,
    pub(super) replaces: Option<CertificateId>,
}

/// An identifier of the certificate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) identifier: Identifier,
    /// What a new authorization would be for: itself, or a domain that it lies in.
    pub(super) subject: Subject,
    pub(super) methods: Vec<Method>,
}

/// Decides whether an order may be opened: its names, its times, and a method
/// for each identifier among `enabled`.
///
/// # Errors
/// `malformed`, `unsupportedIdentifier` or `rejectedIdentifier`; with subproblems
/// if there is more than one identifier, and `compound` if they differ in kind.
pub fn open(
    asked: &NewOrder,
    now: Timestamp,
    limits: &Limits,
    enabled: &[Method],
) -> Result<OrderRequest, Problem> {
    let wanted = check_identifiers(&asked.identifiers, limits, enabled)?;
    validity::check(asked.not_before, asked.not_after, now, limits)?;
    Ok(OrderRequest {
        wanted,
        widest: limits.widest,
        not_before: asked.not_before,
        not_after: asked.not_after,
        replaces: (asked.replaces.as_deref())
            .map(CertificateId::parse)
            .transpose()?,
    })
}

impl OrderRequest {
    /// What the certificate is for: canonical, no identifier twice.
    pub fn identifiers(&self) -> impl Iterator<Item = &Identifier> + Clone {
        self.wanted.iter().map(|wanted| &wanted.identifier)
    }

    /// The subjects of earlier authorizations that would serve it, the least scope of each.
    pub fn sought(&self) -> BTreeSet<Subject> {
        let all = self.identifiers();
        all.flat_map(|identifier| self.widest.subjects_for(identifier))
            .collect()
    }

    /// The certificate that is to be replaced.
    pub fn replaces(&self) -> Option<&CertificateId> {
        self.replaces.as_ref()
    }
}

fn check_identifiers(
    asked: &[Asked],
    limits: &Limits,
    enabled: &[Method],
) -> Result<Vec<Wanted>, Problem> {
    let most = limits.identifiers;
    if asked.is_empty() {
        return Err(Problem::malformed(
            "The order has no identifiers: name at least one.",
        ));
    }
    if asked.len() > most {
        return Err(Problem::malformed(format!(
            "The order has {} identifiers, and {most} is the limit: split it.",
            asked.len()
        )));
    }
    let mut seen = HashSet::new();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for one in asked {
        match want(one, limits.widest, enabled) {
            Ok(wanted) if seen.insert(wanted.identifier.clone()) => good.push(wanted),
            Ok(_) => {}
            Err(problem) => bad.push((one, problem)),
        }
    }
    match bad.len() {
        0 => Ok(together_with_others(good)),
        _ if asked.len() == 1 => Err(bad.swap_remove(0).1),
        _ => Err(together(&bad, asked.len())),
    }
}

fn want(asked: &Asked, widest: Scope, enabled: &[Method]) -> Result<Wanted, Problem> {
    let identifier = asked.check()?;
    let ancestor = match widest {
        Scope::Name => None,
        Scope::Subdomains => asked.ancestor_of(&identifier)?,
    };
    let ancestor = ancestor.map(Identifier::Dns);
    let Provable { subject, methods } = with_methods(identifier.clone(), ancestor, enabled)?;
    Ok(Wanted {
        identifier,
        subject,
        methods,
    })
}

/// A domain that is ordered itself and above other names needs no second authorization.
fn together_with_others(mut all: Vec<Wanted>) -> Vec<Wanted> {
    let wide = |wanted: &&Wanted| wanted.subject.scope == Scope::Subdomains;
    let above: Vec<_> = all.iter().filter(wide).cloned().collect();
    for wanted in &mut all {
        if let Some(other) = above
            .iter()
            .find(|o| o.subject.identifier == wanted.identifier)
        {
            wanted.subject = other.subject.clone();
            wanted.methods.clone_from(&other.methods);
        }
    }
    all
}

/// What an authorization is for, and the methods that can prove that.
pub(super) struct Provable {
    pub(super) subject: Subject,
    pub(super) methods: Vec<Method>,
}

/// What an authorization for the identifier is for, and how it is proven: by `ancestor` if a
/// method can do that, else by the identifier itself (RFC 9444 §4.3: at the server's choice).
pub(super) fn with_methods(
    identifier: Identifier,
    ancestor: Option<Identifier>,
    enabled: &[Method],
) -> Result<Provable, Problem> {
    if let Some(ancestor) = ancestor {
        let methods = challenge::offered_for_subdomains(enabled);
        if !methods.is_empty() {
            let subject = Subject {
                identifier: ancestor,
                scope: Scope::Subdomains,
            };
            return Ok(Provable { subject, methods });
        }
    }
    let methods = challenge::offered(&identifier, enabled);
    if !methods.is_empty() {
        return Ok(Provable {
            subject: Subject::name(identifier),
            methods,
        });
    }
    let words = match &identifier {
        Identifier::Wildcard(base) => format!(
            "{identifier} is a wildcard, which only a record in the DNS can prove, and dns-01 is \
             not offered here: ask the operator to enable it, or order the names below {base} one \
             by one."
        ),
        Identifier::Dns(_) | Identifier::Ip(_) => format!(
            "No challenge that this provisioner has enabled can prove {identifier}: ask its \
             operator to enable http-01."
        ),
    };
    Err(Problem::rejected_identifier(words))
}

fn together(bad: &[(&Asked, Problem)], asked: usize) -> Problem {
    let first = bad
        .first()
        .map_or(Kind::Malformed, |(_, problem)| problem.kind);
    let kind = if bad.iter().all(|(_, problem)| problem.kind == first) {
        first
    } else {
        Kind::Compound
    };
    let words: Vec<_> = bad.iter().map(|(_, p)| p.detail.as_str()).collect();
    let shown = words.iter().take(3).copied().collect::<Vec<_>>().join(" ");
    let more = if words.len() > 3 { " …" } else { "" };
    let detail = format!(
        "{} of {asked} identifiers cannot be in an order: {shown}{more}",
        bad.len()
    );
    let subproblems = bad.iter().map(|(asked, problem)| Subproblem {
        kind: problem.kind,
        detail: problem.detail.clone(),
        identifier: Some(asked.to_unchecked()),
    });
    subproblems.fold(Problem::new(kind, detail), Problem::with_subproblem)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value;

    use super::*;
    use crate::order::tests::now;

    pub(in crate::order) const LIMITS: Limits = Limits {
        identifiers: 4,
        shortest: SignedDuration::from_mins(5),
        longest: SignedDuration::from_hours(24),
        leeway: SignedDuration::from_mins(10),
        widest: Scope::Name,
    };

    pub(in crate::order) fn names(values: &[&str]) -> NewOrder {
        let identifiers = values.iter().map(|value| Asked::new("dns", *value));
        NewOrder {
            identifiers: identifiers.collect(),
            ..NewOrder::default()
        }
    }

    pub(in crate::order) fn opened(asked: &NewOrder) -> Result<OrderRequest, Problem> {
        open(asked, now(), &LIMITS, &[Method::Http01])
    }

    #[test]
    fn names_are_lowered_and_kept_once_in_their_order() {
        let mut asked = names(&["B.lab", "a.lab", "b.lab"]);
        asked.identifiers.push(Asked::new("ip", "::FFFF:10.0.0.7"));
        let opening = opened(&asked).unwrap();
        let kept: Vec<_> = opening.identifiers().map(Identifier::to_string).collect();
        assert_eq!(kept, ["b.lab", "a.lab", "10.0.0.7"]);
    }

    #[test]
    fn an_order_without_names_or_with_too_many_is_malformed() {
        let none = opened(&names(&[])).unwrap_err();
        assert_eq!(none.kind, Kind::Malformed);
        let many = opened(&names(&["a", "b", "c", "d", "e"])).unwrap_err();
        assert!(many.detail.contains("5 identifiers, and 4"), "{many}");
    }

    #[test]
    fn a_single_bad_name_is_the_whole_problem() {
        let problem = opened(&names(&["a_b.lab"])).unwrap_err();
        assert!(problem.detail.contains("underscore"), "{problem}");
        assert_eq!(problem.subproblems, []);
    }

    #[test]
    fn each_bad_name_among_several_has_its_subproblem() {
        let problem = opened(&names(&["a..b", "good.lab", "c_d"])).unwrap_err();
        assert_eq!(problem.kind, Kind::Malformed);
        let at_fault: Vec<_> = (problem.subproblems.iter())
            .map(|s| s.identifier.as_ref().unwrap().value.as_str())
            .collect();
        assert_eq!(at_fault, ["a..b", "c_d"]);
        assert!(
            problem.detail.starts_with("2 of 3 identifiers"),
            "{problem}"
        );
    }

    #[test]
    fn bad_names_of_different_kinds_are_a_compound_problem() {
        let mut asked = names(&["a..b"]);
        asked.identifiers.push(Asked::new("email", "a@b"));
        let problem = opened(&asked).unwrap_err();
        assert_eq!(problem.kind, Kind::Compound);
        assert_eq!(problem.subproblems[1].kind, Kind::UnsupportedIdentifier);
    }

    #[test]
    fn a_wildcard_is_rejected_because_dns_01_is_not_offered() {
        let problem = opened(&names(&["*.foo.lab"])).unwrap_err();
        assert_eq!(problem.kind, Kind::RejectedIdentifier);
        assert!(problem.detail.contains("dns-01"), "{problem}");
        let none = open(&names(&["a.lab"]), now(), &LIMITS, &[]).unwrap_err();
        assert_eq!(none.kind, Kind::RejectedIdentifier);
    }

    pub(in crate::order) fn below(
        names: &[(&str, &str)],
        enabled: &[Method],
    ) -> Result<OrderRequest, Problem> {
        let identifiers = names.iter().map(|(name, ancestor)| Asked {
            ancestor_domain: (!ancestor.is_empty()).then(|| Value::from(*ancestor)),
            ..Asked::new("dns", *name)
        });
        let asked = NewOrder {
            identifiers: identifiers.collect(),
            ..NewOrder::default()
        };
        let limits = Limits {
            widest: Scope::Subdomains,
            ..LIMITS
        };
        open(&asked, now(), &limits, enabled)
    }

    #[test]
    fn an_opening_seeks_what_would_serve_it() {
        let sought = below(&[("a.lab", "")], Method::ALL).unwrap().sought();
        let sought: Vec<_> = (sought.iter())
            .map(|subject| (subject.identifier.to_string(), subject.scope))
            .collect();
        assert_eq!(
            sought,
            [
                ("a.lab".to_owned(), Scope::Name),
                ("a.lab".to_owned(), Scope::Subdomains),
                ("lab".to_owned(), Scope::Subdomains),
            ]
        );
        let plain = opened(&names(&["a.lab"])).unwrap().sought();
        assert_eq!(plain.len(), 1);
    }
}
