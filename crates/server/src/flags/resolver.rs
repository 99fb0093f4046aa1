//! `--resolver`: the DNS server to ask, as an address or as a name of this machine's hosts file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};

/// The port of DNS.
const PORT: u16 = 53;

/// The addresses of one DNS server, in the order in which they are tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Resolver(pub(crate) Vec<SocketAddr>);

/// Reads `ADDRESS`, `ADDRESS:PORT`, `NAME:PORT`, or `:PORT` for this machine; the port is 53 unless another is
/// given. A name is looked up at once, as the machine looks it up.
pub(super) fn parse(text: &str) -> Result<Resolver, String> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(Resolver(vec![address]));
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(Resolver(vec![SocketAddr::new(ip, PORT)]));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, "")) => (host, PORT),
        Some((host, port)) => (host, port.parse().map_err(|_| EXPECTED.to_owned())?),
        None => (text, PORT),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let local = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(Resolver(vec![SocketAddr::new(ip, port)]));
    }
    if host.is_empty() && !text.is_empty() {
        return Ok(Resolver(local.map(|ip| SocketAddr::new(ip, port)).to_vec()));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if host.is_empty() || !host.chars().all(is_name) {
        return Err(EXPECTED.to_owned());
    }
    let found = (host, port).to_socket_addrs();
    let mut found: Vec<SocketAddr> = found
        .map_err(|error| format!("the machine knows no address of {host} ({error}): {EXPECTED}"))?
        .collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.dedup();
    Ok(Resolver(found))
}

const EXPECTED: &str = "expected an address such as 10.0.0.53, localhost:8053 or :8053";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let Resolver(found) = parse(text).unwrap();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_resolver_may_leave_out_its_port_or_its_host() {
        for (text, meant) in [
            ("10.0.0.1", "10.0.0.1:53"),
            ("10.0.0.1:", "10.0.0.1:53"),
            ("10.0.0.1:5353", "10.0.0.1:5353"),
            ("::1", "[::1]:53"),
            ("[::1]", "[::1]:53"),
            ("[::1]:8053", "[::1]:8053"),
        ] {
            assert_eq!(read(text), [meant], "{text}");
        }
        assert_eq!(read(":8053"), ["127.0.0.1:8053", "[::1]:8053"]);
        assert_eq!(read("localhost:8053")[0], "127.0.0.1:8053");
    }

    #[test]
    fn what_is_no_address_is_refused_with_examples() {
        for text in ["", "a b", "10.0.0.1:x", ":x", "http://10.0.0.1"] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("localhost:8053"), "{text}: {error}");
        }
    }
}
