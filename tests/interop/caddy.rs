//! Caddy, Debian's, against our server: one site, with each challenge.

use acceptance::authority::Authority;
use acceptance::namespace::own_harness;
use acceptance::process::{self, Daemon};
use acceptance::table;

/// Caddy gets its certificate while `disabled` names the challenge that it may not take, and serves
/// a page with it.
fn caddy_serves(task: &str, disabled: &str) {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("caddy", "Caddy", task) else {
            return;
        };
        harness.dns.addresses("www.example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let root = server.authority.root();
        let issuer = format!(
            "issuer acme {{\ndir {}\ntrusted_roots {}\n{disabled}\n}}",
            server.authority.directory(),
            root.display()
        );
        let site = format!("www.example.com {{\ntls {{\n{issuer}\n}}\nrespond Hello\n}}\n");
        let file = harness.write("Caddyfile", &format!("{{\nadmin off\n}}\n{site}"));
        let mut command = process::command(program);
        command
            .env("HOME", harness.dir())
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(file);
        let caddy = Daemon::spawn(&mut command, &harness.path("caddy.log"));
        process::eventually("Caddy's site", || {
            let mut curl = process::command("curl");
            curl.args(["-sS", "--resolve", "www.example.com:443:127.0.0.1"])
                .arg("--cacert")
                .arg(&root)
                .arg("https://www.example.com/");
            (process::run(&mut curl).stdout == "Hello").then_some(())
        });
        let log = server.daemon.log();
        let proven = format!("method={}", task.split(' ').next().unwrap_or_default());
        assert!(
            log.contains(&proven) || log.contains(&proven.replace('=', "=\"")),
            "{log}\n{}",
            caddy.log()
        );
        row.passed();
    });
}

#[test]
fn caddy_gets_a_certificate_over_http() {
    caddy_serves("http-01 dns", "disable_tlsalpn_challenge");
}

#[test]
fn caddy_gets_a_certificate_over_tls() {
    caddy_serves("tls-alpn-01 dns", "disable_http_challenge");
}
