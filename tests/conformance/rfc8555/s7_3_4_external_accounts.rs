//! RFC 8555 §7.3.4: accounts are bound to keys that the operator issues.

use std::collections::BTreeSet;
use std::thread;

use acceptance::acme::{Account, Key};
use acceptance::https::Response;
use acceptance::{paths, process};
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::conformance::subject::{refused, subject};

/// A key as the operator gets it: its id and its octets.
#[derive(Clone)]
struct External {
    id: String,
    octets: Vec<u8>,
}

/// Runs `step ca acme eab` as the server's operator.
#[track_caller]
fn eab(arguments: &[&str]) -> process::Outcome {
    let path = subject().root.parent().unwrap().parent().unwrap();
    let mut step = process::command(paths::ours("step"));
    step.env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("STEPPATH", path)
        .env("HOME", path)
        .args(["ca", "acme", "eab"])
        .args(arguments);
    process::run(&mut step)
}

/// A fresh key for accounts of a provisioner.
#[track_caller]
fn external(provisioner: &str, flags: &[&str]) -> External {
    let arguments = [&["add", provisioner, "--format", "json"], flags].concat();
    let made = eab(&arguments).success().stdout;
    let made: Value = serde_json::from_str(&made).unwrap();
    let text = |name: &str| made[name].as_str().unwrap();
    External {
        id: text("id").to_owned(),
        octets: BASE64URL_NOPAD.decode(text("hmacKey").as_bytes()).unwrap(),
    }
}

impl External {
    /// A MAC over these, whatever they are.
    fn seal(&self, algorithm: hmac::Algorithm, header: &Value, payload: &[u8]) -> Value {
        let protected = BASE64URL_NOPAD.encode(header.to_string().as_bytes());
        let payload = BASE64URL_NOPAD.encode(payload);
        let key = hmac::Key::new(algorithm, &self.octets);
        let tag = hmac::sign(&key, format!("{protected}.{payload}").as_bytes());
        let signature = BASE64URL_NOPAD.encode(tag.as_ref());
        json!({"protected": protected, "payload": payload, "signature": signature})
    }

    /// The binding of an account key, as it should be.
    fn bind(&self, provisioner: &str, key: &Key) -> Value {
        let header = json!({"alg": "HS256", "kid": self.id, "url": new_account(provisioner)});
        self.seal(hmac::HMAC_SHA256, &header, key.jwk().to_string().as_bytes())
    }
}

fn new_account(provisioner: &str) -> String {
    subject().url(&format!("/acme/{provisioner}/new-account"))
}

/// newAccount with this binding.
#[track_caller]
fn register(provisioner: &str, key: &Key, binding: &Value) -> Response {
    let url = new_account(provisioner);
    let header = json!({"alg": "ES256", "jwk": key.jwk(), "nonce": subject().nonce(), "url": url});
    let payload = json!({"termsOfServiceAgreed": true, "externalAccountBinding": binding});
    let body = key.sign(&header, &payload.to_string()).to_string();
    subject().send(&url, &body)
}

/// An account that the key has bound.
#[track_caller]
fn bound(provisioner: &str, external: &External) -> Account {
    let mut account = Account::register(&subject().client, &subject().directory());
    let key = Key::generate();
    let made = register(provisioner, &key, &external.bind(provisioner, &key));
    assert_eq!(made.status, 201, "{}", made.text());
    made.header("location").clone_into(&mut account.kid);
    account.key = key.into();
    let directory = subject().directory_of(provisioner);
    account.directory = subject().client.get(&directory).unwrap().json();
    account
}

/// The directory says whether a binding is needed (§7.1.1).
#[test]
fn the_directory_says_where_a_binding_is_required() {
    for (provisioner, required) in [("bound", true), ("acme", false)] {
        let directory = subject().directory_of(provisioner);
        let meta = subject().client.get(&directory).unwrap().json()["meta"].take();
        let said = meta["externalAccountRequired"].as_bool();
        assert_eq!(said.unwrap_or_default(), required, "{provisioner}: {meta}");
    }
}

/// A binding by each of the three MACs makes an account, which shows it from then on (§7.1.2).
#[test]
fn an_account_shows_the_binding_that_made_it() {
    let algorithms = [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
    ];
    for provisioner in ["bound", "acme"] {
        for (name, algorithm) in algorithms {
            let (external, key) = (external(provisioner, &[]), Key::generate());
            let header = json!({"alg": name, "kid": external.id, "url": new_account(provisioner)});
            let binding = external.seal(algorithm, &header, key.jwk().to_string().as_bytes());
            let made = register(provisioner, &key, &binding);
            assert_eq!(made.status, 201, "{}", made.text());
            assert_eq!(made.json()["externalAccountBinding"], binding);
            let again = register(provisioner, &key, &Value::Null);
            assert_eq!(again.status, 200, "{}", again.text());
            assert_eq!(again.json()["externalAccountBinding"], binding);
            assert_eq!(again.header("location"), made.header("location"));
        }
    }
}

