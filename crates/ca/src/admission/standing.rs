//! What the records say about a request at the moment of its admission. The caller reads them; a
//! right that was not looked up counts as ended.

use uuid::Uuid;

/// The records that a request rests on. The default is for a request that rests on none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The account.
    pub account: Right,
    /// The external account key of the account.
    pub external_key: Right,
    /// Those permits that names rest on and that stand.
    pub permits: Vec<Uuid>,
    /// The certificate that is renewed.
    pub renewed: Renewed,
    /// The key that signed the request, where it is not the certified one. Only what is known as
    /// compromised refuses it.
    pub asking_key: KeyStanding,
    /// The key to be certified.
    pub certified_key: KeyStanding,
}

/// Whether a right still stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Right {
    /// The request does not rest on it.
    #[default]
    NotNeeded,
    /// It stands.
    Valid,
    /// It was ended: deactivated, revoked or removed.
    Ended,
}

/// What the records say about a certificate that is renewed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Renewed {
    /// The request renews none.
    #[default]
    None,
    /// There is no record of it, and the operator lets such certificates be renewed.
    Unknown,
    /// It stands.
    Valid,
    /// It was revoked.
    Revoked,
    /// Another certificate of its lineage was revoked, for another reason than that it was superseded.
    LineageEnded,
    /// A certificate that was made from it was revoked as superseded.
    Superseded,
    /// Its record was deleted after it had expired.
    Deleted,
    /// It is the server's own, which the server replaces by itself.
    ServerCertificate,
}

/// What the records say about a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyStanding {
    /// The records were not asked.
    #[default]
    NotAsked,
    /// Nothing is known against it.
    Good,
    /// It was revoked as compromised.
    Compromised,
}
