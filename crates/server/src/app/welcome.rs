//! What `step-ca dev` prints when it serves: where things are, and commands to paste.

use std::path::{Path, PathBuf};

use crate::http::STEP_CA;

/// What the text contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Welcome {
    /// The authority's folder, which is a step path.
    pub(crate) folder: PathBuf,
    /// The file of the root certificate.
    pub(crate) root: PathBuf,
    /// The port of http-01 validations.
    pub(crate) http_port: u16,
    /// The name in the examples.
    pub(crate) name: String,
    /// Whether the folder is kept when the process ends.
    pub(crate) kept: bool,
}

impl Welcome {
    /// The text, for an authority at `url` whose root has `fingerprint`.
    pub(super) fn text(&self, url: &str, fingerprint: &str) -> String {
        let directory = STEP_CA.directory_url(url, "acme");
        let root = quoted(&self.root);
        let mut text = format!(
            "\nACME directory:   {directory}\n\
             Root certificate: {}\n\
             Root fingerprint: {fingerprint}\n\n",
            self.root.display()
        );
        let kept = if self.kept {
            format!("Kept in {}.", self.folder.display())
        } else {
            "Nothing is kept: this authority ends with this process.".to_owned()
        };
        text += &format!("For development only: its keys are not encrypted. {kept}\n\nTo paste:\n");
        let lines = [
            ("certbot", self.certbot(&directory, &root)),
            ("lego", self.lego(&directory, &root)),
            ("Caddy", self.caddy(&directory)),
            ("curl", format!("curl --cacert {root} {directory}")),
            ("step", self.step()),
        ];
        for (client, line) in lines {
            text.push_str(&format!("  # {client}\n  {line}\n"));
        }
        text
    }

    fn certbot(&self, directory: &str, root: &str) -> String {
        let port = self.unless_80(|port| format!(" --http-01-port {port}"));
        format!(
            "REQUESTS_CA_BUNDLE={root} certbot certonly --standalone --non-interactive --agree-tos \
             --register-unsafely-without-email --config-dir certbot --work-dir certbot \
             --logs-dir certbot --server {directory} --domain {}{port}",
            self.name
        )
    }

    fn lego(&self, directory: &str, root: &str) -> String {
        let port = self.unless_80(|port| format!(" --http.port :{port}"));
        format!(
            "LEGO_CA_CERTIFICATES={root} lego --accept-tos --email you@example.com \
             --server {directory} --domains {} --http{port} run",
            self.name
        )
    }

    fn caddy(&self, directory: &str) -> String {
        let port = self.unless_80(|port| format!("{{\\n http_port {port}\\n}}\\n"));
        let root = self.root.display();
        format!(
            "printf '{port}{} {{\\n tls {{\\n  ca {directory}\\n  ca_root \"{root}\"\\n }}\\n \
             respond \"Hello\"\\n}}\\n' | caddy run --adapter caddyfile --config -",
            self.name
        )
    }

    fn step(&self) -> String {
        let port = self.unless_80(|port| format!(" --http-listen :{port}"));
        let (folder, name) = (quoted(&self.folder), &self.name);
        format!(
            "STEPPATH={folder} step ca certificate --provisioner acme{port} {name} {name}.crt \
             {name}.key"
        )
    }

    fn unless_80(&self, words: impl Fn(u16) -> String) -> String {
        if self.http_port == 80 {
            String::new()
        } else {
            words(self.http_port)
        }
    }
}

/// A path as one word for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_names_the_port_only_where_it_is_unusual() {
        let mut welcome = Welcome {
            folder: PathBuf::from("/tmp/my ca"),
            root: PathBuf::from("/tmp/my ca/root_ca.crt"),
            http_port: 80,
            name: "app.test".to_owned(),
            kept: true,
        };
        let text = welcome.text("https://localhost:9000", "00ff");
        assert!(text.contains("https://localhost:9000/acme/acme/directory"));
        assert!(text.contains("curl --cacert '/tmp/my ca/root_ca.crt' https://"));
        assert!(!text.contains("port"));
        welcome.http_port = 5002;
        let text = welcome.text("https://localhost:9000", "00ff");
        for words in [
            "--http-01-port 5002",
            "--http.port :5002",
            "http_port 5002",
            "--http-listen :5002",
        ] {
            assert!(text.contains(words), "{words}");
        }
    }
}
