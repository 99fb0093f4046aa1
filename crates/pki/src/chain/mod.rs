//! Path validation (RFC 5280 §6) on webpki, with the error texts of Go's verifier.

mod attestation;
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

pub use attestation::verify_attestation;
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

/// What a certificate is verified against.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Certificates that may stand between the leaf and a root.
    pub intermediates: &'a [Certificate],
    /// The trusted certificates.
    pub roots: &'a [Certificate],
    /// The time at which the path has to be valid.
    pub at: Timestamp,
    /// What the leaf is to be used for.
    pub purpose: Purpose,
    /// The DNS name or IP address that the leaf has to be for; any if `None`.
    pub host: Option<&'a str>,
}

/// Verifies that a path leads from `leaf` over the intermediates to a root, and that the leaf is for
/// the purpose and the host.
///
/// A leaf that is itself among the roots is trusted as it is.
///
/// # Errors
/// [`ChainError`].
pub fn verify(leaf: &Certificate, options: &Options<'_>) -> Result<(), ChainError> {
    within_validity(leaf, options.at)?;
    if options.roots.contains(leaf) {
        check_purpose(leaf, options.purpose)?;
    } else if leaf.is_ca() {
        check_purpose(leaf, options.purpose)?;
        climb(leaf, options, 0)?;
    } else {
        path(leaf, options)?;
    }
    let host = options.host;
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

/// Whether it is a CA that may have `below` CAs under it.
fn allows_below(issuer: &Certificate, below: u32) -> Result<(), ChainError> {
    match issuer.basic_constraints() {
        Some((true, length)) if length.is_none_or(|length| below <= length) => Ok(()),
        Some((true, _)) => Err(ChainError::TooDeep),
        Some((false, _)) | None => Err(ChainError::NotACa),
    }
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
fn path(leaf: &Certificate, options: &Options<'_>) -> Result<(), ChainError> {
    let Options {
        intermediates,
        roots,
        at,
        purpose,
        ..
    } = *options;
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

/// The path of a CA, which webpki does not accept as an end entity: each issuer is a CA, is valid, is for
/// the purpose, and allows the `below` CAs that stand between it and the certificate in question.
fn climb(certificate: &Certificate, options: &Options<'_>, below: u32) -> Result<(), ChainError> {
    const MOST_DEPTH: u32 = 8;
    let mut failure = ChainError::UnknownAuthority;
    if below > MOST_DEPTH {
        return Err(failure);
    }
    for issuer in options.roots.iter().chain(options.intermediates) {
        if issuer == certificate || certificate.is_issued_by(issuer).is_err() {
            continue;
        }
        let further = || {
            if options.roots.contains(issuer) {
                return Ok(());
            }
            check_purpose(issuer, options.purpose)?;
            climb(issuer, options, below + 1)
        };
        match allows_below(issuer, below)
            .and_then(|()| within_validity(issuer, options.at))
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
        let options = Options {
            intermediates: &[ca("Intermediate", "Root", 0)],
            roots: &[ca("Root", "Root", 1)],
            at: at(now),
            purpose,
            host,
        };
        verify(leaf, &options)
    }

    /// Options for any purpose and host.
    fn any<'a>(intermediates: &'a [Certificate], roots: &'a [Certificate]) -> Options<'a> {
        Options {
            intermediates,
            roots,
            at: at(LATER),
            purpose: Purpose::Any,
            host: None,
        }
    }

    /// A CA whose certificates may be used by TLS clients only.
    fn client_ca(subject: &str, issuer: &str) -> Certificate {
        let usage = key_usage(KeyUsages::KEY_CERT_SIGN | KeyUsages::CRL_SIGN);
        let client = extended_key_usage(&[ExtendedKeyUsage::ClientAuth]);
        issue(
            subject,
            issuer,
            vec![usage, basic_constraints(None), client],
        )
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
        let client = Options {
            purpose: Purpose::ClientAuth,
            host: Some("x.example"),
            at: now,
            ..any(&between, &roots)
        };
        assert_eq!(verify(&leaf, &client), Ok(()));
        let bare = Options {
            at: now,
            ..any(&[], &roots)
        };
        assert_eq!(verify(&intermediate, &bare), Ok(()));
        assert_eq!(verify(&root, &bare), Ok(()));
        assert_eq!(verify(&leaf, &bare), Err(ChainError::UnknownAuthority));
        let pinned = Options {
            at: now,
            ..any(&[], &between)
        };
        assert_eq!(verify(&leaf, &pinned), Ok(()));
    }

    #[test]
    fn a_ca_whose_extended_key_usage_does_not_fit_is_refused_wherever_it_stands() {
        let (roots, clients) = ([ca("Root", "Root", 3)], [client_ca("Intermediate", "Root")]);
        let with = |purpose| Options {
            purpose,
            ..any(&clients, &roots)
        };
        let [server, client] = [with(Purpose::ServerAuth), with(Purpose::ClientAuth)];
        let refused = Err(ChainError::WrongPurpose);
        // Above a leaf, above a CA, and as the certificate in question.
        let leaf = issue("a.example", "Intermediate", vec![]);
        assert_eq!(verify(&leaf, &server), refused);
        assert_eq!(verify(&leaf, &client), Ok(()));
        let low = ca("Low", "Intermediate", 0);
        assert_eq!(verify(&low, &server), refused);
        assert_eq!(verify(&low, &client), Ok(()));
        assert_eq!(verify(&clients[0], &server), refused);
        assert_eq!(verify(&clients[0], &client), Ok(()));
        // A trusted certificate, too, is for its purposes only.
        let trusted = Options {
            roots: &clients,
            ..server
        };
        assert_eq!(verify(&clients[0], &trusted), refused);
    }

    #[test]
    fn names_are_refused_with_the_message_of_go() {
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
    fn times_are_refused_with_the_message_of_go() {
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
        let foreign = issue("a.example", "Unknown", vec![]);
        assert_eq!(
            words(check(&foreign, LATER, Purpose::Any, None)),
            "x509: certificate signed by unknown authority"
        );
        let below_leaf = issue("b.example", "a.example", vec![]);
        let chain = [leaf(), ca("Intermediate", "Root", 0)];
        let roots = [ca("Root", "Root", 1)];
        let result = verify(&below_leaf, &any(&chain, &roots));
        assert_eq!(result, Err(ChainError::NotACa));
    }

    #[test]
    fn path_lengths_hold_for_leaves_and_for_cas() {
        let low = ca("Low", "Intermediate", 0);
        let between = [low.clone(), ca("Intermediate", "Root", 0)];
        let roots = [ca("Root", "Root", 1)];
        let under = issue("a.example", "Low", vec![]);
        let verify = |leaf| verify(leaf, &any(&between, &roots));
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
        let late = Options {
            at: at("2027-06-01T00:00:00Z"),
            ..any(&[], &roots)
        };
        let refused = verify(&roots[0], &late);
        assert!(matches!(refused, Err(ChainError::Expired { .. })));
    }
}
