//! Each fault of a certificate and of a handshake, with its verdict.

use jiff::Timestamp;
use pki::{Extension, Name, PrivateKey, Serial, TbsCertificate, assemble, extension};
use proptest::prelude::*;
use uuid::Uuid;

use super::super::observation::Trace;
use super::super::{CaaIdentity, Finding, Ports, RedirectPorts, ask, judge};
use super::*;
use crate::challenge::Probe;

const KEY: &[u8] = include_bytes!("../../../testdata/account.pem");
static NO_IDENTITY: CaaIdentity = CaaIdentity {
    account_url: String::new(),
    issuers: Vec::new(),
};
const OTHER_KEY: &[u8] = include_bytes!("../../../testdata/certificate.pem");

fn key(pem: &[u8]) -> PrivateKey {
    PrivateKey::from_pem(pem, None).unwrap()
}

fn identifier(value: &str) -> Identifier {
    Identifier::guess(value).unwrap()
}

fn context(identifier: &Identifier) -> Context<'_> {
    Context {
        identifier,
        token: "tok",
        payload: b"{}",
        key_authorization: "tok.thumb",
        account: Uuid::nil(),
        caa_identity: &NO_IDENTITY,
        ports: Ports::default(),
        redirect_ports: RedirectPorts::NONE,
        attestation: crate::challenge::AttestationRules::NONE,
        now: Timestamp::UNIX_EPOCH,
        redirects: &[],
    }
}

fn acme_identifier() -> Extension {
    let digest = pki::sha256(b"tok.thumb");
    Extension {
        oid: oid::ACME_IDENTIFIER,
        critical: true,
        value: [&DIGEST_HEAD, digest.as_slice()].concat(),
    }
}

fn san(names: &[AltName]) -> Extension {
    extension::subject_alt_names(names, false)
}

fn dns(name: &str) -> AltName {
    AltName::Dns(name.to_owned())
}

/// A certificate with these extensions, signed by the key of `signer`.
fn signed(extensions: Vec<Extension>, issuer: &str, signer: &[u8]) -> Vec<u8> {
    certified(extensions, issuer, signer, &key(KEY))
}

/// The same for another key than that of [`KEY`].
fn certified(
    extensions: Vec<Extension>,
    issuer: &str,
    signer: &[u8],
    certified: &PrivateKey,
) -> Vec<u8> {
    let tbs = TbsCertificate {
        serial: Serial::from_random([1; 16]),
        issuer: Name::common_name(issuer).unwrap(),
        subject: Name::common_name("challenge").unwrap(),
        not_before: Timestamp::UNIX_EPOCH,
        not_after: Timestamp::UNIX_EPOCH,
        public_key: certified.public().clone(),
        extensions,
    };
    let signer = key(signer);
    let algorithm = signer.default_signature();
    let der = tbs.to_der(algorithm).unwrap();
    let signature = signer.sign(algorithm, &der).unwrap();
    assemble(&der, algorithm, &signature)
        .unwrap()
        .der()
        .to_vec()
}

fn certificate(extensions: Vec<Extension>) -> Vec<u8> {
    signed(extensions, "challenge", KEY)
}

fn observation(leaf: Vec<u8>) -> TlsObservation {
    TlsObservation {
        protocol: Some("acme-tls/1".to_owned()),
        version: 0x0304,
        length: leaf.len(),
        leaf,
        trace: Trace::default(),
    }
}

fn judged(value: &str, observation: TlsObservation) -> Verdict {
    let identifier = identifier(value);
    let cx = context(&identifier);
    let seen = Observation::Tls(observation);
    match judge(Method::TlsAlpn01, &cx, &seen) {
        Verdict::Ask(again) => {
            let redirects = [again.url()];
            let cx = Context {
                redirects: &redirects,
                ..cx
            };
            judge(Method::TlsAlpn01, &cx, &seen)
        }
        verdict @ (Verdict::Valid(_) | Verdict::Retry(_) | Verdict::Invalid(_)) => verdict,
    }
}

fn refused(value: &str, observation: TlsObservation) -> Finding {
    retry(judged(value, observation))
}

#[track_caller]
fn retry(verdict: Verdict) -> Finding {
    let Verdict::Retry(finding) = verdict else {
        panic!("{verdict:?}");
    };
    finding
}

