//! RFC 8737 §4: TLS 1.2 or newer.

use std::process::Command;

use acceptance::process::{self, Daemon};
use rcgen::{CertificateParams, CustomExtension, KeyPair};

use super::{Target, attempt, failed};
use acceptance::alpn::{digest_of, name};

use crate::conformance::subject::subject;

/// A right certificate over TLS 1.1 proves nothing; over 1.2 it does (§4).
#[test]
fn a_certificate_over_tls_1_1_proves_nothing() {
    let subject = subject();
    let account = subject.account();
    let port = subject.tls.address().port();
    for (version, address, wanted) in [
        ("-tls1_1", "127.0.0.8", "old.alpn.test"),
        ("-tls1_2", "127.0.0.9", "new.alpn.test"),
    ] {
        subject.dns.addresses(wanted, &[address]);
        let dir = tempfile::tempdir().unwrap();
        let mut server = None;
        let challenge = attempt(&account, Target::name(wanted), |text| {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::default();
            params.subject_alt_names = vec![name(wanted)];
            params.custom_extensions =
                vec![CustomExtension::new_acme_identifier(&digest_of(&text))];
            let both = params.self_signed(&key).unwrap().pem() + &key.serialize_pem();
            std::fs::write(dir.path().join("both.pem"), both).unwrap();
            let mut command = Command::new("openssl");
            command
                .args(["s_server", version, "-cipher", "ALL:@SECLEVEL=0"])
                .args(["-alpn", "acme-tls/1", "-www", "-accept"])
                .arg(format!("{address}:{port}"))
                .arg("-cert")
                .arg(dir.path().join("both.pem"));
            server = Some(Daemon::spawn(&mut command, &dir.path().join("log")));
            process::eventually("openssl s_server", || {
                std::net::TcpStream::connect((address, port)).ok()
            });
            None
        });
        if version == "-tls1_2" {
            assert_eq!(challenge["status"], "valid", "{challenge}");
        } else {
            let detail = failed(&challenge, "tls");
            assert!(detail.contains("TLS from 1.2 on"), "{detail}");
        }
    }
}
