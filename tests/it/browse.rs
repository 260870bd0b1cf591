//! `ckpt browse` in a real terminal: tmux, where it is installed.
#![cfg(unix)]

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use super::support::testdata;

/// Keeps how the terminal is. What a line says is not in the line, which is on the screen too.
const BEFORE: &str = "clear; a=$(stty -g); echo before $((1+1))";

/// Says whether it is the same again.
const SAME: &str = "clear; test \"$a\" = \"$(stty -g)\" && echo as $((1+1)) was";

/// A server of tmux of its own, which ends with it.
struct Tmux(String);

impl Tmux {
    fn new(name: &str) -> Option<Self> {
        let has = Command::new("tmux").arg("-V").output().is_ok_and(|output| output.status.success());
        if !has {
            std::io::stderr().write_all(b"skipped: no tmux is installed\n").unwrap();
            return None;
        }
        let tmux = Self(format!("ckpt-test-{}-{name}", std::process::id()));
        tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", "110", "-y", "30", "sh"]);
        tmux.keys(&["PS1='> '", "Enter"]);
        Some(tmux)
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").args(["-u", "-L", &self.0]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn keys(&self, keys: &[&str]) {
        self.run(&[&["send-keys"][..], keys].concat());
    }

    fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    /// Waits until a text is on the screen.
    fn shows(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let screen = self.screen();
            if screen.contains(text) {
                return screen;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "no {text:?} in\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-L", &self.0, "kill-server"]).output();
    }
}

#[test]
fn keys_work_and_the_terminal_is_left_as_it_was() {
    let Some(tmux) = Tmux::new("keys") else { return };
    let (ckpt, path) = (env!("CARGO_BIN_EXE_ckpt"), testdata().join("saver_v2/sharded_adam/model.ckpt-200"));
    tmux.keys(&[BEFORE, "Enter"]);
    tmux.shows("before 2");
    tmux.keys(&[&format!("{ckpt} browse {}", path.display()), "Enter"]);
    tmux.shows("▸ dense");
    tmux.keys(&["/", "k", "e", "r", "n"]);
    tmux.shows("3 of 14 tensors");
    tmux.keys(&["Enter", "j"]);
    tmux.shows("dense/kernel/Adam  float32 3×5");
    tmux.run(&["resize-window", "-x", "60", "-y", "20"]);
    tmux.keys(&["?"]);
    tmux.shows("the next pane");
    tmux.keys(&["q", "q"]);
    // The screen is that of before: nothing of ours is on it.
    let begun = Instant::now();
    while tmux.screen().contains("scopes") || tmux.screen().contains("the next pane") {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", tmux.screen());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!tmux.screen().contains("3 of 14"), "{}", tmux.screen());
    tmux.keys(&[SAME, "Enter"]);
    tmux.shows("as 2 was");
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let Some(tmux) = Tmux::new("signal") else { return };
    let (ckpt, path) = (env!("CARGO_BIN_EXE_ckpt"), testdata().join("saver_v2/sharded_adam/model.ckpt-200"));
    tmux.keys(&[BEFORE, "Enter"]);
    tmux.shows("before 2");
    let dir = tempfile::tempdir().unwrap();
    let number = dir.path().join("pid");
    let line = format!("sh -c 'echo $$ > {}; exec {ckpt} browse {}'", number.display(), path.display());
    tmux.keys(&[&line, "Enter"]);
    tmux.shows("▸ dense");
    let number = std::fs::read_to_string(number).unwrap();
    assert!(Command::new("kill").args(["-TERM", number.trim()]).status().unwrap().success());
    // As the signal would have ended it.
    tmux.shows("Terminated");
    tmux.keys(&[SAME, "Enter"]);
    tmux.shows("as 2 was");
}

#[test]
fn without_a_terminal_it_says_what_to_use() {
    let output = Command::new(env!("CARGO_BIN_EXE_ckpt"))
        .arg("browse")
        .arg(testdata().join("saver_v2/sharded_adam/model.ckpt-200"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("browse needs a terminal"), "{said}");
}
