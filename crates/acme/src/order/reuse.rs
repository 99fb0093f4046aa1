//! What an account already has for the names of a new order: valid authorizations, authorizations
//! by newAuthz (RFC 8555 §7.4.1), and permits of the operator.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::authz::{Authorization, Origin, Status};
use crate::challenge::{Method, Proof};
use crate::identifier::Identifier;
use crate::permit::Permit;
use crate::scope::{Scope, Subject};

/// A stored authorization, with its proof if it is valid.
#[derive(Debug, PartialEq)]
pub struct ReusableAuthorization {
    /// The authorization.
    pub authorization: Authorization,
    /// Its proof.
    pub proof: Option<Proof>,
}

/// Which earlier authorizations a new order reuses (RFC 8555 §7.4 leaves the choice to the server).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reuse<'a> {
    /// How long after its validation an authorization is reused; never if none.
    pub window: Option<SignedDuration>,
    /// Whether authorizations by newAuthz are reused until they expire.
    pub ahead: bool,
    /// The enabled methods: a proof by another method is not reused.
    pub enabled: &'a [Method],
    /// The shortest remaining lifetime.
    pub least: SignedDuration,
    /// The widest permitted scope: an authorization with a wider scope is not reused.
    pub widest: Scope,
}

impl Reuse<'_> {
    /// Whether any authorization can be reused.
    pub const fn is_on(&self) -> bool {
        self.window.is_some() || self.ahead
    }

    /// Whether this authorization is reused by an order created at `now`.
    pub fn serves(&self, held: &ReusableAuthorization, now: Timestamp) -> bool {
        let ReusableAuthorization {
            authorization,
            proof,
        } = held;
        let left = authorization.expires.duration_since(now);
        if left < self.least || authorization.scope > self.widest {
            return false;
        }
        let ahead = self.ahead && authorization.origin == Origin::Ahead;
        match (authorization.status_at(now), proof) {
            (Status::Pending, _) => ahead,
            (Status::Valid, Some(proof)) => {
                let seed = |window| now.duration_since(proof.at()) < window;
                let counts = |m: Method| self.enabled.contains(&m) && m.serves_again();
                let by = proof.method().is_some_and(counts);
                by && (ahead || self.window.is_some_and(seed))
            }
            (
                Status::Valid
                | Status::Invalid
                | Status::Deactivated
                | Status::Expired
                | Status::Revoked,
                _,
            ) => false,
        }
    }

    /// The best reusable authorization for each identifier and scope: valid before pending, then the
    /// one that expires last.
    pub fn choose(
        &self,
        all: Vec<ReusableAuthorization>,
        now: Timestamp,
    ) -> Vec<ReusableAuthorization> {
        let mut best: Vec<ReusableAuthorization> = Vec::new();
        let rank =
            |held: &ReusableAuthorization| (held.proof.is_some(), held.authorization.expires);
        for held in all.into_iter().filter(|held| self.serves(held, now)) {
            let same = |one: &ReusableAuthorization| {
                one.authorization.identifier == held.authorization.identifier
                    && one.authorization.scope == held.authorization.scope
            };
            match best.iter_mut().find(|one| same(one)) {
                Some(one) if rank(one) < rank(&held) => *one = held,
                Some(_) => {}
                None => best.push(held),
            }
        }
        best
    }
}

/// What an account already has for the names of one order.
#[derive(Debug, Default, PartialEq)]
pub struct ReusableAuthorizations {
    /// Reusable authorizations, at most one for each identifier and scope.
    pub held: Vec<ReusableAuthorization>,
    /// Permits of the account.
    pub permits: Vec<Permit>,
}

impl ReusableAuthorizations {
    /// A permit for this identifier, and its proof.
    pub(super) fn permitted(
        &self,
        identifier: &Identifier,
        account: Uuid,
        now: Timestamp,
    ) -> Option<(&Permit, Proof)> {
        let mut permits = self.permits.iter().filter(|p| p.account() == account);
        permits.find_map(|permit| Some((permit, Proof::from_permit(permit, identifier, now)?)))
    }

    /// The proofs of the authorizations that an order uses.
    pub(super) fn into_proofs_of(self, authorizations: &[Uuid]) -> impl Iterator<Item = Proof> {
        let used = self.held.into_iter();
        let used = used.filter(|held| authorizations.contains(&held.authorization.id));
        used.filter_map(|held| held.proof)
    }

