//! Path validation (RFC 5280 §6) on webpki, with the words Go's verifier uses.

mod error;
mod host;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage, anchor_from_trusted_cert,
};

use crate::{
    certificate::Certificate,
    extension::{self, ExtendedKeyUsage},
    oid,
};

pub use error::ChainError;
pub use host::check_host;

/// What a leaf is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A TLS server.
    ServerAuth,
    /// A TLS client.
    ClientAuth,
    /// Anything.
    Any,
}

/// Looks for a path from `leaf` over `intermediates` to one of `roots` that is valid at `at`, and checks that
/// the leaf is for `host` (a DNS name or an IP address).
///
/// A leaf that is itself among the roots is trusted as it is.
///
/// # Errors
/// [`ChainError`].
pub fn verify(
    leaf: &Certificate,
    intermediates: &[Certificate],
    roots: &[Certificate],
    at: Timestamp,
    purpose: Purpose,
    host: Option<&str>,
) -> Result<(), ChainError> {
    within_validity(leaf, at)?;
    if roots.contains(leaf) {
        check_purpose(leaf, purpose)?;
    } else if leaf.is_ca() {
        check_purpose(leaf, purpose)?;
        climb(leaf, intermediates, roots, at, 0)?;
    } else {
        path(leaf, intermediates, roots, at, purpose)?;
    }
    host.map_or(Ok(()), |host| check_host(leaf, host))
}

fn within_validity(certificate: &Certificate, now: Timestamp) -> Result<(), ChainError> {
    if now < certificate.not_before() {
        return Err(ChainError::NotYetValid {
            now,
            not_before: certificate.not_before(),
        });
    }
    // The last second of validity counts in full: certificates know no fractions.
    if now.as_second() > certificate.not_after().as_second() {
        return Err(ChainError::Expired {
            now,
            not_after: certificate.not_after(),
        });
    }
    Ok(())
}

fn check_purpose(certificate: &Certificate, purpose: Purpose) -> Result<(), ChainError> {
    let wanted = match purpose {
        Purpose::ServerAuth => ExtendedKeyUsage::ServerAuth,
        Purpose::ClientAuth => ExtendedKeyUsage::ClientAuth,
        Purpose::Any => return Ok(()),
    };
    let Some(extension) = certificate.extension(&oid::EXTENDED_KEY_USAGE) else {
        return Ok(());
    };
    let purposes = extension::parse_extended_key_usage(&extension.value)
        .map_err(|_| ChainError::WrongPurpose)?;
    let allowed = purposes.contains(&wanted) || purposes.contains(&ExtendedKeyUsage::Any);
    if allowed {
        Ok(())
    } else {
        Err(ChainError::WrongPurpose)
    }
}

/// The path of an end entity, by webpki.
fn path(
    leaf: &Certificate,
    intermediates: &[Certificate],
    roots: &[Certificate],
    at: Timestamp,
    purpose: Purpose,
) -> Result<(), ChainError> {
    let leaf_der = CertificateDer::from(leaf.der());
    let end_entity = EndEntityCert::try_from(&leaf_der).map_err(|error| translate(&error, at))?;
    let root_ders: Vec<CertificateDer<'_>> = roots
        .iter()
        .filter(|root| within_validity(root, at).is_ok())
        .map(|root| CertificateDer::from(root.der()))
        .collect();
    let anchors: Vec<TrustAnchor<'_>> = root_ders
        .iter()
        .filter_map(|der| anchor_from_trusted_cert(der).ok())
        .collect();
    if let (true, Some(root)) = (anchors.is_empty(), roots.first()) {
        within_validity(root, at)?;
    }
    let between: Vec<CertificateDer<'_>> = intermediates
        .iter()
        .map(|ca| CertificateDer::from(ca.der()))
        .collect();
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    let verified =
        end_entity.verify_for_usage(algorithms, &anchors, &between, time, purpose, None, None);
    verified.map(|_| ()).map_err(|error| translate(&error, at))
}

impl ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        match self {
            Self::ServerAuth => KeyUsage::server_auth().validate(purposes),
            Self::ClientAuth => KeyUsage::client_auth().validate(purposes),
            Self::Any => Ok(()),
        }
    }
}

