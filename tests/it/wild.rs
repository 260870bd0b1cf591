//! Checkpoints that other people's programs wrote: `CKPT_WILD` names a directory of them.

#![expect(clippy::print_stdout, reason = "says what was skipped and what was read")]

use std::path::{Path, PathBuf};

use ckpt::base::error::ErrorKind;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::read::tensor::Checked;

/// Every directory below `root`, itself included, sorted.
fn directories(root: &Path) -> Vec<PathBuf> {
    let mut all = vec![root.to_path_buf()];
    let mut next = 0;
    while let Some(dir) = all.get(next).cloned() {
        next += 1;
        let entries = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
        all.extend(entries.filter(|path| path.is_dir()));
    }
    all.sort();
    all
}

fn file_names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.path().is_file());
    let mut names: Vec<String> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Reads everything of a checkpoint; `false` if its data is not there.
fn read_everything(checkpoint: &Checkpoint, what: &str) -> bool {
    assert!(checkpoint.damage().is_empty(), "{what}: {:?}", checkpoint.damage());
    assert!(checkpoint.notes().is_empty(), "{what}: {:?}", checkpoint.notes());
    let prefix = &checkpoint.origin().prefix;
    let v1 = !checkpoint.origin().v1_files.is_empty();
    let complete = v1 || (0..checkpoint.num_shards()).all(|id| prefix.shard(id, checkpoint.num_shards()).is_file());
    for tensor in checkpoint.tensors() {
        let name = crate::support::show(&tensor.name);
        match crate::support::elements(checkpoint, &tensor) {
            Ok((elements, checked)) => {
                assert_eq!(checked, Checked::Verified, "{what} {name}");
                assert_eq!(Some(elements.len() as u64), tensor.elements(), "{what} {name}");
                if tensor.shape.rank() != Some(0) {
                    crate::support::check_regions(checkpoint, &tensor, &elements);
                }
            }
            Err(error) => assert!(!complete && matches!(error.kind(), ErrorKind::Io(_)), "{what} {name}: {error}"),
        }
    }
    complete
}

#[test]
fn checkpoints_in_the_wild_open_and_verify() {
    let Some(root) = std::env::var_os("CKPT_WILD").map(PathBuf::from) else {
        println!("skipped: CKPT_WILD is not set");
        return;
    };
    let (mut prefixes, mut complete, mut folders) = (0, 0, 0);
    for dir in directories(&root) {
        let names = file_names(&dir);
        for base in names.iter().filter_map(|name| name.strip_suffix(".index")) {
            let prefix = dir.join(base);
            let what = prefix.display().to_string();
            match crate::support::open(&prefix) {
                Ok(checkpoint) => {
                    prefixes += 1;
                    complete += usize::from(read_everything(&checkpoint, &what));
                }
                // Fetched without its contents.
                Err(error) => assert!(error.to_string().contains("Git LFS pointer"), "{error}"),
            }
        }
        let holds = |name: &str| names.iter().any(|n| n == name);
        // A Session Bundle, the format before SavedModel, has no checkpoint under the name that its state file gives.
        if (holds("saved_model.pb") || holds("checkpoint")) && !holds("export.meta") {
            folders += 1;
            let checkpoint = crate::support::open(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
            if checkpoint.origin().has_variables {
                read_everything(&checkpoint, &dir.display().to_string());
            }
        }
    }
    println!("{prefixes} checkpoints, {complete} of them with data, {folders} folders");
    assert!(prefixes > 0 && complete > 0 && folders > 0, "CKPT_WILD holds no checkpoint");
}

/// Messages as TensorFlow says them of a checkpoint: about its bytes, its files, its names, its object graph.
fn messages(prefix: &str, name: &str) -> [(&'static str, String); 8] {
    let data = format!("{prefix}.data-00000-of-00001");
    let differs = "Checksum does not match: stored 12345 vs. calculated on the restored bytes 54321";
    let reader = "Unsuccessful TensorSliceReader constructor: Failed to find any matching files for";
    let dtype = "expected dtype double does not equal original dtype float";
    [
        ("data", format!("DataLossError: TensorBundle at {prefix} shard 0 (4 bytes): {differs}")),
        ("data", format!("OutOfRangeError: Read less bytes than requested {data}")),
        ("data", format!("NotFoundError: {data}; No such file or directory")),
        ("found", format!("NotFoundError: {reader} {prefix}")),
        ("name", format!("NotFoundError: Key {name} not found in checkpoint")),
        ("other name", format!("NotFoundError: Key {name}_2 not found in checkpoint")),
        ("graph", "NotFoundError: Key _CHECKPOINTABLE_OBJECT_GRAPH not found in checkpoint".to_owned()),
        ("dtype", format!("InvalidArgumentError: tensor_name = {name}; {dtype}")),
    ]
}

/// The commands of an answer, each on one line.
fn commands(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.split("\\\n").collect();
    let text: String =
        lines.iter().enumerate().map(|(n, line)| if n > 0 { line.trim_start() } else { *line }).collect();
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("\u{b7} "));
    let command =
        |line: &str| line.split("   ").next().unwrap_or(line).split_whitespace().collect::<Vec<_>>().join(" ");
    let commands = lines.filter(|line| line.starts_with("ckpt ")).map(command);
    commands.filter(|line| !["MODEL", "NEW", "CODE"].iter().any(|word| line.contains(word))).collect()
}

// What is said of a message must be what `validate` says of the files, and its commands run as they stand.
#[test]
fn messages_about_checkpoints_in_the_wild_are_answered_by_their_files() {
    let Some(root) = std::env::var_os("CKPT_WILD").map(PathBuf::from) else {
        println!("skipped: CKPT_WILD is not set");
        return;
    };
    let binary = Path::new(env!("CARGO_BIN_EXE_ckpt")).parent().unwrap().to_str().unwrap();
    let path = format!("{binary}:{}", std::env::var("PATH").unwrap_or_default());
    let mut answered = 0;
    for dir in directories(&root) {
        for base in file_names(&dir).iter().filter_map(|name| name.strip_suffix(".index")) {
            let prefix = dir.join(base);
            let Ok(checkpoint) = crate::support::open(&prefix) else { continue };
            let tensor = checkpoint.tensors().iter().find(|tensor| !tensor.name.starts_with(b"_"));
            let Some(tensor) = tensor else { continue };
            let name = crate::support::show(&tensor.name);
            let is_whole = crate::validating::run(&prefix).is_ok();
            let prefix = prefix.to_str().unwrap();
            for (kind, message) in messages(prefix, &name) {
                let text = crate::validating::ckpt_says(0, &["explain", &message, "--path", prefix]);
                let first = text.split("\n\n").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
                let settled = match kind {
                    "data" if is_whole => first.contains("is whole, and every byte"),
                    "found" if is_whole => {
                        ["there is a checkpoint at", "is whole"].iter().any(|words| first.contains(words))
                    }
                    "name" => first.contains("restored from something else"),
                    "graph" => first.contains("restored from something else") == checkpoint.is_object_based(),
                    _ => true,
                };
                assert!(settled, "{message}\n{text}");
                assert!(!text.contains("|_2|'"), "{message}\n{text}");
                for line in commands(&text) {
                    let run = std::process::Command::new("sh").args(["-c", &line]).env("PATH", &path).output().unwrap();
                    let said = String::from_utf8_lossy(&run.stderr);
                    assert!(!said.contains("Usage:") && !said.contains("not found"), "{line}\n{said}");
                }
                answered += 1;
            }
        }
    }
    println!("{answered} messages");
    assert!(answered > 0);
}
