//! `fuzz TARGET [FILE…]`: runs a target on each file, or on standard input. It panics if an invariant
//! of the target is violated, as fuzzing engines expect.

use std::io::Read;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some((_, check)) = fuzz::TARGETS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = fuzz::TARGETS.iter().map(|(known, _)| *known).collect();
        eprintln!(
            "usage: fuzz TARGET [FILE...], where TARGET is one of {}",
            known.join(", ")
        );
        return ExitCode::from(2);
    };
    let files: Vec<String> = arguments.collect();
    if files.is_empty() {
        let mut octets = Vec::new();
        if let Err(error) = std::io::stdin().read_to_end(&mut octets) {
            eprintln!("fuzz: standard input: {error}");
            return ExitCode::from(2);
        }
        check(&octets);
    }
    for file in files {
        match std::fs::read(&file) {
            Ok(octets) => drop(check(&octets)),
            Err(error) => {
                eprintln!("fuzz: {file}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::SUCCESS
}