/// The path of a CA, which webpki does not take for an end entity: each issuer is a CA, valid, and allows
/// the `below` CAs that stand between it and the certificate in question.
fn climb(
    certificate: &Certificate,
    intermediates: &[Certificate],
    roots: &[Certificate],
    at: Timestamp,
    below: u32,
) -> Result<(), ChainError> {
    const MOST_DEPTH: u32 = 8;
    let mut failure = ChainError::UnknownAuthority;
    if below > MOST_DEPTH {
        return Err(failure);
    }
    for issuer in roots.iter().chain(intermediates) {
        if issuer == certificate || certificate.is_issued_by(issuer).is_err() {
            continue;
        }
        let allowed = match issuer.basic_constraints() {
            Some((true, length)) if length.is_none_or(|length| below <= length) => Ok(()),
            Some((true, _)) => Err(ChainError::TooDeep),
            Some((false, _)) | None => Err(ChainError::NotACa),
        };
        let further = || {
            if roots.contains(issuer) {
                Ok(())
            } else {
                climb(issuer, intermediates, roots, at, below + 1)
            }
        };
        match allowed
            .and_then(|()| within_validity(issuer, at))
            .and_then(|()| further())
        {
            Ok(()) => return Ok(()),
            Err(error) if failure == ChainError::UnknownAuthority => failure = error,
            Err(_) => {}
        }
    }
    Err(failure)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum of another crate, which grows"
)]
fn translate(error: &webpki::Error, now: Timestamp) -> ChainError {
    use webpki::Error as E;
    let instant = |time: &UnixTime| {
        i64::try_from(time.as_secs())
            .ok()
            .and_then(|s| Timestamp::from_second(s).ok())
            .unwrap_or(Timestamp::MAX)
    };
    match error {
        E::UnknownIssuer | E::InvalidSignatureForPublicKey => ChainError::UnknownAuthority,
        E::CertExpired { not_after, .. } => ChainError::Expired {
            now,
            not_after: instant(not_after),
        },
        E::CertNotValidYet { not_before, .. } => ChainError::NotYetValid {
            now,
            not_before: instant(not_before),
        },
        E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension => ChainError::WrongPurpose,
        E::EndEntityUsedAsCa => ChainError::NotACa,
        E::PathLenConstraintViolated => ChainError::TooDeep,
        E::NameConstraintViolation => ChainError::NotPermitted,
        E::UnsupportedCriticalExtension => ChainError::CriticalExtension,
        other => ChainError::Other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AltName, Extension, KeyUsages, Name, PrivateKey, Serial, TbsCertificate, assemble,
        extension::{basic_constraints, extended_key_usage, key_usage, subject_alt_names},
    };

    const LATER: &str = "2026-12-01T00:00:00Z";

    fn key() -> PrivateKey {
        PrivateKey::from_pem(include_bytes!("../../testdata/openssl/p256.key"), None).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A certificate by the one key of these tests.
    fn issue(subject: &str, issuer: &str, extensions: Vec<Extension>) -> Certificate {
        let tbs = TbsCertificate {
            serial: Serial::from_random([7; 16]),
            issuer: Name::common_name(issuer).unwrap(),
            subject: Name::common_name(subject).unwrap(),
            not_before: at("2026-11-01T00:00:00Z"),
            not_after: at("2026-12-31T00:00:00Z"),
            public_key: key().public().clone(),
            extensions,
        };
        let algorithm = key().default_signature();
        let der = tbs.to_der(algorithm).unwrap();
        assemble(&der, algorithm, &key().sign(algorithm, &der).unwrap()).unwrap()
    }

    fn ca(subject: &str, issuer: &str, path_len: u8) -> Certificate {
        let usage = key_usage(KeyUsages::KEY_CERT_SIGN | KeyUsages::CRL_SIGN);
        issue(
            subject,
            issuer,
            vec![usage, basic_constraints(Some(path_len))],
        )
    }

    fn leaf() -> Certificate {
        let names = ["a.example", "*.b.example"].map(|name| AltName::Dns(name.into()));
        let names = [&names[..], &[AltName::Ip("192.0.2.1".parse().unwrap())]].concat();
        issue(
            "a.example",
            "Intermediate",
            vec![
                extended_key_usage(&[ExtendedKeyUsage::ServerAuth]),
                subject_alt_names(&names, false),
            ],
        )
    }

    fn check(
        leaf: &Certificate,
        now: &str,
        purpose: Purpose,
        host: Option<&str>,
    ) -> Result<(), ChainError> {
        let (root, intermediate) = (ca("Root", "Root", 1), ca("Intermediate", "Root", 0));
        verify(leaf, &[intermediate], &[root], at(now), purpose, host)
    }

    fn words(result: Result<(), ChainError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_leaf_below_an_intermediate_is_accepted() {
        for host in [
            "a.example",
            "A.Example.",
            "x.b.example",
            "192.0.2.1",
            "[192.0.2.1]",
            "::ffff:192.0.2.1",
        ] {
            assert_eq!(
                check(&leaf(), LATER, Purpose::ServerAuth, Some(host)),
                Ok(()),
                "{host}"
            );
        }
        assert_eq!(check(&leaf(), LATER, Purpose::Any, None), Ok(()));
    }

    #[test]
    fn the_chain_of_step_is_accepted() {
        let [leaf, intermediate, root] = [
            include_bytes!("../../testdata/step/leaf.crt").as_slice(),
            include_bytes!("../../testdata/step/intermediate_ca.crt"),
            include_bytes!("../../testdata/step/root_ca.crt"),
        ]
        .map(|text| Certificate::from_pem(text).unwrap());
        let now = leaf.not_before();
        let roots = [root.clone()];
        let between = [intermediate.clone()];
        assert_eq!(
            verify(
                &leaf,
                &between,
                &roots,
                now,
                Purpose::ClientAuth,
                Some("x.example")
            ),
            Ok(())
        );
        assert_eq!(
            verify(&intermediate, &[], &roots, now, Purpose::Any, None),
            Ok(())
        );
        assert_eq!(verify(&root, &[], &roots, now, Purpose::Any, None), Ok(()));
        assert_eq!(
            verify(&leaf, &[], &roots, now, Purpose::Any, None),
            Err(ChainError::UnknownAuthority)
        );
        assert_eq!(
            verify(&leaf, &[], &between, now, Purpose::Any, None),
            Ok(())
        );
    }

    #[test]
    fn names_are_refused_in_the_words_of_go() {
        let host = |host| words(check(&leaf(), LATER, Purpose::ServerAuth, Some(host)));
        assert_eq!(
            host("c.example"),
            "x509: certificate is valid for a.example, *.b.example, not c.example"
        );
        assert!(host("b.example").ends_with("not b.example"));
        assert!(host("x.y.b.example").ends_with("not x.y.b.example"));
        assert_eq!(
            host("192.0.2.2"),
            "x509: certificate is valid for 192.0.2.1, not 192.0.2.2"
        );
        let bare = issue("a.example", "Intermediate", vec![]);
        let bare = |host| words(check(&bare, LATER, Purpose::Any, Some(host)));
        assert_eq!(
            bare("a.example"),
            "x509: certificate is not valid for any names, but wanted to match a.example"
        );
        assert!(bare("::1").ends_with("because it doesn't contain any IP SANs"));
    }

    #[test]
    fn times_are_refused_in_the_words_of_go() {
        let late = words(check(&leaf(), "2027-01-01T00:00:00.5Z", Purpose::Any, None));
        let wanted = "x509: certificate has expired or is not yet valid: current time 2027-01-01T00:00:00Z is after 2026-12-31T00:00:00Z";
        assert_eq!(late, wanted);
        let early = words(check(&leaf(), "2026-10-31T00:00:00Z", Purpose::Any, None));
        assert!(
            early.ends_with("current time 2026-10-31T00:00:00Z is before 2026-11-01T00:00:00Z"),
            "{early}"
        );
        assert_eq!(
            check(&leaf(), "2026-12-31T00:00:00.9Z", Purpose::Any, None),
            Ok(())
        );
    }

    #[test]
    fn purposes_and_authorities_are_checked() {
        assert_eq!(
            check(&leaf(), LATER, Purpose::ClientAuth, None),
            Err(ChainError::WrongPurpose)
        );
        let stranger = issue("a.example", "Stranger", vec![]);
        assert_eq!(
            words(check(&stranger, LATER, Purpose::Any, None)),
            "x509: certificate signed by unknown authority"
        );
        let below_leaf = issue("b.example", "a.example", vec![]);
        let chain = [leaf(), ca("Intermediate", "Root", 0)];
        let result = verify(
            &below_leaf,
            &chain,
            &[ca("Root", "Root", 1)],
            at(LATER),
            Purpose::Any,
            None,
        );
        assert_eq!(result, Err(ChainError::NotACa));
    }

    #[test]
    fn path_lengths_hold_for_leaves_and_for_cas() {
        let low = ca("Low", "Intermediate", 0);
        let between = [low.clone(), ca("Intermediate", "Root", 0)];
        let roots = [ca("Root", "Root", 1)];
        let under = issue("a.example", "Low", vec![]);
        let verify = |leaf| verify(leaf, &between, &roots, at(LATER), Purpose::Any, None);
        assert_eq!(verify(&under), Err(ChainError::TooDeep));
        assert_eq!(verify(&between[1]), Ok(()));
        // The last certificate of a path does not count, even when it is a CA (RFC 5280 §4.2.1.9).
        assert_eq!(verify(&low), Ok(()));
        assert_eq!(verify(&ca("Lowest", "Low", 0)), Err(ChainError::TooDeep));
    }

    #[test]
    fn an_expired_root_is_no_root() {
        let roots = [ca("Root", "Root", 1)];
        let tbs_late = check(&leaf(), "2027-06-01T00:00:00Z", Purpose::Any, None);
        assert!(matches!(tbs_late, Err(ChainError::Expired { .. })));
        assert!(matches!(
            verify(
                &roots[0],
                &[],
                &roots,
                at("2027-06-01T00:00:00Z"),
                Purpose::Any,
                None
            ),
            Err(ChainError::Expired { .. })
        ));
    }
}
