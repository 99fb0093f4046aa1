//! Policies: what passes, what does not, in which words.

use acme::problem::{Kind as ProblemKind, Problem};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn policy(value: Value) -> Policy {
    serde_json::from_value(value).unwrap()
}

fn name(text: &str) -> AltName {
    read_as(text)
}

fn passes(policy: &Policy, text: &str) -> bool {
    policy.judge(&name(text)).is_ok()
}

fn passing<'a>(value: Value, names: &[&'a str]) -> Vec<&'a str> {
    let policy = policy(value);
    let names = names.iter().copied();
    names.filter(|name| passes(&policy, name)).collect()
}

#[test]
fn a_policy_without_rules_lets_everything_pass() {
    let empty = policy(json!({}));
    assert!(empty.is_empty());
    for text in ["a.lab", "*.lab", "10.0.0.1", "me@lab", "https://lab/"] {
        assert!(passes(&empty, text), "{text}");
    }
    assert_eq!(empty.judge_common_name("anything at all"), Ok(()));
}

#[test]
fn an_asterisk_stands_for_exactly_one_label() {
    let names = ["local", "a.local", "a.b.local", "alocal", "A.LOCAL"];
    let allowed = passing(json!({"allow": {"dns": ["*.local"]}}), &names);
    assert_eq!(allowed, ["a.local", "A.LOCAL"]);
    let denied = passing(json!({"deny": {"dns": ["*.local"]}}), &names);
    assert_eq!(denied, ["local", "a.b.local", "alocal"]);
}

#[test]
fn what_is_denied_is_denied_whatever_is_allowed() {
    let lists = json!({
        "allow": {"dns": ["*.lab", "db.lab"], "ip": ["10.0.0.0/8"], "cn": ["db.lab"]},
        "deny": {"dns": ["db.lab"], "ip": ["10.1.0.0/16"]},
    });
    let names = ["a.lab", "db.lab", "10.0.0.1", "10.1.2.3"];
    assert_eq!(passing(lists.clone(), &names), ["a.lab", "10.0.0.1"]);
    assert!(policy(lists).judge_common_name("db.lab").is_err());
}

#[test]
fn kinds_without_a_list_are_refused_once_another_kind_has_an_allow_list() {
    let names = ["a.lab", "10.0.0.1", "me@lab", "https://lab/"];
    let only_dns = json!({"allow": {"dns": ["a.lab"]}});
    assert_eq!(passing(only_dns, &names), ["a.lab"]);
    let with_denied = json!({"allow": {"dns": ["a.lab"]}, "deny": {"ip": ["192.0.2.0/24"]}});
    assert_eq!(passing(with_denied, &names), ["a.lab", "10.0.0.1"]);
    let only_denied = json!({"deny": {"dns": ["a.lab"]}});
    assert_eq!(passing(only_denied, &names)[0], "10.0.0.1");
}

#[test]
fn wildcard_names_need_allowing() {
    let names = ["a.lab", "*.lab", "*.a.lab"];
    let lists = json!({"allow": {"dns": ["*.lab"]}});
    assert_eq!(passing(lists, &names), ["a.lab"]);
    let lists = json!({"allow": {"dns": ["*.lab"]}, "allowWildcardNames": true});
    assert_eq!(passing(lists, &names), ["a.lab", "*.lab"]);
    let lists = json!({"deny": {"dns": ["other"]}});
    assert_eq!(passing(lists, &names), names);
    let lists = json!({"allowWildcardNames": false});
    assert_eq!(passing(lists, &names), ["a.lab"]);
}

#[test]
fn a_wildcard_that_would_cover_a_denied_name_is_denied() {
    let lists = json!({
        "allow": {"dns": ["*.lab", "*.b.lab"]}, "deny": {"dns": ["db.lab", "*.b.lab"]},
        "allowWildcardNames": true,
    });
    assert_eq!(passing(lists, &["*.lab", "*.b.lab", "a.lab"]), ["a.lab"]);
}

#[test]
fn names_are_compared_in_their_one_form() {
    let lists = json!({"allow": {
        "dns": ["Bücher.LAB"],
        "ip": ["::ffff:10.0.0.0/104", "fd00::/8", "192.0.2.7/24", "2001:db8::1"],
    }});
    let names = [
        "xn--bcher-kva.lab",
        "XN--BCHER-KVA.lab",
        "10.255.0.1",
        "::ffff:10.0.0.1",
        "fd12::1",
        "192.0.2.200",
        "2001:db8::1",
    ];
    assert_eq!(passing(lists.clone(), &names), names);
    let others = ["bucher.lab", "11.0.0.1", "fe80::1", "2001:db8::2", "::1"];
    assert_eq!(passing(lists, &others), Vec::<&str>::new());
}

