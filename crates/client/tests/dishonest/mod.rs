//! A server that lies, and connections to others than the one that is meant: nothing of it is accepted.

use std::net::Ipv4Addr;

use client::acme::{CertificateRequest, Session};
use client::{Error, Http, Trust, peer, step};
use pki::{AltName, Certificate, Name, PrivateKey};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use super::server::{Answer, Server};
use super::{account, directory, key, session};

/// A certificate for these names by a CA of its own, with its key.
struct Issued {
    certificate: Certificate,
    key: PrivateKey,
}

fn issued(names: &[&str]) -> Issued {
    let pair = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&pair);
    Issued {
        certificate: Certificate::from_der(certificate.unwrap().der()).unwrap(),
        key: PrivateKey::from_pkcs8_der(&pair.serialize_der()).unwrap(),
    }
}

fn unverified(server: &Server) -> step::Client {
    let http = Http::new(&Trust::Unverified, None).unwrap();
    step::Client::new(http, &server.url(""))
}

fn trusting(server: &Server) -> Http {
    Http::new(&Trust::Roots(vec![server.root()]), None).unwrap()
}

fn root(certificate: &Certificate) -> Answer {
    Answer::json(200, &json!({"ca": certificate.to_pem()}))
}

#[tokio::test]
async fn another_root_than_that_of_the_fingerprint_is_refused() {
    let server = Server::start().await;
    let (ours, theirs) = (issued(&["a.test"]), issued(&["a.test"]));
    let wanted = ours.certificate.fingerprint();
    server.answers(vec![
        root(&theirs.certificate),
        root(&ours.certificate),
        root(&ours.certificate),
    ]);
    let client = unverified(&server);
    let refused = client.root(&wanted).await.unwrap_err();
    let found = theirs.certificate.fingerprint();
    let expected = Error::Fingerprint {
        wanted: wanted.clone(),
        found,
    };
    assert_eq!(refused, expected);
    assert_eq!(client.root(&wanted).await.unwrap(), ours.certificate);
    // As openssl writes it; a part of a fingerprint is none.
    let written = wanted.to_uppercase();
    let half = &written[..32];
    assert_eq!(client.root(&written).await.unwrap(), ours.certificate);
    server.answers(vec![root(&ours.certificate)]);
    assert!(client.root(half).await.is_err());
}

/// Orders a certificate from a server that answers with `certificate`.
async fn order(
    key: &PrivateKey,
    names: &[&str],
    certificate: &str,
) -> Result<Vec<Certificate>, Error> {
    let server = Server::start().await;
    let next = |answer: Answer| answer.with("replay-nonce", "n");
    let order = |status: &str| {
        json!({
            "status": status,
            "identifiers": [{"type": "dns", "value": "a.test"}],
            "authorizations": [],
            "finalize": server.url("/finalize"),
            "certificate": server.url("/certificate"),
        })
    };
    server.answers(vec![
        directory(&server),
        next(Answer::empty(200)),
        next(account()),
        next(Answer::json(201, &order("ready"))).with("location", &server.url("/order/1")),
        next(Answer::json(200, &order("valid"))),
        next(Answer::text(200, certificate)),
    ]);
    let mut session = session(&server).await;
    session.create_account(&[]).await?;
    let wanted = serde_json::from_value(json!({
        "identifiers": [{"type": "dns", "value": "a.test"}],
    }));
    let mut placed = session.place(&wanted.unwrap()).await?;
    let names: Vec<AltName> = names.iter().map(|n| AltName::Dns((*n).into())).collect();
    let request = CertificateRequest {
        subject: &Name::empty(),
        names: &names,
        key,
    };
    session.finalize(&mut placed, &request, || ()).await
}

#[tokio::test]
async fn a_certificate_for_another_key_than_the_ordered_one_is_refused() {
    let theirs = issued(&["a.test"]);
    let pem = theirs.certificate.to_pem();
    let refused = order(&key(), &["a.test"], &pem).await;
    assert_eq!(refused, Err(Error::OtherKey));
    let taken = order(&theirs.key, &["a.test"], &pem).await;
    assert_eq!(taken, Ok(vec![theirs.certificate]));
}

