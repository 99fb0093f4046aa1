//! newOrder: checks a request (RFC 8555 §7.4), or reports every invalid identifier in one problem.

use std::collections::{BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::validity;
use crate::challenge::{self, Method};
use crate::identifier::Identifier;
use crate::message::identifier::Asked;
use crate::message::order::NewOrder;
use crate::problem::{Kind, Problem, Subproblem};
use crate::renewal::CertificateId;
use crate::requested_time::RequestedTime;
use crate::scope::{Scope, Subject};

/// The limits of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most identifiers in one order.
    pub identifiers: usize,
    /// The shortest lifetime of a certificate.
    pub shortest: SignedDuration,
    /// The longest lifetime of a certificate.
    pub longest: SignedDuration,
    /// How far in the past `notBefore` may be, as clocks differ and requests take time.
    pub leeway: SignedDuration,
    /// Whether a name may be proven by a parent domain (RFC 9444).
    pub widest: Scope,
}

/// A checked request; [`OrderRequest::create`] creates its order.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderRequest {
    pub(super) wanted: Vec<Wanted>,
    widest: Scope,
    pub(super) not_before: Option<RequestedTime>,
    pub(super) not_after: Option<RequestedTime>,
    pub(super) replaces: Option<CertificateId>,
}

/// An identifier of the certificate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) identifier: Identifier,
    /// The subject of a new authorization: the identifier, or a parent domain.
    pub(super) subject: Subject,
    pub(super) methods: Vec<Method>,
}

/// Checks whether an order may be created: its identifiers, its times, and an enabled method for
/// each identifier.
///
/// # Errors
/// `malformed`, `unsupportedIdentifier` or `rejectedIdentifier`; with subproblems if there is more
/// than one identifier, and `compound` if their kinds differ.
pub fn open(
    asked: &NewOrder,
    now: Timestamp,
    limits: &Limits,
    enabled: &[Method],
) -> Result<OrderRequest, Problem> {
    let wanted = check_identifiers(&asked.identifiers, limits, enabled)?;
    let time = |requested: &Option<RequestedTime>| requested.as_ref().map(RequestedTime::at);
    let (begin, end) = (time(&asked.not_before), time(&asked.not_after));
    validity::check(begin, end, now, limits)?;
    Ok(OrderRequest {
        wanted,
        widest: limits.widest,
        not_before: asked.not_before.clone(),
        not_after: asked.not_after.clone(),
        replaces: (asked.replaces.as_deref())
            .map(CertificateId::parse)
            .transpose()?,
    })
}

/// The subjects of earlier authorizations that could be reused for a request, each with the narrowest
/// scope. An identifier that [`open`] refuses has none.
pub fn reusable_subjects(asked: &NewOrder, widest: Scope) -> BTreeSet<Subject> {
    let identifiers = asked.identifiers.iter();
    identifiers
        .filter_map(|asked| asked.check().ok())
        .flat_map(|identifier| widest.subjects_for(&identifier))
        .collect()
}

impl OrderRequest {
    /// The identifiers of the certificate, canonical and without duplicates.
    pub fn identifiers(&self) -> impl Iterator<Item = &Identifier> + Clone {
        self.wanted.iter().map(|wanted| &wanted.identifier)
    }

    /// The certificate to be replaced.
    pub fn replaces(&self) -> Option<&CertificateId> {
        self.replaces.as_ref()
    }

    /// Orders the certificate without replacing another.
    pub fn replace_nothing(&mut self) {
        self.replaces = None;
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
            "The order has no identifiers: send at least one.",
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

/// Uses one authorization for a domain that is ordered itself and is the parent of other names.
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

/// The subject of an authorization, and the methods that can prove it.
pub(super) struct Provable {
    pub(super) subject: Subject,
    pub(super) methods: Vec<Method>,
}

/// The subject of an authorization for the identifier: `ancestor` with its subdomains if a method
/// can prove that, otherwise the identifier (RFC 9444 §4.3 leaves the choice to the server).
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
            "{identifier} is a wildcard, which only a DNS record can prove, and no DNS method is \
             enabled: ask the operator to enable dns-01, or order the names below {base} \
             individually."
        ),
        Identifier::Device(_) => format!(
            "No method enabled at this provisioner can prove {identifier}: ask the operator to \
             enable device-attest-01."
        ),
        Identifier::Dns(_) | Identifier::Ip(_) => format!(
            "No method enabled at this provisioner can prove {identifier}: ask the operator to \
             enable http-01."
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
    fn identifiers_are_made_canonical_and_duplicates_removed_in_order() {
        let mut asked = names(&["B.lab", "a.lab", "b.lab"]);
        asked.identifiers.push(Asked::new("ip", "::FFFF:10.0.0.7"));
        let opening = opened(&asked).unwrap();
        let kept: Vec<_> = opening.identifiers().map(Identifier::to_string).collect();
        assert_eq!(kept, ["b.lab", "a.lab", "10.0.0.7"]);
    }

    #[test]
    fn an_order_without_identifiers_or_with_too_many_is_malformed() {
        let none = opened(&names(&[])).unwrap_err();
        assert_eq!(none.kind, Kind::Malformed);
        let many = opened(&names(&["a", "b", "c", "d", "e"])).unwrap_err();
        assert!(many.detail.contains("5 identifiers, and 4"), "{many}");
    }

    #[test]
    fn a_single_invalid_name_is_reported_without_subproblems() {
        let problem = opened(&names(&["a_b.lab"])).unwrap_err();
        assert!(problem.detail.contains("underscore"), "{problem}");
        assert_eq!(problem.subproblems, []);
    }

    #[test]
    fn each_invalid_name_among_several_has_its_subproblem() {
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
    fn faults_of_different_kinds_are_a_compound_problem() {
        let mut asked = names(&["a..b"]);
        asked.identifiers.push(Asked::new("email", "a@b"));
        let problem = opened(&asked).unwrap_err();
        assert_eq!(problem.kind, Kind::Compound);
        assert_eq!(problem.subproblems[1].kind, Kind::UnsupportedIdentifier);
    }

    #[test]
    fn a_wildcard_is_rejected_without_a_dns_method() {
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
    fn a_request_lists_the_subjects_that_could_be_reused() {
        let sought = reusable_subjects(&names(&["a.lab", "a..b"]), Scope::Subdomains);
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
        let plain = reusable_subjects(&names(&["a.lab"]), Scope::Name);
        assert_eq!(plain.len(), 1);
    }
}
