//! newOrder: from what a client sends to an order and its authorizations
//! (RFC 8555 §7.4), or to a problem that names every bad identifier.

use std::collections::{BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Order, Pending, Ready, Record, ReusableAuthorizations, Status};
use crate::authz::{self, Authorization, Origin};
use crate::challenge::{self, Challenge, Method};
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
    wanted: Vec<Wanted>,
    widest: Scope,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    replaces: Option<CertificateId>,
}

/// An identifier of the certificate.
#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    identifier: Identifier,
    /// What a new authorization would be for: itself, or a domain that it lies in.
    subject: Subject,
    methods: Vec<Method>,
}

/// Whose order it will be, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The account.
    pub account: Uuid,
    /// The provisioner that it belongs to.
    pub provisioner: &'a str,
    /// The profile that it gets.
    pub profile: Option<&'a str>,
    /// When order and authorizations end.
    pub expires: Timestamp,
}

/// What authorizations may be at one provisioner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed<'a> {
    /// The methods that are enabled.
    pub methods: &'a [Method],
    /// The widest scope.
    pub widest: Scope,
}

/// What makes a new record unlike all others.
#[derive(Clone, Debug)]
pub struct RecordSeed {
    /// Its id.
    pub id: Uuid,
    /// Random octets; a challenge's become its token.
    pub random: [u8; 32],
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
    check_times(asked.not_before, asked.not_after, now, limits)?;
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

    /// Makes the order and its new authorizations; `seed` is called once for each new record: the
    /// order, each authorization, each challenge. What the account holds replaces new
    /// authorizations: the order is ready if that proves all of it, and ends no later than that.
    pub fn create(
        &self,
        held: ReusableAuthorizations,
        owner: &Owner<'_>,
        now: Timestamp,
        mut seed: impl FnMut() -> RecordSeed,
    ) -> (Order, Vec<Authorization>) {
        let mut order = Record {
            id: seed().id,
            account: owner.account,
            provisioner: owner.provisioner.to_owned(),
            identifiers: self.identifiers().cloned().collect(),
            authorizations: Vec::with_capacity(self.wanted.len()),
            not_before: self.not_before,
            not_after: self.not_after,
            profile: owner.profile.map(str::to_owned),
            expires: owner.expires,
            status: Status::Pending,
            error: None,
            certificate: None,
            replaces: self.replaces.clone(),
            created_at: now,
        };
        let (mut made, mut proofs) = (Vec::new(), Vec::new());
        for wanted in &self.wanted {
            let (identifier, subject) = (&wanted.identifier, &wanted.subject);
            if let Some((permit, proof)) = held.permitted(identifier, owner.account, now) {
                let end = permit.record().expires.unwrap_or(owner.expires);
                let given = Authorization {
                    status: authz::Status::Valid,
                    expires: end.min(owner.expires),
                    origin: Origin::Permit(permit.record().id),
                    ..authorization(owner, Subject::name(identifier.clone()), &[], &mut seed)
                };
                proofs.push(proof);
                order.attach(&given);
                made.push(given);
            } else if let Some(held) = held.of(identifier, subject, owner.account) {
                order.attach(&held.authorization);
            } else if !made.iter().any(|one| is_pending_for(one, subject)) {
                let new = authorization(owner, subject.clone(), &wanted.methods, &mut seed);
                order.attach(&new);
                made.push(new);
            }
        }
        proofs.extend(held.into_proofs_of(&order.authorizations));
        let order = match Pending(Box::new(Order(order))).ready(&proofs) {
            Ok(Ready(order)) | Err(Pending(order)) => *order,
        };
        (order, made)
    }
}

impl Record {
    fn attach(&mut self, authorization: &Authorization) {
        if !self.authorizations.contains(&authorization.id) {
            self.authorizations.push(authorization.id);
        }
        self.expires = self.expires.min(authorization.expires);
    }
}

fn is_pending_for(authorization: &Authorization, subject: &Subject) -> bool {
    authorization.status == authz::Status::Pending
        && authorization.identifier == subject.identifier
        && authorization.scope == subject.scope
}