/// Asserts that the certificate is rejected as `unauthorized`, with this detail.
#[track_caller]
fn wrong(value: &str, extensions: Vec<Extension>, words: &str) {
    let finding = refused(value, observation(certificate(extensions)));
    assert_eq!(finding.problem.kind, Kind::Unauthorized);
    let detail = finding.problem.detail;
    assert!(detail.contains(words), "{detail}");
}

fn failure(kind: FailureKind) -> Finding {
    let failure = Failure {
        kind,
        words: String::new(),
        trace: Trace::default(),
    };
    let identifier = identifier("foo.lab");
    let seen = Observation::Failed(failure);
    retry(judge(Method::TlsAlpn01, &context(&identifier), &seen))
}

#[test]
fn the_server_name_is_the_identifier_or_its_reverse_name() {
    for (value, port, name) in [
        ("Foo.lab", 443, "foo.lab"),
        ("xn--mnchen-3ya.lab", 443, "xn--mnchen-3ya.lab"),
        ("192.0.2.1", 5001, "1.2.0.192.in-addr.arpa"),
        (
            "2001:db8::567:89ab",
            443,
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        ),
    ] {
        let identifier = identifier(value);
        let mut cx = context(&identifier);
        cx.ports.tls = port;
        let Probe::Tls(probe) = ask(Method::TlsAlpn01, &cx) else {
            panic!("the probe is of another kind");
        };
        assert_eq!((probe.server_name.as_str(), probe.port), (name, port));
        assert_eq!(
            matches!(probe.host, Host::Ip(_)),
            value.parse::<IpAddr>().is_ok()
        );
    }
}

#[test]
fn a_certificate_that_follows_the_rfc_proves_a_name_and_an_address() {
    for (value, name) in [
        ("foo.lab", dns("foo.lab")),
        ("foo.lab", dns("FOO.lab")),
        ("192.0.2.1", AltName::Ip("192.0.2.1".parse().unwrap())),
        ("2001:db8::1", AltName::Ip("2001:db8::1".parse().unwrap())),
    ] {
        let mut observation = observation(certificate(vec![san(&[name]), acme_identifier()]));
        observation.version = TLS_1_2;
        let Verdict::Valid(proof) = judged(value, observation) else {
            panic!("{value} is not proven");
        };
        assert_eq!(proof.method(), Some(Method::TlsAlpn01));
        assert_eq!(proof.evidence()["answer"]["version"], "TLS 1.2");
    }
}

#[test]
fn without_acme_tls_1_nothing_is_proven() {
    let fine = certificate(vec![san(&[dns("foo.lab")]), acme_identifier()]);
    for protocol in [None, Some("h2"), Some("acme-tls/2"), Some("")] {
        let mut observation = observation(fine.clone());
        observation.protocol = protocol.map(str::to_owned);
        let problem = refused("foo.lab", observation).problem;
        assert_eq!(problem.kind, Kind::Unauthorized);
        assert!(problem.detail.contains("acme-tls/1"), "{problem}");
        assert!(problem.detail.contains("web server"), "{problem}");
    }
}

#[test]
fn tls_1_1_proves_nothing() {
    let mut old = observation(certificate(vec![san(&[dns("foo.lab")]), acme_identifier()]));
    old.version = 0x0302;
    let problem = refused("foo.lab", old).problem;
    assert_eq!(problem.kind, Kind::Tls);
    assert!(problem.detail.contains("over TLS 1.1"), "{problem}");
}

#[test]
fn a_certificate_that_is_invalid_or_too_long_proves_nothing() {
    let fine = certificate(vec![san(&[dns("foo.lab")]), acme_identifier()]);
    let mut longer = fine.clone();
    longer.push(0);
    let mut cut = observation(fine);
    cut.length = 20_000;
    for (observation, words) in [
        (observation(Vec::new()), "cannot be parsed"),
        (observation(b"nonsense".to_vec()), "cannot be parsed"),
        (observation(longer), "cannot be parsed"),
        (cut, "20000 octets"),
    ] {
        let detail = refused("foo.lab", observation).problem.detail;
        assert!(detail.contains(words), "{detail}");
    }
}