/// The members of the key may be in any order, with additional ones.
#[test]
fn the_payload_is_compared_as_a_key_and_not_as_text() {
    let (external, key) = (external("bound", &[]), Key::generate());
    let jwk = key.jwk();
    let text = format!(
        r#"{{"use":"sig","y":{},"x":{},"crv":"P-256","kty":"EC"}}"#,
        jwk["y"], jwk["x"]
    );
    let header = json!({"alg": "HS256", "kid": external.id, "url": new_account("bound")});
    let binding = external.seal(hmac::HMAC_SHA256, &header, text.as_bytes());
    let made = register("bound", &key, &binding);
    assert_eq!(made.status, 201, "{}", made.text());
}

/// Whatever is wrong with a binding is refused with words of its own, where one is required and
/// where none is, and uses up nothing (part D of the points: confusion).
#[test]
fn each_fault_of_a_binding_has_its_own_message_and_creates_no_account() {
    for provisioner in ["bound", "acme"] {
        let (external, key) = (external(provisioner, &[]), Key::generate());
        let mut messages = BTreeSet::new();
        let faults = faults(provisioner, &external, &key);
        for (what, status, kind, binding) in &faults {
            let answer = register(provisioner, &key, binding);
            eprintln!("{what}: {}", answer.text());
            messages.insert(refused(&answer, *status, kind));
        }
        assert_eq!(messages.len(), faults.len(), "{messages:#?}");
        let made = register(provisioner, &key, &external.bind(provisioner, &key));
        assert_eq!(made.status, 201, "{}", made.text());
    }
}

type Fault = (&'static str, u16, &'static str, Value);

fn faults(provisioner: &str, external: &External, key: &Key) -> Vec<Fault> {
    let mut faults = faults_of_the_form(provisioner, external, key);
    let jwk = key.jwk().to_string();
    let url = new_account(provisioner);
    let usual = json!({"alg": "HS256", "kid": external.id, "url": url});
    let seal = |header: &Value, payload: &str| {
        external.seal(hmac::HMAC_SHA256, header, payload.as_bytes())
    };
    let other = Key::generate().jwk().to_string();
    for (what, payload) in [
        ("another account key", other.as_str()),
        ("no JSON", "x"),
        ("a symmetric key", r#"{"kty":"oct","k":"AAAA"}"#),
    ] {
        faults.push((what, 400, "malformed", seal(&usual, payload)));
    }
    for name in ["kid", "url", "alg"] {
        let mut header = usual.clone();
        header.as_object_mut().unwrap().remove(name);
        faults.push((name, 400, "malformed", seal(&header, &jwk)));
    }
    let new_order = subject().url("/acme/acme/new-order");
    for (name, value, status, kind) in [
        ("nonce", json!(subject().nonce()), 400, "malformed"),
        ("jwk", key.jwk(), 400, "malformed"),
        ("crit", json!(["exp"]), 400, "malformed"),
        ("kid", json!(7), 400, "malformed"),
        ("url", json!(new_order), 400, "malformed"),
        ("alg", json!("none"), 400, "badSignatureAlgorithm"),
        ("alg", json!("RS256"), 400, "badSignatureAlgorithm"),
        ("kid", json!("nobody"), 403, "unauthorized"),
    ] {
        let mut header = usual.clone();
        header[name] = value;
        faults.push((name, status, kind, seal(&header, &jwk)));
    }
    faults
}

fn faults_of_the_form(provisioner: &str, external: &External, key: &Key) -> Vec<Fault> {
    let mut padded = external.bind(provisioner, key);
    padded["payload"] = json!(format!("{}=", padded["payload"].as_str().unwrap()));
    let mut unprotected = external.bind(provisioner, key);
    unprotected["header"] = json!({"kid": external.id});
    let mut cut = external.bind(provisioner, key);
    cut.as_object_mut().unwrap().remove("signature");
    vec![
        ("no object", 400, "malformed", json!("x")),
        ("no signature", 400, "malformed", cut),
        ("padding", 400, "malformed", padded),
        ("unprotected header", 400, "malformed", unprotected),
    ]
}

/// A MAC that is not the key's is refused, whatever the cause.
#[test]
fn a_mac_that_is_not_the_keys_is_refused() {
    let (external, key) = (external("bound", &[]), Key::generate());
    let binding = external.bind("bound", &key);
    let text = BASE64URL_NOPAD.encode(&external.octets);
    let wrong = [Vec::new(), vec![0; 32], text.into_bytes()].map(|octets| External {
        octets,
        ..external.clone()
    });
    let mut bindings: Vec<Value> = wrong.iter().map(|it| it.bind("bound", &key)).collect();
    for signature in ["", "AA"] {
        let mut cut = binding.clone();
        cut["signature"] = json!(signature);
        bindings.push(cut);
    }
    let mut longer = binding.clone();
    let sealed = format!("{}AA", longer["signature"].as_str().unwrap());
    longer["signature"] = json!(sealed);
    for wrong in bindings {
        let answer = register("bound", &key, &wrong);
        // One more sextet may not be base64url of whole octets.
        assert!((400..500).contains(&answer.status), "{}", answer.text());
        assert_ne!(answer.json()["detail"], "", "{}", answer.text());
    }
    assert_eq!(register("bound", &key, &binding).status, 201);
}

/// A key is one provisioner's.
#[test]
fn a_key_of_another_provisioner_is_unknown() {
    let (external, key) = (external("acme", &[]), Key::generate());
    let answer = register("bound", &key, &external.bind("bound", &key));
    let detail = refused(&answer, 403, "unauthorized");
    assert!(detail.contains("not known to this provisioner"), "{detail}");
}

/// Of many requests at once with a key for one account, one makes an account.
#[test]
fn a_key_for_one_account_binds_one_under_concurrent_requests() {
    let external = external("bound", &[]);
    let asked: Vec<_> = (0..12)
        .map(|_| {
            let external = external.clone();
            thread::spawn(move || {
                let key = Key::generate();
                register("bound", &key, &external.bind("bound", &key))
            })
        })
        .collect();
    let answers: Vec<Response> = asked.into_iter().map(|it| it.join().unwrap()).collect();
    let (made, others): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 201);
    assert_eq!(made.len(), 1, "{answers:?}");
    for answer in others {
        let detail = refused(answer, 403, "unauthorized");
        assert!(detail.contains("as many accounts"), "{detail}");
    }
}

