//! DNS in private networks: zones with their own resolvers, resolvers with outdated
//! answers, misconfigured servers, and a crash during a query.

use acceptance::acme::{Account, csr};
use acceptance::authority::{Authority, Pair, Server};
use acceptance::dns::{Answer, Dns};
use acceptance::namespace::{Harness, own_harness};
use acceptance::process::eventually;
use acceptance::web::{Page, Web, challenge_path};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use serde_json::{Value, json};

fn value(account: &Account, challenge: &Value) -> String {
    let text = account.key_authorization(challenge);
    BASE64URL_NOPAD.encode(digest(&SHA256, text.as_bytes()).as_ref())
}

/// Writes riser.toml while the server runs and has it in force.
#[track_caller]
fn settings(server: &Server, text: &str) {
    std::fs::write(server.authority.path.join("config/riser.toml"), text).unwrap();
    server.authority.run(&["ca", "reload"]).success();
}

fn challenge(account: &Account, name: &str, kind: &str) -> Value {
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    account.challenge(authorization, kind).unwrap()
}

/// Starts a challenge and waits for its end: "valid", or the detail of its problem.
#[track_caller]
fn verdict(account: &Account, challenge: &Value) -> String {
    let url = challenge["url"].as_str().unwrap();
    account.post(url, Some(&json!({})));
    let end = eventually("a verdict", || {
        let body = account.post(url, None).json();
        (body["status"] != "pending" && body["status"] != "processing").then_some(body)
    });
    match end["error"]["detail"].as_str() {
        Some(detail) => detail.to_owned(),
        None => end["status"].as_str().unwrap().to_owned(),
    }
}

/// A dns-01 attempt at `name` with what `publish` does with the right value.
#[track_caller]
fn dns01(account: &Account, name: &str, publish: impl FnOnce(String)) -> String {
    let challenge = challenge(account, name, "dns-01");
    publish(value(account, &challenge));
    verdict(account, &challenge)
}

