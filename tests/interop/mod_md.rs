//! Apache's mod_md, Debian's, against our server. It runs as a user who is not root.

use std::path::{Path, PathBuf};
use std::process::Command;

use acceptance::authority::{Authority, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::process::{self, Daemon};
use acceptance::table;

use super::moving::moved;

const NAME: &str = "example.com";
const MODULES: &str = "/usr/lib/apache2/modules";

/// A site whose certificate mod_md manages.
fn configuration(harness: &Harness, authority: &Authority) -> String {
    format!(
        "ServerRoot {dir}\n\
         PidFile {dir}/apache.pid\n\
         ErrorLog {dir}/error.log\n\
         LogLevel warn md:debug\n\
         ServerName {NAME}\n\
         LoadModule mpm_event_module {MODULES}/mod_mpm_event.so\n\
         LoadModule authz_core_module {MODULES}/mod_authz_core.so\n\
         LoadModule ssl_module {MODULES}/mod_ssl.so\n\
         LoadModule md_module {MODULES}/mod_md.so\n\
         Listen 80\n\
         Listen 443\n\
         MDCertificateAuthority {directory}\n\
         MDCACertificateFile {root}\n\
         MDCertificateAgreement accepted\n\
         MDContactEmail a@example.com\n\
         MDStoreDir {dir}/md\n\
         MDPrivateKeys secp256r1\n\
         MDCheckInterval 1s\n\
         MDomain {NAME}\n\
         <VirtualHost *:443>\n\
         ServerName {NAME}\n\
         SSLEngine on\n\
         </VirtualHost>\n",
        dir = harness.dir().display(),
        directory = authority.directory(),
        root = authority.root().display(),
    )
}

/// Apache with this configuration, as the user 33 of a user namespace: as root it would give its rights up by itself.
fn apache(program: &Path, configuration: &Path) -> Command {
    let mut command = process::command("unshare");
    command
        .args(["--user", "--map-user=33", "--map-group=33"])
        .arg(program)
        .arg("-f")
        .arg(configuration);
    command
}

/// The events of issued certificates, once there are `count`.
fn issued(server: &Server, count: usize) -> Vec<String> {
    process::eventually("a certificate for mod_md", || {
        let log = server.daemon.log();
        let lines = log
            .lines()
            .filter(|line| line.contains("certificate_issued") && line.contains(NAME));
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        (lines.len() >= count).then_some(lines)
    })
}

/// Lets Apache bind port 80 without root, and starts it.
fn started(program: &Path, harness: &Harness, authority: &Authority) -> (Daemon, PathBuf) {
    let ports = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    std::fs::write(ports, "80").unwrap();
    let file = harness.write("httpd.conf", &configuration(harness, authority));
    let mut start = apache(program, &file);
    start.args(["-D", "FOREGROUND"]);
    (Daemon::spawn(&mut start, &harness.path("apache.log")), file)
}

/// mod_md has got a certificate. It uses it, and asks about it, from the next graceful restart on.
fn wait_until_renewed(harness: &Harness) {
    process::eventually("a certificate that is ready to be used", || {
        let errors = std::fs::read_to_string(harness.path("error.log")).unwrap_or_default();
        errors.contains("renewed successfully").then_some(())
    });
}

#[test]
fn apaches_mod_md_gets_a_certificate_and_renews_it_when_the_operator_moves_the_window() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("apache2", "Apache mod_md", "http-01 dns, ARI")
        else {
            return;
        };
        harness.dns.addresses(NAME, &["127.0.0.1"]);
        let server = Authority::started(harness);
        let (_apache, file) = started(&program, harness, &server.authority);
        wait_until_renewed(harness);
        let set = ["ca", "acme", "renewal", "set", "--provisioner", "acme"];
        let window = ["--start=-2h", "--end=-1h"];
        server
            .authority
            .run(&[&set[..], &window].concat())
            .success();
        process::run(apache(&program, &file).args(["-k", "graceful"])).success();
        let issued = issued(&server, 2);
        assert!(
            issued[0].contains("renewed_from=\"\"") && !issued[1].contains("renewed_from=\"\""),
            "{issued:?}"
        );
        let mut curl = process::command("curl");
        curl.args(["-sS", "--cacert"]).arg(server.authority.root());
        process::run(curl.arg(format!("https://{NAME}/"))).success();
        row.passed();
    });
}

/// Its certificate is removed, as none of the first server is due.
#[test]
fn apaches_mod_md_registers_again_after_the_move() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("apache2", "Apache mod_md", "moved from step-ca")
        else {
            return;
        };
        harness.dns.addresses(NAME, &["127.0.0.1"]);
        let used = harness.path("md/domains/example.com/pubcert.secp256r1.pem");
        let Some(server) = moved(harness, |authority| {
            let (mut daemon, file) = started(&program, harness, authority);
            wait_until_renewed(harness);
            process::run(apache(&program, &file).args(["-k", "graceful"])).success();
            process::eventually("the certificate in use", || used.exists().then_some(()));
            // Killed, it would leave children that hold its ports.
            daemon.signal("TERM");
            daemon.wait();
        }) else {
            return row.absent("smallstep's step or step-ca is not installed");
        };
        std::fs::remove_file(used).unwrap();
        let _apache = started(&program, harness, &server.authority);
        issued(&server, 1);
        assert!(server.daemon.log().contains("is not the URL of an account"));
        row.passed();
    });
}
