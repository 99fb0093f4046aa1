//! Challenges (RFC 8555 §8): each method defines what to probe ([`ask`]) and judges the
//! observation ([`judge`]). Not here: the probes themselves.
//!
//! A method is one file here, and one line of [`Method`].

mod device_attest01;
mod dns01;
mod dns_account01;
mod dns_persist01;
mod failure;
mod http01;
mod id;
mod redirect;
pub(crate) mod report;
mod tls_alpn01;
mod txt;

pub mod observation;
mod proof;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::identifier::Identifier;
use crate::problem::Problem;

pub use device_attest01::{AttestationRules, Format, FormatRoots};
pub use id::{
    authorization_id, authorization_of_order, challenge_id, of_authorization_id, of_challenge_id,
    order_id,
};
pub use observation::{
    Attempt, Failure, FailureKind, Host, HttpObservation, HttpProbe, Observation, Probe, Trace,
};
pub use observation::{KeyKinds, TlsObservation, TlsProbe, TxtObservation, TxtProbe};
pub use proof::{Means, Proof, ProofRecord};

/// Makes [`Method`] of one line a method: its variant, and the module with its `PROPERTIES`, `ask`
/// and `judge`.
macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident in $module:ident;)+) => {
        /// A way to prove control over an identifier.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method {
            $($(#[$doc])* $variant,)+
        }

        impl Method {
            /// Every supported method, in the order in which challenges are offered.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            const fn properties(self) -> &'static Properties {
                match self {
                    $(Self::$variant => &$module::PROPERTIES,)+
                }
            }
        }

        /// The first probe of a validation.
        pub fn ask(method: Method, cx: &Context<'_>) -> Probe {
            if !method.fits(cx.identifier) {
                return Probe::Payload;
            }
            match method {
                $(Method::$variant => Probe::from($module::ask(cx)),)+
            }
        }

        /// Judges an observation by the rules of the method.
        pub fn judge(method: Method, cx: &Context<'_>, seen: &Observation) -> Verdict {
            match method {
                $(Method::$variant => $module::judge(cx, seen),)+
            }
        }
    };
}

methods! {
    /// A TXT record with a digest of the key authorization (RFC 8555 §8.4).
    Dns01 in dns01;
    /// A file under a well-known path (RFC 8555 §8.3).
    Http01 in http01;
    /// A certificate presented in a TLS handshake (RFC 8737).
    TlsAlpn01 in tls_alpn01;
    /// As dns-01, under a label of the account (draft-ietf-acme-dns-account-label).
    DnsAccount01 in dns_account01;
    /// A persistent TXT record that names the authority and the account (draft-ietf-acme-dns-persist).
    DnsPersist01 in dns_persist01;
    /// A statement of the device's hardware (draft-ietf-acme-device-attest).
    DeviceAttest01 in device_attest01;
}

/// What a method can prove, and what its challenges have.
struct Properties {
    /// The challenge's `type`.
    word: &'static str,
    /// Its number in ids of challenges, 1 to 15, which never changes.
    code: u8,
    /// It proves host names.
    names: bool,
    /// It proves wildcards: only in the DNS (RFC 8555 §8.3, §8.4, RFC 8737 §3).
    wildcards: bool,
    /// It proves IP addresses: never in the DNS (RFC 8738 §4, §6, §7).
    addresses: bool,
    /// It proves devices.
    devices: bool,
    /// Later orders may reuse its proof.
    serves_again: bool,
    /// Its proof for a domain may cover the subdomains: a client that can write a record in a zone
    /// controls them as well (RFC 9444 §4).
    reaches_subdomains: bool,
    /// Its challenges have a `token`.
    has_token: bool,
    /// It judges the payload of the client's answer ([`Probe::Payload`]).
    judges_payload: bool,
}

impl Method {
    /// The methods of a provisioner that configures none.
    pub const USUAL: &'static [Self] = &[Self::Dns01, Self::Http01, Self::TlsAlpn01];