/// A key for two accounts binds two; existing accounts need no key.
#[test]
fn a_key_binds_as_many_accounts_as_the_operator_configured() {
    let external = external("bound", &["--accounts", "2"]);
    let first = bound("bound", &external);
    bound("bound", &external);
    let key = Key::generate();
    let third = register("bound", &key, &external.bind("bound", &key));
    refused(&third, 403, "unauthorized");
    let again = register("bound", &first.key, &external.bind("bound", &first.key));
    assert_eq!(
        (again.status, again.header("location")),
        (200, first.kid.as_str())
    );
}

/// Clients that have a key from another CA keep it: the operator records it with its id.
#[test]
fn a_key_from_elsewhere_binds_accounts_by_its_own_id() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let file = file.to_str().unwrap();
    let add = |id: &str, text: &str| {
        std::fs::write(file, text).unwrap();
        eab(&["add", "bound", "--id", id, "--hmac-key-file", file])
    };
    let octets = vec![7; 48];
    let text = format!("{}\n", BASE64URL_NOPAD.encode(&octets));
    add("test-account", &text).success();
    let id = "test-account".to_owned();
    bound("bound", &External { id, octets });
    let short = BASE64URL_NOPAD.encode(&[7; 31]);
    for (id, text, why) in [
        (
            "test-account",
            text.as_str(),
            "the id 'test-account' is that of another key",
        ),
        ("another one", text.as_str(), "other characters"),
        ("other", short.as_str(), "fewer than the 32"),
        ("other", "+/+/", "not base64url"),
    ] {
        let refused = add(id, text).code(1);
        assert!(refused.stderr.contains(why), "{id}: {}", refused.stderr);
    }
}

/// The end of a key ends the making of accounts, not the accounts.
#[test]
fn an_expired_key_binds_no_more_accounts_and_existing_ones_still_work() {
    let external = external("bound", &["--accounts", "1000", "--expires", "3s"]);
    let account = bound("bound", &external);
    let detail = process::eventually("the key's end", || {
        let key = Key::generate();
        let answer = register("bound", &key, &external.bind("bound", &key));
        (answer.status != 201).then(|| refused(&answer, 403, "unauthorized"))
    });
    assert!(detail.contains("ended at"), "{detail}");
    account.order(&["after-the-end.test"]);
}