#[test]
fn the_resolver_of_the_flag_may_be_a_name_or_this_machine() {
    own_harness(|harness| {
        let other = Dns::start("127.0.0.1:8053");
        other.addresses("example.com", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let mut authority = Authority::init(harness, Pair::ours(), "ca");
        for resolver in ["localhost:8053", ":8053"] {
            authority.arguments = vec!["--resolver".to_owned(), resolver.to_owned()];
            let mut server = authority.start();
            if resolver.starts_with('l') {
                server.add_acme();
            }
            server.account().obtain(&["example.com"], &web);
            authority = server.stop();
        }
    });
}

#[test]
fn a_zone_is_queried_at_its_own_resolver_from_the_next_query_on() {
    own_harness(|harness| {
        let inner = Dns::start("127.0.0.3:53");
        let server = Authority::started(harness);
        let account = server.account();
        let name = "host.lab.internal";
        inner.addresses(name, &["127.0.0.1"]);
        let before = dns01(&account, name, |value| {
            inner.set(
                "_acme-challenge.host.lab.internal",
                Answer::Text(vec![value]),
            );
        });
        assert!(
            before.contains("resolver 127.0.0.1:53 answered NXDOMAIN"),
            "{before}"
        );
        settings(
            &server,
            "[[validation.zone]]\nname = \"lab.internal\"\nresolvers = [\"127.0.0.3\"]\n",
        );
        let after = dns01(&account, name, |value| {
            inner.set(
                "_acme-challenge.host.lab.internal",
                Answer::Text(vec![value]),
            );
        });
        assert_eq!(after, "valid");
        // Addresses too, and other zones as ever.
        let web = Web::start("127.0.0.1:80");
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        for name in [name, "example.com"] {
            let challenge = challenge(&account, name, "http-01");
            let path = challenge_path(challenge["token"].as_str().unwrap());
            web.set(&path, Page::Body(account.key_authorization(&challenge)));
            assert_eq!(verdict(&account, &challenge), "valid");
        }
    });
}

/// The resolver of the harness knows the name servers of the zones, and returns an old TXT record.
fn delegate(harness: &Harness, zone: &str, server: &str) {
    let name = format!("ns.{zone}");
    harness.dns.set(zone, Answer::name_servers(&[&name]));
    harness.dns.addresses(&name, &[server]);
}

fn authoritative(values: Vec<String>) -> Answer {
    Answer::Authoritative(Box::new(Answer::Text(values)))
}

#[test]
fn the_zones_own_servers_are_queried_instead_of_a_resolver_with_old_answers() {
    own_harness(|harness| {
        let (first, second) = (Dns::start("127.0.0.2:53"), Dns::start("127.0.0.3:53"));
        let server = Authority::started(harness);
        let account = server.account();
        settings(&server, "[validation]\nauthoritative = true\n");
        delegate(harness, "example.com", "127.0.0.2");
        delegate(harness, "auth.test", "127.0.0.3");
        let record = "_acme-challenge.www.example.com";
        harness
            .dns
            .set(record, Answer::Text(vec!["old".to_owned()]));
        let direct = dns01(&account, "www.example.com", |value| {
            first.set(record, authoritative(vec![value]));
        });
        assert_eq!(direct, "valid");
        let alias = Answer::Authoritative(Box::new(Answer::alias("www.auth.test")));
        first.set(record, alias);
        let across = dns01(&account, "www.example.com", |value| {
            second.set("www.auth.test", authoritative(vec![value]));
        });
        assert_eq!(across, "valid", "aliases lead into other zones");
        let wrong = dns01(&account, "www.example.com", |_| {
            second.set("www.auth.test", authoritative(vec!["wrong".to_owned()]));
        });
        for words in [
            "the authoritative server 127.0.0.2:53 (ns.example.com), the authoritative server \
             127.0.0.3:53 (ns.auth.test) answered CNAME www.auth.test, a TXT record for www.auth.test",
            "found a value at \"www.auth.test\" (not shown: another zone)",
        ] {
            assert!(wrong.contains(words), "{words} is not in: {wrong}");
        }
    });
}

#[test]
fn servers_of_a_zone_that_do_not_serve_it_or_must_not_be_queried_are_reported() {
    own_harness(|harness| {
        let lame = Dns::start("127.0.0.2:53");
        let server = Authority::started(harness);
        let account = server.account();
        settings(&server, "[validation]\nauthoritative = true\n");
        let name = "www.example.com";
        let unanswered = dns01(&account, name, |_| {});
        assert!(
            unanswered.contains("name servers for no zone"),
            "{unanswered}"
        );
        delegate(harness, "example.com", "127.0.0.2");
        let lame = dns01(&account, name, |value| {
            lame.set("_acme-challenge.www.example.com", Answer::Text(vec![value]));
        });
        let words = "(ns.example.com) answered that it is not authoritative for the name";
        assert!(lame.contains(words), "{lame}");
        settings(
            &server,
            "[validation]\nauthoritative = true\ndeny = [\"127.0.0.2\"]\n",
        );
        let denied = dns01(&account, name, |_| {});
        let words = "(ns.example.com), denied by the operator";
        assert!(denied.contains(words), "{denied}");
        harness.dns.set("example.com", Answer::Fails);
        let failing = dns01(&account, name, |_| {});
        assert!(failing.contains("NS records of example.com"), "{failing}");
        assert!(
            failing.contains("127.0.0.1:53, which answered SERVFAIL"),
            "{failing}"
        );
    });
}

/// The name of dns-account-01's record hangs on the account's URL, which has the host name that
/// the client uses: it survives the crash.
#[test]
fn a_dns_validation_resumes_after_a_crash() {
    own_harness(|harness| {
        let mut server = Authority::init(harness, Pair::ours(), "ca").start();
        server.add_acme();
        settings(
            &server,
            "[provisioner.acme]\nchallenges = [\"dns-account-01\"]\n",
        );
        let directory = server.authority.directory();
        let directory = directory.replace("localhost", "127.0.0.1");
        let account = Account::register(&server.client, &directory);
        let challenge = challenge(&account, "example.com", "dns-account-01");
        let digest = digest(&SHA256, account.kid.as_bytes());
        let label = BASE32_NOPAD.encode(&digest.as_ref()[..10]).to_lowercase();
        let record = format!("_{label}._acme-challenge.example.com");
        harness.dns.set(&record, Answer::Silence);
        let url = challenge["url"].as_str().unwrap();
        let answer = account.post(url, Some(&json!({}))).json();
        assert_eq!(answer["status"], "processing", "{answer}");
        server.daemon.kill();
        let right = value(&account, &challenge);
        harness.dns.set(&record, Answer::Text(vec![right]));
        let server = server.authority.start();
        assert_eq!(account.await_status(url, "valid")["type"], "dns-account-01");
        drop(server);
    });
}

/// A validation that was given up is not resumed after the crash.
#[test]
fn a_validation_of_a_deactivated_authorization_does_not_resume_after_a_crash() {
    own_harness(|harness| {
        let mut server = Authority::init(harness, Pair::ours(), "ca").start();
        server.add_acme();
        let account = server.account();
        let given_up = challenge(&account, "example.com", "dns-01");
        let url = given_up["url"].as_str().unwrap();
        harness
            .dns
            .set("_acme-challenge.example.com", Answer::Silence);
        let answer = account.post(url, Some(&json!({}))).json();
        assert_eq!(answer["status"], "processing", "{answer}");
        let (folder, id) = url.rsplit_once('/').unwrap();
        let authorization = folder.replace("/challenge/", "/authz/");
        let end = json!({"status": "deactivated"});
        assert_eq!(account.post(&authorization, Some(&end)).status, 200);
        server.daemon.kill();
        let right = value(&account, &given_up);
        let records = Answer::Text(vec![right]);
        harness.dns.set("_acme-challenge.example.com", records);
        let server = server.authority.start();
        dns01(&account, "another.example.com", |_| {});
        let log = server.daemon.log();
        let logged = |id: &str| {
            let mut lines = log
                .lines()
                .filter(|line| line.contains("event=\"validation\""));
            lines.any(|line| line.contains(id))
        };
        assert!(logged("another.example.com"), "{log}");
        assert!(!logged(id), "{log}");
    });
}

/// A query for CAA records takes a slot as a validation does, because sockets are limited.
#[test]
fn concurrent_caa_checks_are_limited_like_validations() {
    own_harness(|harness| {
        let web = Web::start("127.0.0.1:80");
        for name in ["a.test", "b.test"] {
            harness.dns.addresses(name, &["127.0.0.1"]);
        }
        let server = Authority::started(harness);
        let account = server.account();
        let (first, second) = (
            account.ready(&["a.test"], &web),
            account.ready(&["b.test"], &web),
        );
        let file = server.authority.path.join("config/ca.json");
        let text = std::fs::read_to_string(&file).unwrap();
        let mut config: Value = serde_json::from_str(&text).unwrap();
        let mut all = config["authority"]["provisioners"]
            .as_array_mut()
            .unwrap()
            .iter_mut();
        let acme = all.find(|one| one["type"] == "ACME").unwrap();
        acme["caaIdentities"] = json!(["ca.example"]);
        std::fs::write(&file, config.to_string()).unwrap();
        settings(
            &server,
            "[provisioner.acme]\ncaa = \"enforce\"\n[rate_limits]\nvalidations_per_account = 1\n",
        );
        harness.dns.set("a.test", Answer::Silence);
        let waiting = std::thread::spawn({
            let account = account.clone();
            move || account.try_finalize(&first, &csr(&["a.test"])).unwrap()
        });
        eventually("the question", || {
            let asked = harness.dns.asked();
            asked.iter().any(|q| q.contains("CAA")).then_some(())
        });
        let refused = account.try_finalize(&second, &csr(&["b.test"])).unwrap();
        assert_eq!(refused.status, 429, "{}", refused.text());
        assert_eq!(waiting.join().unwrap().status, 503);
        let done = account.try_finalize(&second, &csr(&["b.test"])).unwrap();
        assert_eq!(done.json()["status"], "valid", "{}", done.text());
    });
}
