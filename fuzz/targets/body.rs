//! The JSON of every ACME message: what is parsed is written and parsed again.

use std::fmt::Debug;

use acme::message::order::Finalize;
use acme::message::{account, authorization, challenge, directory, order, revocation};
use serde::{Serialize, de::DeserializeOwned};

/// Parses the octets as each of the messages.
pub fn check(octets: &[u8]) -> bool {
    if let Ok(finalize) = serde_json::from_slice::<Finalize>(octets)
        && let Ok(der) = finalize.der()
    {
        assert_eq!(Finalize::new(&der).der(), Ok(der));
        drop(finalize.csr());
    }
    [
        survives::<account::NewAccount>(octets),
        survives::<account::Update>(octets),
        survives::<account::Account>(octets),
        survives::<account::Orders>(octets),
        survives::<authorization::Authorization>(octets),
        survives::<authorization::Update>(octets),
        survives::<challenge::Challenge>(octets),
        survives::<directory::Directory>(octets),
        survives::<order::NewOrder>(octets),
        survives::<order::Order>(octets),
        survives::<Finalize>(octets),
        survives::<revocation::Revocation>(octets),
    ]
    .contains(&true)
}

/// Whether the octets are such a message; writing and parsing it gives the same message.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(octets: &[u8]) -> bool {
    let Ok(message) = serde_json::from_slice::<T>(octets) else {
        return false;
    };
    let text = serde_json::to_string(&message).expect("a parsed message is written");
    // A second round, as times lose their fractions and floats their unusual forms.
    let once: T = serde_json::from_str(&text).expect("a written message is parsed");
    let text = serde_json::to_string(&once).expect("a parsed message is written");
    let twice: T = serde_json::from_str(&text).expect("a written message is parsed");
    assert_eq!(once, twice);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;

    #[test]
    fn any_body_is_refused_or_round_trips() {
        run::nearly_valid("body");
    }

    /// An unknown member is skipped without recursion; a known one is refused.
    #[test]
    fn members_twenty_thousand_levels_deep_are_refused_or_skipped() {
        let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
        for (member, read) in [
            ("contact", false),
            ("externalAccountBinding", false),
            ("x", true),
        ] {
            let body = format!(r#"{{"{member}":{deep}}}"#);
            check(body.as_bytes());
            assert_eq!(survives::<account::NewAccount>(body.as_bytes()), read);
        }
    }
}
