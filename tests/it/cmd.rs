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

// The time of a file is that of a checkout: what was recorded anew has `[..]` in its place.
#[test]
fn no_time_of_a_file_is_recorded() {
    let is_time = |window: &[u8]| {
        let form = b"dddd-dd-dd dd:dd";
        window.iter().zip(form).all(|(byte, form)| if *form == b'd' { byte.is_ascii_digit() } else { byte == form })
    };
    for entry in std::fs::read_dir("tests/cmd").unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (n, line) in text.lines().enumerate() {
            assert!(!line.as_bytes().windows(16).any(is_time), "{}:{}: {line}", path.display(), n + 1);
        }
    }
}
