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

/// Says so if a picture is not what was drawn, or draws it anew.
fn stands(name: &str, drawn: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("CKPT_UPDATE").is_some() {
        std::fs::write(&path, drawn).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(stands == drawn, "docs/{name} is not what the command draws: CKPT_UPDATE=1 cargo test --test it picture");
}

/// Runs a command in the root of the project, with a file that it writes.
fn written(arguments: &[&str], name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_ckpt")).args(arguments).arg(&out).current_dir(root).output().unwrap();
    std::fs::read(out).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// The treemap of the page of `ckpt report`, by itself: with those of the page's rules that are its own.
#[test]
fn the_treemap_is_that_of_a_page() {
    let checkpoint = "testdata/cases/07-t5-bf16-adafactor/t5/model.ckpt-1000000";
    let page = String::from_utf8(written(&["report", checkpoint, "--quick", "-o"], "page.html")).unwrap();
    let between = |open: &str, close: &str| {
        let at = page.find(open).unwrap();
        &page[at..at + page[at..].find(close).unwrap()]
    };
    let style = between("<style>", "</style>").trim_start_matches("<style>");
    let own = |line: &&str| {
        let starts = [":root", "--c", "--h", "@media (prefers-color-scheme", "#map", ".r0", ".f0", ".l{"];
        starts.iter().any(|start| line.starts_with(start))
    };
    let style: Vec<&str> = style.lines().filter(own).collect();
    let svg = between("<svg id=\"map\"", "</svg>");
    let (head, body) = svg.split_once('>').unwrap();
    let head = head.replace("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" ");
    stands("treemap.svg", &format!("{head}><style>{}</style>{body}</svg>\n", style.join("\n")));
}

/// A picture of a tensor: its pixels, whatever the library that compresses them makes of them.
#[test]
fn the_picture_of_a_tensor_is_what_print_draws() {
    let checkpoint = "testdata/saver_v2/sharded_adam/model.ckpt-200";
    let drawn = written(&["print", checkpoint, "embedding/Adam", "--image"], "tensor.png");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tensor.png");
    if std::env::var_os("CKPT_UPDATE").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let pixels = |bytes: &[u8]| {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        (reader.info().width, reader.info().palette.clone(), pixels)
    };
    let stands = std::fs::read(&path).unwrap_or_default();
    assert!(pixels(&stands) == pixels(&drawn), "docs/tensor.png: CKPT_UPDATE=1 cargo test --test it picture");
}
