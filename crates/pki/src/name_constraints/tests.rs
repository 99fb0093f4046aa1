//! Each form of name against permitted and excluded subtrees.

use super::*;

/// Constraints with these GeneralNames as `(tag, contents)`.
fn constraints(permitted: &[(u8, &[u8])], excluded: &[(u8, &[u8])]) -> NameConstraints {
    NameConstraints::parse(&encoded(permitted, excluded)).unwrap()
}

fn encoded(permitted: &[(u8, &[u8])], excluded: &[(u8, &[u8])]) -> Vec<u8> {
    let list = |tag, names: &[(u8, &[u8])]| {
        let trees = names.iter();
        let trees: Vec<_> = trees
            .map(|(tag, value)| asn1::sequence(&[&asn1::wrap(*tag, &[value])]))
            .collect();
        let trees: Vec<_> = trees.iter().map(Vec::as_slice).collect();
        match trees.is_empty() {
            true => Vec::new(),
            false => asn1::wrap(asn1::constructed(tag), &trees),
        }
    };
    asn1::sequence(&[&list(0, permitted), &list(1, excluded)])
}

fn dns(name: &str) -> AltName {
    AltName::Dns(name.to_owned())
}

fn passes(constraints: &NameConstraints, name: &AltName) -> bool {
    let names = std::slice::from_ref(name);
    constraints.check(names, &Name::empty()).is_ok()
}

#[test]
fn a_dns_name_is_permitted_at_the_base_and_below_it() {
    let lab = constraints(&[(0x82, b"Lab.example")], &[]);
    for good in [
        "lab.example",
        "A.LAB.example",
        "a.b.lab.example.",
        "*.lab.example",
    ] {
        assert!(passes(&lab, &dns(good)), "{good}");
    }
    for bad in [
        "example",
        "xlab.example",
        "lab.example.org",
        "*.example",
        "localhost",
    ] {
        assert!(!passes(&lab, &dns(bad)), "{bad}");
    }
    let below = constraints(&[(0x82, b".lab.example")], &[]);
    assert!(passes(&below, &dns("a.lab.example")));
    assert!(!passes(&below, &dns("lab.example")));
    // A kind of name without a permitted subtree is free.
    assert!(passes(&lab, &AltName::Ip("10.0.0.1".parse().unwrap())));
}

#[test]
fn a_wildcard_is_excluded_by_a_name_that_it_stands_for() {
    let excluded = constraints(&[], &[(0x82, b"secret.lab")]);
    for bad in [
        "secret.lab",
        "a.secret.lab",
        "*.secret.lab",
        "*.lab",
        "*.LAB",
    ] {
        assert!(!passes(&excluded, &dns(bad)), "{bad}");
    }
    for good in ["lab", "a.lab", "*.a.lab", "xsecret.lab"] {
        assert!(passes(&excluded, &dns(good)), "{good}");
    }
    let deeper = constraints(&[], &[(0x82, b"a.secret.lab")]);
    assert!(passes(&deeper, &dns("*.lab")));
}

#[test]
fn an_address_is_permitted_within_its_network() {
    let ten = constraints(&[(0x87, &[10, 0, 0, 0, 255, 0, 0, 0])], &[]);
    let ip = |text: &str| AltName::Ip(text.parse().unwrap());
    assert!(passes(&ten, &ip("10.9.8.7")));
    assert!(!passes(&ten, &ip("11.0.0.1")));
    assert!(!passes(&ten, &ip("2001:db8::1")));
    let six = [&[0x20, 1, 0xd, 0xb8][..], &[0; 12], &[0xff; 4], &[0; 12]].concat();
    let six = constraints(&[], &[(0x87, &six)]);
    assert!(!passes(&six, &ip("2001:db8::1")));
    assert!(passes(&six, &ip("2001:db9::1")));
}

