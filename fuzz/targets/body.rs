//! The JSON of every message of ACME: what is read is read again from what is written of it.

use std::fmt::Debug;

use acme::message::order::Finalize;
use acme::message::{account, authorization, challenge, directory, order, revocation};
use serde::{Serialize, de::DeserializeOwned};

/// The octets as each of the messages.
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

/// Whether the octets are such a message; what is written of it is the same message.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(octets: &[u8]) -> bool {
    let Ok(message) = serde_json::from_slice::<T>(octets) else {
        return false;
    };
    let text = serde_json::to_string(&message).expect("what was read is written");
    // Written once more: times lose what is below a second, and floats their odd forms.
    let once: T = serde_json::from_str(&text).expect("what was written is read");
    let text = serde_json::to_string(&once).expect("and written");
    let twice: T = serde_json::from_str(&text).expect("and read");
    assert_eq!(once, twice);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;

    #[test]
    fn no_body_breaks_the_messages_and_what_is_read_is_written_back() {
        run::nearly_right("body");
    }

    /// A member that nobody knows is passed over without going down; one that is kept is refused.
    #[test]
    fn messages_twenty_thousand_levels_deep_are_refused_or_passed_over() {
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
