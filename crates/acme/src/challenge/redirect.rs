//! Resolves a `Location` (RFC 9110 §10.2.2, RFC 3986 §5) and checks whether validation may follow
//! it.

use std::net::{IpAddr, Ipv6Addr};

use http::Uri;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::observation::{Host, HttpProbe};
use super::{Ports, RedirectPorts};

/// The longest URL to follow, in octets.
const LONGEST: usize = 2048;

/// Why a redirect is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Forbidden {
    #[error("its target is not a valid URL")]
    Unreadable,
    #[error("its scheme is {0}, and only http and https are followed")]
    Scheme(String),
    #[error("its target is longer than {LONGEST} octets")]
    TooLong,
    #[error("its target contains a user name or a password")]
    UserInfo,
    #[error(
        "its target is port {port}, and only {allowed} are followed (the operator may add ports as \
         redirect_ports under [validation] in riser.toml)"
    )]
    Port { port: u16, allowed: String },
}

/// Resolves the `Location` that `base` answered with; `more` are ports that it may lead to besides the
/// usual ones.
pub(super) fn follow(
    base: &HttpProbe,
    location: &str,
    ports: Ports,
    more: &RedirectPorts,
) -> Result<HttpProbe, Forbidden> {
    let target = resolve(base, location.trim())?;
    // Orders and the audit log store the targets of redirects.
    if target.url().len() > LONGEST {
        return Err(Forbidden::TooLong);
    }
    let mut allowed = vec![80, 443, ports.http, ports.tls];
    match more {
        RedirectPorts::Any => return Ok(target),
        RedirectPorts::Listed(more) => allowed.extend(more),
    }
    if allowed.contains(&target.port) {
        return Ok(target);
    }
    allowed.sort_unstable();
    allowed.dedup();
    let allowed: Vec<_> = allowed.iter().map(u16::to_string).collect();
    Err(Forbidden::Port {
        port: target.port,
        allowed: allowed.join(", "),
    })
}

/// Parses an absolute `http` or `https` URL.
pub(super) fn parse(url: &str) -> Result<HttpProbe, Forbidden> {
    let Some((scheme, rest)) = split_scheme(url) else {
        return Err(Forbidden::Unreadable);
    };
    let scheme = scheme.to_ascii_lowercase();
    let https = match scheme.as_str() {
        "http" => false,
        "https" => true,
        _ => return Err(Forbidden::Scheme(scheme.chars().take(20).collect())),
    };
    let after = rest.strip_prefix("//").ok_or(Forbidden::Unreadable)?;
    let end = after.find(['/', '?', '\\']).unwrap_or(after.len());
    let (authority, path) = after.split_at(end);
    if authority.contains('@') {
        return Err(Forbidden::UserInfo);
    }
    let path = match path.as_bytes().first() {
        None => "/".to_owned(),
        Some(b'?') => format!("/{path}"),
        Some(_) => path.to_owned(),
    };
    // A second, independent parser: a URL that it rejects is never requested.
    let uri: Uri = format!("{scheme}://{authority}{path}")
        .parse()
        .map_err(|_| Forbidden::Unreadable)?;
    let authority = uri.authority().ok_or(Forbidden::Unreadable)?;
    let default = if https { 443 } else { 80 };
    let port = port(authority.as_str(), default)?;
    Ok(HttpProbe {
        host: host(authority.host())?,
        port,
        path_and_query: path,
        https,
    })
}

