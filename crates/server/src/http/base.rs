//! The host in the URLs that the server writes: the one that the client asked for, if it belongs to this server.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{Version, header};
use ca::config::Config;

use crate::listen::Peer;

/// `https://host[:port]` for the URLs of an answer: the request's Host if it is a name of this server (with any
/// port, since containers map ports), else the first configured name.
pub(super) fn base(parts: &Parts, config: &Config) -> String {
    match asked(parts).filter(|host| is_ours(host, local(parts), config)) {
        Some(host) => format!("https://{host}"),
        None => format!("https://{}", configured(config)),
    }
}

/// The name of the host that the client asked for, in lower case, if it does not belong to this server.
pub(super) fn foreign_host(parts: &Parts, config: &Config) -> Option<String> {
    let asked = asked(parts)?;
    let foreign = !is_ours(&asked, local(parts), config);
    foreign.then(|| bare(asked.host()).to_ascii_lowercase())
}

/// The address of the server at which a request came in.
pub(super) fn local(parts: &Parts) -> Option<IpAddr> {
    let peer = parts.extensions.get::<Peer>()?;
    Some(peer.local.ip().to_canonical())
}

/// Whether an `https` URL names this server, by any of its names or its address `local`.
pub(super) fn is_at_ours(url: &str, local: Option<IpAddr>, config: &Config) -> bool {
    let rest = url.strip_prefix("https://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    let host: Option<Authority> = host.parse().ok();
    host.and_then(plain)
        .is_some_and(|host| is_ours(&host, local, config))
}

/// The host that the client asked for.
fn asked(parts: &Parts) -> Option<Authority> {
    if parts.version >= Version::HTTP_2
        && let Some(authority) = parts.uri.authority()
    {
        return plain(authority.clone());
    }
    let host = parts.headers.get(header::HOST)?.to_str().ok()?;
    plain(host.parse().ok()?)
}

/// An authority without userinfo.
fn plain(authority: Authority) -> Option<Authority> {
    (!authority.as_str().contains('@')).then_some(authority)
}

fn is_ours(host: &Authority, local: Option<IpAddr>, config: &Config) -> bool {
    let name = bare(host.host());
    let mut known = config.dns_names.iter().chain(&config.riser.public_names);
    if known.any(|ours| bare(ours).eq_ignore_ascii_case(name)) {
        return true;
    }
    let address = name.parse::<IpAddr>().ok();
    address.is_some_and(|address| Some(address.to_canonical()) == local)
}

/// The first configured name with the port of the listener.
pub(super) fn configured(config: &Config) -> String {
    let name = config.dns_names.first().map_or("localhost", String::as_str);
    let host = match bare(name).parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => name.to_owned(),
    };
    match config.address.rsplit_once(':') {
        Some((_, port)) if port != "443" => format!("{host}:{port}"),
        _ => host,
    }
}

/// A host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}
