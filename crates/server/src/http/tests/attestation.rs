//! device-attest-01 (draft-ietf-acme-device-attest) end to end, with a maker of Apple's kind.

use acme::identifier::Identifier;
use axum::http::StatusCode;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jiff::{SignedDuration, Timestamp};
use pki::extension::{basic_constraints, key_usage};
use pki::{
    Certificate, Extension, KeyUsages, Name, PrivateKey, Serial, SignatureAlgorithm,
    TbsCertificate, assemble, device, oid, sha256,
};
use serde_json::{Value, json};

use super::client::{Client, Reply, csr_by, token};
use super::rights::{at, new_key, renew, try_rekey};
use crate::http::{STEP_CA, router};
use crate::service::harness::{Harness, Page};

const SERIAL: &str = "C02PROBE0001";

/// Who makes the devices.
struct Maker {
    key: PrivateKey,
    root: Certificate,
}

impl Maker {
    fn new() -> Self {
        let key = new_key();
        let usage = key_usage(KeyUsages::KEY_CERT_SIGN);
        let root = sign(&key, "Maker", &key, vec![usage, basic_constraints(None)]);
        Self { key, root }
    }

    /// ca.json's provisioners: one for devices and hosts.
    fn provisioners(&self) -> String {
        let roots = BASE64.encode(self.root.to_pem().as_bytes());
        json!([{
            "type": "ACME", "name": "acme", "challenges": ["device-attest-01", "http-01"],
            "attestationFormats": ["apple"], "attestationRoots": roots,
        }])
        .to_string()
    }

    /// The answer of a device with this serial number and key.
    fn answer(&self, challenge: &Value, serial: &str, key: &PrivateKey) -> Value {
        let plain = |oid, value: &[u8]| Extension {
            oid,
            critical: false,
            value: value.to_vec(),
        };
        let freshness = sha256(token(challenge).as_bytes());
        let extensions = vec![
            plain(oid::APPLE_SERIAL, serial.as_bytes()),
            plain(oid::APPLE_FRESHNESS, &freshness),
        ];
        let leaf = sign(key, "device", &self.key, extensions);
        let length = u16::try_from(leaf.der().len()).unwrap().to_be_bytes();
        let head = b"\xa2\x63fmt\x65apple\x67attStmt\xa1\x63x5c\x81\x59";
        let object = [&head[..], &length, leaf.der()].concat();
        json!({ "attObj": BASE64URL_NOPAD.encode(&object) })
    }
}

fn sign(
    key: &PrivateKey,
    subject: &str,
    issuer: &PrivateKey,
    extensions: Vec<Extension>,
) -> Certificate {
    let hour = SignedDuration::from_hours(1);
    let now = Timestamp::now();
    let tbs = TbsCertificate {
        serial: Serial::from_random([7; 16]),
        issuer: Name::common_name("Maker").unwrap(),
        subject: Name::common_name(subject).unwrap(),
        not_before: now.checked_sub(hour).unwrap(),
        not_after: now.checked_add(hour).unwrap(),
        public_key: key.public().clone(),
        extensions,
    };
    let algorithm = SignatureAlgorithm::EcdsaSha256;
    let der = tbs.to_der(algorithm).unwrap();
    assemble(&der, algorithm, &issuer.sign(algorithm, &der).unwrap()).unwrap()
}

async fn client(harness: &Harness, maker: &Maker) -> Client {
    let router = router(harness.restarted(&maker.provisioners(), ""), &STEP_CA);
    let client = Client {
        router,
        ..Client::new(harness)
    };
    let agreed = json!({ "termsOfServiceAgreed": true });
    let reply = client.register(&agreed).await;
    let kid = Some(reply.header("location").to_owned());
    Client { kid, ..client }
}

async fn order(client: &Client, identifiers: &Value) -> (String, Value) {
    let url = client.url("new-order");
    let payload = json!({ "identifiers": identifiers });
    let reply = client.post(&url, Some(&payload)).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    (reply.header("location").to_owned(), reply.json())
}

async fn challenge(client: &Client, order: &Value, n: usize) -> Value {
    let url = order["authorizations"][n].as_str().unwrap();
    let authorization = client.post(url, None).await.json();
    authorization["challenges"][0].clone()
}

async fn answer(client: &Client, challenge: &Value, answer: &Value) -> Reply {
    let url = challenge["url"].as_str().unwrap();
    client.post(url, Some(answer)).await
}

fn device(serial: &str) -> Value {
    json!([{ "type": "permanent-identifier", "value": serial }])
}

/// A CSR without names, as devices make them.
fn bare_csr(key: &PrivateKey) -> Vec<u8> {
    pki::request(&Name::empty(), &[], key).unwrap()
}

async fn certificate(client: &Client, order: &Value, key: &PrivateKey) -> Certificate {
    let done = client.finalize(order, &bare_csr(key)).await.json();
    let url = done["certificate"]
        .as_str()
        .unwrap_or_else(|| panic!("{done}"));
    Certificate::from_pem(&client.post(url, None).await.body).unwrap()
}

