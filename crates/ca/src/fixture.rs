//! What the tests of this crate share: an authority that the real pair has made, with its keys.

use acme::identifier::Identifier;
use acme::order::{Finalized, Order, State, Status};
use jiff::{SignedDuration, Timestamp};
use pki::jose::Jwk;
use pki::{AltName, Certificate, Csr, Name, PrivateKey, PublicKey, Serial, assemble};
use uuid::Uuid;

use crate::config::Config;
use crate::provisioner::Acme;
use crate::{Grant, Unsigned};

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

/// Signs as the authority that the real pair has made.
pub(crate) fn sign(unsigned: &Unsigned) -> Certificate {
    sign_with(unsigned, &key(real!("intermediate_ca_key")))
}

pub(crate) fn sign_with(unsigned: &Unsigned, key: &PrivateKey) -> Certificate {
    let algorithm = key.default_signature();
    let tbs = unsigned.tbs().to_der(algorithm).unwrap();
    assemble(&tbs, algorithm, &key.sign(algorithm, &tbs).unwrap()).unwrap()
}

/// The real pair's configuration with another list of provisioners.
pub(crate) fn config(provisioners: serde_json::Value) -> Config {
    let mut value: serde_json::Value = serde_json::from_str(CA_JSON).unwrap();
    value["authority"]["provisioners"] = provisioners;
    Config::parse(&value.to_string(), None).ok().unwrap().0
}

/// The real pair's configuration.
pub(crate) fn real_config() -> Config {
    Config::parse(CA_JSON, None).ok().unwrap().0
}

/// An order of provisioner `acme` for these names.
pub(crate) fn order(names: &[&str]) -> Order {
    Order {
        id: Uuid::from_u128(1),
        account: Uuid::from_u128(2),
        provisioner: "acme".to_owned(),
        identifiers: names.iter().map(|name| identifier(name)).collect(),
        authorizations: Vec::new(),
        not_before: None,
        not_after: None,
        expires: after(24 * 365),
        status: Status::Ready,
        error: None,
        certificate: None,
        replaces: None,
        profile: None,
        created_at: now(),
    }
}

/// The order, finalized with a request that `key` signed.
pub(crate) fn finalized(order: Order, common_name: Option<&str>, key: &PrivateKey) -> Finalized {
    let subject = common_name.map_or_else(Name::empty, |cn| Name::common_name(cn).unwrap());
    let names: Vec<AltName> = order
        .identifiers
        .iter()
        .map(Identifier::to_alt_name)
        .collect();
    let csr = Csr::verify(&pki::request(&subject, &names, key).unwrap()).unwrap();
    let State::Ready(ready) = order.state(now()) else {
        panic!("the order is ready");
    };
    let account = Jwk::from_public_key(other_key().public());
    ready.finalize(&csr, &account).unwrap()
}

/// The grant for an order of these names, by the provisioner `acme` of a configuration.
pub(crate) fn grant(config: &Config, names: &[&str], common_name: Option<&str>) -> Grant {
    let finalized = finalized(order(names), common_name, &leaf_key());
    acme(config)
        .authorize(finalized, config, None, now())
        .unwrap()
}

pub(crate) fn acme(config: &Config) -> &Acme {
    config.authority.acme("acme").unwrap()
}

/// A grant of our own TLS certificate.
pub(crate) fn server_certificate(names: &[&str], key: &PublicKey) -> Grant {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let life = SignedDuration::from_hours(24);
    Grant::server_certificate(&names, "Step Online CA", key, life, now()).unwrap()
}

fn identifier(name: &str) -> Identifier {
    let kind = if name.parse::<std::net::IpAddr>().is_ok() {
        "ip"
    } else {
        "dns"
    };
    Identifier::parse(kind, name).unwrap()
}
