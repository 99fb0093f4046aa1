//! What an account has already for the names of a new order: authorizations that it proved earlier,
//! authorizations that it asked for ahead (RFC 8555 §7.4.1), and permits of the operator.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::authz::{Authorization, Origin, Status};
use crate::challenge::{Method, Proof};
use crate::identifier::Identifier;
use crate::permit::Permit;
use crate::scope::{Scope, Subject};

/// An authorization as it is stored, with its proof if it is valid.
#[derive(Debug, PartialEq)]
pub struct ReusableAuthorization {
    /// The authorization.
    pub authorization: Authorization,
    /// What made it valid.
    pub proof: Option<Proof>,
}

/// Which earlier authorizations serve a new order (RFC 8555 §7.4: at the server's choice).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reuse<'a> {
    /// How long after its proof an authorization serves; none for not at all.
    pub window: Option<SignedDuration>,
    /// Whether those that were asked for ahead serve, as long as they live.
    pub ahead: bool,
    /// The methods that are enabled now: a proof by another no longer counts.
    pub enabled: &'a [Method],
    /// The least life that must be left.
    pub least: SignedDuration,
    /// How far they may reach; those that reach farther serve nothing.
    pub widest: Scope,
}

impl Reuse<'_> {
    /// Whether there is anything to look for.
    pub const fn is_on(&self) -> bool {
        self.window.is_some() || self.ahead
    }

    /// Whether this one serves an order that begins at `now`.
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

    /// Of those that serve, the best for each identifier and scope: valid before pending, then the
    /// one that lives longest.
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

/// What there is for the names of one order.
#[derive(Debug, Default, PartialEq)]
pub struct ReusableAuthorizations {
    /// Stored authorizations that serve it, one for each identifier and scope at most.
    pub held: Vec<ReusableAuthorization>,
    /// Permits of the account.
    pub permits: Vec<Permit>,
}

impl ReusableAuthorizations {
    /// The proof that a permit gives for this identifier, and the permit.
    pub(super) fn permitted(
        &self,
        identifier: &Identifier,
        account: Uuid,
        now: Timestamp,
    ) -> Option<(&Permit, Proof)> {
        let mut permits = self.permits.iter().filter(|p| p.account() == account);
        permits.find_map(|permit| Some((permit, Proof::from_permit(permit, identifier, now)?)))
    }

    /// The proofs of those authorizations that an order uses.
    pub(super) fn into_proofs_of(self, authorizations: &[Uuid]) -> impl Iterator<Item = Proof> {
        let used = self.held.into_iter();
        let used = used.filter(|held| authorizations.contains(&held.authorization.id));
        used.filter_map(|held| held.proof)
    }

    /// The stored authorization of this account that has proven this identifier; else the one that
    /// is for what a new one would be for.
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
    fn a_valid_authorization_serves_within_the_window_after_its_proof() {
        let valid = held(Origin::Order, Status::Valid, "20:00:00");
        let hour = reuse(Some(HOUR), false);
        assert!(hour.serves(&valid, at("08:59:59")));
        assert!(!hour.serves(&valid, at("09:00:00")));
        assert!(!reuse(None, true).serves(&valid, at("08:00:01")));
        assert!(!reuse(None, false).is_on());
    }

    #[test]
    fn what_has_ended_or_ends_soon_or_was_proven_otherwise_serves_nothing() {
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
    fn a_proof_by_a_lasting_record_is_looked_at_again_for_each_order() {
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
    fn what_was_asked_for_ahead_serves_as_long_as_it_lives() {
        let on = reuse(None, true);
        for status in [Status::Pending, Status::Valid] {
            let ahead = held(Origin::Ahead, status, "20:00:00");
            assert!(on.serves(&ahead, at("19:00:00")));
            assert!(!on.serves(&ahead, at("20:00:00")));
            assert!(!reuse(Some(HOUR), false).serves(&ahead, at("19:00:00")));
        }
    }

    #[test]
    fn what_reaches_subdomains_serves_only_where_that_is_allowed() {
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
    fn of_several_the_valid_one_that_lives_longest_is_chosen() {
        let all = vec![
            held(Origin::Ahead, Status::Pending, "23:00:00"),
            held(Origin::Ahead, Status::Valid, "20:00:00"),
            held(Origin::Ahead, Status::Valid, "21:00:00"),
        ];
        let best = reuse(None, true).choose(all, at("09:00:00"));
        assert_eq!(best, [held(Origin::Ahead, Status::Valid, "21:00:00")]);
    }
}