/// A key that is taken back takes the orders of its accounts with it, and no others.
#[test]
fn accounts_of_a_removed_key_cannot_order() {
    let (external, other) = (external("bound", &[]), external("bound", &[]));
    let (account, free) = (bound("bound", &external), bound("bound", &other));
    let (open, kept) = (account.order(&["taken.test"]), free.order(&["kept.test"]));
    let removed = eab(&["remove", "bound", &external.id]).success();
    assert_eq!(removed.stdout, "Key was deleted successfully!\n");
    let order = account.post(&open.url, None).json();
    assert_eq!(order["status"], "invalid", "{order}");
    let why = order["error"]["detail"].as_str().unwrap_or_default();
    assert!(why.contains("removed by the operator"), "{order}");
    let names = json!({"identifiers": [{"type": "dns", "value": "taken.test"}]});
    let again = account.post(&account.resource("newOrder"), Some(&names));
    refused(&again, 403, "unauthorized");
    assert_eq!(free.post(&kept.url, None).json()["status"], "pending");
    let key = Key::generate();
    let answer = register("bound", &key, &external.bind("bound", &key));
    refused(&answer, 403, "unauthorized");
    eab(&["remove", "bound", &external.id]).code(1);
}

/// Such accounts get no authorization ahead of an order either, be it for one name or for all below (§7.4.1, RFC 9444 §4.2).
#[test]
fn accounts_of_a_removed_key_cannot_preauthorize() {
    let external = external("subdomains", &[]);
    let account = bound("subdomains", &external);
    eab(&["remove", "subdomains", &external.id]).success();
    for below in [false, true] {
        let identifier =
            json!({"type": "dns", "value": "taken.test", "subdomainAuthAllowed": below});
        let asked = json!({"identifier": identifier});
        let answer = account.post(&account.resource("newAuthz"), Some(&asked));
        let detail = refused(&answer, 403, "unauthorized");
        assert!(detail.contains("removed by the operator"), "{detail}");
    }
}

/// The names that a key is for are judged when they are ordered.
#[test]
fn the_accounts_of_a_key_order_what_it_allows() {
    let flags = ["--allow-dns", "*.team.test", "--deny-dns", "no.team.test"];
    let account = bound("bound", &external("bound", &flags));
    account.order(&["app.team.test"]);
    for name in ["other.test", "no.team.test", "127.0.0.1"] {
        let kind = if name.starts_with('1') { "ip" } else { "dns" };
        let names = json!({"identifiers": [{"type": kind, "value": name}]});
        let answer = account.post(&account.resource("newOrder"), Some(&names));
        let detail = refused(&answer, 400, "rejectedIdentifier");
        assert!(detail.contains("external account key"), "{detail}");
    }
    let networks = ["--allow-ip", "10.7.0.0/16"];
    let account = bound("bound", &external("bound", &networks));
    account.order(&["10.7.1.1"]);
    account.try_order(&["10.8.1.1"]).unwrap_err();
}

/// A key for one profile gives its accounts that one and no other.
#[test]
fn the_accounts_of_a_key_for_a_profile_get_that_one() {
    let key = external("profiled", &["short ones", "--profile", "short"]);
    let listed = eab(&["list", "profiled", "short ones", "--format", "json"]).success();
    assert!(
        listed.stdout.contains(r#""profile": "short""#),
        "{}",
        listed.stdout
    );
    let account = bound("profiled", &key);
    let names = json!([{"type": "dns", "value": "app.team.test"}]);
    let url = account.resource("newOrder");
    let order = account.post(&url, Some(&json!({"identifiers": names})));
    assert_eq!(order.status, 201, "{}", order.text());
    assert_eq!(order.json()["profile"], "short");
    let other = json!({"identifiers": names, "profile": "server"});
    refused(&account.post(&url, Some(&other)), 400, "invalidProfile");
    let unknown = eab(&["add", "profiled", "--profile", "shorter"]).code(1);
    assert!(
        unknown.stderr.contains("it offers server, short"),
        "{}",
        unknown.stderr
    );
}

/// The operator sees which account has bound which key, and no secret.
#[test]
fn the_list_shows_the_bound_accounts_and_no_secret() {
    let external = external("bound", &["called so"]);
    let account = bound("bound", &external);
    let listed = eab(&["list", "bound", "--limit", "1"]).success().stdout;
    let secret = BASE64URL_NOPAD.encode(&external.octets);
    assert!(!listed.contains(&secret), "{listed}");
    let line = listed.lines().find(|line| line.contains(&external.id));
    let (_, id) = account.kid.rsplit_once('/').unwrap();
    assert!(line.is_some_and(|it| it.contains(id)), "{listed}");
    let json = eab(&["list", "bound", "called so", "--format", "json"]).success();
    let keys: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(keys.as_array().map(Vec::len), Some(1), "{keys}");
    assert_eq!(
        (&keys[0]["account"], &keys[0]["hmacKey"]),
        (&json!(id), &json!(""))
    );
    eab(&["add", "bound", "called so"]).code(1);
}