#[test]
fn mailboxes_and_uris_are_compared_by_domain() {
    let lists = json!({"allow": {"email": ["Me@lab", "@mail.lab"], "uri": ["*.lab"]}});
    let names = [
        "Me@LAB",
        "you@lab",
        "you@mail.lab",
        "https://a.lab:8443/x?y",
        "https://you@a.lab/",
        "https://a.lab@b.c.lab/",
        "https://10.0.0.1/",
        "urn://[::1]/",
    ];
    let passed = passing(lists, &names);
    let expected = [
        "Me@LAB",
        "you@mail.lab",
        "https://a.lab:8443/x?y",
        "https://you@a.lab/",
    ];
    assert_eq!(passed, expected);
}

#[test]
fn the_common_name_is_judged_by_its_list_or_as_what_it_reads_as() {
    let own =
        policy(json!({"allow": {"cn": ["Printer 7"], "dns": ["*.lab"]}, "deny": {"cn": ["root"]}}));
    for (text, passes) in [
        ("printer 7", true),
        ("a.lab", true),
        ("a.b.lab", false),
        ("ROOT", false),
        ("Printer 8", false),
        ("", true),
    ] {
        assert_eq!(own.judge_common_name(text).is_ok(), passes, "{text}");
    }
}

#[test]
fn its_json_is_stable_and_what_is_not_known_in_it_is_refused() {
    let text = r#"{"allow":{"dns":["*.Lab"],"ip":["10.0.0.1/8"]},"deny":{"cn":["x"]},"allowWildcardNames":true}"#;
    let policy: Policy = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&policy).unwrap(), text);
    assert_eq!(serde_json::to_string(&Policy::default()).unwrap(), "{}");
    let unknown = serde_json::from_str::<Policy>(r#"{"deny":{"srv":["x"]}}"#);
    assert!(unknown.is_err());
}

#[test]
fn all_bad_rules_are_reported_together() {
    let lists = Lists {
        allow: Names {
            dns: vec![
                "ok.lab".into(),
                "a*.lab".into(),
                "10.0.0.1".into(),
                "a.".into(),
            ],
            ip: vec!["lab".into()],
            ..Names::default()
        },
        ..Lists::default()
    };
    let bad = Policy::new(&lists).unwrap_err();
    assert_eq!(bad.0.len(), 4);
    let words = bad.to_string();
    for part in [
        "allow.dns[1]: \"a*.lab\"",
        "into the list for ip",
        "allow.ip[0]",
    ] {
        assert!(words.contains(part), "{words}");
    }
}

fn refused(levels: &Levels<'_>, names: &[&str]) -> Option<Problem> {
    let names: Vec<_> = names.iter().map(|text| name(text)).collect();
    let refused = levels.check(&names, None).err()?;
    Some(Problem::from(&refused))
}

fn levels<'a>(key: Value, provisioner: Value, authority: Value) -> Levels<'a> {
    use std::borrow::Cow;
    Levels::default()
        .then(Level::Key("k1".into()), Cow::Owned(policy(key)))
        .then(
            Level::Provisioner("acme".into()),
            Cow::Owned(policy(provisioner)),
        )
        .then(Level::Authority, Cow::Owned(policy(authority)))
}

#[test]
fn the_first_level_that_refuses_is_named_with_its_rule() {
    let deny = |pattern: &str| json!({"deny": {"dns": [pattern]}});
    let levels = levels(deny("a.lab"), deny("*.lab"), deny("*.corp"));
    for (name, rule) in [
        ("a.lab", "deny.dns of external account key k1 \"a.lab\""),
        ("b.lab", "provisioner.acme.policy.deny_dns \"*.lab\""),
        ("b.corp", "authority.policy.x509.deny.dns \"*.corp\""),
    ] {
        let problem = refused(&levels, &[name]).unwrap();
        assert_eq!(problem.kind, ProblemKind::RejectedIdentifier);
        assert!(problem.detail.contains(rule), "{problem}");
        assert_eq!(problem.subproblems, []);
    }
    assert_eq!(refused(&levels, &["b.example"]), None);
}

#[test]
fn each_refused_name_among_several_has_its_subproblem() {
    let levels = levels(json!({}), json!({}), json!({"allow": {"dns": ["*.lab"]}}));
    let problem = refused(&levels, &["a.lab", "a.corp", "10.0.0.1"]).unwrap();
    assert!(
        problem
            .detail
            .starts_with("2 of 3 names are refused: a.corp fits no rule of")
    );
    let at_fault: Vec<_> = (problem.subproblems.iter())
        .map(|s| s.identifier.as_ref().unwrap())
        .map(|i| (i.kind.as_str(), i.value.as_str()))
        .collect();
    assert_eq!(at_fault, [("dns", "a.corp"), ("ip", "10.0.0.1")]);
}

