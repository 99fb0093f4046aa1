//! A second root, and the intermediate of an authority cross-signed by it.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rcgen::string::PrintableString;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, GeneralSubtree, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData,
    SubjectPublicKeyInfo,
};

use super::{paths, process};

/// The common name of the second root.
pub const ROOT_NAME: &str = "Other Root";

/// Makes a second root and lets it sign the intermediate of this step path, whose authority is called
/// `Example`: `certs/cross.pem`. Returns the root's certificate.
#[track_caller]
pub fn sign(step_path: &Path) -> PathBuf {
    let certs = step_path.join("certs");
    let signed = crossed(&certs, None);
    let file = certs.join("other_root.crt");
    write(&file, &signed.root);
    write(&certs.join("cross.pem"), &signed.intermediate);
    file
}

/// Replaces root and intermediate of this step path, whose authority is called `Example`, by ones of which the
/// intermediate permits DNS names at and below these bases only.
#[track_caller]
pub fn constrain(step_path: &Path, permitted: &[&str]) {
    let certs = step_path.join("certs");
    let bases = permitted.iter();
    let constraints = NameConstraints {
        permitted_subtrees: bases
            .map(|base| GeneralSubtree::DnsName((*base).to_owned()))
            .collect(),
        excluded_subtrees: Vec::new(),
    };
    let signed = crossed(&certs, Some(constraints));
    write(&certs.join("root_ca.crt"), &signed.root);
    write(&certs.join("intermediate_ca.crt"), &signed.intermediate);
}

/// A root and the intermediate that it has signed, as PEM.
struct Signed {
    root: String,
    intermediate: String,
}

/// A new root, and a new certificate for the key of the intermediate.
#[track_caller]
fn crossed(certs: &Path, constraints: Option<NameConstraints>) -> Signed {
    let program = paths::peer("openssl").expect("openssl is a peer that is always installed");
    let mut openssl = process::command(program);
    openssl.args(["x509", "-pubkey", "-noout", "-in"]);
    openssl.arg(certs.join("intermediate_ca.crt"));
    let key = process::run(&mut openssl).success().stdout;
    let key = SubjectPublicKeyInfo::from_pem(&key).expect("a public key");

    let (root_key, mut root) = (KeyPair::generate().expect("a key"), authority());
    root.distinguished_name.push(DnType::CommonName, ROOT_NAME);
    let certificate = root.self_signed(&root_key).expect("a root");
    let mut intermediate = authority();
    let id = digest(&SHA1_FOR_LEGACY_USE_ONLY, key.der_bytes());
    intermediate.key_identifier_method = KeyIdMethod::PreSpecified(id.as_ref().to_vec());
    intermediate.use_authority_key_identifier_extension = true;
    intermediate.name_constraints = constraints;
    for (kind, text) in [
        (DnType::OrganizationName, "Example"),
        (DnType::CommonName, "Example Intermediate CA"),
    ] {
        let text = PrintableString::try_from(text).expect("printable");
        let name = &mut intermediate.distinguished_name;
        name.push(kind, DnValue::PrintableString(text));
    }
    let crossed = intermediate
        .signed_by(&key, &Issuer::new(root, root_key))
        .expect("an intermediate");
    Signed {
        root: certificate.pem(),
        intermediate: crossed.pem(),
    }
}

#[track_caller]
fn write(file: &Path, pem: &str) {
    std::fs::write(file, pem).expect("the folder takes files");
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}
