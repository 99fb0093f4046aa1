//! What the verbs read and answer where the domain has no type of its own for it; what is written is in `write.rs`.

use acme::account::Account;
use acme::authz::Authorization;
use acme::challenge::{Challenge, Means, Proof};
use acme::eab::MacKey;
use acme::identifier::Identifier;
use acme::order::{KeyUse, Order, ReusableAuthorizations};
use acme::renewal::Window;
use acme::revocation::Reason;
use acme::scope::{Scope, Subject};
use ca::config::Restriction;
use ca::external_key::ExternalKey;
use jiff::Timestamp;
use pki::PublicKey;
use pki::certificate::Serial;
use pki::jose::Jwk;
use uuid::Uuid;

use crate::audit::AuditEntry;

/// The configuration that was in force last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedConfiguration {
    /// The SHA-256 digest of ca.json, in hexadecimal.
    pub ca_json: String,
    /// The SHA-256 digest of riser.toml, in hexadecimal; `None` where there was none.
    pub riser_toml: Option<String>,
    /// What it restricted.
    pub restrictions: Vec<Restriction>,
}

/// What became of a request for a new account.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    /// It was made.
    Created(Account),
    /// The provisioner has an account with this key; nothing was changed.
    Existing(Account),
    /// The external account key that should bind it is gone, over or used up; nothing was changed.
    NotBound,
}

/// What became of a change of an account's key.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyChanged {
    /// The account has the new key; the old one has no account any more.
    Changed(Box<Account>),
    /// This account of the provisioner has the new key already; nothing was changed.
    InUse(Uuid),
    /// The account does not have the old key any more, or may not act; nothing was changed.
    Outdated,
}

/// What became of a new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It is stored.
    Done,
    /// An earlier authorization or a permit that it depends on has ended meanwhile; nothing was stored.
    Outdated,
    /// The certificate that it names has been replaced, or another order is about to; nothing was stored.
    AlreadyReplaced,
}

/// A part of the list of an account's orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderPage {
    /// Orders, oldest first.
    pub orders: Vec<Uuid>,
    /// Behind which the next page begins; none if this is the last.
    pub next: Option<Uuid>,
}

/// An order and its authorizations, read as of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderRecord {
    /// The order.
    pub order: Order,
    /// Its authorizations, in its order of identifiers.
    pub authorizations: Vec<Authorization>,
}

/// What a newOrder asks the records about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewOrderQuery {
    /// The serial number of the certificate to be replaced.
    pub replaces: Option<Serial>,
    /// The subjects of earlier authorizations that could be reused.
    pub subjects: Vec<Subject>,
    /// When reused authorizations must still be in force; without it none are read.
    pub in_force_at: Option<Timestamp>,
}

/// What a newOrder asks the records, read as of one moment.
#[derive(Debug, Default, PartialEq)]
pub struct NewOrderFacts {
    /// The external account key that bound the account; none if it has none, or not any more.
    pub external_key: Option<ExternalKey>,
    /// The certificate to be replaced; none if it is unknown.
    pub replaced: Option<CertificateRecord>,
    /// The permits of the account, its valid authorizations for the subjects, with their scope or a wider one, and
    /// those of its pending ones that it asked for ahead.
    pub reusable: ReusableAuthorizations,
}

/// An account's claim to the names of a certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct NamesClaim {
    /// The account.
    pub account: Uuid,
    /// The identifiers of the certificate.
    pub identifiers: Vec<Identifier>,
    /// The widest authorization that counts.
    pub widest: Scope,
    /// When the authorizations have to be in force.
    pub at: Timestamp,
}

/// What a revocation asks the records, read as of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct RevocationFacts {
    /// The certificate; none if it is unknown.
    pub certificate: Option<CertificateRecord>,
    /// Whether the claim is proven; `false` without one.
    pub proven: bool,
}

/// What a finalize asks the records, read as of one moment.
#[derive(Debug, PartialEq)]
pub struct Finalization {
    /// The order.
    pub order: Order,
    /// The proofs of its valid authorizations, in the order of its authorizations.
    pub proofs: Vec<Proof>,
    /// The external account key that bound the order's account; none if it has none, or not any more.
    pub external_key: Option<ExternalKey>,
    /// Whether the key to be certified is barred as compromised.
    pub key_compromised: bool,
    /// What the key to be certified is used for, by accounts of any provisioner.
    pub key_use: KeyUse,
}

