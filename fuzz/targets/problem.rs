//! Problem documents of other servers: each is parsed, displayed and written, or refused.

use acme::Problem;

/// Parses the octets as a problem document.
pub fn check(octets: &[u8]) -> bool {
    let Ok(problem) = serde_json::from_slice::<Problem>(octets) else {
        return false;
    };
    drop(problem.to_string());
    let text = serde_json::to_string(&problem).expect("a parsed document is written");
    assert_eq!(serde_json::from_str::<Problem>(&text).ok(), Some(problem));
    true
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn any_document_is_refused_or_round_trips() {
        run::nearly_valid("problem");
    }
}
