//! Creates the records of a new order: the order, and the authorizations that its account does not
//! have yet; and the record of an authorization by newAuthz (RFC 8555 §7.4.1).

use jiff::Timestamp;
use uuid::Uuid;

use super::new_order::{OrderRequest, Provable, with_methods};
use super::{Order, Pending, Ready, Record, ReusableAuthorizations, Status};
use crate::authz::{self, Authorization, Origin};
use crate::challenge::{
    Challenge, Method, authorization_id, authorization_of_order, challenge_id, order_id,
};
use crate::message::identifier::Asked;
use crate::problem::Problem;
use crate::scope::{Scope, Subject};

/// The owner of a new order, and its expiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The account.
    pub account: Uuid,
    /// The provisioner of the account.
    pub provisioner: &'a str,
    /// The profile of the certificate.
    pub profile: Option<&'a str>,
    /// When the order and its authorizations expire.
    pub expires: Timestamp,
}

/// What a provisioner permits for authorizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed<'a> {
    /// The enabled methods.
    pub methods: &'a [Method],
    /// The widest scope.
    pub widest: Scope,
}

/// The unique and random parts of a new record.
#[derive(Clone, Debug)]
pub struct RecordSeed {
    /// Its id.
    pub id: Uuid,
    /// Random octets, the token of an authorization's challenges.
    pub random: [u8; 16],
}

impl OrderRequest {
    /// Creates the order and its new authorizations; `seed` is called once for the order and for each
    /// authorization, whose ids follow from the order's. Authorizations in `held` are reused: if they
    /// prove every identifier, the order is ready, and it expires no later than they do.
    pub fn create(
        &self,
        held: ReusableAuthorizations,
        owner: &Owner<'_>,
        now: Timestamp,
        mut seed: impl FnMut() -> RecordSeed,
    ) -> (Order, Vec<Authorization>) {
        let mut order = Record {
            id: order_id(seed().id),
            account: owner.account,
            provisioner: owner.provisioner.to_owned(),
            identifiers: self.identifiers().cloned().collect(),
            authorizations: Vec::with_capacity(self.wanted.len()),
            not_before: self.not_before.clone(),
            not_after: self.not_after.clone(),
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
                    ..authorization(
                        owner,
                        Subject::name(identifier.clone()),
                        &[],
                        order.seed(&mut seed),
                    )
                };
                proofs.push(proof);
                order.attach(&given);
                made.push(given);
            } else if let Some(held) = held.of(identifier, subject, owner.account) {
                order.attach(&held.authorization);
            } else if !made.iter().any(|one| is_pending_for(one, subject)) {
                let seed = order.seed(&mut seed);
                let new = authorization(owner, subject.clone(), &wanted.methods, seed);
                order.attach(&new);
                made.push(new);
            }
        }
        proofs.extend(held.into_proofs_of(&order.authorizations));
        let order = match Pending(Box::new(Order(order))).ready(&proofs) {
            Ok(Ready { order, .. }) | Err(Pending(order)) => *order,
        };
        (order, made)
    }
}

