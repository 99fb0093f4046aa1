//! Problem documents of other servers: whatever they say is read, shown and written again.

use acme::Problem;

/// The octets as a problem document.
pub fn check(octets: &[u8]) -> bool {
    let Ok(problem) = serde_json::from_slice::<Problem>(octets) else {
        return false;
    };
    drop(problem.to_string());
    let text = serde_json::to_string(&problem).expect("what was read is written");
    assert_eq!(serde_json::from_str::<Problem>(&text).ok(), Some(problem));
    true
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn no_document_breaks_the_reader_and_what_is_read_is_written_back() {
        run::nearly_right("problem");
    }
}
