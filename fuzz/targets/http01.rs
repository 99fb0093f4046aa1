//! Answers of web servers to http-01. The first line of the input is a status, the second a `Location`,
//! the rest the body. Only the key authorization proves the name, only permitted redirects are
//! followed, and the body is never shown.

use acme::Identifier;
use acme::challenge::{
    CaaIdentity, Context, HttpObservation, Method, Observation, Ports, Probe, RedirectPorts, Trace,
    Verdict, judge,
};
use jiff::Timestamp;
use uuid::Uuid;

const KEY_AUTHORIZATION: &str =
    "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";
/// Text in pages of the corpus that must not be shown.
const SECRET: &str = "hunter2";

/// Judges the octets as an answer.
pub fn check(octets: &[u8]) -> bool {
    let identifier = Identifier::parse("dns", "foo.lab").expect("a name");
    let mut lines = octets.splitn(3, |octet| *octet == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let status = std::str::from_utf8(line())
        .ok()
        .and_then(|text| text.parse().ok());
    let location = std::str::from_utf8(line())
        .ok()
        .filter(|text| !text.is_empty());
    let body = line();
    let observation = Observation::Http(HttpObservation {
        status: status.unwrap_or(200),
        location: location.map(str::to_owned),
        encoding: None,
        media_type: Some("text/plain".to_owned()),
        body: body.to_vec(),
        length: body.len() as u64,
        truncated: false,
        trace: Trace::default(),
    });
    let context = Context {
        identifier: &identifier,
        token: &KEY_AUTHORIZATION[..43],
        payload: b"{}",
        key_authorization: KEY_AUTHORIZATION,
        account: Uuid::nil(),
        caa_identity: &CaaIdentity::default(),
        ports: Ports {
            http: 5002,
            tls: 5001,
        },
        now: Timestamp::UNIX_EPOCH,
        redirect_ports: RedirectPorts::NONE,
        attestation: acme::challenge::AttestationRules::NONE,
        redirects: &[],
    };
    match judge(Method::Http01, &context, &observation) {
        Verdict::Valid(proof) => {
            assert_eq!(body.trim_ascii_end(), KEY_AUTHORIZATION.as_bytes());
            assert_eq!(
                (status.unwrap_or(200), proof.identifier()),
                (200, &identifier)
            );
            true
        }
        Verdict::Ask(probe) => {
            allowed(&probe);
            true
        }
        Verdict::Retry(finding) | Verdict::Invalid(finding) => {
            let in_location = location.is_some_and(|location| location.contains(SECRET));
            assert!(
                in_location || !finding.problem.detail.contains(SECRET),
                "a page is shown"
            );
            assert!(finding.problem.detail.len() < 4_000 + 4 * location.map_or(0, str::len));
            false
        }
    }
}

/// Checks that a redirect is permitted and its URL fits in a request line.
fn allowed(probe: &Probe) {
    let Probe::Http(probe) = probe else {
        panic!("http-01 asks for {probe:?}");
    };
    assert!([80, 443, 5001, 5002].contains(&probe.port), "{probe:?}");
    assert!(probe.path_and_query.starts_with('/'));
    assert!(
        probe.path_and_query.bytes().all(|b| b.is_ascii_graphic()),
        "{probe:?}"
    );
    assert!(
        !probe.authority().contains(['@', '/', '?', '#', '\\', ' ']),
        "{probe:?}"
    );
    let path = probe.path_and_query.split('?').next().unwrap_or_default();
    assert!(!path.split('/').any(|segment| segment == ".."), "{probe:?}");
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn any_answer_is_judged_and_only_the_key_authorization_proves() {
        run::nearly_valid("http01");
    }
}
