//! Which findings `ckpt recover` mends, found by planning what it would do; and the command that does it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::causes::{AMID_OTHERS, RARE};
use super::shard_files::file_name;
use crate::analysis::finding::{Code, Finding};
use crate::analysis::recover::{Did, Recovery, flipped_bits, recover};
use crate::base::error::Error;
use crate::base::escape::{escaped, shell_word};
use crate::base::limits::Limits;
use crate::base::progress::Progress;
use crate::read::bundle::Prefix;
use crate::read::checkpoint::Origin;
use crate::read::storage;

/// What is about a file that is wrong, and may be right in another one or with a bit flipped back.
fn is_damage(code: Code) -> bool {
    use Code::{
        BadBlock, BadHeader, BadStringTensor, BlockChecksumMismatch, ForeignShard, HeaderMissing, HoleOfZeros,
        IndexChecksumMismatch, MispairedData, MissingShard, MissingVariables, NotATable, ShardCountMismatch,
        ShortShard, SingleBitFlip, StringLengthsMismatch, SwappedShards, TensorChecksumMismatch, TextModeMangled,
    };
    matches!(
        code,
        BadBlock
            | BadHeader
            | BadStringTensor
            | BlockChecksumMismatch
            | ForeignShard
            | HeaderMissing
            | HoleOfZeros
            | IndexChecksumMismatch
            | MispairedData
            | MissingShard
            | MissingVariables
            | NotATable
            | ShardCountMismatch
            | ShortShard
            | SingleBitFlip
            | StringLengthsMismatch
            | SwappedShards
            | TensorChecksumMismatch
            | TextModeMangled
    )
}

/// The prefix of what recover can mend; none of other formats.
pub(super) fn prefix_of(origin: &Origin) -> Option<Prefix> {
    (origin.v1_files.is_empty() && origin.file.is_none()).then(|| origin.prefix.clone())
}

/// Adds to each finding about a checkpoint that can be mended the command that does.
pub(super) fn advise(prefix: &Prefix, findings: &mut [Finding], limits: &Limits, progress: &Progress) {
    if !findings.iter().any(|finding| is_damage(finding.code)) {
        return;
    }
    name_bits(prefix, findings, limits);
    // Planning reads all bytes once more.
    let path = prefix.as_path();
    let Ok(recovery) = recover(path, &[], limits, progress) else { return };
    let command = command(path, prefix);
    let lost: BTreeSet<&[u8]> = recovery.lost.iter().filter_map(|lost| lost.name.as_deref()).collect();
    let mut mended: Vec<&mut Finding> =
        findings.iter_mut().filter(|finding| is_mended(finding, prefix, &recovery, &lost)).collect();
    // One command mends them all, and is told once.
    let others = mended.len().saturating_sub(1);
    if let Some(finding) = mended.first_mut() {
        let what = if recovery.unverified > 0 { "a copy with an index made anew" } else { "a mended copy" };
        let of_others = match others {
            0 => String::new(),
            1 => ", in which the other finding is mended too".to_owned(),
            _ => format!(", in which {others} more of these findings are mended too"),
        };
        add(finding, &format!("{what}{of_others}"), &command);
    }
}

/// Strings and variants are summed in another form than they are stored in, so two checksums do not tell which bit of
/// them is flipped: the bits are tried, as `recover` does it.
fn name_bits(prefix: &Prefix, findings: &mut [Finding], limits: &Limits) {
    use Code::{BadStringTensor, MispairedData, StringLengthsMismatch, TensorChecksumMismatch};
    let is_open =
        |finding: &Finding| matches!(finding.code, BadStringTensor | StringLengthsMismatch | TensorChecksumMismatch);
    let names = findings.iter().filter(|finding| is_open(finding)).filter_map(|finding| finding.tensor.as_deref());
    let names: BTreeSet<&[u8]> = names.collect();
    if names.is_empty() {
        return;
    }
    let bits = flipped_bits(prefix, &names, limits);
    let bit_of = |finding: &Finding| bits.get(finding.tensor.as_ref().filter(|_| is_open(finding))?);
    let is_unexplained =
        |finding: &Finding| finding.code == MispairedData || (is_open(finding) && bit_of(finding).is_none());
    let most = if findings.iter().any(is_unexplained) { AMID_OTHERS } else { RARE };
    for finding in findings.iter_mut() {
        let Some(flip) = bit_of(finding).filter(|flip| flip.odds < most) else { continue };
        let name = escaped(finding.tensor.as_deref().unwrap_or_default()).into_owned();
        let (bit, byte, shard) = (flip.bit, flip.byte, file_name(&flip.file));
        let message = format!("{name}: one bit differs from what was saved, bit {bit} of byte {byte} of {shard}");
        let odds = f64::round(1.0 / flip.odds.max(f64::MIN_POSITIVE));
        let told = Finding::new(Code::SingleBitFlip, message).in_file(&flip.file).because(
            "with this bit flipped back, and with no other, its lengths and its bytes match their checksums".to_owned(),
            Some(format!("a memory, disk or transfer error (odds of coincidence 1 : {odds})")),
        );
        let told = told.with_help("fetch the shard again");
        *finding = Finding {
            offset: Some(byte),
            tensor: finding.tensor.take(),
            expected: finding.expected.take(),
            found: finding.found.take(),
            ..told
        };
    }
}

