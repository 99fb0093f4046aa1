//! Fuzz targets: the parsers of untrusted octets, each with its invariants.
//!
//! A target is a function that takes octets, panics if an invariant is violated, and returns whether
//! the octets were accepted. `cargo test` runs each over its corpus and over hundreds of mutated
//! inputs; `make fuzz` runs longer. Any engine can drive the program `fuzz`, which reads one input
//! from a file or from standard input. Not here: sockets, files, the server.

pub mod targets;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod mutate;
#[cfg(test)]
mod run;
#[cfg(test)]
mod tree;

/// Takes octets, panics if an invariant is violated, returns whether they were accepted.
pub type Check = fn(&[u8]) -> bool;

/// Every target with its name, which is also the folder of its corpus.
pub const TARGETS: &[(&str, Check)] = &[
    ("attestation", targets::attestation::check),
    ("body", targets::body::check),
    ("caa", targets::caa::check),
    ("certificate", targets::certificate::check),
    ("certificate_id", targets::certificate_id::check),
    ("contact", targets::contact::check),
    ("csr", targets::csr::check),
    ("der", targets::der::check),
    ("dns_persist01", targets::dns_persist01::check),
    ("eab", targets::eab::check),
    ("header", targets::header::check),
    ("http01", targets::http01::check),
    ("identifier", targets::identifier::check),
    ("jwk", targets::jwk::check),
    ("jws", targets::jws::check),
    ("key_description", targets::key_description::check),
    ("pem", targets::pem::check),
    ("problem", targets::problem::check),
    ("tls_alpn01", targets::tls_alpn01::check),
    ("tpm_attest", targets::tpm_attest::check),
    ("tpm_public", targets::tpm_public::check),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds_and_every_folder_of_seeds_a_target() {
        let mut folders: Vec<String> = std::fs::read_dir(corpus::folder(""))
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        folders.sort();
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        assert_eq!(folders, names);
        for name in names {
            assert_ne!(corpus::seeds(name).len(), 0, "{name}");
        }
    }

    #[test]
    fn parsed_der_is_written_back_unchanged() {
        for (name, octets) in corpus::seeds("certificate") {
            let nodes = tree::read(&octets).unwrap();
            assert_eq!(tree::write(&nodes), octets, "{name}");
            assert!(tree::count(&nodes) > 20, "{name}");
        }
    }
}
