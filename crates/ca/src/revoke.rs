//! Revocation (RFC 8555 §7.6): who may revoke a certificate. The account that it was issued to may, the holder
//! of its key, and an account of the same provisioner that has proven everything that it names.
//!
//! Not here: reasons, which `acme::revocation` reads, and records.

use std::collections::BTreeSet;

use acme::identifier::Identifier;
use acme::problem::Problem;
use acme::revocation;
use pki::{Certificate, PublicKey};
use uuid::Uuid;

use crate::refusal::Refusal;

/// Who asks for the revocation.
#[derive(Debug, Clone, Copy)]
pub enum Requester<'a> {
    /// An account that may act.
    Account(Account<'a>),
    /// The holder of this key.
    Key(&'a PublicKey),
}

/// An account as far as the decision needs it.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// Its id.
    pub id: Uuid,
    /// The provisioner that it belongs to.
    pub provisioner: &'a str,
}

/// What the records say about how a certificate was issued.
#[derive(Debug, Clone, Copy, Default)]
pub struct IssuedTo<'a> {
    /// The account that ordered it.
    pub account: Option<Uuid>,
    /// The provisioner that granted it.
    pub provisioner: Option<&'a str>,
}

/// The right by which a certificate may be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// It was issued to the account.
    Own,
    /// The requester has its key.
    Key,
    /// None yet: the account has to have valid authorizations for all of these; else [`unproven`].
    IfProven(BTreeSet<Identifier>),
}

/// Decides by which right, if any.
///
/// # Errors
/// `unauthorized` when there is none, with the way to one.
pub fn right(
    requester: Requester<'_>,
    certificate: &Certificate,
    issued_to: IssuedTo<'_>,
) -> Result<Right, Problem> {
    let account = match requester {
        Requester::Account(account) => account,
        Requester::Key(key) => {
            let own = certificate.public_key().map_err(Refusal::from)?;
            return if key == own {
                Ok(Right::Key)
            } else {
                Err(other_key())
            };
        }
    };
    if issued_to.account == Some(account.id) {
        return Ok(Right::Own);
    }
    if issued_to.provisioner != Some(account.provisioner) {
        return Err(Problem::unauthorized(
            "The certificate was not issued by the account's provisioner: revoke it there, or \
             sign the request with the certificate's own key (jwk).",
        ));
    }
    revocation::identifiers(certificate)
        .map(Right::IfProven)
        .ok_or_else(unproven)
}

/// The answer to an account that has not proven everything that the certificate names.
#[must_use]
pub fn unproven() -> Problem {
    Problem::unauthorized(
        "The certificate was issued to another account, and this one has no valid \
         authorization for all of its names: prove them first, use the other account, or sign \
         the request with the certificate's own key (jwk).",
    )
}

fn other_key() -> Problem {
    Problem::unauthorized(
        "The key that signed is not the certificate's: sign with the certificate's private key, or \
         as the account that it was issued to (kid).",
    )
}

#[cfg(test)]
mod tests {
    use acme::problem::Kind;
    use jiff::SignedDuration;

    use super::*;
    use crate::admission::Grant;
    use crate::fixture::{chain, leaf_key, now, other_key, serial, sign};
    use crate::issue::prepare;

    const OWNER: Uuid = Uuid::from_u128(1);
    const ISSUED: IssuedTo<'_> = IssuedTo {
        account: Some(OWNER),
        provisioner: Some("acme"),
    };

    /// A certificate of `a.lab`, with this common name.
    fn certificate(common_name: &str) -> Certificate {
        let names = ["a.lab".to_owned()];
        let key = leaf_key();
        let life = SignedDuration::from_hours(1);
        let grant = Grant::server_certificate(&names, common_name, key.public(), life, now());
        sign(&prepare(grant.unwrap(), now(), serial(), &chain()).unwrap())
    }

    fn account(id: u128, provisioner: &str) -> Requester<'_> {
        Requester::Account(Account {
            id: Uuid::from_u128(id),
            provisioner,
        })
    }

    fn identifiers(names: &[&str]) -> BTreeSet<Identifier> {
        let names = names.iter();
        names.map(|name| Identifier::guess(name).unwrap()).collect()
    }

    #[test]
    fn the_account_that_a_certificate_was_issued_to_may_revoke_it() {
        let own = right(account(1, "acme"), &certificate("a.lab"), ISSUED);
        assert_eq!(own, Ok(Right::Own));
    }

    #[test]
    fn another_account_has_to_have_proven_everything_that_it_names() {
        let other = right(account(2, "acme"), &certificate("a.lab"), ISSUED);
        assert_eq!(other, Ok(Right::IfProven(identifiers(&["a.lab"]))));
    }

    #[test]
    fn a_common_name_outside_the_alternative_names_has_to_be_proven_too() {
        let other = right(account(2, "acme"), &certificate("b.lab"), ISSUED);
        assert_eq!(other, Ok(Right::IfProven(identifiers(&["a.lab", "b.lab"]))));
        let words = right(account(2, "acme"), &certificate("Step Online CA"), ISSUED);
        assert_eq!(words, Err(unproven()));
    }

    #[test]
    fn an_account_of_another_provisioner_may_not() {
        for issued_to in [ISSUED, IssuedTo::default()] {
            let foreign = right(account(2, "other"), &certificate("a.lab"), issued_to);
            let problem = foreign.unwrap_err();
            assert_eq!(problem.kind, Kind::Unauthorized);
            assert!(problem.detail.contains("provisioner"), "{problem}");
        }
    }

    #[test]
    fn the_certificates_own_key_may_and_no_other() {
        let by = |key: &PublicKey| right(Requester::Key(key), &certificate("a.lab"), ISSUED);
        assert_eq!(by(leaf_key().public()), Ok(Right::Key));
        let problem = by(other_key().public()).unwrap_err();
        assert!(
            problem.detail.contains("is not the certificate's"),
            "{problem}"
        );
    }
}