/// A key to be certified, by the names that records have for keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertifiedKey {
    /// The SHA-256 of its bits.
    pub digest: [u8; 32],
    /// Its thumbprint (RFC 7638).
    pub thumbprint: String,
}

impl CertifiedKey {
    /// The names of this key.
    #[must_use]
    pub fn of(key: &PublicKey) -> Self {
        Self {
            digest: key.digest(),
            thumbprint: Jwk::from_public_key(key).thumbprint(),
        }
    }
}

/// The keys of a renewal, each by the SHA-256 of its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenewalKeys {
    /// The key of the certificate that is renewed, whose holder asks.
    pub asking: [u8; 32],
    /// The key to be certified.
    pub certified: [u8; 32],
}

/// What a renewal asks the records, read as of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct CertificateStanding {
    /// The certificate to be renewed; none if it is unknown.
    pub certificate: Option<CertificateRecord>,
    /// Where it is unknown: the latest end of a certificate that has been deleted.
    pub deleted_until: Option<Timestamp>,
    /// Why it is not renewed any more.
    pub end: Option<RenewalEnd>,
    /// The account that it rests on; none if it rests on none.
    pub account: Option<Account>,
    /// The external account key that bound the account; none if it has none, or not any more.
    pub external_key: Option<ExternalKey>,
    /// Those permits that its names rest on and that hold for the account.
    pub permits: Vec<Uuid>,
    /// Whether the key whose holder asks is barred as compromised.
    pub asking_key_compromised: bool,
    /// Whether the key to be certified is barred as compromised.
    pub certified_key_compromised: bool,
}

/// Why a certificate is not renewed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalEnd {
    /// It was revoked.
    Revoked,
    /// Another certificate of its lineage was revoked, for another reason than that it was superseded.
    LineageEnded,
    /// A certificate that was made from it was revoked as superseded.
    Superseded,
}

/// An external account key with its secret.
pub struct BindingKey {
    /// The key.
    pub key: ExternalKey,
    /// Its secret.
    pub secret: MacKey,
}

/// A challenge, its authorization and the orders that depend on it, read as of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ChallengeRecord {
    /// The challenge.
    pub challenge: Challenge,
    /// The authorization that it would prove.
    pub authorization: Authorization,
    /// The orders that wait for it.
    pub orders: Vec<Uuid>,
}

/// A challenge whose validation began and has not ended, with what it takes to begin it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedChallenge {
    /// The challenge.
    pub challenge: Uuid,
    /// The account's URL as its client knows it.
    pub account_url: String,
    /// The thumbprint of the account's key at that time, by which the answer is judged; empty where it was not kept.
    pub thumbprint: String,
    /// The payload with which the client answered the challenge.
    pub payload: Vec<u8>,
}

/// What is stored after a verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// Whether this verdict was the first, and so the one that counts.
    pub written: bool,
    /// The authorization with its challenges.
    pub authorization: Authorization,
    /// The orders that depend on it.
    pub orders: Vec<Uuid>,
    /// How many of them this verdict has made invalid.
    pub ended: usize,
}

/// An issued certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct CertificateRecord {
    /// Its id, the last segment of its URL.
    pub id: Uuid,
    /// Its serial number, unique in the store.
    pub serial: Serial,
    /// The certificate.
    pub der: Vec<u8>,
    /// The certificates above it that are handed out with it, nearest first.
    pub chain: Vec<Vec<u8>>,
    /// The provisioner that granted it; none for the server's own.
    pub provisioner: Option<String>,
    /// The account that asked for it.
    pub account: Option<Uuid>,
    /// The order that it fulfils.
    pub order: Option<Uuid>,
    /// The start of its validity.
    pub not_before: Timestamp,
    /// The end of its validity.
    pub not_after: Timestamp,
    /// The names in it, as they are searched for.
    pub names: Vec<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The certificate that it replaces.
    pub renewed_from: Option<Serial>,
    /// The first certificate of its lineage; none if it is the first.
    pub lineage: Option<Serial>,
    /// The profile that it was made by.
    pub profile: Option<String>,
    /// What each of its names rests on, in their order: none where that is not known, and empty where that is known of
    /// no name.
    pub basis: Vec<Option<Means>>,
    /// When, why and by whom it was revoked.
    pub revoked: Option<Revoked>,
}

impl CertificateRecord {
    /// The serial number of the first certificate of its lineage. A renewal or a change of its key over mutual TLS
    /// continues the lineage of a certificate; an order begins one.
    #[must_use]
    pub fn lineage(&self) -> &Serial {
        self.lineage.as_ref().unwrap_or(&self.serial)
    }
}