/// Whether everything that a finding is about can be had.
fn is_mended(finding: &Finding, prefix: &Prefix, recovery: &Recovery, lost: &BTreeSet<&[u8]>) -> bool {
    if !is_damage(finding.code) {
        return false;
    }
    let index = prefix.index();
    // What is wrong with the index may have cost any name.
    if finding.file.as_ref() == Some(&index) || finding.code == Code::MissingVariables {
        let is_about = |did: &Did| match did {
            Did::Bit { file, .. } => *file == index && finding.code == Code::SingleBitFlip,
            Did::Index { .. } => true,
            Did::Renamed { to, .. } | Did::Undone { to, .. } => *to == index,
            _ => false,
        };
        return recovery.lost.is_empty() && recovery.did.iter().any(is_about);
    }
    let mut names = finding.tensor.iter().chain(&finding.explains).peekable();
    if names.peek().is_none() {
        return recovery.lost.is_empty() && !recovery.did.is_empty();
    }
    names.all(|name| !lost.contains(name.as_slice()))
}

/// What an interrupted save left, where it is a whole checkpoint.
pub(super) fn advise_leftover(path: &Path, finding: &mut Finding, limits: &Limits, progress: &Progress) {
    let Ok(recovery) = recover(path, &[], limits, progress) else { return };
    let is_used = recovery.files.iter().any(|file| file.starts_with(path));
    if recovery.lost.is_empty() && is_used {
        add(finding, what(&recovery), &command(path, &Prefix::new(recovery.prefix.as_os_str())));
    }
}

/// The error for a checkpoint that has no index, where one can be made.
pub(super) fn with_command(path: &Path, error: Error, limits: &Limits, progress: &Progress) -> Error {
    let Ok(recovery) = recover(path, &[], limits, progress) else { return error };
    let prefix = Prefix::new(recovery.prefix.as_os_str());
    error.and_help(&format!("{}: {}", what(&recovery), command(path, &prefix)))
}

/// What the copy would be.
fn what(recovery: &Recovery) -> &'static str {
    match (recovery.unverified, recovery.lost.is_empty()) {
        (0, true) => "a whole copy",
        (_, true) => "a copy with an index made anew, which cannot say that values are those that were saved",
        (_, false) => "a copy of what can be had",
    }
}

fn add(finding: &mut Finding, what: &str, command: &str) {
    let help = finding.help.take().map_or_else(String::new, |help| format!("{help}; "));
    finding.help = Some(format!("{help}{what}: {command}"));
}

/// The command, with an output that does not exist yet.
pub(super) fn command(path: &Path, prefix: &Prefix) -> String {
    let base = prefix.base_name();
    let dir = prefix.directory();
    let out = |n: u32| -> PathBuf {
        let number = if n > 1 { format!("-{n}") } else { String::new() };
        // Beside a SavedModel rather than in it: what lies in it belongs to it.
        let model = dir
            .parent()
            .filter(|model| base == "variables" && dir.ends_with("variables") && model.file_name().is_some());
        let folder = match model.and_then(Path::file_name) {
            Some(model) => {
                dir.with_file_name("").join("..").join(format!("{}-recovered{number}", model.to_string_lossy()))
            }
            None => dir.join(format!("recovered{number}")),
        };
        plain(&folder).join(base)
    };
    let free = (1..100).map(out).find(|out| !storage::exists(&Prefix::new(out.as_os_str()).index()));
    format!("ckpt recover {} -o {}", shell_word(path), shell_word(&free.unwrap_or_else(|| out(100))))
}

/// A path without the `NAME/..` that it is put together with, and without a leading `./`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        let goes_up = part.as_os_str() == ".." && plain.file_name().is_some();
        match part {
            std::path::Component::CurDir => {}
            _ if goes_up => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}
