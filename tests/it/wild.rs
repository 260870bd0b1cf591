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
