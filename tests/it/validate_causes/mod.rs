//! Every cause that `validate` names, on a fixture that has it: the code, its severity, and the words with the evidence.

mod around;
mod bytes;
mod elsewhere;
mod files;
mod index;
mod one_cause;
mod restore;
mod served;

use ckpt::analysis::Code;

/// Codes that no run of `validate` produces, with the reason.
const NOT_PRODUCED: &[(Code, &str)] = &[
    (Code::DerivedValue, "inspect's: validate looks for damage, and the missing shard is told as such"),
    (Code::ChoiceNote, "inspect's: validate checks every checkpoint of a directory and chooses none"),
];

#[test]
fn every_code_is_produced_by_a_test() {
    let sources = [
        include_str!("around.rs"),
        include_str!("bytes.rs"),
        include_str!("files.rs"),
        include_str!("index.rs"),
        include_str!("restore.rs"),
        include_str!("served.rs"),
    ];
    let tested = |code: &Code| {
        let name = format!("Code::{code:?}");
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
        sources.iter().any(|source| source.match_indices(&name).any(|(at, _)| ends(&source[at + name.len()..])))
    };
    // `ckpt ops` has tests of its own, which go by the names.
    let in_cases = |code: &Code| {
        let name = format!("Code::{code:?}");
        [include_str!("../cases.rs"), include_str!("../hdf5_gaps.rs"), include_str!("../validate_formats.rs")]
            .iter()
            .any(|source| source.contains(&name))
    };
    let tested = |code: &Code| {
        tested(code)
            || in_cases(code)
            || include_str!("../remote/quick.rs").contains(&format!("\"{}\"", code.name()))
            || include_str!("../ops.rs").contains(&format!("\"{}\"", code.name()))
            || include_str!("../policy.rs").contains(&format!("\"{}\"", code.name()))
            || include_str!("../training.rs").contains(&format!("\"{}\"", code.name()))
    };
    let excused = |code: &Code| NOT_PRODUCED.iter().any(|(other, _)| other == code);
    for code in Code::ALL {
        assert!(tested(code) != excused(code), "{}", code.name());
    }
}