    /// The stored authorization of this account that has proven this identifier; otherwise the one
    /// for the subject of a new authorization.
    pub(super) fn of(
        &self,
        identifier: &Identifier,
        subject: &Subject,
        account: Uuid,
    ) -> Option<&ReusableAuthorization> {
        let own = || {
            self.held
                .iter()
                .filter(|held| held.authorization.account == account)
        };
        let proves = |held: &&ReusableAuthorization| {
            held.proof.as_ref().is_some_and(|p| p.covers(identifier))
        };
        own().find(proves).or_else(|| {
            own().find(|ReusableAuthorization { authorization, .. }| {
                authorization.identifier == subject.identifier
                    && authorization.scope >= subject.scope
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::challenge::ProofRecord;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn at(text: &str) -> Timestamp {
        format!("2026-11-24T{text}Z").parse().unwrap()
    }

    fn proof(identifier: Identifier, method: Method) -> Proof {
        Proof::from_record(ProofRecord {
            subject: Subject::name(identifier),
            account: Uuid::nil(),
            method,
            at: at("08:00:00"),
            evidence: Value::Null,
            attested_key: None,
        })
    }

    fn held(origin: Origin, status: Status, expires: &str) -> ReusableAuthorization {
        let identifier = Identifier::parse("dns", "foo.lab").unwrap();
        let proof = proof(identifier.clone(), Method::Http01);
        ReusableAuthorization {
            authorization: Authorization {
                id: Uuid::nil(),
                account: Uuid::nil(),
                provisioner: "acme".into(),
                identifier,
                scope: Scope::Name,
                status,
                expires: at(expires),
                challenges: Vec::new(),
                origin,
            },
            proof: (status == Status::Valid).then_some(proof),
        }
    }

    fn reuse(window: Option<SignedDuration>, ahead: bool) -> Reuse<'static> {
        Reuse {
            window,
            ahead,
            enabled: &[Method::Http01],
            least: SignedDuration::from_mins(5),
            widest: Scope::Name,
        }
    }

    #[test]
    fn a_valid_authorization_is_reused_within_the_window_after_its_validation() {
        let valid = held(Origin::Order, Status::Valid, "20:00:00");
        let hour = reuse(Some(HOUR), false);
        assert!(hour.serves(&valid, at("08:59:59")));
        assert!(!hour.serves(&valid, at("09:00:00")));
        assert!(!reuse(None, true).serves(&valid, at("08:00:01")));
        assert!(!reuse(None, false).is_on());
    }

    #[test]
    fn authorizations_that_expire_soon_or_have_another_status_or_method_are_not_reused() {
        let hour = reuse(Some(HOUR), true);
        for status in [Status::Pending, Status::Invalid, Status::Deactivated] {
            let other = held(Origin::Order, status, "20:00:00");
            assert!(!hour.serves(&other, at("08:00:01")), "{status:?}");
        }
        let valid = held(Origin::Order, Status::Valid, "08:10:00");
        assert!(hour.serves(&valid, at("08:05:00")));
        assert!(!hour.serves(&valid, at("08:05:01")));
        let other = Reuse {
            enabled: &[],
            ..hour
        };
        assert!(!other.serves(&valid, at("08:00:01")));
    }

    #[test]
    fn a_persistent_record_is_validated_again_for_each_order() {
        let by = |method, origin| {
            let held = held(origin, Status::Valid, "20:00:00");
            ReusableAuthorization {
                proof: Some(proof(held.authorization.identifier.clone(), method)),
                ..held
            }
        };
        let all = Reuse {
            enabled: Method::ALL,
            ..reuse(Some(HOUR), true)
        };
        for origin in [Origin::Order, Origin::Ahead] {
            let lasting = by(Method::DnsPersist01, origin);
            assert!(!all.serves(&lasting, at("08:00:01")));
            assert!(all.serves(&by(Method::Dns01, origin), at("08:00:01")));
        }
    }

    #[test]
    fn an_authorization_by_new_authz_is_reused_until_it_expires() {
        let on = reuse(None, true);
        for status in [Status::Pending, Status::Valid] {
            let ahead = held(Origin::Ahead, status, "20:00:00");
            assert!(on.serves(&ahead, at("19:00:00")));
            assert!(!on.serves(&ahead, at("20:00:00")));
            assert!(!reuse(Some(HOUR), false).serves(&ahead, at("19:00:00")));
        }
    }

    #[test]
    fn authorizations_for_subdomains_are_reused_only_where_permitted() {
        let wide = || {
            let mut wide = held(Origin::Ahead, Status::Valid, "20:00:00");
            wide.authorization.scope = Scope::Subdomains;
            wide
        };
        let off = reuse(Some(HOUR), true);
        let on = Reuse {
            widest: Scope::Subdomains,
            ..off.clone()
        };
        assert!(on.serves(&wide(), at("08:00:01")));
        assert!(!off.serves(&wide(), at("08:00:01")));
        let both = || vec![wide(), held(Origin::Ahead, Status::Valid, "20:00:00")];
        assert_eq!(on.choose(both(), at("08:00:01")), both());
    }

    #[test]
    fn the_valid_authorization_that_expires_last_is_chosen() {
        let all = vec![
            held(Origin::Ahead, Status::Pending, "23:00:00"),
            held(Origin::Ahead, Status::Valid, "20:00:00"),
            held(Origin::Ahead, Status::Valid, "21:00:00"),
        ];
        let best = reuse(None, true).choose(all, at("09:00:00"));
        assert_eq!(best, [held(Origin::Ahead, Status::Valid, "21:00:00")]);
    }
}
