//! What only a running process shows: pipes that close, files that are none, a terminal's escape codes, the environment.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ckpt_synth::BundleBuilder;

fn ckpt(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    command.args(arguments).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = ckpt(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for arguments in [
        &["list", "testdata/bundle_v2/many_blocks/many"][..],
        &["list", "testdata/bundle_v2/many_blocks/many", "--format", "json"],
        &["list", "testdata/bundle_v2/many_blocks/many", "--format", "csv"],
        &["print", "testdata/dtypes/shapes/shapes", "large", "--format", "csv"],
        &["print", "testdata/bundle_v2/many_blocks/many", "**", "--full"],
        &["print", "testdata/bundle_v2/many_blocks/many", "**", "--format", "json"],
    ] {
        let mut child = ckpt(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::with_capacity(1, child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        drop(stdout);
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["fifo", "model.index"] {
        let fifo = dir.path().join(name);
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        for command in ["list", "inspect"] {
            let (status, stdout, stderr) = run(&[command, text(&fifo)]);
            assert_eq!((status, stdout.as_str()), (2, ""));
            assert!(stderr.starts_with("error: not a regular file"), "{stderr}");
        }
    }
    let (status, _, stderr) = run(&["list", text(&dir.path().join("model"))]);
    assert_eq!(status, 2);
    assert!(stderr.starts_with("error: not a regular file"), "{stderr}");
}

#[test]
fn an_empty_directory_is_called_one() {
    let dir = tempfile::tempdir().unwrap();
    let (status, stdout, stderr) = run(&["inspect", text(dir.path())]);
    assert_eq!((status, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("error: no checkpoint in this directory, which is empty ("), "{stderr}");
}

#[test]
fn bytes_do_not_go_to_a_text_format() {
    // Raw output is the elements and nothing else, however it is asked for.
    let command = ["print", "testdata/saver_v2/plain", "global_step", "--format", "raw"];
    let output = ckpt(&command).output().unwrap();
    assert_eq!((output.stdout.as_slice(), output.status.code()), (&7i64.to_le_bytes()[..], Some(0)));
    let npy = ckpt(&["print", "testdata/saver_v2/plain", "layer/bias", "--format", "npy"]).output().unwrap().stdout;
    assert!(npy.starts_with(b"\x93NUMPY\x01\x00"));
    assert_eq!(npy.len() % 64, 2 * 4, "the header is padded to 64 bytes; two floats follow");
}

#[test]
fn names_and_strings_from_a_file_cannot_steer_a_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("model.ckpt-1");
    let evil = "red\x1b[31m/\x1b]0;title\x07/\u{202e}txt\r\n";
    let bundle = BundleBuilder::new().floats(evil, &[1], &[1.0]).strings("words", &[1], &[evil]);
    bundle.finish().write(&prefix).unwrap();
    let prefix = text(&prefix);
    let harmless = |c: char| !c.is_control() || c == '\n';
    for arguments in [
        &["inspect", prefix][..],
        &["list", prefix],
        &["list", prefix, "--long"],
        &["list", prefix, "--tree"],
        &["list", prefix, "--by", "scope"],
        &["list", prefix, "--format", "markdown"],
        &["list", prefix, "--format", "csv"],
        &["list", prefix, "--format", "json"],
        &["print", prefix, "**"],
        &["print", prefix, "**", "--format", "json"],
        &["print", prefix, "**/\x1b[31m*"],
    ] {
        let (_, stdout, stderr) = run(arguments);
        for output in [stdout, stderr] {
            assert!(output.chars().all(harmless), "{arguments:?}: {output:?}");
            let json = arguments.contains(&"json");
            assert!(json || !output.contains('\u{202e}'), "{arguments:?}: {output:?}");
        }
    }
    let (_, listing, _) = run(&["list", prefix]);
    assert!(listing.contains(r"red\x1b[31m/\x1b]0;title\x07/\u{202e}txt\r\n"), "{listing}");
}

#[test]
fn colour_follows_the_option_then_the_environment() {
    let escapes = |command: &mut Command| command.output().unwrap().stdout.contains(&0x1b);
    let list = ["list", "testdata/saver_v2/plain"];
    let always = ["list", "testdata/saver_v2/plain", "--color", "always"];
    let never = ["list", "testdata/saver_v2/plain", "--color", "never"];
    assert!(!escapes(&mut ckpt(&list)), "no terminal, no colour");
    assert!(escapes(ckpt(&list).env("CLICOLOR_FORCE", "1")));
    assert!(!escapes(ckpt(&list).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")), "NO_COLOR wins");
    assert!(escapes(ckpt(&always).env("NO_COLOR", "1")), "an option wins over the environment");
    assert!(!escapes(ckpt(&never).env("CLICOLOR_FORCE", "1")));
}

#[test]
fn what_cannot_be_written_is_an_error() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = ckpt(&["list", "testdata/saver_v2/plain"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: "));
}
