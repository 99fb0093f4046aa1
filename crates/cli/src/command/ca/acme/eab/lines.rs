//! The lines to paste into each client for a new external account key.

use std::path::Path;

use anyhow::Result;
use ca::api::admin::eab::Key;
use data_encoding::BASE64;

use crate::file;

/// The values in the lines.
pub(super) struct Lines<'a> {
    key: &'a Key,
    /// The root's file, quoted for a shell.
    root: String,
    /// The root in base64, for cert-manager.
    bundle: String,
    /// The name to order.
    name: String,
}

impl<'a> Lines<'a> {
    /// Lines for `key`, whose authority has this root certificate's file on this machine.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn new(key: &'a Key, root: Option<&Path>) -> Result<Self> {
        let bundle = match root {
            Some(root) => BASE64.encode(&file::read(root)?),
            None => "<the root certificate in PEM, in base64>".to_owned(),
        };
        let root = root.map_or_else(|| "root_ca.crt".to_owned(), quoted);
        Ok(Self {
            key,
            root,
            bundle,
            name: name(&key.policy.allow.dns, &key.policy.allow.ip),
        })
    }

    /// All lines, each under the name of its client.
    pub(super) fn text(&self) -> String {
        let lines = [
            ("certbot", self.certbot()),
            ("acme.sh", self.acme_sh()),
            ("lego 4", self.lego()),
            ("Caddy, in the Caddyfile", self.caddy()),
            ("step", self.step()),
            ("cert-manager", self.cert_manager()),
        ];
        let mut text = format!(
            "\nTo paste on a machine that has the root certificate as {}:\n",
            self.root
        );
        for (client, line) in lines {
            text.push_str(&format!("\n# {client}\n{line}\n"));
        }
        text
    }

    fn certbot(&self) -> String {
        let Self {
            key, root, name, ..
        } = self;
        let flag = if is_address(name) {
            "ip-address"
        } else {
            "domain"
        };
        format!(
            "REQUESTS_CA_BUNDLE={root} certbot certonly --standalone --non-interactive --agree-tos \
             --register-unsafely-without-email --server {} --eab-kid {} --eab-hmac-key {} --{flag} {name}",
            key.directory, key.id, key.hmac_key
        )
    }

    fn acme_sh(&self) -> String {
        let Self {
            key, root, name, ..
        } = self;
        let server = format!("--server {} --ca-bundle {root}", key.directory);
        format!(
            "acme.sh --register-account {server} --eab-kid {} --eab-hmac-key {} && acme.sh --issue \
             --standalone {server} --domain {name}",
            key.id, key.hmac_key
        )
    }

    fn lego(&self) -> String {
        let Self {
            key, root, name, ..
        } = self;
        format!(
            "LEGO_CA_CERTIFICATES={root} lego --accept-tos --email you@example.com --server {} --eab \
             --kid {} --hmac {} --domains {name} --http run",
            key.directory, key.id, key.hmac_key
        )
    }

    fn caddy(&self) -> String {
        let Self { key, root, .. } = self;
        let name = if self.name == HERE {
            "example.com"
        } else {
            &self.name
        };
        let root = root.trim_matches('\'');
        format!(
            "{name} {{\n  tls {{\n    issuer acme {{\n      dir {}\n      eab {} {}\n      trusted_roots \
             \"{root}\"\n    }}\n  }}\n}}",
            key.directory, key.id, key.hmac_key
        )
    }

    fn step(&self) -> String {
        let Self {
            key, root, name, ..
        } = self;
        format!(
            "step ca certificate --acme {} --root {root} --eab-kid {} --eab-hmac-key {} {name} \
             server.crt server.key",
            key.directory, key.id, key.hmac_key
        )
    }

    fn cert_manager(&self) -> String {
        let Self { key, bundle, .. } = self;
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: acme-eab\n  namespace: cert-manager\n\
             stringData:\n  secret: \"{}\"\n---\napiVersion: cert-manager.io/v1\nkind: ClusterIssuer\n\
             metadata:\n  name: acme\nspec:\n  acme:\n    server: {}\n    caBundle: {bundle}\n    \
             privateKeySecretRef:\n      name: acme-account\n    externalAccountBinding:\n      keyID: \
             \"{}\"\n      keySecretRef:\n        name: acme-eab\n        key: secret\n    solvers:\n    - \
             http01:\n        ingress: {{}}",
            key.hmac_key, key.directory, key.id
        )
    }
}

/// What a shell replaces by the name of the machine on which the line is pasted.
const HERE: &str = "$(hostname -f)";

/// A name that the key allows; if it allows all, the name of the machine.
fn name(dns: &[String], ip: &[String]) -> String {
    let named = dns.first().map(|rule| match rule.strip_prefix("*.") {
        Some(parent) => format!("app.{parent}"),
        None => rule.clone(),
    });
    let address = ip.iter().find(|rule| is_address(rule));
    named
        .or_else(|| address.cloned())
        .unwrap_or_else(|| HERE.to_owned())
}

fn is_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

/// A path as one word for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
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
    fn the_name_in_the_lines_is_one_that_the_key_allows() {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(name(&texts(&["*.lab"]), &[]), "app.lab");
        assert_eq!(name(&texts(&["a.lab"]), &texts(&["10.0.0.1"])), "a.lab");
        assert_eq!(name(&[], &texts(&["10.0.0.0/8", "10.0.0.1"])), "10.0.0.1");
        assert_eq!(name(&[], &[]), HERE);
    }

    #[test]
    fn a_path_with_a_space_is_one_word() {
        assert_eq!(quoted(Path::new("/a b/c")), "'/a b/c'");
        assert_eq!(quoted(Path::new("/a/c")), "/a/c");
    }
}
