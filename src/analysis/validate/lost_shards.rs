//! A shard that is missing by its name is looked for by its size and its checksums: a browser, a mail program or an
//! interrupted save gave the file another one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::causes::{Held, holds};
use super::entries::StoredPiece;
use super::shard_files::file_name;
use crate::analysis::finding::{Code, Finding};
use crate::analysis::recover::beside;
use crate::base::escape::shell_word;
use crate::read::bundle::{Prefix, ShardName};
use crate::read::checkpoint::Checkpoint;
use crate::read::storage;

/// In how many directories below the checkpoint's own a shard is looked for.
const DIRECTORIES: usize = 32;

/// The file that is a missing shard.
#[derive(Debug)]
pub(super) struct FoundShard {
    /// Where it lies.
    pub(super) file: PathBuf,
    /// How many tensors were found in it; none where only its length and name speak for it.
    pub(super) held: Held,
}

/// Looks for the file that has what the shard `path` should have.
pub(super) fn find(checkpoint: &Checkpoint, path: &Path, own: &[StoredPiece]) -> Option<FoundShard> {
    let needed = own.iter().map(StoredPiece::end).max()?;
    let nearby = beside(&checkpoint.origin().prefix);
    let counted = |file: &Path| (0..checkpoint.num_shards().min(1024)).any(|id| checkpoint.file(id) == file);
    let (mut named_alike, mut damaged) = (None, None);
    let is_candidate = |file: &PathBuf| !counted(file) && file.extension().is_none_or(|e| e != "index");
    let mut nearby: Vec<PathBuf> = nearby.into_iter().filter(is_candidate).collect();
    // Another checkpoint keeps its own as long as there is something else.
    nearby.sort_by_key(|file| has_index(file));
    for file in nearby {
        if let Some(held) = holds(&file, own) {
            if held.flipped == 0 {
                return Some(FoundShard { file, held });
            }
            // A copy without a fault is better.
            damaged = damaged.or_else(|| Some(FoundShard { file: file.clone(), held }));
        }
        let is_long = storage::stat(&file).is_ok_and(|stat| stat.len == needed);
        if is_long && named_alike.is_none() && is_named_alike(&file, path) {
            named_alike = Some(file);
        }
    }
    // The index or the data was moved a directory up or down.
    let same_name = path.file_name().unwrap_or_default();
    let dir = checkpoint.origin().prefix.directory();
    let folder = storage::list(&dir).unwrap_or_default();
    let below = folder.entries().filter(|(_, stat)| stat.is_folder()).map(|(name, _)| dir.join(name));
    let above = dir.parent().map(Path::to_path_buf);
    for other in below.take(DIRECTORIES).chain(above) {
        let file = other.join(same_name);
        if storage::is_file(&file)
            && let Some(held) = holds(&file, own)
        {
            if held.flipped == 0 {
                return Some(FoundShard { file, held });
            }
            damaged = damaged.or(Some(FoundShard { file, held }));
        }
    }
    if damaged.is_some() {
        return damaged;
    }
    // Strings and zeros have no checksum to try; a name and a length that fit are something.
    let only_strings = !own.iter().any(|piece| !piece.is_variable);
    named_alike.filter(|_| only_strings).map(|file| FoundShard { file, held: Held::default() })
}

/// Names of checkpoints that are written out.
const TOLD: usize = 4;

/// The checkpoint of a shard that is missing for no reason that was found, and how many shards it has.
fn lost_of(finding: &Finding) -> Option<(PathBuf, u32)> {
    let file = finding.file.as_deref().filter(|_| finding.code == Code::MissingShard && finding.cause.is_none())?;
    let prefix = Prefix::of_member(file)?.as_path().to_path_buf();
    let shard = ShardName::parse(file_name(file).strip_prefix(&file_name(&prefix))?)?;
    Some((prefix, shard.of))
}

