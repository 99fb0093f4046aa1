//! RFC 8555 §6.2: the form of a signed request.

use acceptance::acme::{Account, Key};
use acceptance::https::Response;
use serde_json::{Value, json};

use crate::conformance::subject::{refused, subject};

/// Posts to newOrder a valid request modified by `change`.
#[track_caller]
fn altered(account: &Account, change: impl FnOnce(&mut Value)) -> Response {
    let mut body = request(account);
    change(&mut body);
    subject().send(&account.resource("newOrder"), &body.to_string())
}

/// A valid request for an order.
fn request(account: &Account) -> Value {
    let url = account.resource("newOrder");
    account
        .key
        .sign(&account.header(&url, &subject().nonce()), ORDER)
}

/// Posts to newOrder with a protected header that `change` has altered.
#[track_caller]
fn with_header(account: &Account, change: impl FnOnce(&mut Value)) -> Response {
    let url = account.resource("newOrder");
    let mut header = account.header(&url, &subject().nonce());
    change(&mut header);
    let body = account.key.sign(&header, ORDER);
    subject().send(&url, &body.to_string())
}

const ORDER: &str = r#"{"identifiers":[{"type":"dns","value":"signed.conformance.test"}]}"#;

/// The body is one JWS in flattened JSON, with one signature and no unprotected header (§6.2).
#[test]
fn a_body_that_is_not_one_flattened_jws_is_refused() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let good = request(&account);
    let (protected, payload, signature) =
        (&good["protected"], &good["payload"], &good["signature"]);
    let one = json!({"protected": protected, "signature": signature});
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let compact = [protected, payload, signature].map(text).join(".");
    let mut both = good.clone();
    both["signatures"] = json!([one]);
    let mut unprotected = good.clone();
    unprotected["header"] = json!({"kid": account.kid});
    let mut empty_header = good.clone();
    empty_header["header"] = json!({});
    for body in [
        json!({"payload": payload, "signatures": [one]}).to_string(),
        json!({"payload": payload, "signatures": [one, one]}).to_string(),
        both.to_string(),
        unprotected.to_string(),
        empty_header.to_string(),
        compact.clone(),
        json!(compact).to_string(),
        json!([good]).to_string(),
        format!("{good}{good}"),
        String::new(),
        "{}".to_owned(),
        "null".to_owned(),
        "\u{feff}{}".to_owned(),
    ] {
        refused(&subject.send(&url, &body), 400, "malformed");
    }
    assert_eq!(subject.send(&url, &good.to_string()).status, 201);
}

/// Each of the three members has to be there, as a string (§6.2, RFC 7515 §7.2.2).
#[test]
fn a_jws_without_one_of_its_members_is_refused() {
    let account = subject().account();
    for member in ["protected", "payload", "signature"] {
        let gone = altered(&account, |body| {
            drop(body.as_object_mut().unwrap().remove(member))
        });
        refused(&gone, 400, "malformed");
        for value in [Value::Null, json!(1), json!({}), json!(["a"])] {
            refused(
                &altered(&account, |body| body[member] = value),
                400,
                "malformed",
            );
        }
    }
}

/// Octets are base64url without padding, in their one form (§6.1, RFC 7515 §2).
#[test]
fn base64_of_another_kind_is_refused() {
    let account = subject().account();
    for member in ["protected", "payload", "signature"] {
        for change in [
            |text: &str| format!("{text}="),
            |text: &str| format!("{text}=="),
            |text: &str| format!("{text}\n"),
            |text: &str| format!(" {text}"),
            |text: &str| format!("+/{text}"),
            |text: &str| format!("%41{text}"),
        ] {
            let answer = altered(&account, |body| {
                body[member] = json!(change(body[member].as_str().unwrap()));
            });
            refused(&answer, 400, "malformed");
        }
    }
}

