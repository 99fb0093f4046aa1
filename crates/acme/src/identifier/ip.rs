//! IP addresses (RFC 8738).

use std::net::IpAddr;

use crate::problem::{Problem, quote};

/// Parses an address; an IPv4-mapped one becomes IPv4.
pub(super) fn parse(value: &str) -> Result<IpAddr, Problem> {
    let parsed: Result<IpAddr, _> = value.parse();
    match parsed {
        Ok(address) => Ok(address.to_canonical()),
        Err(_) => Err(Problem::malformed(format!(
            "{} is not an IP address: write four decimal numbers without leading zeros, or an \
             IPv6 address without brackets, zone or prefix length.",
            quote(value)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use crate::identifier::Identifier;
    use crate::problem::Kind;

    #[test]
    fn addresses_have_one_canonical_form() {
        for (sent, kept) in [
            ("192.0.2.1", "192.0.2.1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::1", "::1"),
        ] {
            assert_eq!(Identifier::parse("ip", sent).unwrap().to_string(), kept);
        }
        for bad in [
            "",
            "192.0.2",
            "192.0.2.01",
            "0300.0.2.1",
            "0x7f.0.0.1",
            "192.0.2.0/24",
            "[::1]",
            "fe80::1%eth0",
            "::1/128",
            " ::1",
            "example.com",
            "1",
            "192.0.2.1.",
        ] {
            let problem = Identifier::parse("ip", bad).unwrap_err();
            assert_eq!(problem.kind, Kind::Malformed, "{bad}");
        }
    }
}