    /// The challenge's `type`.
    pub const fn as_str(self) -> &'static str {
        self.properties().word
    }

    /// Its number in ids of challenges, 1 to 15, which never changes.
    pub const fn code(self) -> u8 {
        self.properties().code
    }

    /// Finds the method with this number.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|m| m.code() == code)
    }

    /// Finds the method of a `type`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|m| m.as_str() == word)
    }

    /// Whether the method can prove this identifier.
    pub const fn fits(self, identifier: &Identifier) -> bool {
        match identifier {
            Identifier::Dns(_) => self.properties().names,
            Identifier::Wildcard(_) => self.properties().wildcards,
            Identifier::Ip(_) => self.properties().addresses,
            Identifier::Device(_) => self.properties().devices,
        }
    }

    /// Whether later orders may reuse its proof.
    pub const fn serves_again(self) -> bool {
        self.properties().serves_again
    }

    /// Whether its proof for a domain may cover the subdomains (RFC 9444 §4).
    pub const fn reaches_subdomains(self) -> bool {
        self.properties().reaches_subdomains
    }

    /// Whether it judges the payload of the client's answer. That of all other methods is not kept.
    pub const fn judges_payload(self) -> bool {
        self.properties().judges_payload
    }

    /// Whether its challenges have a `token`.
    pub const fn has_token(self) -> bool {
        self.properties().has_token
    }
}

/// The enabled methods that can prove an identifier, in the order of [`Method::ALL`].
pub fn offered(identifier: &Identifier, enabled: &[Method]) -> Vec<Method> {
    let all = Method::ALL.iter().copied();
    all.filter(|method| enabled.contains(method) && method.fits(identifier))
        .collect()
}

/// The enabled methods that can prove a domain with all its subdomains, in the order of
/// [`Method::ALL`].
pub fn offered_for_subdomains(enabled: &[Method]) -> Vec<Method> {
    let all = Method::ALL.iter().copied();
    all.filter(|method| enabled.contains(method) && method.reaches_subdomains())
        .collect()
}

/// The status of a challenge (RFC 8555 §7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The client has not answered it yet.
    Pending,
    /// The server is validating it.
    Processing,
    /// The identifier is proven.
    Valid,
    /// The validation failed.
    Invalid,
}

impl Status {
    /// The name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
        }
    }

    /// Finds the status with this name.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Pending, Self::Processing, Self::Valid, Self::Invalid];
        all.into_iter().find(|status| status.as_str() == word)
    }
}

/// One way to prove an authorization's identifier.
#[derive(Clone, Debug, PartialEq)]
pub struct Challenge {
    /// Its id, the last segment of its URL.
    pub id: Uuid,
    /// The method of validation.
    pub method: Method,
    /// Its random part: base64url of at least 128 bits; sent if the method
    /// [has a token](Method::has_token).
    pub token: String,
    /// Its status.
    pub status: Status,
    /// When it was validated.
    pub validated: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<Problem>,
}

impl Challenge {
    /// Creates a pending challenge; `random`, at least 128 bits, becomes its token.
    pub fn new(id: Uuid, method: Method, random: &[u8]) -> Self {
        Self {
            id,
            method,
            token: data_encoding::BASE64URL_NOPAD.encode(random),
            status: Status::Pending,
            validated: None,
            error: None,
        }
    }
}

/// The key authorization: the text that binds the token to the account key, by its thumbprint (RFC 8555 §8.1).
pub fn key_authorization(token: &str, thumbprint: &str) -> String {
    format!("{token}.{thumbprint}")
}

/// The ports of the first connection of a validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// For http-01; 80 unless configured.
    pub http: u16,
    /// For tls-alpn-01; 443 unless configured.
    pub tls: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self { http: 80, tls: 443 }
    }
}

/// The ports that a redirect of http-01 may lead to, besides 80, 443 and those of the first probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectPorts {
    /// These.
    Listed(Vec<u16>),
    /// Every port.
    Any,
}

impl RedirectPorts {
    /// No further port.
    pub const NONE: &'static Self = &Self::Listed(Vec::new());
}

/// What a DNS record may name besides a token: this authority and the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaaIdentity {
    /// The account's URL as the client uses it.
    pub account_url: String,
    /// The issuer domain names of this authority (RFC 8659 §4.2), one to ten in lower case; empty
    /// if it has no suitable name.
    pub issuers: Vec<String>,
}

