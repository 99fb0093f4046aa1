//! Keys in hardware: smallstep's `step` proves a device by the plugin that holds its key, against our server.
//! The plugin stands in for a YubiKey: its key and its maker are openssl's.

use std::fs;
use std::path::{Path, PathBuf};

use acceptance::authority::{Authority, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::process::Outcome;
use acceptance::{process, table};

use super::real_step::bootstrapped;

const CLIENT: &str = "smallstep step, our server";
const SERIAL: &str = "13906186";

/// What the attestation certificate says: the serial number and the firmware.
const EXTENSIONS: &str = "[device]\n1.3.6.1.4.1.41482.3.7=DER:02:04:00:d4:31:0a\n\
                          1.3.6.1.4.1.41482.3.3=DER:05:07:04\n";

fn openssl(folder: &Path, arguments: &str) {
    let mut command = process::command("openssl");
    command.current_dir(folder).args(arguments.split(' '));
    process::run(&mut command).success();
}

/// A maker's root, `maker.pem`, and a device with its key, its certificate and the plugin that uses them.
fn device(harness: &Harness) -> PathBuf {
    let folder = harness.path("device");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("extensions"), EXTENSIONS).unwrap();
    let curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -batch";
    openssl(
        &folder,
        &format!(
            "req -x509 {curve} -keyout maker.key -out maker.pem -days 2 -subj /CN=Maker \
             -addext keyUsage=critical,keyCertSign"
        ),
    );
    openssl(
        &folder,
        &format!("req {curve} -keyout key.pem -out key.csr -subj /CN=9a"),
    );
    openssl(
        &folder,
        "x509 -req -in key.csr -out key.crt -CA maker.pem -CAkey maker.key -CAcreateserial -days 2 \
         -extfile extensions -extensions device",
    );
    let plugin = format!(
        "cd '{}'\ncase \"$1\" in\nkey) openssl pkey -in key.pem -pubout ;;\n\
         attest) cat key.crt ;;\nsign) cat >digest && openssl pkeyutl -sign -inkey key.pem -in digest | \
         base64 -w0 ;;\nesac\n",
        folder.display()
    );
    fs::create_dir_all(harness.path("real/path/plugins")).unwrap();
    harness.script("real/path/plugins/step-kms-plugin", &plugin);
    folder.join("maker.pem")
}

/// Adds a provisioner for YubiKeys, with these flags besides.
fn add_provisioner(server: &Server, roots: &[&str]) -> Outcome {
    let head = ["ca", "provisioner", "add", "da", "--type", "ACME"];
    let challenge = [
        "--challenge",
        "device-attest-01",
        "--attestation-format",
        "step",
    ];
    server
        .authority
        .run(&[&head[..], &challenge, roots].concat())
}

#[test]
fn smallsteps_step_proves_a_yubikey_and_is_told_when_it_is_another_one() {
    own_harness(|harness| {
        let Some((step, row)) = table::peer("step", CLIENT, "device-attest-01 (step)") else {
            return;
        };
        let server = Authority::started(harness);
        let step = bootstrapped(harness, &step, &server);
        let root = device(harness);
        let root = root.to_str().unwrap();
        let provisioner = |roots: &[&str]| add_provisioner(&server, roots);
        let without = provisioner(&[]);
        assert_eq!(without.code, Some(1));
        assert!(
            without.stderr.contains("requires '--attestation-roots'"),
            "{without:?}"
        );
        provisioner(&["--attestation-roots", root]).success();

        let order = |serial: &str, file: &str| {
            let head = [
                "ca",
                "certificate",
                "--provisioner",
                "da",
                "--attestation-uri",
            ];
            let arguments = [&head[..], &["yubikey:slot-id=9a", serial, file]].concat();
            process::run(&mut step(&arguments))
        };
        let got = order(SERIAL, "device.crt").success();
        assert!(
            got.text().contains("✔ Certificate: device.crt"),
            "{}",
            got.text()
        );
        let chain = harness.path("real/device.crt");
        let (chain, ca) = (chain.display(), server.authority.root());
        let trust = format!("-CAfile {} -untrusted {chain}", ca.display());
        openssl(
            &harness.path("device"),
            &format!("verify -purpose sslclient {trust} {chain}"),
        );
        let shown = process::run(&mut step(&["certificate", "inspect", "device.crt"])).success();
        for line in ["Permanent Identifier: 13906186", "Client Authentication"] {
            assert!(shown.stdout.contains(line), "{}", shown.stdout);
        }
        assert!(!shown.stdout.contains("Server Authentication"));

        let refused = order("13906187", "other.crt");
        assert_eq!(refused.code, Some(1));
        let words = "challenge identifier \"13906187\" doesn't match the attested hardware identifier \"13906186\"";
        assert!(refused.text().contains(words), "{}", refused.text());
        assert!(!harness.path("real/other.crt").exists());
        row.passed();
    });
}
