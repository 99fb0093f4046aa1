//! Every format, from made-up roots: one good statement each, and what makes it a bad one.

mod fixture;

use minicbor::Encoder;
use pki::extension::{extended_key_usage, subject_alt_names};
use pki::{Name, SignatureAlgorithm, oid};

use super::*;
use fixture::*;

#[test]
fn a_good_statement_of_each_format_proves_the_device_and_the_key() {
    for (format, identifier, object) in good() {
        let case = Case {
            identifier,
            ..Case::default()
        };
        let proof = case
            .object(&object)
            .unwrap_or_else(|finding| panic!("{format}: {finding:?}"));
        assert_eq!(proof.evidence()["format"], format);
        assert!(proof.attested_key().is_some(), "{format}");
        assert_eq!(proof.identifier().to_string(), identifier);
    }
    let tpm = Case::default()
        .object(&TpmStatement::by(rsa).object())
        .unwrap();
    assert_eq!(
        tpm.attested_key(),
        Some(p256().public()),
        "not the attestation key"
    );
}

#[test]
fn a_statement_for_another_device_names_both_in_one_subproblem() {
    for (format, _, object) in good() {
        for identifier in ["other", "M1/1.2.3"] {
            let case = Case {
                identifier,
                ..Case::default()
            };
            assert_eq!(
                case.refusal(&object),
                "permanent identifier does not match",
                "{format}"
            );
            let problem = case.object(&object).unwrap_err().problem;
            let [subproblem] = &*problem.subproblems else {
                panic!("{problem:?}")
            };
            assert_eq!(subproblem.kind, Kind::RejectedIdentifier);
            assert!(
                subproblem.detail.contains("doesn't match"),
                "{}",
                subproblem.detail
            );
        }
    }
}

#[test]
fn a_statement_for_another_challenge_or_account_is_refused() {
    for (format, identifier, object) in good() {
        let other_token = Case {
            identifier,
            token: "AAAAAAAAAAAAAAAAAAAAAA",
            ..Case::default()
        };
        other_token.refusal(&object);
        let other_account = Case {
            identifier,
            thumbprint: "AAAA",
            ..Case::default()
        };
        // Apple's statement is made before the account is known.
        let outcome = other_account.object(&object);
        assert_eq!(outcome.is_ok(), format == "apple", "{format}");
    }
}

#[test]
fn a_chain_that_is_not_valid_now_or_leads_elsewhere_is_refused() {
    for (format, identifier, object) in good() {
        let mut case = Case {
            identifier,
            ..Case::default()
        };
        for (now, words) in [
            ("2027-06-01T00:00:00Z", "is after"),
            ("2026-10-01T00:00:00Z", "is before"),
        ] {
            case.now = now;
            let refusal = case.refusal(&object);
            assert!(
                refusal.starts_with("x5c is not valid: ") && refusal.contains(words),
                "{refusal}"
            );
        }
        case.now = NOW;
        for one in &mut case.rules.roots {
            one.roots = vec![root("Stranger")];
        }
        let refusal = case.refusal(&object);
        assert!(
            refusal.ends_with("signed by unknown authority"),
            "{refusal}"
        );
        // The root of every other format.
        for one in &mut case.rules.roots {
            if one.format.as_str() != format {
                one.roots = vec![root("Maker")];
            }
        }
        assert!(
            case.refusal(&object)
                .ends_with("signed by unknown authority")
        );
        case.rules.roots.retain(|one| one.format.as_str() != format);
        assert!(case.refusal(&object).contains("is not enabled"));
    }
}

#[test]
fn what_is_cut_off_or_has_more_at_its_end_is_refused() {
    for (_, identifier, object) in good() {
        let case = Case {
            identifier,
            ..Case::default()
        };
        for end in (0..object.len()).step_by(7) {
            case.refusal(&object[..end]);
        }
        let longer = [&object[..], &[0]].concat();
        assert!(case.refusal(&longer).contains("octets follow its end"));
    }
}