/// The subject of a validation.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The identifier to prove.
    pub identifier: &'a Identifier,
    /// The challenge's token.
    pub token: &'a str,
    /// The payload of the client's answer: the signed JSON object, which is empty for most methods.
    pub payload: &'a [u8],
    /// The [`key_authorization`] of the token and the account key.
    pub key_authorization: &'a str,
    /// The account that answers the challenge.
    pub account: Uuid,
    /// How DNS records name the account and this authority.
    pub caa_identity: &'a CaaIdentity,
    /// The ports of the first probe.
    pub ports: Ports,
    /// Whose statements about devices are believed.
    pub attestation: &'a AttestationRules,
    /// The ports of redirects.
    pub redirect_ports: &'a RedirectPorts,
    /// The time of the verdict.
    pub now: Timestamp,
    /// The URLs ([`Probe::url`]) of the probes of [`Verdict::Ask`] in this attempt, oldest first;
    /// empty when an attempt starts.
    pub redirects: &'a [String],
}

/// The verdict of a method on an observation.
#[derive(Debug)]
pub enum Verdict {
    /// The identifier is proven.
    Valid(Proof),
    /// Another probe is needed.
    Ask(Probe),
    /// The attempt failed, perhaps because of a race or an outage: retry within the budget, then
    /// fail with this finding.
    Retry(Finding),
    /// The attempt failed, and a retry cannot succeed.
    Invalid(Finding),
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// For the client.
    pub problem: Problem,
    /// For the operator only: it includes the first octets of the body.
    pub evidence: Value,
}

/// The verdict on an observation of another kind than the probe.
fn unexpected(method: Method, cx: &Context<'_>) -> Verdict {
    let detail = format!(
        "{} for {} failed: the observation does not match the probe, which is a fault of the \
         server. Report it to the operator of this CA.",
        method.as_str(),
        cx.identifier
    );
    Verdict::Invalid(Finding {
        problem: Problem::server_internal(detail),
        evidence: Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_proven_only_by_dns_methods_and_addresses_never_are() {
        use Method::{Dns01, DnsAccount01, DnsPersist01, Http01, TlsAlpn01};
        let offers = |kind: &str, value: &str, enabled: &[Method]| {
            let identifier = Identifier::parse(kind, value).unwrap();
            offered(&identifier, enabled)
        };
        let usual = [Dns01, Http01, TlsAlpn01];
        assert_eq!(offers("dns", "foo.lab", Method::USUAL), usual);
        assert_eq!(offers("ip", "::1", Method::ALL), [Http01, TlsAlpn01]);
        let wildcard = offers("dns", "*.foo.lab", Method::ALL);
        assert_eq!(wildcard, [Dns01, DnsAccount01, DnsPersist01]);
        assert_eq!(offers("dns", "*.foo.lab", &[Http01, TlsAlpn01]), []);
        assert_eq!(offers("dns", "foo.lab", &[]), []);
        let given = [DnsPersist01, Http01, Dns01];
        assert_eq!(
            offers("dns", "foo.lab", &given),
            [Dns01, Http01, DnsPersist01],
            "in the order of Method::ALL"
        );
    }

    #[test]
    fn subdomains_are_proven_only_by_a_record_for_this_order() {
        use Method::{Dns01, DnsAccount01, Http01};
        assert_eq!(offered_for_subdomains(Method::ALL), [Dns01, DnsAccount01]);
        assert_eq!(offered_for_subdomains(&[Http01]), []);
    }

    #[test]
    fn a_new_challenge_takes_its_token_from_the_random_octets() {
        let challenge = Challenge::new(Uuid::nil(), Method::Http01, &[255; 32]);
        assert_eq!(challenge.token, "_".repeat(42) + "8");
        assert_eq!(challenge.status, Status::Pending);
    }

    #[test]
    fn names_of_methods_and_statuses_round_trip() {
        for method in Method::ALL {
            assert_eq!(Method::parse(method.as_str()), Some(*method));
        }
        assert_eq!(Method::parse("dns-02"), None);
        for word in ["pending", "processing", "valid", "invalid"] {
            assert_eq!(Status::parse(word).map(Status::as_str), Some(word));
        }
    }
}
