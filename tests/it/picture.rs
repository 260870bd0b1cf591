//! The picture of the README: what commands print in a terminal, drawn as `docs/picture.svg`.
//!
//! `CKPT_UPDATE=1 cargo test --test it picture` draws it anew.

use std::path::Path;
use std::process::Command;

/// What is in the picture: a cause that checksums prove, and what changed between two saves.
const COMMANDS: [&str; 2] = [
    "validate testdata/cases/40-mispaired-tf2/run",
    "diff testdata/saver_v2/sharded_adam/model.ckpt-0 testdata/saver_v2/sharded_adam/model.ckpt-200 '!role:slot'",
];

#[test]
fn the_picture_is_what_the_commands_print() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut screen = String::new();
    for arguments in COMMANDS {
        // A shell, so that what is drawn is what one types, quotes included.
        let script = format!("\"$0\" {arguments}");
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", &script, env!("CARGO_BIN_EXE_ckpt")]).current_dir(root);
        let shell = shell.env_remove("NO_COLOR").envs([("COLUMNS", "92"), ("CLICOLOR_FORCE", "1")]);
        let output = shell.output().unwrap();
        assert!(output.status.code() == Some(1) && output.stderr.is_empty(), "{arguments}");
        let prompt = format!("\u{1b}[1m$ ckpt {arguments}\u{1b}[0m\n");
        screen += &(prompt + &String::from_utf8(output.stdout).unwrap() + "\n");
    }
    let drawn = anstyle_svg::Term::new().palette(anstyle_svg::WIN10_CONSOLE).render_svg(screen.trim_end());
    let path = root.join("docs/picture.svg");
    if std::env::var_os("CKPT_UPDATE").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        stands == drawn,
        "docs/picture.svg is not what the commands print: CKPT_UPDATE=1 cargo test --test it picture"
    );
}
