//! The lines at start, which people and scripts read.

use ca::config::Config;

use super::Plan;
use crate::log::Announcer;

/// Prints where the authority is served.
pub(super) fn start(
    announcer: &Announcer,
    plan: &Plan,
    config: &Config,
    fingerprints: &[String],
    address: &str,
) {
    let (version, arch) = (env!("CARGO_PKG_VERSION"), arch());
    announcer.detail(format!(
        "Starting Riser CA/{version} ({}/{arch})",
        std::env::consts::OS
    ));
    if let Some(context) = &plan.context {
        announcer.detail(format!("Current context: {context}"));
    }
    announcer.detail(format!("Config file: {}", plan.config.display()));
    let port = address.rsplit_once(':').map_or("", |(_, port)| port);
    let mut names = config.dns_names.iter();
    let url = url(names.next().map_or("localhost", String::as_str), port);
    announcer.detail(format!("The primary server URL is {url}"));
    announcer.detail(format!(
        "Root certificates are available at {url}/roots.pem"
    ));
    let others: Vec<_> = names.map(String::as_str).collect();
    if !others.is_empty() {
        announcer.detail(format!(
            "Additional configured hostnames: {}",
            others.join(", ")
        ));
    }
    if !config.riser.public_names.is_empty() {
        let names = config.riser.public_names.join(", ");
        announcer.detail(format!("Public names: {names}"));
    }
    announcer.detail(format!(
        "Clients that use another host get URLs at {url}: add the host to public_names in riser.toml"
    ));
    for fingerprint in fingerprints {
        announcer.detail(format!("X.509 Root Fingerprint: {fingerprint}"));
    }
    announcer.line(format!("Serving HTTPS on {address} ..."));
    if let (Some(welcome), Some(fingerprint)) = (&plan.welcome, fingerprints.first()) {
        announcer.output(&welcome.text(&url, fingerprint));
    }
}

fn url(name: &str, port: &str) -> String {
    let host = if name.contains(':') {
        format!("[{name}]")
    } else {
        name.to_owned()
    };
    if port == "443" {
        format!("https://{host}")
    } else {
        format!("https://{host}:{port}")
    }
}

/// The architecture's name as packages have it.
fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_leaves_out_the_usual_port_and_puts_ipv6_in_brackets() {
        assert_eq!(url("ca.example", "443"), "https://ca.example");
        assert_eq!(url("::1", "9000"), "https://[::1]:9000");
    }
}
