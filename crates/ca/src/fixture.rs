//! What the tests of this crate share: an authority that smallstep's `step` has made, with its keys.

use acme::challenge::{
    self, CaaIdentity, HttpObservation, Method, Observation, Ports, Proof, RedirectPorts, Trace,
    TxtObservation, Verdict,
};
use acme::identifier::Identifier;
use acme::message::identifier::Asked;
use acme::message::order::NewOrder;
use acme::order::{
    self, Finalized, KeyUse, Limits, Order, Owner, RecordSeed, ReusableAuthorizations,
};
use acme::requested_time::RequestedTime;
use acme::scope::Scope;
use jiff::{SignedDuration, Timestamp};
use pki::{
    AltName, Certificate, Csr, Name, PrivateKey, PublicKey, Serial, TbsCertificate, assemble,
};
use uuid::Uuid;

use crate::admission::{
    AccountBasis, Admission, Facts, Grant, IssuancePolicy, IssuanceRequest, KeyStanding, Renewed,
    Right, Standing, admit,
};
use crate::config::Config;
use crate::external_key::ExternalKeyRules;
use crate::issue::UnsignedCertificate;
use crate::issuing_chain::IssuingChain;
use crate::provisioner::{self, Acme};
use crate::refusal::Refusal;

pub(crate) const CA_JSON: &str = include_str!("../testdata/written-by-step/ca-with-acme.json");
pub(crate) const LEAF_KEY: &str = include_str!("../testdata/leaf.key");
const OTHER_KEY: &str = include_str!("../testdata/other.key");
const PASSWORD: &[u8] = b"password";

/// A moment at which the authority and its first leaves hold.
pub(crate) fn now() -> Timestamp {
    "2026-11-24T00:30:00.5Z".parse().unwrap()
}

