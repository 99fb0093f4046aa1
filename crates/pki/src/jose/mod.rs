//! JSON object signing and encryption, as ACME and the step API use it.

pub mod jwe;
pub mod jwk;
pub mod jws;

mod object;
mod private_jwk;

pub use jwk::Jwk;
pub use private_jwk::{parse_private_jwk, private_jwk, published_jwk};

use crate::key::{KeyKind, SignatureAlgorithm};

/// A signature or MAC algorithm of JOSE (RFC 7518 §3.1, RFC 8037, RFC 9864).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alg {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// ECDSA with P-521 and SHA-512.
    Es512,
    /// Ed25519, by the name of RFC 8037.
    EdDsa,
    /// Ed25519, by the name of RFC 9864, which says the curve.
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

/// A name that is no supported algorithm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unsupported JOSE algorithm {0:?}")]
pub struct UnknownAlg(pub String);

impl Alg {
    /// All algorithms that are no MAC, the preferred first.
    pub const SIGNATURES: [Self; 11] = [
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Ed25519,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
    ];

    /// The name in a header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether both names are of one algorithm: Ed25519 has two.
    #[must_use]
    pub fn is_same_as(self, other: Self) -> bool {
        let both = [Self::EdDsa, Self::Ed25519];
        self == other || both.contains(&self) && both.contains(&other)
    }

    /// The default signature algorithm of a key of this kind.
    #[must_use]
    pub const fn default_for(kind: KeyKind) -> Self {
        match kind {
            KeyKind::EcP256 => Self::Es256,
            KeyKind::EcP384 => Self::Es384,
            KeyKind::EcP521 => Self::Es512,
            KeyKind::Rsa { .. } => Self::Rs256,
            KeyKind::Ed25519 => Self::EdDsa,
        }
    }

    /// The same algorithm in X.509, when a key of this kind can be used with it.
    pub(crate) const fn signature(self, kind: KeyKind) -> Option<SignatureAlgorithm> {
        match (self, kind) {
            (Self::Es256, KeyKind::EcP256) => Some(SignatureAlgorithm::EcdsaSha256),
            (Self::Es384, KeyKind::EcP384) => Some(SignatureAlgorithm::EcdsaSha384),
            (Self::Es512, KeyKind::EcP521) => Some(SignatureAlgorithm::EcdsaSha512),
            (Self::EdDsa | Self::Ed25519, KeyKind::Ed25519) => Some(SignatureAlgorithm::Ed25519),
            (Self::Rs256, KeyKind::Rsa { .. }) => Some(SignatureAlgorithm::RsaSha256),
            (Self::Rs384, KeyKind::Rsa { .. }) => Some(SignatureAlgorithm::RsaSha384),
            (Self::Rs512, KeyKind::Rsa { .. }) => Some(SignatureAlgorithm::RsaSha512),
            (Self::Ps256, KeyKind::Rsa { .. }) => Some(SignatureAlgorithm::RsaPssSha256),
            (Self::Ps384, KeyKind::Rsa { .. }) => Some(SignatureAlgorithm::RsaPssSha384),
            (Self::Ps512, KeyKind::Rsa { .. }) => Some(SignatureAlgorithm::RsaPssSha512),
            _ => None,
        }
    }
}

impl std::str::FromStr for Alg {
    type Err = UnknownAlg;

    fn from_str(name: &str) -> Result<Self, UnknownAlg> {
        let macs = [Self::Hs256, Self::Hs384, Self::Hs512];
        let known = Self::SIGNATURES
            .into_iter()
            .chain(macs)
            .find(|alg| alg.as_str() == name);
        known.ok_or_else(|| UnknownAlg(name.to_owned()))
    }
}

impl std::fmt::Display for Alg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
