//! What a shell is answered at TAB.

use std::process::Command;

use crate::support::testdata;

/// The words that the program offers for the last of these.
fn offered(words: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    command.current_dir(testdata()).env("CKPT_COMPLETE", "bash").env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    let output = command.arg("--").args(words).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn names_of_the_path_before_are_offered() {
    let names = offered(&["ckpt", "print", "model_dir/run", ""]);
    assert!(names.starts_with(&["beta1_power", "beta2_power", "dense/", "embedding", "global_step"].map(String::from)));
    // A scope alone goes on, and options that take tensors know them too.
    assert_eq!(offered(&["ckpt", "list", "model_dir/run", "dense/k"]), ["dense/kernel", "dense/kernel/"]);
    assert_eq!(offered(&["ckpt", "diff", "model_dir/run", "/dev/null", "--ignore", "emb"]), ["embedding"]);
    // Where no checkpoint stands before, and where it is damaged, there are no names, and no error.
    for path in ["no/such", "saved_model", "cases/09-gzip-index/foo/1"] {
        let names = offered(&["ckpt", "print", path, ""]);
        assert!(names.iter().all(|name| name.starts_with("--")), "{path}: {names:?}");
    }
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = Command::new(env!("CARGO_BIN_EXE_ckpt")).args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("CKPT_COMPLETE"), "{shell}: {script}");
    }
}