/// Several checkpoints of which nothing but the index is there have one cause, and so one finding: of each group one.
pub(super) fn together(findings: &mut Vec<Finding>) {
    let mut missing: BTreeMap<PathBuf, u32> = BTreeMap::new();
    for (prefix, _) in findings.iter().filter_map(lost_of) {
        *missing.entry(prefix).or_default() += 1;
    }
    let mut alone: BTreeMap<Option<String>, BTreeSet<PathBuf>> = BTreeMap::new();
    for finding in findings.iter() {
        if let Some((prefix, _)) = lost_of(finding).filter(|(prefix, of)| missing.get(prefix) == Some(of)) {
            alone.entry(finding.group.clone()).or_default().insert(prefix);
        }
    }
    alone.retain(|_, prefixes| prefixes.len() > 1);
    if alone.is_empty() {
        return;
    }
    // Where the finding of a group stands, and how many files are told in it.
    let mut told: BTreeMap<Option<String>, (usize, usize)> = BTreeMap::new();
    for finding in std::mem::take(findings) {
        let prefixes = alone.get(&finding.group);
        if !lost_of(&finding).is_some_and(|(prefix, _)| prefixes.is_some_and(|all| all.contains(&prefix))) {
            findings.push(finding);
            continue;
        }
        let (at, files) = told.entry(finding.group.clone()).or_insert((findings.len(), 0));
        *files += 1;
        match findings.get_mut(*at) {
            Some(first) => first.explains.extend(finding.explains),
            None => findings.push(finding),
        }
    }
    for (group, (at, files)) in told {
        let (Some(first), Some(prefixes)) = (findings.get_mut(at), alone.get(&group)) else { continue };
        first.explains.sort_unstable();
        first.explains.dedup();
        let names: Vec<String> = prefixes.iter().map(|prefix| file_name(prefix)).collect();
        let shown = match names.get(..TOLD) {
            Some(some) if names.len() > TOLD => format!("{}, …", some.join(", ")),
            _ => names.join(", "),
        };
        first.message = format!("of {} checkpoints nothing but the index is here: {shown}", names.len());
        let certain = format!("none of the {files} data files that the indexes count is there");
        let likely = "they were copied, committed or downloaded without *.data-*".to_owned();
        let help = "fetch the data too: every file PREFIX.data-… belongs to its PREFIX.index";
        *first = first.clone().because(certain, Some(likely)).with_help(help);
    }
}

/// Whether a file is a shard of a checkpoint whose index is there.
fn has_index(file: &Path) -> bool {
    Prefix::of_member(file).is_some_and(|prefix| storage::is_file(&prefix.index()))
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
    let Held { proved, flipped } = found.held;
    let mut certain = match proved {
        0 if flipped == 0 => {
            "that file has the length that the shard should have, and its name but for what was added".to_owned()
        }
        0 => "that file has the length that the shard should have".to_owned(),
        1 => "the tensor that was tried matches its checksum there".to_owned(),
        n => format!("the {n} tensors that were tried match their checksums there"),
    };
    if flipped > 0 {
        let tensors = if flipped == 1 { "one tensor differs".to_owned() } else { format!("{flipped} tensors differ") };
        certain = format!("{certain}, and {tensors} from its checksum exactly as one flipped bit makes it");
    }
    let is_elsewhere = found.file.parent() != dir;
    let likely = {
        let is_temporary = is_elsewhere && found.file.file_name() != path.file_name();
        Some(
            if is_temporary {
                "a save that ended before its files were renamed"
            } else if is_elsewhere {
                "index and data were put into different directories"
            } else {
                "the file was renamed when it was downloaded or copied"
            }
            .to_owned(),
        )
    };
    let certain = match &finding.cause {
        Some(cause) => format!("{}; {certain}", cause.certain),
        None => certain,
    };
    let finding = finding.because(certain, likely);
    if has_index(&found.file) {
        let copy = format!("{} {}", shell_word(&found.file), shell_word(path));
        return finding
            .with_help(format!("it is a shard of another checkpoint, which needs it too; copy it: cp {copy}"));
    }
    if let Some(index) = misnamed_index(path, &found.file).filter(|_| !is_elsewhere) {
        return finding.with_help(index);
    }
    let is_moved = is_elsewhere && found.file.file_name() == path.file_name();
    let what = if is_moved { "put it beside its index" } else { "rename it" };
    finding.with_help(format!("{what}: mv {} {}", shell_word(&found.file), shell_word(path)))
}

/// Where the data has a name as TensorFlow gives it, and no index of its own, it is the index that was renamed.
fn misnamed_index(path: &Path, found: &Path) -> Option<String> {
    let (prefix, own) = (Prefix::of_member(path)?, Prefix::of_member(found)?);
    let end = |file: &Path, prefix: &Prefix| {
        let name = file_name(file);
        name.strip_prefix(prefix.base_name().to_str()?).map(str::to_owned)
    };
    // What was added to a name stands at its end.
    let (index, data) = (file_name(prefix.as_path()), file_name(own.as_path()));
    let is_added = index.len() > data.len() && index.starts_with(&data);
    let is_same_shard = is_added && end(path, &prefix)? == end(found, &own)?;
    (is_same_shard && !storage::exists(&own.index())).then(|| {
        let (from, to) = (shell_word(&prefix.index()), shell_word(&own.index()));
        format!("it was the index that got another name; rename that: mv {from} {to}")
    })
}
