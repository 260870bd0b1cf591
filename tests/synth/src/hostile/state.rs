//! Model directories whose `checkpoint` file leads astray.

use super::{Case, base};

/// A directory with a sound bundle `model.ckpt` and this state file.
fn directory(case: Case, state: impl AsRef<[u8]>) -> Case {
    let files = base().finish().files("dir/model.ckpt");
    Case { files, ..case }.file("dir/checkpoint", state.as_ref()).open("dir")
}

fn latest(path: &str) -> String {
    format!("model_checkpoint_path: \"{path}\"\nall_model_checkpoint_paths: \"{path}\"\n")
}

pub(super) fn cases() -> Vec<Case> {
    let c = |name, what, state: &str| directory(Case::damaged(name, what), state);
    let legal = |name, what, state: &str| directory(Case::legal(name, what), state);
    let many =
        (0..100_000).fold(latest("model.ckpt"), |state, i| state + &format!("all_model_checkpoint_paths: \"c-{i}\"\n"));
    vec![
        c("state-empty", "an empty state file", ""),
        c("state-missing-checkpoint", "a checkpoint that is not there", &latest("model.ckpt-9")),
        c("state-names-itself", "the state file names itself", &latest("checkpoint")),
        c("state-names-its-directory", "the state file names its directory", &latest(".")),
        c("state-leads-outside", "a path out of the directory", &latest("../../../../etc/passwd")),
        c("state-device", "a path to a device that never ends", &latest("/dev/zero")),
        c("state-nul-in-path", "a path with a NUL", &latest("model\\000.ckpt")),
        c("state-path-of-1-mib", "a path of a mebibyte", &latest(&"p".repeat(1 << 20))),
        c("state-open-string", "a string that nobody closes", "model_checkpoint_path: \"model.ckpt"),
        c("state-bad-escape", "an escape that does not exist", &latest("model\\q.ckpt")),
        c(
            "state-unknown-field",
            "a field that TensorFlow does not know, so that it ignores the file",
            &(latest("model.ckpt") + "epoch: 3\n"),
        ),
        c("state-deep-braces", "ten thousand open braces", &"a { ".repeat(10_000)),
        directory(Case::damaged("state-binary", "bytes that are no text"), [0xff; 64]),
        directory(Case::damaged("state-utf16", "UTF-16, as an editor may save it"), {
            let text = latest("model.ckpt");
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            [0xff, 0xfe].into_iter().chain(units).collect::<Vec<u8>>()
        }),
        directory(Case::arguable("state-100000-paths", "a hundred thousand older checkpoints, none there"), many),
        directory(
            Case::arguable("state-byte-order-mark", "a byte order mark"),
            "\u{feff}".to_owned() + &latest("model.ckpt"),
        ),
        legal(
            "state-all-syntax",
            "comments, both quotes, pieces, separators, escapes, lists",
            concat!(
                "# a comment\nmodel_checkpoint_path: 'mo' \"del\" '\\x2e' \"c\\153pt\" ;\n",
                "all_model_checkpoint_paths: [ \"model.ckpt\" ],\n",
                "all_model_checkpoint_timestamps: [1.5, 2e3, 1f]; last_preserved_timestamp: inf",
            ),
        ),
        legal("state-last-wins", "a path given twice", &(latest("model.ckpt-1") + &latest("model.ckpt"))),
        legal("state-windows-lines", "lines that end as on Windows", &latest("model.ckpt").replace('\n', "\r\n")),
    ]
}
