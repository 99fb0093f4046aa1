//! The one issuing path: a grant becomes the unsigned certificate that the signer takes.

pub(crate) mod authority;

use jiff::Timestamp;
use pki::{
    AltName, Certificate, ExtendedKeyUsage, Extension, KeyKind, KeyUsages, Name, PublicKey, Serial,
    SignatureAlgorithm, TbsCertificate, device, extension, oid,
};

use crate::admission::{CertificateContents, Grant, LeafContents, Parts, PublishedAt, Recipient};
use crate::issuing_chain::IssuingChain;
use crate::lint::{self, Contents, Draft, Finding, authority_key_id};
use crate::profile::Profile;
use crate::refusal::Refusal;

pub use crate::lint::Kind;

/// Something that lacks only the signature of an authority: a certificate, and one day a CRL or an
/// OCSP response. The signer takes nothing else, and only this crate can implement it.
pub trait Unsigned: sealed::Sealed {
    /// What it is once it is signed.
    type Signed;

    /// The name of the issuer that has to sign it.
    fn issuer(&self) -> &Name;

    /// Whether its own key signs it, as a root's does, and no other.
    fn is_self_signed(&self) -> bool {
        false
    }

    /// The DER to sign.
    ///
    /// # Errors
    /// When a field cannot be encoded.
    fn to_der(&self, algorithm: SignatureAlgorithm) -> Result<Vec<u8>, pki::Error>;

    /// Joins the DER of [`Unsigned::to_der`] and its signature.
    ///
    /// # Errors
    /// When the DER does not fit the algorithm.
    fn assemble(
        der: &[u8],
        algorithm: SignatureAlgorithm,
        signature: &[u8],
    ) -> Result<Self::Signed, pki::Error>;
}

mod sealed {
    /// Keeps other crates from implementing `Unsigned`.
    #[expect(unnameable_types, reason = "it must not be nameable elsewhere")]
    pub trait Sealed {}
}

/// A certificate that lacks only its signature. It is made in this module alone.
pub struct UnsignedCertificate {
    tbs: TbsCertificate,
    kind: Kind,
    recipient: Recipient,
}

impl sealed::Sealed for UnsignedCertificate {}

impl Unsigned for UnsignedCertificate {
    type Signed = Certificate;

    fn issuer(&self) -> &Name {
        &self.tbs.issuer
    }

    fn is_self_signed(&self) -> bool {
        self.kind == Kind::Root
    }

    fn to_der(&self, algorithm: SignatureAlgorithm) -> Result<Vec<u8>, pki::Error> {
        self.tbs.to_der(algorithm)
    }

    fn assemble(
        der: &[u8],
        algorithm: SignatureAlgorithm,
        signature: &[u8],
    ) -> Result<Certificate, pki::Error> {
        pki::assemble(der, algorithm, signature)
    }
}

impl UnsignedCertificate {
    /// What will be signed.
    #[must_use]
    pub fn tbs(&self) -> &TbsCertificate {
        &self.tbs
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// For whom it is.
    #[must_use]
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    fn lint(&self, contents: Contents, issuer: Option<&Certificate>) -> Result<(), Finding> {
        lint::lint(self.draft(contents), issuer)
    }

    fn draft(&self, contents: Contents) -> Draft<'_> {
        Draft {
            tbs: &self.tbs,
            kind: self.kind,
            contents,
        }
    }
}