/// Makes the pending authorization that a client asks for ahead of any order (RFC 8555 §7.4.1):
/// with all subdomains if it wants that, the widest scope allows it, and a method can prove them.
///
/// # Errors
/// `malformed` for a wildcard, which cannot be authorized ahead; else as [`open`].
pub fn open_ahead(
    asked: &Asked,
    allowed: &Allowed<'_>,
    owner: &Owner<'_>,
    mut seed: impl FnMut() -> RecordSeed,
) -> Result<Authorization, Problem> {
    let identifier = asked.check()?;
    if identifier.is_wildcard() {
        return Err(Problem::malformed(format!(
            "{identifier} is a wildcard, which cannot be authorized ahead of an order (RFC 8555 \
             §7.4.1): order it."
        )));
    }
    let wide = allowed.widest == Scope::Subdomains && asked.wants_subdomains(&identifier)?;
    let ancestor = wide.then(|| identifier.clone());
    let (subject, methods) = with_methods(identifier, ancestor, allowed.methods)?;
    Ok(Authorization {
        origin: Origin::Ahead,
        ..authorization(owner, subject, &methods, &mut seed)
    })
}

fn authorization(
    owner: &Owner<'_>,
    subject: Subject,
    methods: &[Method],
    seed: &mut impl FnMut() -> RecordSeed,
) -> Authorization {
    let id = seed().id;
    let challenges = methods.iter().map(|method| {
        let RecordSeed { id, random } = seed();
        Challenge::new(id, *method, &random)
    });
    Authorization {
        id,
        account: owner.account,
        provisioner: owner.provisioner.to_owned(),
        identifier: subject.identifier,
        scope: subject.scope,
        status: authz::Status::Pending,
        expires: owner.expires,
        challenges: challenges.collect(),
        origin: Origin::Order,
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
    let (subject, methods) = with_methods(identifier.clone(), ancestor, enabled)?;
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

/// What an authorization for the identifier is for, and how it is proven: by `ancestor` if a
/// method can do that, else by the identifier itself (RFC 9444 §4.3: at the server's choice).
fn with_methods(
    identifier: Identifier,
    ancestor: Option<Identifier>,
    enabled: &[Method],
) -> Result<(Subject, Vec<Method>), Problem> {
    if let Some(ancestor) = ancestor {
        let methods = challenge::offered_for_subdomains(enabled);
        if !methods.is_empty() {
            let subject = Subject {
                identifier: ancestor,
                scope: Scope::Subdomains,
            };
            return Ok((subject, methods));
        }
    }
    let methods = challenge::offered(&identifier, enabled);
    if !methods.is_empty() {
        return Ok((Subject::name(identifier), methods));
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

fn check_times(
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    now: Timestamp,
    limits: &Limits,
) -> Result<(), Problem> {
    if let Some(begin) = not_before
        && now.duration_since(begin) > limits.leeway
    {
        return Err(Problem::malformed(format!(
            "notBefore {begin} is in the past (it is {now}): leave it out for a certificate that \
             begins now."
        )));
    }
    // Who has a name today need not have it years from now: a stock of short lives is a long one.
    let minute = SignedDuration::from_mins(1);
    if let Some(begin) = not_before
        && begin.duration_since(now) > limits.longest.saturating_add(minute)
    {
        return Err(Problem::malformed(format!(
            "notBefore {begin} lies further ahead than the longest life, {:#}: order then.",
            limits.longest
        )));
    }
    let Some(end) = not_after else {
        return Ok(());
    };
    if end <= now {
        return Err(Problem::malformed(format!(
            "notAfter {end} is in the past (it is {now}): leave it out for the usual life."
        )));
    }
    let begin = not_before.unwrap_or(now);
    let life = end.duration_since(begin);
    if !life.is_positive() {
        return Err(Problem::malformed(format!(
            "notAfter {end} is not after notBefore {begin}: swap them or leave both out."
        )));
    }
    // Requests take time and clients reckon from their own clock: a minute is forgiven.
    let bound = if life > limits.longest.saturating_add(minute) {
        format!("at most {:#}", limits.longest)
    } else if life < limits.shortest.saturating_sub(minute) {
        format!("at least {:#}", limits.shortest)
    } else {
        return Ok(());
    };
    let life = life.round(jiff::Unit::Second).unwrap_or(life);
    Err(Problem::malformed(format!(
        "notAfter {end} asks for a life of {life:#}, and this provisioner gives {bound}: choose \
         another notAfter or leave it out."
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::challenge::{Proof, ProofRecord};
    use crate::order::ReusableAuthorization;
    use crate::permit;

    const LIMITS: Limits = Limits {
        identifiers: 4,
        shortest: SignedDuration::from_mins(5),
        longest: SignedDuration::from_hours(24),
        leeway: SignedDuration::from_mins(10),
        widest: Scope::Name,
    };

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn names(values: &[&str]) -> NewOrder {
        let identifiers = values.iter().map(|value| Asked::new("dns", *value));
        NewOrder {
            identifiers: identifiers.collect(),
            ..NewOrder::default()
        }
    }

    fn opened(asked: &NewOrder) -> Result<OrderRequest, Problem> {
        open(asked, now(), &LIMITS, &[Method::Http01])
    }

    fn lasting(not_before: Option<&str>, not_after: Option<&str>) -> Result<(), Problem> {
        let time = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        let asked = NewOrder {
            not_before: time(not_before),
            not_after: time(not_after),
            ..names(&["a.lab"])
        };
        opened(&asked).map(|_| ())
    }

    #[test]
    fn a_certificate_cannot_be_had_for_years_to_come() {
        assert_eq!(lasting(Some("2026-11-24T12:00:00Z"), None), Ok(()));
        for (begin, end) in [
            ("2026-11-24T12:05:00Z", None),
            ("2036-11-23T12:00:00Z", Some("2036-11-24T12:00:00Z")),
        ] {
            let problem = lasting(Some(begin), end).unwrap_err();
            assert!(problem.detail.contains("lies further ahead"), "{problem}");
        }
    }

    #[test]
    fn a_life_out_of_bounds_is_told_in_whole_seconds() {
        let problem = lasting(None, Some("2026-11-23T12:01:59.477872122Z")).unwrap_err();
        assert!(
            problem.detail.contains("a life of 1m 59s, and"),
            "{problem}"
        );
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

    #[test]
    fn times_that_make_sense_are_taken() {
        for (not_before, not_after) in [
            (None, None),
            (None, Some("2026-11-23T13:00:00Z")),
            (None, Some("2026-11-24T12:00:59Z")),
            (Some("2026-11-23T11:55:00Z"), Some("2026-11-23T12:30:00Z")),
            (Some("2026-11-24T00:00:00Z"), Some("2026-11-24T23:00:00Z")),
        ] {
            assert_eq!(lasting(not_before, not_after), Ok(()));
        }
    }

    #[test]
    fn times_that_make_none_are_malformed() {
        for (not_before, not_after, word) in [
            (Some("2026-11-23T11:00:00Z"), None, "notBefore"),
            (None, Some("2026-11-23T12:00:00Z"), "in the past"),
            (None, Some("0001-01-02T00:00:00Z"), "in the past"),
            (
                Some("2026-11-24T12:00:00Z"),
                Some("2026-11-24T11:00:00Z"),
                "not after",
            ),
            (
                Some("2026-11-24T12:00:00Z"),
                Some("2026-11-24T12:00:00Z"),
                "not after",
            ),
            (None, Some("2076-11-23T12:00:00Z"), "at most 24h"),
            (None, Some("2026-11-23T12:01:00Z"), "at least 5m"),
        ] {
            let problem = lasting(not_before, not_after).unwrap_err();
            assert_eq!(problem.kind, Kind::Malformed);
            assert!(problem.detail.contains(word), "{problem}");
        }
    }

    #[test]
    fn an_order_and_its_authorizations_belong_together() {
        let owner = Owner {
            account: Uuid::from_u128(99),
            provisioner: "acme",
            profile: Some("tls"),
            expires: "2026-11-24T12:00:00Z".parse().unwrap(),
        };
        let mut next = 0_u8;
        let opening = opened(&names(&["a.lab", "b.lab"])).unwrap();
        let held = ReusableAuthorizations::default();
        let (order, authorizations) = opening.create(held, &owner, now(), || {
            next += 1;
            RecordSeed {
                id: Uuid::from_u128(next.into()),
                random: [next; 32],
            }
        });
        assert_eq!(next, 5);
        assert_eq!(order.status, Status::Pending);
        assert_eq!(order.profile.as_deref(), Some("tls"));
        let ids: Vec<_> = authorizations.iter().map(|a| a.id).collect();
        assert_eq!(order.authorizations, ids);
        for (authorization, identifier) in authorizations.iter().zip(&order.identifiers) {
            assert_eq!(&authorization.identifier, identifier);
            assert_eq!(authorization.account, order.account);
            assert_eq!(authorization.challenges.len(), 1);
        }
        let token = |n: usize| &authorizations[n].challenges[0].token;
        assert_ne!(token(0), token(1));
    }

    fn created(request: &OrderRequest) -> (Order, Vec<Authorization>) {
        created_with(request, ReusableAuthorizations::default())
    }

    fn created_with(
        request: &OrderRequest,
        held: ReusableAuthorizations,
    ) -> (Order, Vec<Authorization>) {
        let owner = Owner {
            account: Uuid::from_u128(99),
            provisioner: "acme",
            profile: None,
            expires: "2026-11-24T12:00:00Z".parse().unwrap(),
        };
        let mut next = 0_u8;
        request.create(held, &owner, now(), || {
            next += 1;
            RecordSeed {
                id: Uuid::from_u128(next.into()),
                random: [next; 32],
            }
        })
    }

    fn proof(subject: Subject, account: Uuid, method: Method) -> Proof {
        Proof::from_record(ProofRecord {
            subject,
            account,
            method,
            at: now(),
            evidence: Value::Null,
            attested_key: None,
        })
    }

    /// A valid authorization of the account that ends before an order would.
    fn held(name: &str, account: u128) -> ReusableAuthorization {
        let identifier = Identifier::guess(name).unwrap();
        let account = Uuid::from_u128(account);
        let authorization = Authorization {
            id: Uuid::from_u128(77),
            account,
            provisioner: "acme".into(),
            identifier: identifier.clone(),
            scope: Scope::Name,
            status: authz::Status::Valid,
            expires: "2026-11-24T06:00:00Z".parse().unwrap(),
            challenges: Vec::new(),
            origin: Origin::Order,
        };
        let proof = proof(Subject::name(identifier), account, Method::Http01);
        ReusableAuthorization {
            authorization,
            proof: Some(proof),
        }
    }

    #[test]
    fn an_order_that_is_proven_already_begins_ready_and_ends_with_its_authorization() {
        let reusable = || ReusableAuthorizations {
            held: vec![held("a.lab", 99)],
            permits: Vec::new(),
        };
        let one = opened(&names(&["a.lab"])).unwrap();
        let (order, made) = created_with(&one, reusable());
        assert_eq!((order.status, made), (Status::Ready, Vec::new()));
        assert_eq!(order.authorizations, [Uuid::from_u128(77)]);
        assert_eq!(order.expires, held("a.lab", 99).authorization.expires);
        let two = opened(&names(&["a.lab", "b.lab"])).unwrap();
        let (order, made) = created_with(&two, reusable());
        assert_eq!((order.status, made.len()), (Status::Pending, 1));
        assert_eq!(order.authorizations, [Uuid::from_u128(77), made[0].id]);
    }

    #[test]
    fn what_another_account_or_another_name_has_proven_serves_nothing() {
        for other in [held("a.lab", 98), held("b.lab", 99)] {
            let reusable = ReusableAuthorizations {
                held: vec![other],
                permits: Vec::new(),
            };
            let request = opened(&names(&["a.lab"])).unwrap();
            let (order, made) = created_with(&request, reusable);
            assert_eq!((order.status, made.len()), (Status::Pending, 1));
        }
    }

    #[test]
    fn a_permit_gives_an_authorization_that_is_valid_at_once() {
        let record = permit::Record {
            id: Uuid::from_u128(5),
            holder: permit::Holder::Account(Uuid::from_u128(99)),
            provisioner: "acme".into(),
            pattern: permit::Pattern::parse("**.lab").unwrap(),
            expires: Some("2026-11-23T13:00:00Z".parse().unwrap()),
            by: "root".into(),
            at: now(),
        };
        for (account, status) in [(99, Status::Ready), (98, Status::Pending)] {
            let permit = permit::Permit::from_record(record.clone(), Uuid::from_u128(account));
            let reusable = ReusableAuthorizations {
                held: Vec::new(),
                permits: vec![permit],
            };
            let request = opened(&names(&["a.lab"])).unwrap();
            let (order, made) = created_with(&request, reusable);
            assert_eq!(order.status, status);
            let given = made[0].origin == Origin::Permit(record.id);
            assert_eq!(given, status == Status::Ready);
            assert_eq!(Some(order.expires) == record.expires, given);
        }
    }

    #[test]
    fn a_wildcard_is_not_authorized_ahead() {
        let owner = Owner {
            account: Uuid::nil(),
            provisioner: "acme",
            profile: None,
            expires: now(),
        };
        let seed = || RecordSeed {
            id: Uuid::nil(),
            random: [0; 32],
        };
        let allowed = Allowed {
            methods: Method::ALL,
            widest: Scope::Name,
        };
        let ahead = |name| open_ahead(&Asked::new("dns", name), &allowed, &owner, seed);
        assert_eq!(ahead("a.lab").unwrap().origin, Origin::Ahead);
        let refused = ahead("*.a.lab").unwrap_err();
        assert_eq!(refused.kind, Kind::Malformed);
        assert!(refused.detail.contains("ahead"), "{refused}");
    }

    fn below(names: &[(&str, &str)], enabled: &[Method]) -> Result<OrderRequest, Problem> {
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
    fn names_below_one_domain_share_its_authorization() {
        let names = [
            ("lab", ""),
            ("a.lab", "lab"),
            ("*.b.lab", "lab"),
            ("c.x", ""),
        ];
        let (order, made) = created(&below(&names, Method::ALL).unwrap());
        assert_eq!(order.identifiers.len(), 4);
        let subjects: Vec<_> = (made.iter().map(|a| (a.identifier.to_string(), a.scope))).collect();
        let expected = [
            ("lab".to_owned(), Scope::Subdomains),
            ("c.x".to_owned(), Scope::Name),
        ];
        assert_eq!(subjects, expected);
        assert_eq!(order.authorizations, [made[0].id, made[1].id]);
        let methods: Vec<_> = made[0].challenges.iter().map(|c| c.method).collect();
        assert_eq!(methods, [Method::Dns01, Method::DnsAccount01]);
    }

    #[test]
    fn where_no_method_proves_subdomains_each_name_is_proven_itself() {
        let (_, made) = created(&below(&[("a.lab", "lab")], &[Method::Http01]).unwrap());
        let subject = (made[0].identifier.to_string(), made[0].scope);
        assert_eq!(subject, ("a.lab".to_owned(), Scope::Name));
        let wrong = below(&[("a.lab", "b.lab")], Method::ALL).unwrap_err();
        assert_eq!(wrong.kind, Kind::Malformed);
    }

    #[test]
    fn an_ancestor_is_not_even_read_where_that_is_switched_off() {
        let mut asked = names(&["a.lab"]);
        asked.identifiers[0].ancestor_domain = Some(Value::from(5));
        let (_, made) = created(&open(&asked, now(), &LIMITS, Method::ALL).unwrap());
        assert_eq!(made[0].identifier.to_string(), "a.lab");
        assert_eq!((made[0].scope, made[0].challenges.len()), (Scope::Name, 5));
    }

    #[test]
    fn a_held_authorization_for_subdomains_serves_the_names_below_and_a_plain_one_does_not() {
        for (scope, status) in [
            (Scope::Subdomains, Status::Ready),
            (Scope::Name, Status::Pending),
        ] {
            for ancestor in ["", "lab"] {
                let mut held = held("lab", 99);
                held.authorization.scope = scope;
                let subject = Subject {
                    identifier: held.authorization.identifier.clone(),
                    scope,
                };
                held.proof = Some(proof(subject, Uuid::from_u128(99), Method::Dns01));
                let id = held.authorization.id;
                let request = below(&[("a.lab", ancestor), ("b.lab", ancestor)], Method::ALL);
                let reusable = ReusableAuthorizations {
                    held: vec![held],
                    permits: Vec::new(),
                };
                let (order, made) = created_with(&request.unwrap(), reusable);
                assert_eq!(order.status, status);
                let serves = order.authorizations == [id];
                assert_eq!(serves, made.is_empty());
                assert_eq!(serves, status == Status::Ready);
            }
        }
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

    #[test]
    fn a_domain_is_authorized_ahead_with_its_subdomains_where_that_is_allowed() {
        let owner = Owner {
            account: Uuid::nil(),
            provisioner: "acme",
            profile: None,
            expires: now(),
        };
        let seed = || RecordSeed {
            id: Uuid::nil(),
            random: [0; 32],
        };
        let mut asked = Asked::new("dns", "a.lab");
        asked.subdomain_auth_allowed = Some(Value::Bool(true));
        for (methods, widest, scope) in [
            (Method::ALL, Scope::Subdomains, Scope::Subdomains),
            (Method::ALL, Scope::Name, Scope::Name),
            (&[Method::Http01], Scope::Subdomains, Scope::Name),
        ] {
            let allowed = Allowed { methods, widest };
            let made = open_ahead(&asked, &allowed, &owner, seed).unwrap();
            assert_eq!(made.scope, scope);
        }
    }
}
