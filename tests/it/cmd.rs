//! The command line as a user sees it: every command that the documents show, and every text that a command prints.
//!
//! `TRYCMD=overwrite cargo test --test it cmd` writes the expected output anew; read the difference before it is committed.

use std::process::Command;

use regex::Regex;

/// What the environment of whoever runs the tests would otherwise change.
const ENVIRONMENT: [(&str, &str); 4] =
    [("COLUMNS", "100"), ("NO_COLOR", "1"), ("CLICOLOR_FORCE", "0"), ("LC_ALL", "C.UTF-8")];

#[test]
fn commands_print_what_is_recorded() {
    let cases = trycmd::TestCases::new();
    for (name, value) in ENVIRONMENT {
        cases.env(name, value);
    }
    cases.case("tests/cmd/*.trycmd").case("README.md").case("docs/ci.md");
}

/// The screens in the README that show times of files, which differ from clone to clone.
#[test]
fn the_pictures_in_the_readme_are_real() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let time = Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").unwrap();
    let over = Regex::new(r" · over [^·\n]*[^·\n ]").unwrap();
    let timeless = |text: &str| over.replace_all(&time.replace_all(text, "(time)"), "").into_owned();
    let pictures: Vec<&str> =
        readme.split("```text\n$ ckpt ").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert_eq!(pictures.len(), 2);
    for picture in pictures {
        let (arguments, screen) = picture.split_once('\n').unwrap();
        let output =
            Command::new(env!("CARGO_BIN_EXE_ckpt")).args(arguments.split(' ')).envs(ENVIRONMENT).output().unwrap();
        assert!(output.status.code().is_some_and(|code| code < 2) && output.stderr.is_empty());
        assert_eq!(timeless(screen), timeless(&String::from_utf8(output.stdout).unwrap()));
    }
}
