//! Which addresses a validation may connect to.
//!
//! The rules apply to the address of each connection, also after a redirect, once IPv6
//! forms that carry an IPv4 address have been unwrapped. Names are resolved in
//! `dns.rs`; nothing here uses the network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The operator's lists on top of the built-in rules. The deny list wins over
/// the allow list, and the allow list over what is built in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Networks that are allowed although the built-in rules refuse them.
    pub(crate) allow: Vec<IpNet>,
    /// Networks that are refused although the built-in rules allow them.
    pub(crate) deny: Vec<IpNet>,
}

impl Rules {
    /// Checks whether `address` may be connected to.
    ///
    /// # Errors
    /// The reason why not.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), &'static str> {
        let written = address;
        let address = unwrapped(written);
        let is_denied = |net: &IpNet| net.contains(&address) || net.contains(&written);
        if self.deny.iter().any(is_denied) {
            return Err("denied by the operator");
        }
        if self.allow.iter().any(|net| net.contains(&address)) {
            return Ok(());
        }
        built_in(address).map_or(Ok(()), Err)
    }
}

/// The IPv4 address inside an IPv6 address that is translated or tunnelled to
/// it: IPv4-mapped, IPv4-compatible, IPv4-translated (RFC 7915), NAT64 (RFC 6052,
/// RFC 8215) and 6to4 (RFC 3056); any other address as it is.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let [a, b, c, d, e, f, high, low] = v6.segments();
    let embedded = |high: u16, low: u16| {
        let [h1, h2] = high.to_be_bytes();
        let [l1, l2] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(h1, h2, l1, l2))
    };
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] => embedded(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0] | [0x64, 0xff9b, 1, ..] => embedded(high, low),
        [0, 0, 0, 0, 0, 0] if high != 0 => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        _ => address,
    }
}

fn built_in(address: IpAddr) -> Option<&'static str> {
    const V6_METADATA: [Ipv6Addr; 2] = [
        Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
        Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
    ];
    const V4_METADATA: [Ipv4Addr; 3] = [
        Ipv4Addr::new(100, 100, 100, 200),
        Ipv4Addr::new(168, 63, 129, 16),
        Ipv4Addr::new(192, 0, 0, 192),
    ];
    match address {
        IpAddr::V4(v4) if v4.octets()[0] == 0 => Some("unspecified"),
        IpAddr::V4(v4) if v4.is_broadcast() => Some("broadcast"),
        IpAddr::V4(v4) if v4.is_multicast() => Some("multicast"),
        IpAddr::V4(v4) if v4.is_link_local() => Some("link-local or cloud metadata"),
        IpAddr::V4(v4) if V4_METADATA.contains(&v4) => Some("cloud metadata"),
        IpAddr::V6(v6) if v6.is_unspecified() => Some("unspecified"),
        IpAddr::V6(v6) if v6.is_multicast() => Some("multicast"),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("link-local"),
        IpAddr::V6(v6) if V6_METADATA.contains(&v6) => Some("cloud metadata"),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str) -> bool {
        Rules::default().check(address.parse().unwrap()).is_err()
    }

    #[test]
    fn public_private_and_loopback_addresses_are_allowed() {
        for fine in [
            "8.8.8.8",
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "100.64.0.1",
            "::1",
            "2001:db8::1",
            "fd12::1",
            "::ffff:127.0.0.1",
        ] {
            assert!(!refused(fine), "{fine}");
        }
    }

    #[test]
    fn link_local_metadata_and_special_addresses_are_refused_in_every_form() {
        for bad in [
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "239.255.255.250",
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "::",
            "ff02::1",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "2002:a9fe:a9fe::1",
            "168.63.129.16",
            "192.0.0.192",
            "fd20:ce::254",
        ] {
            assert!(refused(bad), "{bad}");
        }
    }

    #[test]
    fn the_operators_lists_decide_and_deny_wins() {
        let rules = Rules {
            allow: vec!["169.254.7.0/24".parse().unwrap()],
            deny: vec![
                "10.0.0.0/8".parse().unwrap(),
                "169.254.7.9/32".parse().unwrap(),
            ],
        };
        let check = |a: &str| rules.check(a.parse().unwrap()).is_ok();
        assert!(check("169.254.7.1"));
        assert!(!check("169.254.7.9"));
        assert!(!check("10.1.1.1"));
        assert!(!check("::ffff:10.1.1.1"));
        assert!(check("11.1.1.1"));
    }

    #[test]
    fn a_denied_network_is_denied_as_it_is_written_too() {
        let rules = Rules {
            deny: vec!["::/0".parse().unwrap()],
            ..Rules::default()
        };
        for address in ["2001:db8::1", "64:ff9b::8.8.8.8", "2002:808:808::1"] {
            assert!(rules.check(address.parse().unwrap()).is_err(), "{address}");
        }
        assert!(rules.check("8.8.8.8".parse().unwrap()).is_ok());
    }
}