#[tokio::test]
async fn a_certificate_for_other_names_than_the_ordered_ones_is_refused() {
    let theirs = issued(&["a.test", "c.test"]);
    let pem = theirs.certificate.to_pem();
    let refused = order(&theirs.key, &["a.test", "b.test"], &pem).await;
    let expected = Error::OtherNames {
        missing: "b.test".into(),
        names: vec!["a.test".into(), "c.test".into()],
    };
    assert_eq!(refused, Err(expected));
}

#[tokio::test]
async fn what_is_no_certificate_is_not_taken_for_one() {
    for body in ["", "<html>sign in</html>", "-----BEGIN CERTIFICATE-----"] {
        let refused = order(&key(), &["a.test"], body).await;
        assert!(matches!(refused, Err(Error::Unexpected { .. })), "{body}");
    }
}

#[tokio::test]
async fn a_renewed_certificate_has_the_key_and_the_names_of_the_old_one() {
    let current = issued(&["a.test", "b.test"]);
    let server = Server::start().await;
    let answer = |leaf: &Certificate| {
        let pem = leaf.to_pem();
        Answer::json(201, &json!({"crt": pem, "ca": pem, "certChain": [pem]}))
    };
    let client = step::Client::new(trusting(&server), &server.url(""));
    server.answers(vec![answer(&issued(&["a.test", "b.test"]).certificate)]);
    let refused = client.renew(&current.certificate).await;
    assert_eq!(refused, Err(Error::OtherKey));
    let pair = KeyPair::from_pem(&current.key.to_pem()).unwrap();
    let fewer = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    let fewer = fewer.self_signed(&pair).unwrap();
    server.answers(vec![answer(&Certificate::from_der(fewer.der()).unwrap())]);
    let refused = client.renew(&current.certificate).await;
    assert!(matches!(refused, Err(Error::OtherNames { .. })));
    server.answers(vec![answer(&current.certificate)]);
    let taken = client.renew(&current.certificate).await;
    assert_eq!(taken, Ok(vec![current.certificate]));
}

#[tokio::test]
async fn no_request_is_sent_without_tls_whatever_the_directory_says() {
    let server = Server::start().await;
    let mut urls: Value = serde_json::from_str(&directory(&server).body).unwrap();
    urls["newNonce"] = json!(server.url("/nonce").replace("https:", "http:"));
    server.answers(vec![Answer::json(200, &urls)]);
    let mut session = session(&server).await;
    let refused = session.create_account(&[]).await.unwrap_err();
    assert!(matches!(refused, Error::Url { .. }), "{refused}");
    let refused = trusting(&server).get("http://127.0.0.1/").await;
    assert!(matches!(refused, Err(Error::Url { .. })));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, other) = (Server::start().await, Server::start().await);
    let elsewhere = || Answer::empty(302).with("location", &other.url("/root/00"));
    server.answers(vec![elsewhere(), elsewhere()]);
    let refused = unverified(&server).root("00").await.unwrap_err();
    assert!(matches!(refused, Error::Refused { status: 302, .. }));
    let opened = Session::open(trusting(&server), &server.url("/directory"), key()).await;
    assert!(opened.is_err());
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn a_server_with_a_certificate_for_another_name_is_not_trusted() {
    let server = Server::start().await;
    let url = server.url("/").replace("127.0.0.1", "localhost");
    let error = trusting(&server).get(&url).await.err().unwrap();
    assert!(error.to_string().contains("not valid for name"), "{error}");
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn the_chain_of_a_server_is_shown_only_when_its_root_and_name_are_right() {
    let (server, other) = (Server::start().await, Server::start().await);
    let port = server.port();
    let host = Ipv4Addr::LOCALHOST.to_string();
    let ours = Trust::Roots(vec![server.root()]);
    assert_eq!(
        peer::chain(&host, port, &host, &ours).await.unwrap().len(),
        1
    );
    let renamed = peer::chain(&host, port, "other.test", &ours).await;
    assert!(matches!(renamed, Err(Error::Connect(_))));
    let theirs = Trust::Roots(vec![other.root()]);
    let foreign = peer::chain(&host, port, &host, &theirs).await;
    assert!(matches!(foreign, Err(Error::Connect(_))));
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let server = Server::start().await;
    server.answers(vec![Answer::text(200, &"x".repeat((8 << 20) + 1))]);
    let error = trusting(&server).get(&server.url("/")).await.err().unwrap();
    assert!(error.to_string().contains("length limit"), "{error}");
}