#[tokio::test]
async fn an_attested_key_gets_a_certificate_for_its_device_and_no_other_key_does() {
    let (harness, maker, key) = (Harness::new().await, Maker::new(), new_key());
    let client = client(&harness, &maker).await;
    let (url, order) = order(&client, &device(SERIAL)).await;
    let challenge = challenge(&client, &order, 0).await;
    assert_eq!(challenge["type"], "device-attest-01");
    let read = client.post(challenge["url"].as_str().unwrap(), None).await;
    assert_eq!(
        read.json()["status"],
        "pending",
        "POST-as-GET answers nothing"
    );
    let reply = answer(&client, &challenge, &maker.answer(&challenge, SERIAL, &key)).await;
    assert_eq!(reply.json()["status"], "valid", "{reply:?}");

    let refused = client.finalize(&order, &bare_csr(&new_key())).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{refused:?}");
    assert_eq!(client.post(&url, None).await.json()["status"], "ready");

    let certificate = certificate(&client, &order, &key).await;
    let wanted = Identifier::parse("permanent-identifier", SERIAL).unwrap();
    assert_eq!(certificate.alt_names(), [wanted.to_alt_name()]);
    let purposes = certificate.extension(&oid::EXTENDED_KEY_USAGE).unwrap();
    let purposes = pki::extension::parse_extended_key_usage(&purposes.value).unwrap();
    assert_eq!(purposes, [pki::ExtendedKeyUsage::ClientAuth]);
}

#[tokio::test]
async fn a_statement_that_is_not_believed_makes_challenge_authorization_and_order_invalid() {
    let (harness, maker, key) = (Harness::new().await, Maker::new(), new_key());
    let client = client(&harness, &maker).await;
    let garbage = json!({ "attObj": "AAAA" });
    let stranger = Maker::new();
    type Answer<'a> = Box<dyn Fn(&Value) -> Value + 'a>;
    let cases: [(Answer<'_>, &str); 4] = [
        (Box::new(|it| maker.answer(it, "OTHER", &key)), "\"OTHER\""),
        (
            Box::new(|it| stranger.answer(it, SERIAL, &key)),
            "unknown authority",
        ),
        (Box::new(|_| garbage.clone()), "not an attestation object"),
        (Box::new(|_| json!({})), "must not be empty"),
    ];
    for (make, words) in cases {
        let (url, order) = order(&client, &device(SERIAL)).await;
        let challenge = challenge(&client, &order, 0).await;
        let reply = answer(&client, &challenge, &make(&challenge)).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let body = reply.json();
        assert_eq!(body["status"], "invalid");
        let kind = "urn:ietf:params:acme:error:badAttestationStatement";
        assert_eq!(body["error"]["type"], kind);
        assert!(
            body["error"]["detail"].as_str().unwrap().contains(words),
            "{body}"
        );
        let authorization = order["authorizations"][0].as_str().unwrap();
        assert_eq!(
            client.post(authorization, None).await.json()["status"],
            "invalid"
        );
        assert_eq!(client.post(&url, None).await.json()["status"], "invalid");
    }
}

#[tokio::test]
async fn an_order_may_mix_a_device_with_a_host_each_proven_by_its_own_challenge() {
    let (harness, maker, key) = (Harness::new().await, Maker::new(), new_key());
    let client = client(&harness, &maker).await;
    let identifiers = json!([
        { "type": "permanent-identifier", "value": SERIAL }, { "type": "dns", "value": "a.test" },
    ]);
    let (url, order) = order(&client, &identifiers).await;
    for n in 0..2 {
        let challenge = challenge(&client, &order, n).await;
        let payload = if challenge["type"] == "http-01" {
            let page = Page::of(client.key_authorization(&challenge));
            harness.web.set(token(&challenge), page);
            json!({})
        } else {
            maker.answer(&challenge, SERIAL, &key)
        };
        let reply = answer(&client, &challenge, &payload).await;
        assert_eq!(reply.json()["status"], "valid", "{reply:?}");
    }
    assert_eq!(client.post(&url, None).await.json()["status"], "ready");
    let refused = client.finalize(&order, &bare_csr(&key)).await;
    assert!(
        refused.problem().contains("badCSR"),
        "the host has to be named: {refused:?}"
    );
    let done = client
        .finalize(&order, &csr_by(&key, &["a.test"]))
        .await
        .json();
    let issued = client
        .post(done["certificate"].as_str().unwrap(), None)
        .await;
    let certificate = Certificate::from_pem(&issued.body).unwrap();
    assert_eq!(certificate.alt_names().len(), 2);
    assert!(certificate.alt_names().iter().any(device::is_device_name));
}

#[tokio::test]
async fn an_attested_certificate_is_renewed_for_its_own_key_alone() {
    let (harness, maker, key) = (Harness::new().await, Maker::new(), new_key());
    let client = client(&harness, &maker).await;
    let (_, order) = order(&client, &device(SERIAL)).await;
    let challenge = challenge(&client, &order, 0).await;
    answer(&client, &challenge, &maker.answer(&challenge, SERIAL, &key)).await;
    let first = certificate(&client, &order, &key).await;
    let second = renew(&client, &first).await;
    assert_eq!(second.alt_names(), first.alt_names());
    let refused = try_rekey(&client, &second, &new_key()).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{refused:?}");
    let words = refused.json()["message"].as_str().unwrap().to_owned();
    assert!(words.contains("a device attested"), "{words}");
    // Where the operator allows it, too, the provisioner's roots are asked for new orders only.
    let later = at(
        &client,
        harness.restarted(r#"[{"type":"ACME","name":"acme"}]"#, ""),
    );
    renew(&later, &second).await;
}