pub(crate) fn after(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

pub(crate) fn serial() -> Serial {
    Serial::from_random([7; 16])
}

macro_rules! real {
    ($name:literal) => {
        include_bytes!(concat!("../testdata/written-by-step/", $name)).as_slice()
    };
}

pub(crate) fn root() -> Certificate {
    Certificate::from_pem(real!("root_ca.crt")).unwrap()
}

pub(crate) fn intermediate() -> Certificate {
    Certificate::from_pem(real!("intermediate_ca.crt")).unwrap()
}

/// The chain of the authority that smallstep's `step` has made.
pub(crate) fn chain() -> IssuingChain {
    chain_of(intermediate())
}

/// A chain of one certificate.
pub(crate) fn chain_of(issuer: Certificate) -> IssuingChain {
    IssuingChain::new(issuer, [].iter()).unwrap()
}

pub(crate) fn leaf_ec() -> Certificate {
    Certificate::from_pem(real!("leaf_ec.crt")).unwrap()
}

pub(crate) fn leaf_rsa() -> Certificate {
    Certificate::from_pem(real!("leaf_rsa.crt")).unwrap()
}

pub(crate) fn leaf_ec_key() -> PrivateKey {
    key(real!("leaf_ec.key"))
}

pub(crate) fn leaf_rsa_key() -> PrivateKey {
    key(real!("leaf_rsa.key"))
}

pub(crate) fn leaf_renewed() -> Certificate {
    Certificate::from_pem(real!("leaf_renewed.crt")).unwrap()
}

fn key(pem: &[u8]) -> PrivateKey {
    PrivateKey::from_pem(pem, Some(PASSWORD)).ok().unwrap()
}

pub(crate) fn leaf_key() -> PrivateKey {
    key(LEAF_KEY.as_bytes())
}

pub(crate) fn other_key() -> PrivateKey {
    key(OTHER_KEY.as_bytes())
}

/// Signs as the authority that smallstep's `step` has made.
pub(crate) fn sign(unsigned: &UnsignedCertificate) -> Certificate {
    sign_with(unsigned, &intermediate_key())
}

pub(crate) fn sign_with(unsigned: &UnsignedCertificate, key: &PrivateKey) -> Certificate {
    sign_tbs(unsigned.tbs(), key)
}

pub(crate) fn intermediate_key() -> PrivateKey {
    key(real!("intermediate_ca_key"))
}

pub(crate) fn sign_tbs(tbs: &TbsCertificate, key: &PrivateKey) -> Certificate {
    let algorithm = key.default_signature();
    let tbs = tbs.to_der(algorithm).unwrap();
    assemble(&tbs, algorithm, &key.sign(algorithm, &tbs).unwrap()).unwrap()
}

/// The configuration that smallstep's `step` has written with another list of provisioners.
pub(crate) fn config(provisioners: serde_json::Value) -> Config {
    let mut value: serde_json::Value = serde_json::from_str(CA_JSON).unwrap();
    value["authority"]["provisioners"] = provisioners;
    Config::parse(&value.to_string(), None).ok().unwrap().0
}

/// The configuration that smallstep's `step` has written.
pub(crate) fn real_config() -> Config {
    Config::parse(CA_JSON, None).ok().unwrap().0
}

/// What a test orders.
pub(crate) struct Ordered {
    pub(crate) names: Vec<String>,
    pub(crate) profile: Option<String>,
    pub(crate) not_after: Option<Timestamp>,
}

/// An order of provisioner `acme` for these names.
pub(crate) fn order(names: &[&str]) -> Ordered {
    Ordered {
        names: names.iter().map(ToString::to_string).collect(),
        profile: None,
        not_after: None,
    }
}

/// The order, proven and finalized with a request that `key` signed.
pub(crate) fn finalized(order: Ordered, common_name: Option<&str>, key: &PrivateKey) -> Finalized {
    let subject = common_name.map_or_else(Name::empty, |cn| Name::common_name(cn).unwrap());
    let placed = placed(&order);
    let names = placed.identifiers.iter();
    let alt_names: Vec<AltName> = names.clone().map(Identifier::to_alt_name).collect();
    let csr = Csr::verify(&pki::request(&subject, &alt_names, key).unwrap()).unwrap();
    let proofs: Vec<_> = names.map(|name| proof(name, placed.account)).collect();
    let pending = placed.state(now()).into_pending().unwrap();
    let ready = pending.ready(&proofs).unwrap();
    ready.finalize(&csr, KeyUse::Separate).unwrap()
}

fn placed(order: &Ordered) -> Order {
    let asked = NewOrder {
        identifiers: (order.names.iter())
            .map(|name| Asked::from(&Identifier::guess(name).unwrap()))
            .collect(),
        not_after: order.not_after.map(RequestedTime::from),
        ..NewOrder::default()
    };
    let limits = Limits {
        identifiers: order.names.len(),
        shortest: SignedDuration::ZERO,
        longest: SignedDuration::from_hours(24 * 365),
        leeway: SignedDuration::ZERO,
        widest: Scope::Name,
    };
    let owner = Owner {
        account: Uuid::from_u128(2),
        provisioner: "acme",
        profile: order.profile.as_deref(),
        expires: after(24 * 365),
    };
    let seed = || RecordSeed {
        id: Uuid::from_u128(1),
        random: [0; 16],
    };
    let request = order::open(&asked, after(-1), &limits, Method::ALL).unwrap();
    let held = ReusableAuthorizations::default();
    request.create(held, &owner, after(-1), seed).0
}

/// The proof that a web server with the right answer gives.
fn proof(identifier: &Identifier, account: Uuid) -> Proof {
    proof_by(Method::Http01, identifier, account)
}

/// The proof by http-01, or by dns-01.
pub(crate) fn proof_by(method: Method, identifier: &Identifier, account: Uuid) -> Proof {
    let cx = challenge::Context {
        identifier,
        token: "token",
        payload: b"{}",
        key_authorization: "token.thumbprint",
        account,
        caa_identity: &CaaIdentity::default(),
        ports: Ports::default(),
        redirect_ports: RedirectPorts::NONE,
        attestation: challenge::AttestationRules::NONE,
        now: now(),
        redirects: &[],
    };
    let seen = if method == Method::Dns01 {
        Observation::Txt(TxtObservation {
            values: vec![TXT.to_owned()],
            alias: None,
            trace: Trace::default(),
        })
    } else {
        Observation::Http(HttpObservation {
            status: 200,
            location: None,
            encoding: None,
            media_type: None,
            body: cx.key_authorization.as_bytes().to_vec(),
            length: 16,
            truncated: false,
            trace: Trace::default(),
        })
    };
    let Verdict::Valid(proof) = challenge::judge(method, &cx, &seen) else {
        panic!("{identifier} is proven");
    };
    proof
}

/// `printf %s token.thumbprint | openssl sha256 -binary | basenc --base64url`
const TXT: &str = "61rBZ_4knHblO0MNoxFsXZ_eTFUHum0B6IVRbhvUn5I";

/// The request of an order that [`finalized`] has made.
pub(crate) fn request(finalized: Finalized) -> IssuanceRequest {
    request_with(finalized, &[])
}

/// The request of an order whose names were validated like this.
pub(crate) fn request_with(finalized: Finalized, proofs: &[Proof]) -> IssuanceRequest {
    let account = AccountBasis {
        id: finalized.order().account,
        uri: "https://ca.lab/acme/acme/account/2".to_owned(),
        external_key: None,
    };
    provisioner::acme::request(finalized, proofs, account)
}

/// Records that have nothing against a request, an order or a renewal.
pub(crate) fn standing() -> Standing {
    Standing {
        account: Right::Valid,
        external_key: Right::Valid,
        permits: Vec::new(),
        renewed: Renewed::Valid,
        asking_key: KeyStanding::NotAsked,
        certified_key: KeyStanding::Good,
    }
}

/// Admits where nothing outside is asked for.
pub(crate) fn admitted(
    request: IssuanceRequest,
    policy: &IssuancePolicy<'_>,
    now: Timestamp,
) -> Result<Grant, Refusal> {
    match admit(request, policy, &standing(), &Facts::default(), now) {
        Admission::Grant(grant) => Ok(grant),
        Admission::Refusal(refusal) => Err(refusal),
        Admission::Ask(question, _) => panic!("{question:?}"),
    }
}

/// What a finalized order gets under a configuration.
pub(crate) fn authorize(
    finalized: Finalized,
    config: &Config,
    rules: Option<&ExternalKeyRules>,
    now: Timestamp,
) -> Result<Grant, Refusal> {
    let request = request(finalized);
    let policy = config.issuance_policy(&request, rules);
    admitted(request, &policy, now)
}

/// The grant for an order of these names, by the provisioner `acme` of a configuration.
pub(crate) fn grant(config: &Config, names: &[&str], common_name: Option<&str>) -> Grant {
    let finalized = finalized(order(names), common_name, &leaf_key());
    authorize(finalized, config, None, now()).unwrap()
}

pub(crate) fn acme(config: &Config) -> &Acme {
    config.authority.acme("acme").unwrap()
}

/// A grant of the server's own TLS certificate.
pub(crate) fn server_certificate(names: &[&str], key: &PublicKey) -> Grant {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let life = SignedDuration::from_hours(24);
    Grant::server_certificate(&names, "Step Online CA", key, life, now()).unwrap()
}
