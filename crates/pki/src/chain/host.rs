//! Whether a leaf is for a host.

use std::net::IpAddr;

use super::ChainError;
use crate::{AltName, Certificate};

/// Checks that the leaf names `host`, which may be in brackets when it is an address.
///
/// # Errors
/// [`ChainError::WrongName`], [`ChainError::NoNames`], [`ChainError::NoAddresses`].
pub fn check_host(leaf: &Certificate, host: &str) -> Result<(), ChainError> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return check_address(leaf, address.to_canonical(), bare);
    }
    let of_kind = leaf
        .alt_names()
        .iter()
        .filter(|name| matches!(name, AltName::Dns(_)));
    let names: Vec<String> = of_kind.map(ToString::to_string).collect();
    if names.is_empty() {
        return Err(ChainError::NoNames(host.to_owned()));
    }
    let matches = names.iter().any(|name| dns_matches(name, host));
    if matches {
        Ok(())
    } else {
        Err(ChainError::WrongName {
            names,
            host: host.to_owned(),
        })
    }
}

/// A wildcard matches exactly one whole label, the first (RFC 6125 §6.4.3).
fn dns_matches(pattern: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    match pattern.strip_prefix("*.") {
        Some(parent) => host
            .split_once('.')
            .is_some_and(|(first, rest)| !first.is_empty() && rest.eq_ignore_ascii_case(parent)),
        None => !host.is_empty() && pattern.eq_ignore_ascii_case(host),
    }
}

fn check_address(leaf: &Certificate, wanted: IpAddr, host: &str) -> Result<(), ChainError> {
    let addresses: Vec<IpAddr> = leaf
        .alt_names()
        .iter()
        .filter_map(|name| match name {
            AltName::Ip(address) => Some(address.to_canonical()),
            AltName::Dns(_) | AltName::Email(_) | AltName::Uri(_) | AltName::Other { .. } => None,
        })
        .collect();
    if addresses.is_empty() {
        return Err(ChainError::NoAddresses(host.to_owned()));
    }
    if addresses.contains(&wanted) {
        return Ok(());
    }
    let names = addresses.iter().map(ToString::to_string).collect();
    Err(ChainError::WrongName {
        names,
        host: host.to_owned(),
    })
}
