//! curl on the public endpoints, over both versions of HTTP.

use acceptance::authority::Authority;
use acceptance::namespace::own_harness;
use acceptance::{process, table};

#[test]
fn curl_reads_the_public_endpoints_over_both_http_versions() {
    own_harness(|harness| {
        let Some((curl, row)) = table::peer("curl", "curl", "native endpoints") else {
            return;
        };
        let server = Authority::started(harness);
        for version in ["--http1.1", "--http2"] {
            for (path, code, word) in [
                ("/health", "200", r#"{"status":"ok"}"#),
                ("/1.0/health", "200", r#"{"status":"ok"}"#),
                ("/roots", "201", "BEGIN CERTIFICATE"),
                ("/roots.pem", "200", "-----BEGIN CERTIFICATE-----"),
                ("/provisioners", "200", r#""nextCursor":"""#),
                ("/acme/acme/directory", "200", "newNonce"),
                ("/nothing/here", "404", "404 page not found"),
            ] {
                let mut command = process::command(&curl);
                command
                    .args([
                        "-sS",
                        version,
                        "-w",
                        "\n%{http_code} %{http_version}",
                        "--cacert",
                    ])
                    .arg(server.authority.root())
                    .arg(format!("{}{path}", server.authority.url()));
                let out = process::run(&mut command).success().stdout;
                assert!(out.contains(word), "{path}: {out}");
                let (_, last) = out.rsplit_once('\n').unwrap();
                let spoken = if version == "--http2" { "2" } else { "1.1" };
                assert_eq!(last, format!("{code} {spoken}"), "{path}");
            }
        }
        row.passed();
    });
}
