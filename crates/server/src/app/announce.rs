//! The lines at start that scripts and people read.

use ca::config::Config;

use super::Plan;
use crate::log::Announcer;

/// Says where the authority is, once it is there.
pub(super) fn start(
    say: &Announcer,
    plan: &Plan,
    config: &Config,
    fingerprints: &[String],
    address: &str,
) {
    let (version, arch) = (env!("CARGO_PKG_VERSION"), arch());
    say.tell(format!(
        "Starting Riser CA/{version} ({}/{arch})",
        std::env::consts::OS
    ));
    if let Some(context) = &plan.context {
        say.tell(format!("Current context: {context}"));
    }
    say.tell(format!("Config file: {}", plan.config.display()));
    let port = address.rsplit_once(':').map_or("", |(_, port)| port);
    let mut names = config.dns_names.iter();
    let url = url(names.next().map_or("localhost", String::as_str), port);
    say.tell(format!("The primary server URL is {url}"));
    say.tell(format!(
        "Root certificates are available at {url}/roots.pem"
    ));
    let others: Vec<_> = names.map(String::as_str).collect();
    if !others.is_empty() {
        say.tell(format!(
            "Additional configured hostnames: {}",
            others.join(", ")
        ));
    }
    for fingerprint in fingerprints {
        say.tell(format!("X.509 Root Fingerprint: {fingerprint}"));
    }
    say.say(format!("Serving HTTPS on {address} ..."));
    if let (Some(welcome), Some(fingerprint)) = (&plan.welcome, fingerprints.first()) {
        say.hand_over(&welcome.text(&url, fingerprint));
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

/// The architecture's name as packages spell it.
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
