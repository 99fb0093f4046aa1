//! draft-ietf-acme-profiles: clients choose a profile.

use acceptance::acme::{Account, Order, csr, csr_with};
use acceptance::https::Response;
use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::conformance::der;
use crate::conformance::subject::{refused, subject};

/// A leaf, read by hand.
struct Leaf(CertificateDer<'static>);

impl Leaf {
    /// Its lifetime.
    fn seconds(&self) -> i64 {
        let validity = der::elements(der::certificate(&self.0)[3].1);
        let time = |at: usize| {
            let text = std::str::from_utf8(validity[at].1).unwrap();
            let text = text.replace('Z', "+0000");
            jiff::Timestamp::strptime("%y%m%d%H%M%S%z", text).unwrap()
        };
        time(1).duration_since(time(0)).as_secs()
    }

    /// Whether an extension is critical, and its value.
    fn extension(&self, oid: &str) -> Option<(bool, Vec<u8>)> {
        let fields = der::certificate(&self.0);
        let (_, explicit) = *fields.iter().find(|(tag, _)| *tag == 0xa3).unwrap();
        let all = der::elements(der::elements(explicit)[0].1);
        let found = all.iter().map(|(_, extension)| der::elements(extension));
        let wanted = der::oid(oid);
        let parts = found.into_iter().find(|parts| parts[0].1 == &wanted[2..])?;
        Some((parts.len() == 3, parts.last().unwrap().1.to_vec()))
    }
}

fn account() -> Account {
    let subject = subject();
    Account::register(&subject.client, &subject.directory_of("profiled"))
}

fn asked(account: &Account, profile: Option<&str>, identifiers: &Value) -> Response {
    let mut payload = json!({"identifiers": identifiers});
    if let Some(profile) = profile {
        payload["profile"] = json!(profile);
    }
    account.post(&account.resource("newOrder"), Some(&payload))
}

fn ready(account: &Account, profile: Option<&str>, name: &str) -> Order {
    let subject = subject();
    subject.host(&[name]);
    let answer = asked(account, profile, &json!([{"type": "dns", "value": name}]));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let mut order = Order {
        url: answer.header("location").to_owned(),
        body: answer.json(),
    };
    account.try_prove(&mut order, &subject.web).unwrap();
    assert_eq!(order.body["status"], "ready", "{}", order.body);
    order
}

fn leaf(account: &Account, order: &Order, name: &str) -> Leaf {
    let done = account.try_finalize(order, &csr(&[name])).unwrap();
    assert_eq!(done.status, 200, "{}", done.text());
    let url = done.json()["certificate"].as_str().unwrap().to_owned();
    Leaf(CertificateDer::from_pem_slice(&account.post(&url, None).body).unwrap())
}

/// `meta.profiles` maps each name to what it is (§3).
#[test]
fn the_directory_names_the_profiles_with_their_descriptions() {
    let account = account();
    let profiles = &account.directory["meta"]["profiles"];
    assert_eq!(
        *profiles,
        json!({"server": "TLS servers", "short": "An hour, without revocation"})
    );
    let plain = subject().account();
    assert_eq!(plain.directory["meta"].get("profiles"), None);
    assert_eq!(
        plain.order(&["a.profiles.example"]).body.get("profile"),
        None
    );
}

/// The order shows the profile, and the certificate is of its kind (§4).
#[test]
fn the_requested_profile_is_shown_and_applied() {
    let account = account();
    let name = "short.profiles.example";
    let order = ready(&account, Some("short"), name);
    assert_eq!(order.body["profile"], "short");
    let leaf = leaf(&account, &order, name);
    assert_eq!(account.post(&order.url, None).json()["profile"], "short");
    assert_eq!(leaf.seconds(), 3600 + 60);
    assert_eq!(leaf.extension("2.5.29.56"), Some((false, vec![5, 0])));
    assert_eq!(
        leaf.extension("1.3.6.1.4.1.99999.1"),
        Some((false, vec![0x0c, 2, b'o', b'k']))
    );
}

/// A server with profiles chooses one for an order that names none, and says so (§4).
#[test]
fn an_order_that_asks_for_none_gets_the_default_and_shows_it() {
    let account = account();
    let name = "default.profiles.example";
    let order = ready(&account, None, name);
    assert_eq!(order.body["profile"], "server");
    let leaf = leaf(&account, &order, name);
    let server_auth = [0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
    assert_eq!(
        leaf.extension("2.5.29.37"),
        Some((false, server_auth.to_vec()))
    );
    assert_eq!(leaf.extension("2.5.29.56"), None);
}

/// What is not offered, or not for these identifiers, is `invalidProfile` (§5).
#[test]
fn an_unknown_or_unsuitable_profile_is_refused_with_the_list_of_offered_ones() {
    let account = account();
    let dns = |name: &str| json!({"type": "dns", "value": name});
    let many: Vec<_> = ["a", "b", "c"]
        .map(|l| dns(&format!("{l}.profiles.example")))
        .to_vec();
    for (profile, identifiers, word) in [
        (
            "gone",
            json!([dns("a.profiles.example")]),
            "not offered here",
        ),
        (
            "Short",
            json!([dns("a.profiles.example")]),
            "not offered here",
        ),
        ("", json!([dns("a.profiles.example")]), "not offered here"),
        (
            "short",
            json!([{"type": "ip", "value": "127.0.0.1"}]),
            "for host names only",
        ),
        ("short", json!(many), "at most 2 names"),
    ] {
        let detail = refused(
            &asked(&account, Some(profile), &identifiers),
            400,
            "invalidProfile",
        );
        assert!(detail.contains(word), "{detail}");
        assert!(detail.contains("offers server, short"), "{detail}");
    }
    let plain = subject().account();
    let answer = asked(&plain, Some("short"), &json!([dns("a.profiles.example")]));
    assert!(refused(&answer, 400, "invalidProfile").contains("offers no profiles"));
}

/// A life beyond the profile's is refused when the order is made.
#[test]
fn a_lifetime_beyond_that_of_the_profile_is_refused() {
    let account = account();
    let now = jiff::Timestamp::now().as_second();
    let end = jiff::Timestamp::from_second(now + 3 * 3600)
        .unwrap()
        .to_string();
    let payload = json!({
        "identifiers": [{"type": "dns", "value": "a.profiles.example"}],
        "profile": "short", "notAfter": end,
    });
    let answer = account.post(&account.resource("newOrder"), Some(&payload));
    assert!(refused(&answer, 400, "malformed").contains("at most 2h"));
}

/// A key that the profile is not for is `badCSR`, and the order stays as it was.
#[test]
fn a_key_that_the_profile_is_not_for_is_a_bad_csr() {
    let account = account();
    let name = "key.profiles.example";
    let order = ready(&account, Some("short"), name);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let answer = account
        .try_finalize(&order, &csr_with(&[name], &key))
        .unwrap();
    let detail = refused(&answer, 400, "badCSR");
    assert!(
        detail.contains("keys of P-256 only, and the CSR's key is P-384"),
        "{detail}"
    );
    leaf(&account, &order, name);
}