#[test]
fn the_only_name_must_be_the_identifier() {
    let ip = |text: &str| AltName::Ip(text.parse().unwrap());
    let mail = AltName::Email("a@foo.lab".to_owned());
    let uri = AltName::Uri("https://foo.lab/".to_owned());
    let mapped = "::ffff:192.0.2.1";
    for (value, names, words) in [
        ("foo.lab", vec![dns("foo.lab"), ip("192.0.2.1")], "2 names"),
        ("foo.lab", vec![dns("foo.lab"), mail.clone()], "2 names"),
        ("foo.lab", vec![dns("foo.lab"), uri.clone()], "2 names"),
        ("foo.lab", vec![dns("foo.lab"), dns("foo.lab")], "2 names"),
        ("foo.lab", vec![dns("bar.lab")], "is not foo.lab"),
        ("foo.lab", vec![dns("foo.lab.")], "is not foo.lab"),
        ("foo.lab", vec![dns("*.lab")], "is not foo.lab"),
        ("foo.lab", vec![mail], "is a rfc822Name, not a dNSName"),
        ("foo.lab", vec![uri], "not a dNSName"),
        ("192.0.2.1", vec![ip("192.0.2.2")], "is not 192.0.2.1"),
        ("192.0.2.1", vec![ip(mapped)], "is not 192.0.2.1"),
        ("192.0.2.1", vec![dns("192.0.2.1")], "not a iPAddress"),
        (
            "192.0.2.1",
            vec![dns("1.2.0.192.in-addr.arpa")],
            "not a iPAddress",
        ),
    ] {
        wrong(value, vec![san(&names), acme_identifier()], words);
    }
    wrong("foo.lab", vec![acme_identifier()], "no subjectAltName");
    let mut trailing = san(&[dns("foo.lab")]);
    trailing.value.push(0);
    wrong(
        "foo.lab",
        vec![trailing, acme_identifier()],
        "subjectAltName cannot be parsed",
    );
}

#[test]
fn each_fault_of_the_acme_identifier_has_its_own_detail() {
    let changed = |change: &dyn Fn(&mut Extension)| {
        let mut extension = acme_identifier();
        change(&mut extension);
        vec![san(&[dns("foo.lab")]), extension]
    };
    let short = [&[4, 31][..], &pki::sha256(b"tok.thumb")[..31]].concat();
    let other = [&DIGEST_HEAD[..], &pki::sha256(b"tok.other")].concat();
    for (extensions, words) in [
        (vec![san(&[dns("foo.lab")])], "some other certificate"),
        (changed(&|e| e.critical = false), "not critical"),
        (changed(&|e| e.oid = DRAFT_IDENTIFIER), "of a draft"),
        (changed(&|e| e.value.push(0)), "33 octets"),
        (changed(&|e| e.value.truncate(33)), "31 octets"),
        (changed(&|e| e.value = short.clone()), "not an OCTET STRING"),
        (
            changed(&|e| drop(e.value.drain(..2))),
            "not an OCTET STRING",
        ),
        (changed(&|e| e.value.clear()), "not an OCTET STRING"),
        (
            changed(&|e| e.value = other.clone()),
            "another key authorization",
        ),
    ] {
        wrong("foo.lab", extensions, words);
    }
}

#[test]
fn a_certificate_with_a_repeated_extension_proves_nothing() {
    let names = san(&[dns("foo.lab")]);
    let twice = "more than once";
    wrong(
        "foo.lab",
        vec![names.clone(), acme_identifier(), acme_identifier()],
        twice,
    );
    wrong(
        "foo.lab",
        vec![names.clone(), names, acme_identifier()],
        twice,
    );
}

#[test]
fn a_certificate_signed_by_another_key_proves_nothing() {
    let extensions = || vec![san(&[dns("foo.lab")]), acme_identifier()];
    for (issuer, signer, words) in [
        ("challenge", OTHER_KEY, "not signed by its own key"),
        ("another", KEY, "issuer has another name"),
    ] {
        let leaf = signed(extensions(), issuer, signer);
        let detail = refused("foo.lab", observation(leaf)).problem.detail;
        assert!(detail.contains("not self-signed"), "{detail}");
        assert!(detail.contains(words), "{detail}");
    }
}

