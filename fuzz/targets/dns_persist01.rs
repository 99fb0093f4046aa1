//! DNS answers to dns-persist-01, one TXT record per line. A record proves a name only if it names this
//! authority and the account and has not expired, and a wildcard only with the policy.

use acme::Identifier;
use acme::challenge::{
    CaaIdentity, Context, Method, Observation, Ports, RedirectPorts, Trace, TxtObservation,
    Verdict, judge,
};
use acme::issue_value::IssueValue;
use jiff::Timestamp;
use uuid::Uuid;

const ACCOUNT: &str = "https://ca.lab/acme/acme/account/1";
const NOW: i64 = 1_800_000_000;

/// Judges the octets as records.
pub fn check(octets: &[u8]) -> bool {
    let text = String::from_utf8_lossy(octets);
    let values: Vec<String> = text.lines().map(str::to_owned).collect();
    let proves = |name: &str| {
        let identifier = Identifier::parse("dns", name).expect("a name");
        let caa_identity = CaaIdentity {
            account_url: ACCOUNT.to_owned(),
            issuers: vec!["ca.lab".to_owned()],
        };
        let context = Context {
            identifier: &identifier,
            token: "",
            payload: b"{}",
            key_authorization: "",
            account: Uuid::nil(),
            caa_identity: &caa_identity,
            ports: Ports::default(),
            redirect_ports: RedirectPorts::NONE,
            attestation: acme::challenge::AttestationRules::NONE,
            now: Timestamp::from_second(NOW).expect("a time"),
            redirects: &[],
        };
        let observation = Observation::Txt(TxtObservation {
            values: values.clone(),
            alias: None,
            trace: Trace::default(),
        });
        match judge(Method::DnsPersist01, &context, &observation) {
            Verdict::Valid(_) => true,
            Verdict::Retry(finding) | Verdict::Invalid(finding) => {
                assert!(
                    finding.problem.detail.len() < 8_000,
                    "a record is shown in full"
                );
                false
            }
            Verdict::Ask(probe) => panic!("another probe is not needed: {probe:?}"),
        }
    };
    let (plain, wildcard) = (proves("foo.lab"), proves("*.foo.lab"));
    assert_eq!(plain, values.iter().any(|value| is_good(value, false)));
    assert_eq!(wildcard, values.iter().any(|value| is_good(value, true)));
    plain
}

/// The rules again, in their simplest form.
fn is_good(text: &str, wildcard: bool) -> bool {
    let Ok(value) = IssueValue::parse(text) else {
        return false;
    };
    let is = |tag: &str, good: &dyn Fn(&str) -> bool| value.parameter(tag).map(good);
    let future = |until: &str| {
        let digits = until.trim_start_matches('0');
        !until.is_empty()
            && until.bytes().all(|b| b.is_ascii_digit())
            && (digits.len() > 10 || digits.parse::<i64>().unwrap_or(0) >= NOW)
    };
    value.issuer.as_deref() == Some("ca.lab")
        && value.repeated().is_none()
        && is("accounturi", &|account| account == ACCOUNT) == Some(true)
        && is("persistuntil", &future) != Some(false)
        && (!wildcard || is("policy", &|p| p.eq_ignore_ascii_case("wildcard")) == Some(true))
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn any_records_are_judged_and_only_valid_ones_prove() {
        run::nearly_valid("dns_persist01");
    }
}
