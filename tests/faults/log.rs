//! The log at its loudest holds no secret.

use std::fs;

use acceptance::authority::{Authority, Pair};
use acceptance::namespace::own_world;
use acceptance::web::Web;

/// Every line of base64 in a PEM file's body: none of them may be in a log.
fn secret_lines(pem: &str) -> Vec<String> {
    pem.lines()
        .filter(|line| line.len() >= 40 && !line.starts_with('-') && !line.contains(':'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_main_path_at_trace_level_logs_no_password_and_no_private_key() {
    own_world(|world| {
        world.dns.addresses("example.com", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let mut authority = Authority::init(world, Pair::ours(), "ca");
        authority
            .environment
            .push(("RISER_LOG".to_owned(), "trace".to_owned()));
        let mut server = authority.start();
        server.add_acme();
        server.account().obtain(&["example.com"], &web);
        let crt = [
            "ca",
            "certificate",
            "--provisioner",
            "acme",
            "localhost",
            "l.crt",
            "l.key",
        ];
        drop(web);
        server
            .authority
            .run(&["ca", "provisioner", "list"])
            .success();
        let _ = server.authority.run(&crt);
        let log = server.daemon.log();
        assert!(
            log.to_lowercase().contains("trace"),
            "the log is at trace level:\n{log}"
        );

        let mut secrets = vec!["correct horse battery staple".to_owned()];
        for key in fs::read_dir(server.authority.path.join("secrets")).unwrap() {
            secrets.extend(secret_lines(
                &fs::read_to_string(key.unwrap().path()).unwrap(),
            ));
        }
        if let Ok(key) = fs::read_to_string(world.path("l.key")) {
            secrets.extend(secret_lines(&key));
        }
        assert!(secrets.len() > 4, "{secrets:?}");
        for secret in secrets {
            assert!(!log.contains(&secret), "the log holds {secret:?}");
        }
        server.stop();
    });
}

#[test]
fn an_issued_certificate_is_one_event_with_who_and_what() {
    own_world(|world| {
        world.dns.addresses("example.com", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let server = Authority::started(world);
        let account = server.account();
        account.obtain(&["example.com"], &web);
        let log = server.daemon.log();
        let events: Vec<_> = log
            .lines()
            .filter(|line| super::race::is_issuance(line))
            .collect();
        assert_eq!(events.len(), 1, "{log}");
        let account = account.kid.rsplit('/').next().unwrap();
        for word in ["serial", "example.com", "acme", account] {
            assert!(events[0].contains(word), "{word}: {}", events[0]);
        }
    });
}

#[test]
fn the_request_id_is_echoed_and_logged() {
    own_world(|world| {
        let server = Authority::started(world);
        let answer = server.get("/health");
        let id = answer.header("x-request-id").to_owned();
        assert!(id.len() >= 16, "{id:?}");
        acceptance::process::eventually("the request's line", || {
            server.daemon.log().contains(&id).then_some(())
        });
    });
}