fn label() -> impl Strategy<Value = String> {
    "[ab]{1,2}"
}

fn domain() -> impl Strategy<Value = String> {
    proptest::collection::vec(label(), 1..4).prop_map(|labels| labels.join("."))
}

fn rule() -> impl Strategy<Value = String> {
    (any::<bool>(), domain())
        .prop_map(|(below, name)| if below { format!("*.{name}") } else { name })
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(rule(), 0..4)
}

fn lists() -> impl Strategy<Value = Lists> {
    (rules(), rules(), rules(), any::<Option<bool>>()).prop_map(|(allow, deny, cn, wildcards)| {
        let names = |dns, cn| Names {
            dns,
            cn,
            ..Names::default()
        };
        Lists {
            allow: names(allow, cn),
            deny: names(deny, Vec::new()),
            allow_wildcards: wildcards,
        }
    })
}

proptest! {
    #[test]
    fn a_denied_name_is_never_admitted(lists in lists(), name in rule()) {
        let policy = Policy::new(&lists).unwrap();
        let denied = lists.deny.dns.iter().any(|rule| meant(rule, &name));
        if denied {
            prop_assert!(policy.judge(&AltName::Dns(name.clone())).is_err());
            prop_assert!(policy.judge_common_name(&name).is_err());
        }
    }

    #[test]
    fn a_name_that_is_admitted_is_on_the_list_where_there_is_one(lists in lists(), name in rule()) {
        let policy = Policy::new(&lists).unwrap();
        if policy.judge(&AltName::Dns(name.clone())).is_ok() && !lists.allow.dns.is_empty() {
            prop_assert!(lists.allow.dns.iter().any(|rule| meant(rule, &name)));
        }
    }

    #[test]
    fn levels_only_ever_take_away(a in lists(), b in lists(), name in domain()) {
        use std::borrow::Cow;
        let (a, b) = (Policy::new(&a).unwrap(), Policy::new(&b).unwrap());
        let both = Levels::default()
            .then(Level::Provisioner("p".into()), Cow::Borrowed(&a))
            .then(Level::Authority, Cow::Borrowed(&b));
        let name = AltName::Dns(name);
        let each = a.judge(&name).is_ok() && b.judge(&name).is_ok();
        prop_assert_eq!(both.check(&[name], None).is_ok(), each);
    }

    #[test]
    fn a_denied_address_is_never_admitted(
        allow in any::<([u8; 4], u8)>(), deny in any::<([u8; 4], u8)>(), address in any::<[u8; 4]>()
    ) {
        let network = |(octets, prefix): ([u8; 4], u8)| {
            format!("{}/{}", std::net::Ipv4Addr::from(octets), prefix % 33)
        };
        let policy = policy(json!({
            "allow": {"ip": [network(allow)]}, "deny": {"ip": [network(deny)]}
        }));
        let prefix = u32::from(deny.1 % 33);
        let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        let number = u32::from_be_bytes;
        if number(deny.0) & mask == number(address) & mask {
            prop_assert!(policy.judge(&AltName::Ip(address.into())).is_err());
        }
    }
}

/// Whether a rule is about a name, thought of another way: label by label.
fn meant(rule: &str, name: &str) -> bool {
    let (rule, name): (Vec<_>, Vec<_>) = (rule.split('.').collect(), name.split('.').collect());
    let fits = |(rule, name): (&&str, &&str)| rule == name || *rule == "*";
    rule.len() == name.len() && rule.iter().zip(&name).all(fits)
}

#[test]
fn a_device_is_named_by_the_lists_for_common_names_and_for_dns_names() {
    let device = |text: &str| {
        let device = acme::Identifier::parse("permanent-identifier", text).unwrap();
        device.to_alt_name()
    };
    let stolen = policy(json!({"deny": {"dns": ["c02stolen0001"]}}));
    assert!(stolen.judge(&device("C02STOLEN0001")).is_err());
    assert!(stolen.judge(&device("C02OTHER0001")).is_ok());
    for kind in ["dns", "cn"] {
        let own = policy(json!({"allow": {kind: ["c02own0001"]}}));
        assert!(own.judge(&device("C02OWN0001")).is_ok(), "{kind}");
        assert!(own.judge(&device("C02OTHER0001")).is_err(), "{kind}");
    }
    let addresses = policy(json!({"allow": {"ip": ["10.0.0.0/8"]}}));
    assert!(addresses.judge(&device("C02OWN0001")).is_err());
}
