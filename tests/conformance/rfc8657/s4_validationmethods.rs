//! RFC 8657 §4: validationmethods.

use acceptance::dns::CaaRecord;

use crate::conformance::rfc8659::{issued, with_records};
use crate::conformance::subject::refused;

/// A name that was proven by http-01 is issued for only where that is among the methods.
#[test]
fn the_method_of_the_proof_has_to_be_named() {
    for (n, methods) in ["http-01", "dns-01,http-01"].into_iter().enumerate() {
        let value = format!("ca.example; validationmethods={methods}");
        let name = format!("yes{n}.method-caa.test");
        issued(&with_records(&name, &[CaaRecord::new("issue", &value)]));
    }
    for (n, methods) in [
        "dns-01",
        "",
        "tls-alpn-01,dns-01",
        "http-01; validationmethods=http-01",
    ]
    .into_iter()
    .enumerate()
    {
        let value = format!("ca.example; validationmethods={methods}");
        let name = format!("no{n}.method-caa.test");
        refused(
            &with_records(&name, &[CaaRecord::new("issue", &value)]),
            403,
            "caa",
        );
    }
}