#[test]
fn objects_that_are_nested_repeated_or_of_another_shape_are_refused() {
    let case = Case::default();
    for shape in [
        &b"\x80"[..],
        b"\x60",
        b"\xa0",
        b"\xa1\x63fmt\x01",
        b"\xff",
        b"\xa1\x01\x02",
    ] {
        case.refusal(shape);
    }
    let deep = [&b"\xa2\x63fmt\x65apple\x61x"[..], &[0x81; 100_000]].concat();
    case.refusal(&deep);
    let huge = b"\xa2\x63fmt\x65apple\x67attStmt\xa1\x63x5c\x9b\xff\xff\xff\xff\xff\xff\xff\xff";
    case.refusal(huge);
    let twice = b"\xa2\x63fmt\x65apple\x63fmt\x65apple";
    assert!(case.refusal(twice).contains("is repeated"));
    let many = statement("apple", &[Member::Chain(vec![root("Maker"); 9])]);
    assert!(case.refusal(&many).contains("more than eight"));
    let unknown = statement("packed", &[Member::Chain(vec![root("Maker")])]);
    assert!(
        case.refusal(&unknown)
            .contains("unsupported attestation object format")
    );
    assert_eq!(case.refusal(&statement("apple", &[])), "x5c not present");
    assert_eq!(
        case.refusal(&statement("apple", &[Member::Chain(vec![])])),
        "x5c is empty"
    );
}