/// The end of a certificate before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Reason,
    /// By which right.
    pub by: Revoker,
}

impl Revoked {
    /// Whether the key is not certified again: it is compromised, as its holder or the account says. An
    /// account that has proven the names need not be the one that has the key.
    #[must_use]
    pub const fn bars_the_key(&self) -> bool {
        matches!(self.reason, Reason::KeyCompromise) && !matches!(self.by, Revoker::Names(_))
    }

    /// Whether it ends the whole lineage of the certificate, and not only the certificate and its ancestors.
    #[must_use]
    pub const fn ends_the_lineage(&self) -> bool {
        !matches!(self.reason, Reason::Superseded)
    }

    /// Whether a revocation after this one still ends something: the future of the key, or that of the lineage. One
    /// that states no reason ends nothing more: a client that just tries again does not mean the lineage.
    #[must_use]
    pub fn leaves_to(&self, later: &Self) -> bool {
        let is_stated = !matches!(later.reason, Reason::Unspecified);
        (later.bars_the_key() && !self.bars_the_key())
            || (is_stated && later.ends_the_lineage() && !self.ends_the_lineage())
    }
}

/// By which right a certificate was revoked (RFC 8555 §7.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoker {
    /// The account that it was issued to.
    Account(Uuid),
    /// An account that had proven all its names.
    Names(Uuid),
    /// The holder of its key.
    Key,
}

impl Revoker {
    /// The right's word, in records and in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Names(_) => "names",
            Self::Key => "key",
        }
    }

    /// The account that used the right.
    #[must_use]
    pub const fn account(self) -> Option<Uuid> {
        match self {
            Self::Account(id) | Self::Names(id) => Some(id),
            Self::Key => None,
        }
    }
}

/// A renewal window that an operator has set (RFC 9773 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalWindow {
    /// Which certificates should be renewed then.
    pub scope: RenewalScope,
    /// When.
    pub window: Window,
    /// A page for people that says why.
    pub explanation: Option<String>,
}

/// A certificate and when it should be renewed, read as of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct RenewalRecord {
    /// The certificate.
    pub certificate: CertificateRecord,
    /// The newest window that was set for it.
    pub window: Option<RenewalWindow>,
}

/// Which certificates a renewal window is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenewalScope {
    /// The one with this serial number.
    Serial(Serial),
    /// All that were issued before a moment.
    IssuedBefore {
        /// The moment.
        before: Timestamp,
        /// Only those of this provisioner.
        provisioner: Option<String>,
    },
}

/// What became of an issuance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issued {
    /// The certificate is recorded and may leave the process.
    Done,
    /// The order has this certificate already; the new one must never leave the process.
    AlreadyIssued(Uuid),
    /// The order is not `ready`, or not any more; the new certificate must never leave the process.
    OrderNotReady,
    /// Something that the renewal rests on has ended meanwhile; the new certificate must never leave the process.
    RightEnded,
    /// Its key was revoked as compromised meanwhile; it must never leave the process.
    KeyCompromised,
}

/// An entry of the audit log, and where in the log it is.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditLine {
    /// Its number: 1 or more, and higher than that of every earlier line.
    pub number: i64,
    /// What was recorded.
    pub entry: AuditEntry,
}

/// What to search certificates for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateQuery {
    /// Those with this name, newest first.
    Name(String),
    /// Those with a name that begins so, by name.
    NamePrefix(String),
    /// Those of an account, newest first.
    Account(Uuid),
    /// Those that a provisioner granted, newest first.
    Provisioner(String),
    /// Those whose validity ends within a time, the first to end first.
    Expires(Span),
    /// Those that were issued within a time, oldest first.
    Issued(Span),
}

/// A time from one moment until just before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

/// A part of the certificates that a search finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CertificatePage {
    /// The certificates.
    pub certificates: Vec<CertificateRecord>,
    /// Behind which the next page begins; none if this is the last.
    pub next: Option<CertificateCursor>,
}

/// Where a page of a search ended. It counts for the same search only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateCursor(pub(crate) Place);

/// A place in the order of any search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: Uuid,
    pub(crate) row: i64,
    pub(crate) name: String,
    pub(crate) at: Timestamp,
}

/// What a sweep has deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Orders.
    pub orders: usize,
    /// Authorizations, with their challenges.
    pub authorizations: usize,
}