fn resolve(base: &HttpProbe, location: &str) -> Result<HttpProbe, Forbidden> {
    let location = escape(location.split('#').next().unwrap_or_default());
    if split_scheme(&location).is_some() {
        let absolute = parse(&location)?;
        return Ok(normal(absolute));
    }
    if location.starts_with("//") {
        let scheme = if base.https { "https" } else { "http" };
        return Ok(normal(parse(&format!("{scheme}:{location}"))?));
    }
    let (base_path, base_query) = split_query(&base.path_and_query);
    let (path, query) = split_query(&location);
    let joined = if path.is_empty() {
        format!("{base_path}{}", query.or(base_query).unwrap_or_default())
    } else if path.starts_with('/') {
        location.clone()
    } else {
        let folder = base_path.rfind('/').map_or("/", |at| &base_path[..=at]);
        format!("{folder}{location}")
    };
    // Parses the result, so that a relative target obeys the same rules.
    let authority = base.authority();
    let scheme = if base.https { "https" } else { "http" };
    Ok(normal(parse(&format!("{scheme}://{authority}{joined}"))?))
}

/// The scheme and the part after its colon (RFC 3986 §3.1).
fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let mut letters = scheme.bytes();
    let first = letters.next()?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    (first.is_ascii_alphabetic() && letters.all(fits)).then_some((scheme, rest))
}

/// The path, and the query with its question mark.
fn split_query(path_and_query: &str) -> (&str, Option<&str>) {
    match path_and_query.find('?') {
        Some(at) => (&path_and_query[..at], Some(&path_and_query[at..])),
        None => (path_and_query, None),
    }
}

fn normal(target: HttpProbe) -> HttpProbe {
    let (path, query) = split_query(&target.path_and_query);
    let path_and_query = format!("{}{}", without_dots(path), query.unwrap_or_default());
    HttpProbe {
        path_and_query,
        ..target
    }
}

/// Removes `.` and `..` from a path (RFC 3986 §5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut open = true;
    for segment in path.split('/').skip(1) {
        open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let end = if open && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

/// Percent-encodes what browsers accept in a `Location` but a URL does not: spaces and characters
/// beyond ASCII.
fn escape(text: &str) -> String {
    const ENCODED: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'<')
        .add(b'>')
        .add(b'`')
        .add(b'{')
        .add(b'}')
        .add(b'|')
        .add(b'^');
    utf8_percent_encode(text, ENCODED).to_string()
}

fn port(authority: &str, default: u16) -> Result<u16, Forbidden> {
    let after_host = authority.rsplit(']').next().unwrap_or(authority);
    match after_host.split_once(':') {
        None | Some((_, "")) => Ok(default),
        Some((_, digits)) => match digits.parse() {
            Ok(port) if port != 0 && digits.bytes().all(|b| b.is_ascii_digit()) => Ok(port),
            _ => Err(Forbidden::Unreadable),
        },
    }
}

