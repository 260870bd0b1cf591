//! A shard that is missing by its name is looked for by its size and its checksums: a browser, a mail program or an
//! interrupted save gave the file another one.

use std::path::{Path, PathBuf};

use super::causes::holds;
use super::entries::StoredPiece;
use super::shard_files::file_name;
use crate::analysis::finding::Finding;
use crate::analysis::recover::beside;
use crate::base::escape::shell_word;
use crate::read::checkpoint::Checkpoint;
use crate::read::storage;

/// The file that is a missing shard.
#[derive(Debug)]
pub(super) struct FoundShard {
    /// Where it lies.
    pub(super) file: PathBuf,
    /// How many tensors were found in it by their checksums; none where only its length and name speak for it.
    pub(super) proved: usize,
}

/// Looks for the file that has what the shard `path` should have.
pub(super) fn find(checkpoint: &Checkpoint, path: &Path, own: &[StoredPiece]) -> Option<FoundShard> {
    let needed = own.iter().map(StoredPiece::end).max()?;
    let nearby = beside(&checkpoint.origin().prefix);
    let counted = |file: &Path| (0..checkpoint.num_shards().min(1024)).any(|id| checkpoint.file(id) == file);
    let mut named_alike = None;
    for file in nearby.into_iter().filter(|file| !counted(file) && file.extension().is_none_or(|e| e != "index")) {
        if let Some(proved) = holds(&file, own) {
            return Some(FoundShard { file, proved });
        }
        let is_long = storage::stat(&file).is_ok_and(|stat| stat.len == needed);
        if is_long && named_alike.is_none() && is_named_alike(&file, path) {
            named_alike = Some(file);
        }
    }
    // Strings and zeros have no checksum to try; a name and a length that fit are something.
    let only_strings = !own.iter().any(|piece| !piece.is_variable);
    named_alike.filter(|_| only_strings).map(|file| FoundShard { file, proved: 0 })
}

/// Whether one name is the other with something added: `m (1).data-…`, `m.data-….txt`, `m.data-… 2`.
fn is_named_alike(file: &Path, path: &Path) -> bool {
    let letters = |path: &Path| file_name(path).chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let (file, path) = (letters(file), letters(path));
    let shared = path.chars().zip(file.chars()).take_while(|(a, b)| a == b).count();
    let rest = path.get(shared..).unwrap_or_default();
    file.len() >= path.len() && file.ends_with(rest) || file.contains(&path)
}

/// What to say of a missing shard that was found.
pub(super) fn told(finding: Finding, path: &Path, found: &FoundShard) -> Finding {
    let dir = path.parent();
    let other = match found.file.parent().filter(|other| Some(*other) != dir).and_then(Path::file_name) {
        Some(other) => format!("{}/{}", file_name(Path::new(other)), file_name(&found.file)),
        None => file_name(&found.file),
    };
    let message = format!("{}; its data is there as {other}", finding.message);
    let finding = Finding { message, ..finding };
    let (certain, likely) = match found.proved {
        0 => (
            "that file has the length that the shard should have, and its name but for what was added".to_owned(),
            None,
        ),
        1 => ("the tensor that was tried matches its checksum there".to_owned(), None),
        n => (format!("the {n} tensors that were tried match their checksums there"), None),
    };
    let likely = likely.or_else(|| {
        let is_temporary = found.file.parent() != dir;
        Some(
            if is_temporary {
                "a save that ended before its files were renamed"
            } else {
                "the file was renamed when it was downloaded or copied"
            }
            .to_owned(),
        )
    });
    let certain = match &finding.cause {
        Some(cause) => format!("{}; {certain}", cause.certain),
        None => certain,
    };
    let finding = finding.because(certain, likely);
    finding.with_help(format!("rename it: mv {} {}", shell_word(&found.file), shell_word(path)))
}