/// A repeated member is ambiguous (§6.2, RFC 7515 §4).
#[test]
fn a_member_that_comes_twice_is_refused() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let good = request(&account).to_string();
    for member in ["protected", "payload", "signature"] {
        let twice = good.replacen('{', &format!(r#"{{"{member}":"AA","#), 1);
        refused(&subject.send(&url, &twice), 400, "malformed");
    }
    for first in [
        r#""alg":"none""#,
        r#""kid":"x""#,
        r#""nonce":"AA""#,
        r#""url":"x""#,
    ] {
        let header = account.header(&url, &subject.nonce()).to_string();
        let header = header.replacen('{', &format!("{{{first},"), 1);
        let body = account.key.seal(header.as_bytes(), ORDER.as_bytes());
        refused(&subject.send(&url, &body.to_string()), 400, "malformed");
    }
}

/// The protected header is a JSON object in UTF-8 (§6.2, RFC 7515 §4).
#[test]
fn a_protected_header_that_is_no_json_object_is_refused() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let deep = format!(r#"{{"alg":{}1{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    for header in [
        &b""[..],
        b"null",
        b"[]",
        b"\"x\"",
        b"{",
        b"{\"alg\":\"ES256\"} ,",
        b"{\"alg\":\"\xff\xfe\"}",
        deep.as_bytes(),
    ] {
        let body = account.key.seal(header, ORDER.as_bytes());
        refused(&subject.send(&url, &body.to_string()), 400, "malformed");
    }
}

/// The media type is `application/jose+json`, and anything else is 415 (§6.2).
#[test]
fn a_body_of_another_media_type_is_refused_with_415() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let body = request(&account).to_string();
    for kind in [
        None,
        Some("application/json"),
        Some("application/jose"),
        Some("application/jose+json; charset=utf-8"),
        Some("text/plain"),
        Some(""),
    ] {
        let post = hyper::Method::POST;
        let answer = subject.client.request(post, &url, kind, body.as_bytes());
        refused(&answer.unwrap(), 415, "malformed");
    }
    assert_eq!(
        subject.send(&url, &body).status,
        201,
        "refused before the nonce was spent"
    );
}

/// `jwk` or `kid`, never both and never neither (§6.2).
#[test]
fn exactly_one_of_jwk_and_kid_is_accepted() {
    let account = subject().account();
    let both = with_header(&account, |header| header["jwk"] = account.key.jwk());
    refused(&both, 400, "malformed");
    let neither = with_header(&account, |header| {
        header.as_object_mut().unwrap().remove("kid");
    });
    refused(&neither, 400, "malformed");
}

/// newAccount is signed with a key in `jwk`, everything else by an account in `kid` (§6.2).
#[test]
fn a_jwk_where_an_account_is_required_is_refused_and_the_reverse() {
    let account = subject().account();
    let jwk = with_header(&account, |header| {
        header.as_object_mut().unwrap().remove("kid");
        header["jwk"] = account.key.jwk();
    });
    refused(&jwk, 400, "malformed");
    let answer = account.post(&account.resource("newAccount"), Some(&json!({})));
    refused(&answer, 400, "malformed");
}

/// Every header extension that is marked critical is unknown here; `b64` is not for ACME
/// (§6.2, RFC 7515 §4.1.11, RFC 7797).
#[test]
fn critical_extensions_and_unencoded_payloads_are_refused() {
    let account = subject().account();
    let crit = with_header(&account, |header| header["crit"] = json!(["exp"]));
    refused(&crit, 400, "malformed");
    let b64 = with_header(&account, |header| {
        header["b64"] = json!(false);
        header["crit"] = json!(["b64"]);
    });
    refused(&b64, 400, "malformed");
    let unknown = with_header(&account, |header| header["x"] = json!("passed over"));
    assert_eq!(unknown.status, 201, "{}", unknown.text());
}

/// The signature covers the payload and the header as they were sent (§6.2).
#[test]
fn a_request_altered_after_it_was_signed_is_refused() {
    let account = subject().account();
    let other = request(&account);
    let payload = altered(&account, |body| body["payload"] = json!("e30"));
    refused(&payload, 400, "malformed");
    let header = altered(&account, |body| {
        body["protected"] = other["protected"].clone()
    });
    refused(&header, 400, "malformed");
    for signature in ["", "AA", other["signature"].as_str().unwrap()] {
        let answer = altered(&account, |body| body["signature"] = json!(signature));
        refused(&answer, 400, "malformed");
    }
}

