//! Clients whose accounts and certificates are of smallstep's server go on with ours on the same
//! folder, after the commands of `docs/manual/moving.md`, which are run as they stand there.

use std::path::Path;

use acceptance::authority::{Authority, Pair, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::process::{self, Daemon, Outcome};
use acceptance::web::{Page, Web};
use acceptance::{paths, table};

/// A client, and how it is run; `$D` is the directory, `FOLDER` a folder of its own.
struct Client {
    /// Its name in the table, and its peer.
    name: &'static str,
    peer: &'static str,
    /// Its heading on the page, which is its command too.
    heading: &'static str,
    /// What is added to its command line.
    options: &'static str,
    /// Its folder on the page.
    folder: &'static str,
    /// The first certificate, and its renewal.
    issue: &'static str,
    renew: &'static str,
}

/// The commands of one client on the page.
fn commands(heading: &str) -> String {
    let page = paths::root().join("docs/manual/moving.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

/// Runs a shell line in which the programs of the harness come first.
fn shell(harness: &Harness, authority: &Authority, line: &str) -> Outcome {
    let mut command = harness.shell();
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", harness.dir().display());
    for trust in [
        "REQUESTS_CA_BUNDLE",
        "LEGO_CA_CERTIFICATES",
        "CURL_CA_BUNDLE",
    ] {
        command.env(trust, authority.root());
    }
    command
        .env("PATH", path)
        .env("D", authority.directory())
        .env("UACME_CHALLENGE_PATH", harness.path("challenges"))
        .args(["-e", "-c", line]);
    process::run(&mut command)
}

/// A folder of smallstep's server with an ACME provisioner, in which `issue` is run while it serves;
/// then ours on the same folder.
pub fn moved(harness: &Harness, issue: impl FnOnce(&Authority)) -> Option<Server> {
    let real = Pair::real(&paths::peer("step")?, &paths::peer("step-ca")?);
    let mut server = Authority::init(harness, real, "ca").start();
    server.add_acme();
    // On SIGHUP, smallstep's server refuses connections for a moment.
    let server = server.stop().start();
    server.await_acme();
    // uacme trusts the roots of the system alone.
    let mut mount = process::command("mount");
    mount.arg("--bind").arg(server.authority.root());
    process::run(mount.arg("/etc/ssl/certs/ca-certificates.crt")).success();
    issue(&server.authority);
    let mut authority = server.stop();
    authority.pair = Pair::ours();
    let server = authority.start();
    server.await_acme();
    Some(server)
}

fn renews_after_the_move(client: &Client) {
    own_harness(|harness| {
        let Some((program, row)) = table::peer(client.peer, client.name, MOVED) else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let folder = harness.path("folder");
        let challenges = harness.path("challenges");
        for folder in [&folder, &challenges] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let folder = folder.to_str().unwrap();
        let options = client.options.replace("FOLDER", folder);
        let wrapper = format!("exec {} \"$@\" {options}\n", program.display());
        harness.script(client.heading, &wrapper);
        // The others serve their answers themselves.
        let _web = FILES.contains(&client.heading).then(|| {
            let web = Web::start("127.0.0.1:80");
            web.otherwise(Page::Folder(challenges));
            web
        });
        let Some(server) = moved(harness, |authority| {
            shell(harness, authority, client.issue).success();
        }) else {
            return row.absent("smallstep's step or step-ca is not installed");
        };
        let authority = &server.authority;
        let refused = shell(harness, authority, client.renew);
        assert_ne!(refused.code, Some(0), "{refused:?}");
        assert!(server.daemon.log().contains(ADVICE), "{refused:?}");
        let commands = commands(client.heading).replace(client.folder, folder);
        shell(harness, authority, &commands).success();
        shell(harness, authority, client.renew).success();
        assert!(server.daemon.log().contains("certificate_issued"));
        row.passed();
    });
}

const MOVED: &str = "moved from step-ca";
/// How the server's advice begins.
const ADVICE: &str = "To register again";
/// Clients that leave it to a web server to serve their files.
const FILES: [&str; 2] = ["dehydrated", "uacme"];

/// certbot of one make.
const fn certbot(name: &'static str, peer: &'static str) -> Client {
    Client {
        name,
        peer,
        heading: "certbot",
        options: "--config-dir FOLDER --work-dir FOLDER/work --logs-dir FOLDER/logs",
        folder: "/etc/letsencrypt",
        issue: "certbot certonly -n --agree-tos --register-unsafely-without-email \
                --standalone -d example.com --server $D",
        renew: "certbot renew -n --force-renewal --no-random-sleep-on-renew",
    }
}

#[test]
fn debians_certbot_renews_after_the_move() {
    renews_after_the_move(&certbot("certbot (Debian)", "certbot"));
}

#[test]
fn the_newest_certbot_renews_after_the_move() {
    renews_after_the_move(&certbot("certbot (PyPI)", "certbot-pypi"));
}

#[test]
fn debians_lego_renews_after_the_move() {
    renews_after_the_move(&Client {
        name: "lego (Debian)",
        peer: "lego",
        heading: "lego",
        options: "",
        folder: "FOLDER",
        issue: "lego --accept-tos --server $D --email you@example.com \
                --domains example.com --http run",
        renew: "lego --server $D --email you@example.com --domains example.com --http \
                renew --days 100 --no-random-sleep",
    });
}

#[test]
fn debians_dehydrated_renews_after_the_move() {
    renews_after_the_move(&Client {
        name: "dehydrated (Debian)",
        peer: "dehydrated",
        heading: "dehydrated",
        options: "--config dehydrated.conf",
        folder: "/var/lib/dehydrated",
        issue: "printf 'CA=%s\nBASEDIR=%s/folder\nWELLKNOWN=%s/challenges\n' $D $PWD $PWD \
                >dehydrated.conf && dehydrated --cron --accept-terms --domain example.com",
        renew: "dehydrated --cron --force --domain example.com",
    });
}

#[test]
fn debians_uacme_renews_after_the_move() {
    renews_after_the_move(&Client {
        name: "uacme (Debian)",
        peer: "uacme",
        heading: "uacme",
        options: "--confdir FOLDER",
        folder: "/etc/ssl/uacme",
        issue: "uacme --yes --acme-url $D new && uacme --acme-url $D --type EC \
                --hook /usr/share/uacme/uacme.sh issue example.com",
        renew: "uacme --acme-url $D --type EC --force \
                --hook /usr/share/uacme/uacme.sh issue example.com",
    });
}

/// Caddy with one site; ends when it is dropped.
fn caddy(program: &Path, harness: &Harness, authority: &Authority) -> Daemon {
    let file = format!(
        "{{\nadmin off\n}}\nexample.com {{\ntls {{\nissuer acme {{\ndir {}\ntrusted_roots {}\n}}\n}}\n\
         respond Hello\n}}\n",
        authority.directory(),
        authority.root().display()
    );
    let mut command = process::command(program);
    command
        .env("HOME", harness.dir())
        .env_remove("XDG_DATA_HOME")
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(harness.write("Caddyfile", &file));
    Daemon::spawn(&mut command, &harness.path("caddy.log"))
}

#[test]
fn debians_caddy_renews_after_the_move() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("caddy", "Caddy", MOVED) else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let data = harness.path(".local/share/caddy");
        let issued = |log: String| {
            let mut lines = log.lines();
            lines.any(|line| line.contains("certificate obtained successfully"))
        };
        let Some(server) = moved(harness, |authority| {
            let caddy = caddy(&program, harness, authority);
            process::eventually("Caddy's first certificate", || {
                issued(caddy.log()).then_some(())
            });
        }) else {
            return row.absent("smallstep's step or step-ca is not installed");
        };
        std::fs::remove_file(harness.path("caddy.log")).unwrap();
        std::fs::remove_dir_all(data.join("certificates")).unwrap();
        let refused = caddy(&program, harness, &server.authority);
        process::eventually("the refusal with its advice", || {
            refused.log().contains(ADVICE).then_some(())
        });
        drop(refused);
        harness.script("systemctl", "exit 0\n");
        let commands = commands("Caddy");
        let commands =
            commands.replace("/var/lib/caddy/.local/share/caddy", data.to_str().unwrap());
        shell(harness, &server.authority, &commands).success();
        let caddy = caddy(&program, harness, &server.authority);
        process::eventually("Caddy's second certificate", || {
            issued(caddy.log()).then_some(())
        });
        row.passed();
    });
}
