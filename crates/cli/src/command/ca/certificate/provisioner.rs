//! Which provisioner is used: the one of that name, the only one, or the user's choice.

use anyhow::{Result, anyhow, bail};
use pki::Foreign;
use serde_json::Value;

use crate::output;
use crate::prompt::Terminal;

/// Chooses one of the listed provisioners and prints which; returns the name of an ACME provisioner.
///
/// # Errors
/// When the name is not listed, the type is not supported yet, or there is no terminal to ask on.
pub(crate) fn choose(list: &[Value], wanted: Option<&str>) -> Result<String> {
    let wanted = wanted.filter(|name| !name.is_empty());
    let fitting: Vec<&Value> = list
        .iter()
        .filter(|one| wanted.is_none_or(|name| member(one, "name") == name))
        .collect();
    let chosen = match (fitting.as_slice(), wanted) {
        ([], Some(name)) => {
            let names: Vec<&str> = list.iter().map(|one| member(one, "name")).collect();
            bail!(
                "invalid value '{name}' for flag '--provisioner'; options are {}",
                Foreign(names.join(", "))
            )
        }
        ([], None) => {
            bail!("the authority has no provisioners: add one with 'step ca provisioner add'")
        }
        ([one], _) => one,
        (several, _) => {
            let labels: Vec<String> = several.iter().map(|one| label(one)).collect();
            let terminal = Terminal::open().map_err(|error| {
                anyhow!(
                    "{error}\nthere are several provisioners: name one with '--provisioner' ({})",
                    Foreign(labels.join(", "))
                )
            })?;
            let at = terminal.choose("What provisioner key do you want to use?", &labels)?;
            several[at]
        }
    };
    output::selected("Provisioner", label(chosen));
    match member(chosen, "type") {
        "ACME" => Ok(member(chosen, "name").to_owned()),
        "JWK" => bail!(
            "the provisioner '{}' is of type JWK, whose tokens come with a later version of step: \
             choose an ACME provisioner with '--provisioner'",
            Foreign(member(chosen, "name"))
        ),
        other => bail!(
            "provisioners of type {} cannot be used yet: choose an ACME provisioner with \
             '--provisioner'",
            Foreign(other)
        ),
    }
}

/// `acme (ACME)`, `admin (JWK) [kid: …]`.
fn label(provisioner: &Value) -> String {
    let name = member(provisioner, "name");
    let kind = member(provisioner, "type");
    match provisioner["key"]["kid"].as_str() {
        Some(kid) if kind == "JWK" => format!("{name} ({kind}) [kid: {kid}]"),
        _ => format!("{name} ({kind})"),
    }
}

fn member<'a>(provisioner: &'a Value, name: &str) -> &'a str {
    provisioner.get(name).and_then(Value::as_str).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_named_provisioner_or_the_only_one_is_chosen() {
        let list = [
            json!({"type": "JWK", "name": "admin", "key": {"kid": "k1"}}),
            json!({"type": "ACME", "name": "acme"}),
        ];
        assert_eq!(choose(&list, Some("acme")).unwrap(), "acme");
        assert_eq!(choose(&list[1..], None).unwrap(), "acme");
        assert_eq!(
            choose(&list, Some("zzz")).unwrap_err().to_string(),
            "invalid value 'zzz' for flag '--provisioner'; options are admin, acme"
        );
        let later = choose(&list, Some("admin")).unwrap_err().to_string();
        assert!(
            later.contains("tokens come with a later version"),
            "{later}"
        );
        assert_eq!(label(&list[0]), "admin (JWK) [kid: k1]");
    }
}
