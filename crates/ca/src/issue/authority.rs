//! The certificates of an authority itself, its root and its intermediate. No grant covers them:
//! the operator who creates an authority is the one who decides.

use jiff::{SignedDuration, Timestamp};
use pki::{Certificate, Extension, KeyUsages, Name, PublicKey, Serial, TbsCertificate, extension};

use super::{Kind, UnsignedCertificate};
use crate::admission::Recipient;
use crate::claims::Lifetime;
use crate::lint::{Contents, authority_key_id};
use crate::refusal::Refusal;

/// 3,650 days.
const LIFE: SignedDuration = SignedDuration::from_hours(3650 * 24);
const ROOT_PATH_LENGTH: u8 = 1;
const INTERMEDIATE_PATH_LENGTH: u8 = 0;

/// The root of an authority called `name`, for its own key to sign.
///
/// # Errors
/// When the name cannot stand in a certificate.
pub fn root(
    name: &str,
    key: &PublicKey,
    serial: Serial,
    now: Timestamp,
) -> Result<UnsignedCertificate, Refusal> {
    let subject = subject(name, "Root CA")?;
    let lifetime = Lifetime::from_now(now, SignedDuration::ZERO, LIFE);
    let tbs = TbsCertificate {
        serial,
        issuer: subject.clone(),
        subject,
        not_before: lifetime.not_before,
        not_after: lifetime.not_after,
        public_key: key.clone(),
        extensions: extensions(key, ROOT_PATH_LENGTH, None),
    };
    let unsigned = unsigned(tbs, Kind::Root);
    unsigned.lint(Contents::New, None)?;
    Ok(unsigned)
}

/// The intermediate of an authority called `name`, for `root` to sign; it ends with the root at
/// the latest.
///
/// # Errors
/// When the name cannot stand in a certificate or the root cannot issue.
pub fn intermediate(
    name: &str,
    key: &PublicKey,
    serial: Serial,
    now: Timestamp,
    root: &Certificate,
) -> Result<UnsignedCertificate, Refusal> {
    if root.not_after() <= now {
        return Err(Refusal::IssuerExpired {
            at: root.not_after(),
        });
    }
    let lifetime =
        Lifetime::from_now(now, SignedDuration::ZERO, LIFE).until_at_most(root.not_after());
    let tbs = TbsCertificate {
        serial,
        issuer: root.subject().clone(),
        subject: subject(name, "Intermediate CA")?,
        not_before: lifetime.not_before,
        not_after: lifetime.not_after,
        public_key: key.clone(),
        extensions: extensions(key, INTERMEDIATE_PATH_LENGTH, Some(root)),
    };
    let unsigned = unsigned(tbs, Kind::Intermediate);
    unsigned.lint(Contents::New, Some(root))?;
    Ok(unsigned)
}

fn unsigned(tbs: TbsCertificate, kind: Kind) -> UnsignedCertificate {
    UnsignedCertificate {
        tbs,
        kind,
        recipient: Recipient::Authority,
    }
}

fn subject(name: &str, role: &str) -> Result<Name, Refusal> {
    let common_name = format!("{name} {role}");
    Ok(Name::organization_and_common_name(name, &common_name)?)
}

/// KU, basicConstraints, SKI and, where there is an issuer, AKI: in this order.
fn extensions(key: &PublicKey, path_length: u8, issuer: Option<&Certificate>) -> Vec<Extension> {
    let mut extensions = vec![
        extension::key_usage(KeyUsages::KEY_CERT_SIGN | KeyUsages::CRL_SIGN),
        extension::basic_constraints(Some(path_length)),
        extension::subject_key_id(&key.key_id()),
    ];
    extensions.extend(issuer.map(authority_key_id));
    extensions
}