#[test]
fn a_failed_handshake_is_reported_with_cause_and_advice() {
    use FailureKind::{Alert, NoSuchName, OldTls, Protocol, Refused, Reset, Timeout, Tls};
    for (kind, problem, words, advice) in [
        (Alert(120), Kind::Tls, "alert 120", "web server"),
        (
            Alert(112),
            Kind::Tls,
            "does not know the name foo.lab",
            "try `openssl",
        ),
        (Alert(70), Kind::Tls, "no version", "TLS 1.2 or 1.3"),
        (Alert(80), Kind::Tls, "alert 80", "log"),
        (OldTls, Kind::Tls, "no version", "TLS 1.2 or 1.3"),
        (Tls, Kind::Tls, "handshake failed", "-servername foo.lab"),
        (Protocol, Kind::Tls, "not TLS", "plain HTTP"),
        (Reset, Kind::Connection, "closed before", "proxy"),
        (Refused, Kind::Connection, "", "-connect foo.lab:443"),
        (
            Timeout,
            Kind::Connection,
            "no answer in time",
            "-alpn acme-tls/1",
        ),
        (
            NoSuchName,
            Kind::Dns,
            "does not exist",
            "getent ahosts foo.lab",
        ),
    ] {
        let finding = failure(kind);
        assert_eq!(finding.problem.kind, problem, "{kind:?}");
        let detail = finding.problem.detail;
        assert!(
            detail.starts_with("tls-alpn-01 for foo.lab failed: "),
            "{detail}"
        );
        assert!(
            detail.contains(words) && detail.contains(advice),
            "{detail}"
        );
    }
}

#[test]
fn the_names_of_the_certificate_are_shown_to_the_operator_only() {
    let finding = refused(
        "foo.lab",
        observation(certificate(vec![san(&[dns("secret.lab")])])),
    );
    assert!(!finding.problem.detail.contains("secret"));
    assert_eq!(finding.evidence["answer"]["names"], json!(["secret.lab"]));
}

proptest! {
    #[test]
    fn a_certificate_of_random_octets_is_judged_without_a_panic(leaf in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(matches!(judged("foo.lab", observation(leaf)), Verdict::Retry(_)));
    }

    #[test]
    fn a_certificate_with_any_octet_changed_is_rejected(at in any::<usize>(), with in 1_u8..) {
        let mut leaf = certificate(vec![san(&[dns("foo.lab")]), acme_identifier()]);
        let at = at % leaf.len();
        leaf[at] ^= with;
        prop_assert!(matches!(judged("foo.lab", observation(leaf)), Verdict::Retry(_)));
    }

    #[test]
    fn extensions_of_random_octets_are_judged_without_a_panic(
        identifier in proptest::collection::vec(any::<u8>(), 0..80),
        names in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut extensions = vec![san(&[dns("foo.lab")]), acme_identifier()];
        extensions[0].value = names;
        let verdict = judged("foo.lab", observation(certificate(extensions.clone())));
        prop_assert!(matches!(verdict, Verdict::Retry(_)));
        extensions[0] = san(&[dns("foo.lab")]);
        extensions[1].value = identifier;
        let verdict = judged("foo.lab", observation(certificate(extensions)));
        prop_assert!(matches!(verdict, Verdict::Retry(_)));
    }
}

#[test]
fn a_usual_certificate_is_judged_after_one_with_another_kind_of_key() {
    let identifier = identifier("foo.lab");
    let cx = context(&identifier);
    let rsa = include_bytes!("../../../testdata/rsa.pem");
    for (certified_key, keys, word) in [
        (key(KEY), KeyKinds::Rsa, "rsa"),
        (key(rsa), KeyKinds::Elliptic, "elliptic"),
    ] {
        let usual = certified(
            vec![san(&[dns("foo.lab")])],
            "challenge",
            KEY,
            &certified_key,
        );
        let verdict = judge(
            Method::TlsAlpn01,
            &cx,
            &Observation::Tls(observation(usual)),
        );
        let Verdict::Ask(again) = verdict else {
            panic!("{verdict:?}");
        };
        let wanted = TlsProbe {
            keys,
            ..super::ask(&cx)
        };
        assert_eq!(again, Probe::Tls(wanted));
        assert!(again.url().ends_with(word), "{}", again.url());
    }
}

#[test]
fn a_server_without_a_certificate_for_the_other_key_has_the_fault_of_its_first() {
    let identifier = identifier("foo.lab");
    let redirects = ["tls://foo.lab:443?keys=rsa".to_owned()];
    let cx = Context {
        redirects: &redirects,
        ..context(&identifier)
    };
    for (kind, problem, words) in [
        (
            FailureKind::Alert(40),
            Kind::Unauthorized,
            "no acmeIdentifier",
        ),
        (FailureKind::Refused, Kind::Connection, "No server"),
    ] {
        let failure = Failure {
            kind,
            words: String::new(),
            trace: Trace::default(),
        };
        let finding = retry(judge(Method::TlsAlpn01, &cx, &Observation::Failed(failure)));
        assert_eq!(finding.problem.kind, problem);
        let detail = finding.problem.detail;
        assert!(detail.contains(words), "{detail}");
        assert!(detail.contains("another kind of key"), "{detail}");
    }
}
