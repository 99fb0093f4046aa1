//! RFC 8659 §3: records that cannot be queried neither permit nor forbid.

use std::thread;

use acceptance::acme::Account;
use acceptance::dns::{Answer, CaaRecord};

use super::{account, finalize, issued, ready};
use crate::conformance::subject::{refused, subject};

/// SERVFAIL, REFUSED and silence are an outage: 503 with Retry-After; the order stays ready, and is
/// finalized when the DNS answers again. Also where only a name above fails.
#[test]
fn a_dns_failure_is_an_outage_and_never_permission() {
    thread::scope(|scope| {
        for (n, (answer, word)) in [
            (Answer::Fails, "SERVFAIL"),
            (Answer::Refuses, "REFUSED"),
            (Answer::Silence, "time-out"),
        ]
        .into_iter()
        .enumerate()
        {
            scope.spawn(move || {
                let (account, dns) = (account(), &subject().dns);
                let (name, above) = (format!("x.fails{n}-caa.test"), format!("fails{n}-caa.test"));
                let order = ready(&account, &[&name]);
                dns.set(&above, answer);
                let failed = finalize(&account, &order, &[&name]);
                let detail = refused(&failed, 503, "dns");
                assert!(failed.header("retry-after").parse::<u32>().is_ok());
                assert!(detail.contains(word) && detail.contains(&above), "{detail}");
                let body = account.post(&order.url, None).json();
                assert_eq!(body["status"], "ready", "{body}");
                dns.set(&above, Answer::NoSuchName);
                issued(&finalize(&account, &order, &[&name]));
            });
        }
    });
}

/// Where CAA only warns, what forbids and what fails is passed over.
#[test]
fn a_provisioner_that_only_warns_issues() {
    let subject = subject();
    let account = Account::register(&subject.client, &subject.directory_of("caawarn"));
    for (name, answer) in [
        (
            "a.warn-caa.test",
            Answer::caa(&[CaaRecord::new("issue", ";")]),
        ),
        ("b.warn-caa.test", Answer::Fails),
    ] {
        let order = ready(&account, &[name]);
        subject.dns.set(name, answer);
        issued(&finalize(&account, &order, &[name]));
    }
}
