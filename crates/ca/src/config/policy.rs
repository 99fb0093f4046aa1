//! Name policies as the two files write them: `authority.policy` of ca.json, and
//! `[provisioner.<name>.policy]` of riser.toml.

use super::section::{Section, Unknown, is_blank};
use crate::policy::{Effect, Kind, List, Lists, Names, Policy};

/// Reads `authority.policy`. What is not known there is a fault, as it may be meant to deny.
pub(super) fn read(mut section: Section<'_>) -> Policy {
    if section.value("ssh").is_some_and(|value| !is_blank(value)) {
        section.warn("ssh", "has no effect: there are no SSH certificates here");
    }
    let policy = section.section("x509").map(x509).unwrap_or_default();
    section.finish(Unknown::Fault);
    policy
}

fn x509(mut section: Section<'_>) -> Policy {
    let lists = Lists {
        allow: section.section("allow").map(names).unwrap_or_default(),
        deny: section.section("deny").map(names).unwrap_or_default(),
        // The file's own program leaves `false` out and reads it as nothing.
        allow_wildcards: section
            .bool("allowWildcardNames")
            .filter(|allowed| *allowed),
    };
    let policy = check(&section, &lists, |list| list.to_string());
    section.finish(Unknown::Fault);
    policy
}

fn names(mut section: Section<'_>) -> Names {
    let names = Names {
        cn: section.strings("cn"),
        dns: section.strings("dns"),
        ip: section.strings("ip"),
        email: section.strings("email"),
        uri: section.strings("uri"),
    };
    section.finish(Unknown::Fault);
    names
}

/// Reads `[provisioner.<name>.policy]`: `allow_dns`, `deny_dns` and so on.
pub(super) fn read_flat(mut section: Section<'_>) -> Policy {
    let lists = Lists {
        allow: flat_names(&mut section, Effect::Allow),
        deny: flat_names(&mut section, Effect::Deny),
        allow_wildcards: section.bool("allow_wildcards"),
    };
    let policy = check(&section, &lists, flat);
    section.finish(Unknown::Fault);
    policy
}

fn flat_names(section: &mut Section<'_>, effect: Effect) -> Names {
    let mut list = |kind| section.strings(&flat(List { effect, kind }));
    Names {
        cn: list(Kind::Cn),
        dns: list(Kind::Dns),
        ip: list(Kind::Ip),
        email: list(Kind::Email),
        uri: list(Kind::Uri),
    }
}

fn flat(list: List) -> String {
    format!("{}_{}", list.effect.as_str(), list.kind.as_str())
}

fn check(section: &Section<'_>, lists: &Lists, key: impl Fn(List) -> String) -> Policy {
    Policy::new(lists).unwrap_or_else(|bad| {
        for bad in bad.0 {
            let what = format!(
                "{:?} is not a rule for {}: {}",
                bad.pattern, bad.list.kind, bad.reason
            );
            section.fault(&format!("{}[{}]", key(bad.list), bad.position), what);
        }
        Policy::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::section::Log;

    fn faults(value: &Value, read: impl Fn(Section<'_>) -> Policy) -> Vec<String> {
        let log = Log::new("file");
        read(Section::new(value.as_object().unwrap(), "policy", &log));
        let (faults, _) = log.into_parts();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_bad_rule_is_reported_with_its_place() {
        let nested = json!({"x509": {
            "allow": {"dns": ["a.lab", "a.*.lab", ""], "ip": ["10.0.0.0/33"]},
            "deny": {"email": ["*@lab"], "dsn": ["secret.lab"]},
        }});
        let found = faults(&nested, read);
        assert_eq!(found.len(), 5, "{found:?}");
        assert_eq!(
            found[1],
            "file: policy.x509.allow.dns[1]: \"a.*.lab\" is not a rule for DNS names: an asterisk \
             may only be the whole first label: *.example.com"
        );
        assert_eq!(
            found[0],
            "file: policy.x509.deny.dsn: is not a known key; known keys: cn, dns, ip, email, uri"
        );
        let flat = json!({"allow_dns": [".lab"], "deny_ip": ["x"], "allow_wildcard": true});
        let found = faults(&flat, read_flat);
        assert_eq!(
            found[0],
            "file: policy.allow_dns[0]: \".lab\" is not a rule for DNS names: names below it are \
             written *.lab"
        );
        assert!(found[1].starts_with("file: policy.deny_ip[0]"), "{found:?}");
        assert!(
            found[2].starts_with(
                "file: policy.allow_wildcard: is not a known key; known keys: allow_cn, "
            ),
            "{found:?}"
        );
    }

    #[test]
    fn the_ssh_part_is_ignored_with_a_warning() {
        let value = json!({"ssh": {"host": {"allow": {"dns": ["a"]}}}, "x509": {}});
        let log = Log::new("ca.json");
        let policy = read(Section::new(value.as_object().unwrap(), "policy", &log));
        let (faults, warnings) = log.into_parts();
        assert_eq!((policy, faults), (Policy::default(), Vec::new()));
        assert_eq!(warnings[0].place, "policy.ssh");
    }

    #[test]
    fn both_files_can_say_the_same() {
        let log = Log::new("file");
        let nested = json!({"x509": {
            "allow": {"dns": ["*.lab"], "ip": ["10.0.0.0/8"]},
            "deny": {"cn": ["root"], "uri": ["lab"], "email": ["@lab"]},
            "allowWildcardNames": true,
        }});
        let flat = json!({
            "allow_dns": ["*.lab"], "allow_ip": ["10.0.0.0/8"],
            "deny_cn": ["root"], "deny_uri": ["lab"], "deny_email": ["@lab"],
            "allow_wildcards": true,
        });
        let nested = read(Section::new(nested.as_object().unwrap(), "", &log));
        let flat = read_flat(Section::new(flat.as_object().unwrap(), "", &log));
        assert_eq!(log.into_parts(), (Vec::new(), Vec::new()));
        assert!(!nested.is_empty());
        assert_eq!(nested, flat);
    }
}
