//! RFC 8555 §8.3, §10.4: redirects are followed, but not everywhere and not endlessly.

use acceptance::acme::Account;
use acceptance::web::{Page, challenge_path};
use serde_json::{Value, json};

use crate::conformance::subject::subject;

/// An authorization whose page redirects.
struct Trial {
    account: Account,
    authorization: String,
    challenge: Value,
}

impl Trial {
    #[track_caller]
    fn of(name: &str) -> Self {
        subject().host(&[name]);
        let account = subject().account();
        let order = account.order(&[name]);
        let authorization = order.body["authorizations"][0].as_str().unwrap().to_owned();
        let challenge = account.http01(&authorization).unwrap();
        Self {
            account,
            authorization,
            challenge,
        }
    }

    fn first(&self, to: &str) {
        let path = challenge_path(self.challenge["token"].as_str().unwrap());
        subject().web.set(&path, Page::Redirect(to.to_owned()));
    }

    fn last(&self, path: &str) {
        let text = self.account.key_authorization(&self.challenge);
        subject().web.set(path, Page::Body(text));
    }

    /// The end has this status; the detail of the problem, if it has one.
    #[track_caller]
    fn ends(&self, status: &str) -> String {
        let url = self.challenge["url"].as_str().unwrap();
        self.account.post(url, Some(&json!({})));
        let body = self.account.await_status(&self.authorization, status);
        let detail = &body["challenges"][0]["error"]["detail"];
        detail.as_str().unwrap_or_default().to_owned()
    }
}

/// A redirect is followed, on the same host or to another (§8.3).
#[test]
fn a_redirect_is_followed() {
    let port = subject().web.address().port();
    subject().host(&["target.conformance.test"]);
    for (n, to) in [
        "/moved/0".to_owned(),
        format!("http://target.conformance.test:{port}/moved/1"),
        format!("http://127.0.0.1:{port}/moved/2?with=query"),
    ]
    .into_iter()
    .enumerate()
    {
        let trial = Trial::of(&format!("redirect{n}.conformance.test"));
        trial.first(&to);
        trial.last(to.find("/moved").map(|at| &to[at..]).unwrap());
        trial.ends("valid");
    }
}

/// Ten redirects are followed, not an eleventh (§10.4).
#[test]
fn ten_redirects_are_followed_and_not_eleven() {
    for (name, hops, status) in [("ten", 10, "valid"), ("eleven", 11, "invalid")] {
        let trial = Trial::of(&format!("{name}.conformance.test"));
        trial.first(&format!("/{name}/1"));
        for hop in 1..hops {
            let to = format!("/{name}/{}", hop + 1);
            subject()
                .web
                .set(&format!("/{name}/{hop}"), Page::Redirect(to));
        }
        trial.last(&format!("/{name}/{hops}"));
        trial.ends(status);
    }
}

/// A loop is detected (§10.4).
#[test]
fn redirects_in_a_loop_are_refused() {
    let trial = Trial::of("circle.conformance.test");
    trial.first("/circle/a");
    subject()
        .web
        .set("/circle/a", Page::Redirect("/circle/b".to_owned()));
    subject()
        .web
        .set("/circle/b", Page::Redirect("/circle/a".to_owned()));
    let detail = trial.ends("invalid");
    assert!(detail.contains("a loop"), "{detail}");
}

/// Other ports, other schemes, credentials and forbidden addresses are not followed (§10.4).
#[test]
fn redirects_to_forbidden_targets_are_refused() {
    let web = acceptance::web::Web::start("127.0.0.1:0");
    let other = web.address();
    for (n, to) in [
        format!("http://{other}/"),
        format!("http://localhost:{}/", other.port()),
        "http://127.0.0.1:22/".to_owned(),
        "ftp://127.0.0.1/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1:80/".to_owned(),
        "javascript:alert(1)".to_owned(),
        "http://user:password@127.0.0.1/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fe80::1]/".to_owned(),
        "http://[::ffff:169.254.169.254]/".to_owned(),
        "http:///x".to_owned(),
        "//".to_owned(),
        String::new(),
    ]
    .into_iter()
    .enumerate()
    {
        let trial = Trial::of(&format!("nowhere{n}.redirect.conformance.test"));
        trial.first(&to);
        let detail = trial.ends("invalid");
        assert!(!detail.contains("password@"), "{detail}");
    }
    assert_eq!(web.asked(), Vec::<String>::new());
}

/// The query of a redirect may contain secrets of the target: it is not shown (§10.4).
#[test]
fn the_query_of_a_redirect_is_not_shown() {
    let trial = Trial::of("query.conformance.test");
    trial.first("/query/target?token=hidden");
    let detail = trial.ends("invalid");
    assert!(
        detail.contains("/query/target") && !detail.contains("hidden"),
        "{detail}"
    );
}

/// A redirect may lead into a network that the client does not see: of another host, its path is not
/// shown (§10.4).
#[test]
fn the_path_at_another_host_is_not_shown() {
    let trial = Trial::of("path.redirect.conformance.test");
    let (web, other) = (subject().web.address(), "intranet.conformance.test");
    subject().host(&[other]);
    trial.first(&format!("http://{other}:{}/inner/page", web.port()));
    let detail = trial.ends("invalid");
    assert!(
        detail.contains(other) && !detail.contains("inner"),
        "{detail}"
    );
}
