//! `step ca acme eab add`: the settings that it prints work in each client as printed.

use std::fs;
use std::path::Path;
use std::process::Command;

use acceptance::authority::{Authority, Pair, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::{paths, process, table};

/// An authority that makes no account without a key, and what its operator is shown for one.
fn handed_out(harness: &Harness) -> (Server, String) {
    harness.dns.addresses("app.lab", &["127.0.0.1"]);
    let mut authority = Authority::init(harness, Pair::ours(), "ca");
    let trace = ("RISER_LOG".to_owned(), "trace".to_owned());
    authority.environment.push(trace);
    let server = authority.start();
    let run = |arguments: &[&str]| server.authority.run(arguments).success();
    run(&[
        "ca",
        "provisioner",
        "add",
        "acme",
        "--type",
        "ACME",
        "--require-eab",
    ]);
    server.await_acme();
    let output = run(&["ca", "acme", "eab", "add", "acme", "--allow-dns", "*.lab"]);
    assert!(output.stderr.contains("not shown again"), "{output:?}");
    (server, output.stdout)
}

/// certbot's directories are not part of the printed line; here they are the harness's.
fn keep_certbot_in(harness: &Harness) {
    let folder = harness.path("letsencrypt");
    fs::create_dir_all(&folder).unwrap();
    let folders = ["config", "work", "logs"]
        .map(|name| format!("{name}-dir = {}\n", harness.path(name).display()));
    fs::write(folder.join("cli.ini"), folders.concat()).unwrap();
}

/// The line after `# client`.
fn line<'a>(text: &'a str, client: &str) -> &'a str {
    let (_, rest) = text
        .split_once(&format!("\n# {client}\n"))
        .unwrap_or_else(|| panic!("no {client} in\n{text}"));
    rest.lines().next().unwrap()
}

/// A shell in the harness whose path begins with our programs.
fn shell(harness: &Harness, line: &str) -> Command {
    let programs = paths::ours("step");
    let programs = programs.parent().unwrap().display();
    let mut command = process::command("sh");
    command
        .env_clear()
        .env("PATH", format!("{programs}:/usr/sbin:/usr/bin:/sbin:/bin"))
        .env("HOME", harness.dir())
        .env("XDG_CONFIG_HOME", harness.dir())
        .current_dir(harness.dir())
        .args(["-c", line]);
    command
}

fn pasted(program: &str, client: &str, chain: &str) {
    own_harness(|harness| {
        let name = format!("{client}, pasted from eab add");
        let Some((_, row)) = table::peer(program, &name, "http-01 dns, bound") else {
            return;
        };
        keep_certbot_in(harness);
        let (server, text) = handed_out(harness);
        let line = line(&text, client);
        process::run(&mut shell(harness, line)).success();
        let root = server.authority.root();
        crate::third_party::openssl_accepts(&harness.path(chain), &root);
        let secret = text.lines().nth(1).unwrap();
        let secret = secret.split_whitespace().nth(2).unwrap();
        assert!(line.contains(secret), "{line}");
        assert!(
            !server.daemon.log().contains(secret),
            "the log has the HMAC key"
        );
        row.passed();
    });
}

#[test]
fn the_line_for_certbot_gets_a_certificate() {
    pasted("certbot", "certbot", "config/live/app.lab/fullchain.pem");
}

#[test]
fn the_line_for_lego_gets_a_certificate() {
    pasted("lego", "lego 4", ".lego/certificates/app.lab.crt");
}

#[test]
fn the_line_for_step_gets_a_certificate() {
    own_harness(|harness| {
        let (server, text) = handed_out(harness);
        process::run(&mut shell(harness, line(&text, "step"))).success();
        let chain = harness.path("server.crt");
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
    });
}

#[test]
fn the_lines_for_caddy_serve_a_site() {
    own_harness(|harness| {
        let task = "http-01 dns, bound";
        let Some((_, row)) = table::peer("caddy", "Caddy, pasted from eab add", task) else {
            return;
        };
        let (server, text) = handed_out(harness);
        let (_, rest) = text.split_once("# Caddy, in the Caddyfile\n").unwrap();
        let (site, _) = rest.split_once("\n}\n").unwrap();
        harness.write("Caddyfile", &format!("{site}\n  respond \"Hello\"\n}}\n"));
        let mut caddy = shell(harness, "exec caddy run --config Caddyfile");
        let _caddy = process::Daemon::spawn(&mut caddy, &harness.path("caddy.log"));
        served(harness, &server.authority.root());
        row.passed();
    });
}

/// Waits until curl, which trusts only our root, receives Hello.
fn served(harness: &Harness, root: &Path) {
    let ask = format!("curl -sS --cacert {} https://app.lab/", root.display());
    process::eventually("the site", || {
        let output = process::run(&mut shell(harness, &ask));
        (output.stdout == "Hello").then_some(())
    });
}