impl Record {
    /// The parts of the next authorization.
    fn seed(&self, seed: &mut impl FnMut() -> RecordSeed) -> RecordSeed {
        let RecordSeed { id, random } = seed();
        let own = authorization_of_order(self.id, self.authorizations.len());
        RecordSeed {
            id: own.unwrap_or(id),
            random,
        }
    }

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

/// Creates the pending authorization of a newAuthz request (RFC 8555 §7.4.1): with all subdomains if
/// the client requests that, the widest scope permits it, and a method can prove them.
///
/// # Errors
/// `malformed` for a wildcard, which cannot be authorized before an order; otherwise as in [`super::open`].
pub fn open_ahead(
    asked: &Asked,
    allowed: &Allowed<'_>,
    owner: &Owner<'_>,
    mut seed: impl FnMut() -> RecordSeed,
) -> Result<Authorization, Problem> {
    let identifier = asked.check()?;
    if identifier.is_wildcard() {
        return Err(Problem::malformed(format!(
            "{identifier} is a wildcard, which cannot be authorized before an order (RFC 8555 \
             §7.4.1): order it."
        )));
    }
    let wide = allowed.widest == Scope::Subdomains && asked.wants_subdomains(&identifier)?;
    let ancestor = wide.then(|| identifier.clone());
    let Provable { subject, methods } = with_methods(identifier, ancestor, allowed.methods)?;
    Ok(Authorization {
        origin: Origin::Ahead,
        ..authorization(owner, subject, &methods, seed())
    })
}

fn authorization(
    owner: &Owner<'_>,
    subject: Subject,
    methods: &[Method],
    seed: RecordSeed,
) -> Authorization {
    let RecordSeed { id, random } = seed;
    let id = authorization_id(id);
    let challenges = methods
        .iter()
        .map(|method| Challenge::new(challenge_id(id, *method), *method, &random));
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
    use crate::challenge::{Proof, ProofRecord, of_authorization_id};
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
                id: Uuid::from_u128(u128::from(next) << 16 | 0x4321),
                random: [next; 16],
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

    /// A valid authorization of the account that expires before an order would.
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
                id: Uuid::from_u128(u128::from(next) << 16 | 0x4321),
                random: [next; 16],
            }
        });
        assert_eq!(next, 3);
        assert_eq!(order.status, Status::Pending);
        assert_eq!(order.profile.as_deref(), Some("tls"));
        let ids: Vec<_> = authorizations.iter().map(|a| a.id).collect();
        assert_eq!(order.authorizations, ids);
        for (place, id) in ids.iter().enumerate() {
            assert_eq!(of_authorization_id(*id), Some((order.id, place)));
        }
        for (authorization, identifier) in authorizations.iter().zip(&order.identifiers) {
            assert_eq!(&authorization.identifier, identifier);
            assert_eq!(authorization.account, order.account);
            assert_eq!(authorization.challenges.len(), 1);
        }
        let token = |n: usize| &authorizations[n].challenges[0].token;
        assert_ne!(token(0), token(1));
    }

    #[test]
    fn an_order_with_only_valid_authorizations_is_ready_and_expires_with_them() {
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
    fn authorizations_for_another_account_or_name_are_not_reused() {
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
    fn a_permit_creates_a_valid_authorization() {
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
    fn a_wildcard_is_not_authorized_before_an_order() {
        let owner = Owner {
            account: Uuid::nil(),
            provisioner: "acme",
            profile: None,
            expires: now(),
        };
        let seed = || RecordSeed {
            id: Uuid::nil(),
            random: [0; 16],
        };
        let allowed = Allowed {
            methods: Method::ALL,
            widest: Scope::Name,
        };
        let ahead = |name| open_ahead(&Asked::new("dns", name), &allowed, &owner, seed);
        assert_eq!(ahead("a.lab").unwrap().origin, Origin::Ahead);
        let refused = ahead("*.a.lab").unwrap_err();
        assert_eq!(refused.kind, Kind::Malformed);
        assert!(refused.detail.contains("before an order"), "{refused}");
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
    fn without_a_method_for_subdomains_each_name_is_proven_separately() {
        let (_, made) = created(&below(&[("a.lab", "lab")], &[Method::Http01]).unwrap());
        let subject = (made[0].identifier.to_string(), made[0].scope);
        assert_eq!(subject, ("a.lab".to_owned(), Scope::Name));
        let wrong = below(&[("a.lab", "b.lab")], Method::ALL).unwrap_err();
        assert_eq!(wrong.kind, Kind::Malformed);
    }

    #[test]
    fn an_ancestor_is_ignored_where_subdomains_are_disabled() {
        let mut asked = names(&["a.lab"]);
        asked.identifiers[0].ancestor_domain = Some(Value::from(5));
        let (_, made) = created(&open(&asked, now(), &LIMITS, Method::ALL).unwrap());
        assert_eq!(made[0].identifier.to_string(), "a.lab");
        assert_eq!((made[0].scope, made[0].challenges.len()), (Scope::Name, 5));
    }

    #[test]
    fn only_a_held_authorization_for_subdomains_is_reused_for_the_names_below() {
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
    fn new_authz_includes_subdomains_where_they_are_permitted() {
        let owner = Owner {
            account: Uuid::nil(),
            provisioner: "acme",
            profile: None,
            expires: now(),
        };
        let seed = || RecordSeed {
            id: Uuid::nil(),
            random: [0; 16],
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
