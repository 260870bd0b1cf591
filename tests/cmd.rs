//! The command line as a user sees it: every command that the documents show, and every text that a command prints.
//!
//! `TRYCMD=overwrite cargo test --test cmd` writes the expected output anew; read the difference before it is committed.

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
    cases.case("tests/cmd/*.trycmd").case("README.md");
}

/// The screen at the top of the README shows times of files, which differ from clone to clone.
#[test]
fn the_picture_in_the_readme_is_real() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let (_, rest) = readme.split_once("```text\n$ ckpt ").expect("a picture");
    let (picture, _) = rest.split_once("```").unwrap();
    let (arguments, screen) = picture.split_once('\n').unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_ckpt")).args(arguments.split(' ')).envs(ENVIRONMENT).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    let time = Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").unwrap();
    let timeless = |text: &str| time.replace_all(text, "(time)").into_owned();
    assert_eq!(timeless(screen), timeless(&String::from_utf8(output.stdout).unwrap()));
}