#[test]
fn mailboxes_and_uris_are_compared_by_host() {
    let email = |text: &str| AltName::Email(text.to_owned());
    let hosts = constraints(
        &[(0x81, b"lab"), (0x81, b".x.lab"), (0x81, b"root@b.lab")],
        &[],
    );
    for good in ["a@lab", "a@LAB", "a@y.x.lab", "root@b.lab"] {
        assert!(passes(&hosts, &email(good)), "{good}");
    }
    for bad in ["a@y.lab", "a@x.lab", "a@b.lab", "lab"] {
        assert!(!passes(&hosts, &email(bad)), "{bad}");
    }
    let uri = |text: &str| AltName::Uri(text.to_owned());
    let hosts = constraints(
        &[(0x86, b"lab"), (0x86, b".x.lab")],
        &[(0x86, b"bad.x.lab")],
    );
    for good in ["https://lab/a", "spiffe://u@lab:1?x", "https://y.x.lab"] {
        assert!(passes(&hosts, &uri(good)), "{good}");
    }
    for bad in [
        "https://a.lab",
        "https://bad.x.lab",
        "urn:a",
        "https://10.0.0.1/",
        "https://[::1]/",
    ] {
        assert!(!passes(&hosts, &uri(bad)), "{bad}");
    }
}

#[test]
fn a_subject_has_to_begin_with_the_directory_name() {
    let lab = Name::organization_and_common_name("Lab", "x").unwrap();
    let other = Name::organization_and_common_name("Other", "x").unwrap();
    let all = rdns(lab.der()).unwrap();
    let organization = Cursor::new(&all).unwrap().next().unwrap().raw;
    let base = asn1::sequence(&[organization]);
    let permitted = constraints(&[(DIRECTORY_NAME, &base)], &[]);
    assert_eq!(permitted.check(&[dns("a")], &lab), Ok(()));
    assert_eq!(permitted.check(&[dns("a")], &Name::empty()), Ok(()));
    let refused = permitted.check(&[dns("a")], &other).unwrap_err();
    assert!(refused.to_string().contains("O=Other"), "{refused}");
}

#[test]
fn a_common_name_counts_where_no_dns_name_is_there() {
    let lab = constraints(&[(0x82, b"lab")], &[]);
    let subject = Name::common_name("a.example").unwrap();
    let ip = AltName::Ip("10.0.0.1".parse().unwrap());
    assert!(lab.check(std::slice::from_ref(&ip), &subject).is_err());
    assert_eq!(lab.check(&[dns("a.lab")], &subject), Ok(()));
    let person = Name::common_name("Alice").unwrap();
    assert_eq!(lab.check(&[ip], &person), Ok(()));
}

#[test]
fn what_is_not_understood_is_refused() {
    let other = AltName::Other {
        oid: "1.2.3".to_owned(),
        der: vec![0xa0, 2, 5, 0],
    };
    assert!(!passes(&constraints(&[(0xa0, &[5, 0])], &[]), &other));
    assert!(!passes(&constraints(&[], &[(0xa0, &[5, 0])]), &other));
    for bad in [
        &b""[..],
        &asn1::sequence(&[&asn1::wrap(0xa0, &[])]),
        &encoded(&[(0x87, &[10, 0, 0])], &[]),
    ] {
        assert!(NameConstraints::parse(bad).is_err(), "{bad:?}");
    }
    let limited = asn1::sequence(&[&asn1::wrap(0x82, &[b"lab"]), &asn1::wrap(0x80, &[&[1]])]);
    let limited = asn1::sequence(&[&asn1::wrap(0xa0, &[&limited])]);
    assert!(NameConstraints::parse(&limited).is_err());
}

#[test]
fn a_refusal_names_what_is_permitted() {
    let lab = constraints(&[(0x82, b"lab"), (0x82, b"home")], &[(0x82, b"x.lab")]);
    let words = |name: &str| {
        lab.check(&[dns(name)], &Name::empty())
            .unwrap_err()
            .to_string()
    };
    let outside =
        "a.example is not within \"lab\", \"home\", the only names of its kind that are permitted";
    assert_eq!(words("a.example"), outside);
    assert_eq!(
        words("x.lab"),
        "x.lab falls under \"x.lab\", which is excluded"
    );
}