fn host(text: &str) -> Result<Host, Forbidden> {
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        let address: Ipv6Addr = inner.parse().map_err(|_| Forbidden::Unreadable)?;
        return Ok(Host::Ip(IpAddr::V6(address)));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Host::Ip(address));
    }
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if text.is_empty() || text.len() > 254 || !text.bytes().all(fits) {
        return Err(Forbidden::Unreadable);
    }
    Ok(Host::Name(text.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> HttpProbe {
        parse("http://foo.lab/.well-known/acme-challenge/tok?old=1").unwrap()
    }

    fn followed(location: &str) -> Result<String, Forbidden> {
        let ports = Ports {
            http: 5002,
            tls: 5001,
        };
        follow(&base(), location, ports, RedirectPorts::NONE).map(|probe| probe.url())
    }

    #[test]
    fn the_operator_permits_further_ports() {
        let listed = RedirectPorts::Listed(vec![8443]);
        for (location, ports, permitted) in [
            ("https://foo.lab:8443/", &listed, true),
            ("https://foo.lab:8444/", &listed, false),
            ("https://foo.lab:443/", &listed, true),
            ("https://foo.lab:8444/", &RedirectPorts::Any, true),
            ("ftp://foo.lab:8444/", &RedirectPorts::Any, false),
        ] {
            let target = follow(&base(), location, Ports::default(), ports);
            assert_eq!(target.is_ok(), permitted, "{location}: {target:?}");
        }
        let refused = follow(&base(), "//foo.lab:8444/", Ports::default(), &listed);
        let why = refused.unwrap_err().to_string();
        assert!(
            why.contains("80, 443, 8443") && why.contains("redirect_ports"),
            "{why}"
        );
    }

    #[test]
    fn a_location_is_resolved_against_the_previous_url() {
        for (location, url) in [
            ("https://www.foo.lab/x?y#z", "https://www.foo.lab/x?y"),
            ("HTTP://WWW.Foo.Lab", "http://www.foo.lab/"),
            ("http://foo.lab?q", "http://foo.lab/?q"),
            ("//other.lab/a", "http://other.lab/a"),
            ("/a/b", "http://foo.lab/a/b"),
            ("b", "http://foo.lab/.well-known/acme-challenge/b"),
            ("../b?c", "http://foo.lab/.well-known/b?c"),
            ("./", "http://foo.lab/.well-known/acme-challenge/"),
            ("../../../../etc", "http://foo.lab/etc"),
            (
                "?new=2",
                "http://foo.lab/.well-known/acme-challenge/tok?new=2",
            ),
            ("", "http://foo.lab/.well-known/acme-challenge/tok?old=1"),
            ("/a b/ü", "http://foo.lab/a%20b/%C3%BC"),
            ("/a?b=http://c/../d", "http://foo.lab/a?b=http://c/../d"),
            ("http://foo.lab:80/a", "http://foo.lab/a"),
            ("http://foo.lab:5002/a", "http://foo.lab:5002/a"),
            ("https://foo.lab:80/a", "https://foo.lab:80/a"),
            ("http://[2001:DB8::1]:5001/a", "http://[2001:db8::1]:5001/a"),
            ("http://10.0.0.7/a", "http://10.0.0.7/a"),
        ] {
            assert_eq!(followed(location).as_deref(), Ok(url), "{location}");
        }
    }

    #[test]
    fn a_location_with_another_scheme_or_port_is_forbidden() {
        use Forbidden::{Port, Scheme, Unreadable, UserInfo};
        let port = |port| Port {
            port,
            allowed: "80, 443, 5001, 5002".into(),
        };
        for (location, why) in [
            ("ftp://foo.lab/", Scheme("ftp".into())),
            ("file:///etc/passwd", Scheme("file".into())),
            ("gopher://foo.lab:80/", Scheme("gopher".into())),
            ("javascript:alert(1)", Scheme("javascript".into())),
            ("http://a@foo.lab/", UserInfo),
            ("http://a:b@foo.lab/", UserInfo),
            ("http://foo.lab:8080/", port(8080)),
            ("http://[::1]:8443/", port(8443)),
            ("//foo.lab:22/", port(22)),
            ("http:/foo", Unreadable),
            ("http:foo", Unreadable),
            ("http://", Unreadable),
            ("http://foo.lab:0/", Unreadable),
            ("http://foo.lab:99999/", Unreadable),
            ("http://foo.lab:+80/", Unreadable),
            ("http://[fe80::1%25eth0]/", Unreadable),
            ("http://foo.lab\\@evil/", Unreadable),
            ("http://foo%2elab/", Unreadable),
        ] {
            assert_eq!(followed(location), Err(why), "{location}");
        }
    }

    proptest! {
        #[test]
        fn the_target_of_any_location_obeys_the_rules(location in "\\PC{0,60}") {
            if let Ok(url) = followed(&location) {
                let again = parse(&url).unwrap();
                prop_assert_eq!(again.url(), url);
                prop_assert!([80, 443, 5001, 5002].contains(&again.port));
            }
        }

        #[test]
        fn the_target_of_a_location_made_of_url_parts_obeys_the_rules(
            location in "(https?:|ftp:)?(//)?([a-z@:\\[\\]]{0,8})?(:[0-9]{0,6})?[/.?#a\\\\]{0,12}"
        ) {
            if let Ok(url) = followed(&location) {
                prop_assert!(!url.contains('@') || url.find('@') > url[8..].find('/'));
                prop_assert_eq!(parse(&url).unwrap().url(), url);
            }
        }
    }
}