/// Puts the certificate of a grant together: one grant, one certificate. It ends with its issuer
/// at the latest. The lint runs last.
///
/// # Errors
/// When the issuer has expired, a name cannot be encoded, or the lint finds something: it looks at the whole chain.
pub fn prepare(
    grant: Grant,
    now: Timestamp,
    serial: Serial,
    chain: &IssuingChain,
) -> Result<UnsignedCertificate, Refusal> {
    let issuer = chain.issuer();
    if issuer.not_after() <= now {
        return Err(Refusal::IssuerExpired {
            at: issuer.not_after(),
        });
    }
    let Parts {
        key,
        lifetime,
        recipient,
        body,
        ..
    } = grant.into_parts();
    let lifetime = lifetime.until_at_most(issuer.not_after());
    let contents = match &body {
        CertificateContents::LeafContents(_) => Contents::New,
        CertificateContents::Copy(_) => Contents::Copied,
    };
    let (subject, extensions) = match body {
        CertificateContents::LeafContents(contents) => fresh(*contents, &key, issuer)?,
        CertificateContents::Copy(old) => copied(&old, &key, issuer),
    };
    let unsigned = UnsignedCertificate {
        tbs: TbsCertificate {
            serial,
            issuer: issuer.subject().clone(),
            subject,
            not_before: lifetime.not_before,
            not_after: lifetime.not_after,
            public_key: key,
            extensions,
        },
        kind: Kind::Leaf,
        recipient,
    };
    unsigned.lint(contents, Some(issuer))?;
    lint::below(unsigned.draft(contents), chain)?;
    Ok(unsigned)
}

/// A new leaf: KU, EKU, SKI, AKI, SAN, the provisioner, CRL DP and AIA, in this order, then what
/// the profile adds.
fn fresh(
    contents: LeafContents,
    key: &PublicKey,
    issuer: &Certificate,
) -> Result<(Name, Vec<Extension>), Refusal> {
    let profile = contents.profile.as_ref();
    let subject = match contents.common_name {
        Some(name) => Name::common_name(&name)?,
        None => Name::empty(),
    };
    let usage = profile
        .and_then(|profile| profile.key_usages_for(key.kind()))
        .unwrap_or_else(|| usual_usage(key.kind()));
    let purposes = profile
        .and_then(|profile| profile.extended_key_usages.as_deref())
        .unwrap_or_else(|| usual_purposes(&contents.names));
    let mut extensions = vec![
        extension::key_usage(usage),
        extension::extended_key_usage(purposes),
        extension::subject_key_id(&key.key_id()),
        authority_key_id(issuer),
        extension::subject_alt_names(&contents.names, subject.is_empty()),
    ];
    extensions.extend(contents.provisioner.map(|it| it.to_extension()));
    extensions.extend(published(&contents.published_at));
    extensions.extend(profile.map(Profile::further).unwrap_or_default());
    Ok((subject, extensions))
}

/// Where verifiers find the CRL, the OCSP responder and the issuer; nothing for empty lists.
fn published(at: &PublishedAt) -> Vec<Extension> {
    let PublishedAt { crl, ocsp, issuer } = at;
    let mut extensions = Vec::new();
    if !crl.is_empty() {
        extensions.push(extension::crl_distribution_points(crl));
    }
    if !ocsp.is_empty() || !issuer.is_empty() {
        extensions.push(extension::authority_info_access(ocsp, issuer));
    }
    extensions
}

/// Devices are clients.
fn usual_purposes(names: &[AltName]) -> &'static [ExtendedKeyUsage] {
    if names.iter().any(device::is_device_name) {
        &[ExtendedKeyUsage::ClientAuth]
    } else {
        &[ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth]
    }
}

fn usual_usage(kind: KeyKind) -> KeyUsages {
    match kind {
        KeyKind::Rsa { .. } => KeyUsages::DIGITAL_SIGNATURE | KeyUsages::KEY_ENCIPHERMENT,
        KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 | KeyKind::Ed25519 => {
            KeyUsages::DIGITAL_SIGNATURE
        }
    }
}

/// A renewed leaf: AKI first, then everything that the old one had in its order; the key's
/// identifier follows the key.
fn copied(old: &Certificate, key: &PublicKey, issuer: &Certificate) -> (Name, Vec<Extension>) {
    let own_key = old.public_key().is_ok_and(|own| own == key);
    let kept = old
        .extensions()
        .iter()
        .filter(|extension| extension.oid != oid::AUTHORITY_KEY_ID)
        .map(|extension| {
            if extension.oid == oid::SUBJECT_KEY_ID && !own_key {
                extension::subject_key_id(&key.key_id())
            } else {
                extension.clone()
            }
        });
    let extensions = std::iter::once(authority_key_id(issuer))
        .chain(kept)
        .collect();
    (old.subject().clone(), extensions)
}

#[cfg(test)]
mod tests;
