//! Which addresses a validation may connect to.
//!
//! Judged on the address that is connected to, at each redirect, after IPv6
//! forms that carry an IPv4 address have been unwrapped. Names are resolved in
//! `dns.rs`; nothing here touches the network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The operator's lists on top of the built-in rules. The deny list wins over
/// the allow list, and the allow list over what is built in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Networks that are fine although the built-in rules refuse them.
    pub(crate) allow: Vec<IpNet>,
    /// Networks that are refused although the built-in rules allow them.
    pub(crate) deny: Vec<IpNet>,
}

impl Rules {
    /// Says why `address` may not be connected to, or `Ok` when it may.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), &'static str> {
        let address = unwrapped(address);
        if self.deny.iter().any(|net| net.contains(&address)) {
            return Err("denied by the operator");
        }
        if self.allow.iter().any(|net| net.contains(&address)) {
            return Ok(());
        }
        built_in(address).map_or(Ok(()), Err)
    }
}

/// The IPv4 address inside an IPv4-mapped, IPv4-compatible or NAT64
/// (`64:ff9b::/96`) address; any other address as it is.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let [a, b, c, d, e, f, high, low] = v6.segments();
    let embedded = || {
        let [h1, h2] = high.to_be_bytes();
        let [l1, l2] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(h1, h2, l1, l2))
    };
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => embedded(),
        [0, 0, 0, 0, 0, 0] if high != 0 => embedded(),
        _ => address,
    }
}

fn built_in(address: IpAddr) -> Option<&'static str> {
    const V6_METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);
    const V4_METADATA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
    match address {
        IpAddr::V4(v4) if v4.octets()[0] == 0 => Some("unspecified"),
        IpAddr::V4(v4) if v4.is_broadcast() => Some("broadcast"),
        IpAddr::V4(v4) if v4.is_multicast() => Some("multicast"),
        IpAddr::V4(v4) if v4.is_link_local() => Some("link-local or cloud metadata"),
        IpAddr::V4(v4) if v4 == V4_METADATA => Some("cloud metadata"),
        IpAddr::V6(v6) if v6.is_unspecified() => Some("unspecified"),
        IpAddr::V6(v6) if v6.is_multicast() => Some("multicast"),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("link-local"),
        IpAddr::V6(v6) if v6 == V6_METADATA => Some("cloud metadata"),
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
    fn addresses_of_people_are_allowed() {
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
    fn addresses_of_machinery_are_refused_in_every_spelling() {
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
}
