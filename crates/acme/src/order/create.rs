//! The records of a new order: the order, and the authorizations that its account does not have yet;
//! and those of an authorization that is asked for ahead of any order (RFC 8555 §7.4.1).

use jiff::Timestamp;
use uuid::Uuid;

use super::new_order::{OrderRequest, Provable, with_methods};
use super::{Order, Pending, Ready, Record, ReusableAuthorizations, Status};
use crate::authz::{self, Authorization, Origin};
use crate::challenge::{Challenge, Method};
use crate::message::identifier::Asked;
use crate::problem::Problem;
use crate::scope::{Scope, Subject};

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

impl OrderRequest {
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
    let Provable { subject, methods } = with_methods(identifier, ancestor, allowed.methods)?;
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::challenge::{Proof, ProofRecord};
    use crate::identifier::Identifier;
    use crate::order::new_order::tests::{LIMITS, below, names, opened};
    use crate::order::tests::now;
    use crate::order::{ReusableAuthorization, open};
    use crate::permit;
    use crate::problem::Kind;

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
