//! The command line as a user sees it: every command that the documents show, and every text that a command prints.
//!
//! `TRYCMD=overwrite cargo test --test it cmd` writes the expected output anew; read the difference before it is committed.

/// What the environment of whoever runs the tests would otherwise change.
pub(crate) const ENVIRONMENT: [(&str, &str); 4] =
    [("COLUMNS", "100"), ("NO_COLOR", "1"), ("CLICOLOR_FORCE", "0"), ("LC_ALL", "C.UTF-8")];

#[test]
fn commands_print_what_is_recorded() {
    let cases = trycmd::TestCases::new();
    for (name, value) in ENVIRONMENT {
        cases.env(name, value);
    }
    cases.case("tests/cmd/*.trycmd").case("README.md").case("docs/*.md");
}