/// The account that `kid` names has to hold the key that signed (§6.2).
#[test]
fn a_request_for_another_account_is_refused() {
    let subject = subject();
    let (mine, theirs) = (subject.account(), subject.account());
    let answer = with_header(&mine, |header| header["kid"] = json!(theirs.kid));
    refused(&answer, 400, "malformed");
}

/// A `kid` that is no account's URL is accountDoesNotExist (§6.2).
#[test]
fn a_kid_of_no_account_is_reported_as_such() {
    let subject = subject();
    let account = subject.account();
    let (path, id) = account.kid.rsplit_once('/').unwrap();
    let reversed: String = id.chars().rev().collect();
    for kid in [
        format!("{path}/{reversed}"),
        format!("{path}/1"),
        format!("{path}/"),
        format!("{}/", account.kid),
        format!("{}?x", account.kid),
        account.kid.replace("https:", "http:"),
        account.kid.replace("localhost", "other.test"),
        account.kid.replace("localhost", "localhost.other.test"),
        account.kid.replace("localhost", "localhost@other.test"),
        account.kid.replace("localhost", "127.0.0.2"),
        account.kid.replace("/acme/acme/", "/acme/other/"),
    ] {
        let answer = with_header(&account, |header| header["kid"] = json!(kid));
        refused(&answer, 400, "accountDoesNotExist");
    }
    for kid in [id.to_owned(), String::new(), "x".repeat(10_000)] {
        let answer = with_header(&account, |header| header["kid"] = json!(kid));
        refused(&answer, 400, "malformed");
    }
}

/// An account belongs to the provisioner that it was made at (§6.2: another server's account).
#[test]
fn an_account_of_one_provisioner_is_none_of_another() {
    let subject = subject();
    let account = subject.account();
    let url = subject.url("/acme/other/new-order");
    for kid in [
        account.kid.clone(),
        account.kid.replace("/acme/acme/", "/acme/other/"),
    ] {
        let mut header = account.header(&url, &subject.nonce());
        header["kid"] = json!(kid);
        let answer = subject.send(&url, &account.key.sign(&header, ORDER).to_string());
        assert!(matches!(answer.status, 400 | 403), "{}", answer.text());
    }
}

/// A body is read up to a limit only, before it is parsed.
#[test]
fn a_body_beyond_the_limit_is_refused() {
    let subject = subject();
    let url = subject.url("/acme/acme/new-account");
    for body in ["[".repeat(200_000), " ".repeat(1_000_000)] {
        match subject
            .client
            .post(&url, acceptance::acme::JOSE, body.as_bytes())
        {
            Ok(answer) => drop(refused(&answer, 413, "malformed")),
            // The server may close while the client still writes.
            Err(broken) => assert!(!broken.to_string().contains("not JSON"), "{broken}"),
        }
    }
    subject.account();
}

/// A nested payload is refused by depth, not by a crash.
#[test]
fn a_payload_of_great_depth_is_refused() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let header = account.header(&url, &subject.nonce()).to_string();
    let deep = format!("{}{}", r#"{"a":"#.repeat(5_000), "1");
    let body = account.key.seal(header.as_bytes(), deep.as_bytes());
    refused(&subject.send(&url, &body.to_string()), 400, "malformed");
}

/// A fresh key without an account signs nothing but newAccount (§6.2).
#[test]
fn an_invented_kid_of_an_unregistered_key_is_refused() {
    let subject = subject();
    let key = Key::generate();
    let url = subject.url("/acme/acme/new-order");
    let kid = subject.url("/acme/acme/account/00000000000000000000000000000000");
    let header = json!({"alg": "ES256", "kid": kid, "nonce": subject.nonce(), "url": url});
    let answer = subject.send(&url, &key.sign(&header, ORDER).to_string());
    refused(&answer, 400, "accountDoesNotExist");
}