#[test]
fn answers_without_a_statement_are_refused_with_the_reason() {
    let case = Case::default();
    let refusal = |payload: &str| case.verdict(payload.as_bytes()).unwrap_err();
    for empty in [r#"{}"#, r#"{"attObj":""}"#, r#"{"attObj":"e30"}"#] {
        let finding = refusal(empty);
        assert_eq!(finding.problem.kind, Kind::BadAttestationStatement);
        assert!(
            finding.problem.detail.contains("attObj must not be empty"),
            "{empty}"
        );
    }
    for bad in [
        r#"{"attObj":"YQ=="}"#,
        r#"{"attObj":"+/"}"#,
        r#"{"attObj":7}"#,
        "[",
        "[1]",
    ] {
        assert_eq!(
            refusal(bad).problem.kind,
            Kind::BadAttestationStatement,
            "{bad}"
        );
    }
    let reported = refusal(r#"{"error":"no enclave"}"#);
    assert_eq!(reported.problem.kind, Kind::RejectedIdentifier);
    assert!(reported.problem.detail.contains("no enclave"));
}

#[test]
fn an_apple_statement_without_a_freshness_code_is_believed_only_where_the_provisioner_says_so() {
    let mut plan = apple_leaf();
    plan.extensions.pop();
    let mut case = Case {
        identifier: "C02PROBE0001",
        ..Case::default()
    };
    assert!(case.refusal(&apple(&plan)).contains("no freshness code"));
    case.rules.stale_apple = true;
    assert!(case.object(&apple(&plan)).is_ok());
}

#[test]
fn a_key_below_an_attested_key_is_not_attested() {
    // The attested key signs a certificate with a serial number of its owner's choice.
    let mut forged = step_leaf(p256);
    forged.issuer = "device";
    let mut attested = step_leaf(root_key);
    attested.extensions.clear();
    let message = key_authorization();
    let signature = p256()
        .sign(SignatureAlgorithm::EcdsaSha256, message.as_bytes())
        .unwrap();
    let mut inner = Encoder::new(Vec::new());
    inner.bytes(&signature).unwrap();
    let chain = Member::Chain(vec![forged.sign(), attested.sign()]);
    let statement = statement("step", &[Member::Octets("sig", inner.into_writer()), chain]);
    let refusal = Case::default().refusal(&statement);
    assert!(
        refusal.contains("cannot sign this kind of certificate"),
        "{refusal}"
    );
}

#[test]
fn a_step_signature_is_a_byte_string_within_the_byte_string() {
    let plan = step_leaf(p256);
    let signature = p256().sign(
        SignatureAlgorithm::EcdsaSha256,
        key_authorization().as_bytes(),
    );
    let bare = Member::Octets("sig", signature.unwrap());
    let unwrapped = statement("step", &[bare, Member::Chain(vec![plan.sign()])]);
    assert_eq!(Case::default().refusal(&unwrapped), "sig is malformed");
    let none = statement("step", &[Member::Chain(vec![plan.sign()])]);
    assert_eq!(Case::default().refusal(&none), "sig not present");
}

/// A change of a good statement of a TPM.
type Change = fn(&mut TpmStatement);

#[test]
fn a_tpm_statement_is_refused_for_each_fault_of_its_own() {
    let faults: [(Change, &str); 11] = [
        (|it| it.algorithm = -65_535, "alg -65535"),
        (|it| it.algorithm = -35, "alg -35"),
        (|it| it.attributes &= !2, "cannot leave it"),
        (|it| it.attributes &= !0x20, "cannot leave it"),
        (|it| it.attributes |= 0x1_0000, "signs freely"),
        (
            |it| it.extra_data = vec![0; 32],
            "key authorization invalid",
        ),
        (|it| it.signature_head = [0, 0x18, 0, 0x0b], "does not fit"),
        (|it| it.signature_head[3] = 4, "alg -7 is not"),
        (
            |it| drop(it.leaf.extensions.remove(0)),
            "no extended key usage",
        ),
        (
            |it| it.leaf.extensions[0] = extended_key_usage(&[]),
            "is not for an attestation key",
        ),
        (
            |it| drop(it.leaf.extensions.remove(1)),
            "does not name manufacturer",
        ),
    ];
    for (change, words) in faults {
        let mut statement = TpmStatement::by(rsa);
        change(&mut statement);
        let refusal = Case::default().refusal(&statement.object());
        assert!(refusal.contains(words), "{words}: {refusal}");
    }
    let mut named = TpmStatement::by(rsa);
    named.leaf.subject = Name::common_name("x").unwrap();
    assert!(
        Case::default()
            .refusal(&named.object())
            .contains("has a subject")
    );
    let mut rsa_for_ecdsa = TpmStatement::by(root_key);
    rsa_for_ecdsa.signature_head[1] = 0x14;
    assert!(
        Case::default()
            .refusal(&rsa_for_ecdsa.object())
            .contains("does not fit")
    );
    let mut members = TpmStatement::by(rsa).members();
    members.remove(0);
    let refusal = Case::default().refusal(&statement("tpm", &members));
    assert!(refusal.contains("version is not"), "{refusal}");
}

#[test]
fn a_tpm_whose_certificate_names_no_device_proves_none_unless_the_provisioner_says_so() {
    let mut statement = TpmStatement::by(rsa);
    statement.leaf.extensions[1] = subject_alt_names(&[tpm_directory_name()], true);
    let mut case = Case::default();
    assert_eq!(
        case.refusal(&statement.object()),
        "permanent identifier does not match"
    );
    case.rules.any_enrolled_tpm = true;
    assert!(case.object(&statement.object()).is_ok());
}

#[test]
fn an_android_key_in_software_or_described_for_another_challenge_is_refused() {
    let software = android(&android_leaf(0, &key_authorization()));
    assert!(
        Case::default()
            .refusal(&software)
            .contains("lives in software")
    );
    let other = android(&android_leaf(1, "another"));
    assert!(
        Case::default()
            .refusal(&other)
            .contains("another challenge")
    );
    let value = described(1, &key_authorization(), 2);
    let imported = Plan::leaf(p256, vec![plain(oid::ANDROID_KEY_DESCRIPTION, &value)]);
    assert!(
        Case::default()
            .refusal(&android(&imported))
            .contains("was imported")
    );
    let bare = android(&Plan::leaf(p256, vec![]));
    assert!(Case::default().refusal(&bare).contains("no description"));
}
