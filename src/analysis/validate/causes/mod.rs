//! What happened to tensors whose bytes are wrong: as far as bytes and checksums tell, certain kept apart from likely.
//!
//! Shard by shard, the widest cause first: a transfer that takes the file for text, data of another shard or another
//! save (proved where its index or its data is at hand), holes of zeros, single bits. What a cause explains is folded
//! under it: one cause is one finding. What is left may still be another save, told by the share of what can differ.

mod holes;
mod joined;
mod other_save;
mod stretch;
mod text_mode;
mod wrong;

pub(super) use self::other_save::{Held, holds};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use self::other_save::Elsewhere;
pub(super) use self::wrong::{AMID_OTHERS, RARE};
use super::Validation;
use super::bytes::Outcome;
use super::entries::StoredPiece;
use super::mismatch::{Mismatch, piece_name};
use super::shard_files::{ShardFiles, file_name, names_of};
use crate::analysis::derived::derived;
use crate::analysis::finding::{Code, Finding};
use crate::analysis::forensics::{BitFlip, crc_of_zeros, single_bit};
use crate::read::checkpoint::Checkpoint;
use crate::read::storage::Source;
use wrong::{TELLING, Wrong, can_differ};

/// Explains the mismatches and adds a finding for each cause.
pub(super) fn explain(
    checkpoint: &Checkpoint,
    pieces: &[StoredPiece],
    sums: Outcome,
    shards: &ShardFiles,
    result: &mut Validation,
) {
    let mut by_shard: BTreeMap<i32, Vec<Mismatch>> = BTreeMap::new();
    for mismatch in sums.mismatches {
        if let Some(piece) = pieces.get(mismatch.piece) {
            by_shard.entry(piece.shard).or_default().push(mismatch);
        }
    }
    // A shard that lost bytes in a text-mode transfer is short; it may have no mismatch that could be summed.
    for (shard, code) in &shards.broken {
        if *code == Code::ShortShard {
            by_shard.entry(*shard).or_default();
        }
    }
    let mut alone: Vec<PathBuf> = Vec::new();
    for (shard, mismatches) in by_shard {
        let evidence = Evidence {
            checkpoint,
            pieces,
            shard,
            wrong: mismatches.iter().filter_map(|m| Some((pieces.get(m.piece)?, m.got))).collect(),
            has: |piece: &StoredPiece| shards.has(piece),
        };
        if shards.broken.get(&shard) == Some(&Code::ForeignShard) {
            // That the file is no shard is said already, and explains everything in it.
            continue;
        }
        if evidence.is_counters() {
            alone.push(evidence.path());
        }
        evidence.explain(shards.broken.get(&shard) == Some(&Code::ShortShard), result);
    }
    joined::join(&mut result.findings, &alone);
}

/// The wrong pieces of one shard.
struct Evidence<'c, H> {
    checkpoint: &'c Checkpoint,
    pieces: &'c [StoredPiece],
    shard: i32,
    wrong: Vec<Wrong<'c>>,
    /// Whether the file is long enough for a piece.
    has: H,
}

impl<'c, H: Fn(&StoredPiece) -> bool> Evidence<'c, H> {
    fn path(&self) -> PathBuf {
        self.checkpoint.file(self.shard)
    }

    /// Whether nothing of the shard that can differ between two saves is right, and what is wrong are scalars.
    fn is_counters(&self) -> bool {
        let is_scalar = |(piece, _): &Wrong<'_>| piece.len <= TELLING;
        !self.wrong.is_empty() && self.wrong.iter().all(is_scalar) && self.good().next().is_none()
    }

    /// Strings of the shard that have a finding: what zeros did to numbers, they did to their neighbours.
    fn strings(&self, path: &Path, result: &Validation) -> Vec<Wrong<'c>> {
        let told: BTreeSet<&[u8]> =
            result.findings.iter().filter(|f| is_of_strings(f, path)).filter_map(|f| f.tensor.as_deref()).collect();
        let is_told = |piece: &&StoredPiece| {
            piece.shard == self.shard
                && piece.is_variable
                && (self.has)(piece)
                && self
                    .checkpoint
                    .tensors()
                    .get(piece.tensor as usize)
                    .is_some_and(|t| told.contains(t.name.as_slice()))
        };
        if told.is_empty() {
            Vec::new()
        } else {
            self.pieces.iter().filter(is_told).map(|piece| (piece, piece.crc)).collect()
        }
    }

    /// `is_short`: the file ends before the tensors that the index places in it.
    fn explain(&self, is_short: bool, result: &mut Validation) {
        let path = self.path();
        let Ok(source) = Source::open(&path) else { return };
        if let Some(finding) = text_mode::finding(&source, &path, self.needed()) {
            let finding = self.fold(finding, &self.wrong);
            let finding = absorb(finding, &path, result);
            result.push(finding);
            return;
        }
        let mut left: Vec<Wrong<'_>> = self.wrong.clone();
        if is_short || self.is_counters() {
            let own: Vec<StoredPiece> = self.pieces.iter().filter(|piece| piece.shard == self.shard).copied().collect();
            if let Some(finding) = other_save::swapped(self.checkpoint, &path, &own) {
                let finding = absorb(self.fold(finding, &left), &path, result);
                result.push(finding);
                return;
            }
        }
        let good: Vec<Wrong<'_>> = self.good().map(|piece| (piece, piece.crc)).collect();
        let Elsewhere { causes, copy } = other_save::explain(self.checkpoint, &path, &good, &mut left);
        let is_other_save = !causes.is_empty();
        for (finding, explained) in causes {
            let finding = self.fold(finding, &explained);
            let finding = absorb(finding, &path, result);
            result.push(finding);
        }
        if left.is_empty() {
            return;
        }
        let holes = holes::find(&source, &left);
        let explain_all = holes.iter().any(|hole| hole.explains_all(&left));
        if !is_other_save
            && !explain_all
            && let Some(finding) = self.likely_other_save(&path, &left, holes.len())
        {
            let finding = absorb(self.fold(finding, &left), &path, result);
            result.push(finding);
            return;
        }
        let mut flipped = Vec::new();
        left.retain(|wrong| match self.flip(*wrong) {
            Some(flip) => {
                flipped.push((*wrong, flip));
                false
            }
            None => true,
        });
        let mut in_holes = Vec::new();
        let strings = self.strings(&path, result);
        for hole in holes::find(&source, &[left.as_slice(), &strings].concat()) {
            let (mut inside, outside): (Vec<_>, Vec<_>) =
                left.iter().copied().partition(|(piece, _)| hole.meets(piece));
            if !inside.is_empty() {
                let of_strings: Vec<_> = strings.iter().copied().filter(|(piece, _)| hole.meets(piece)).collect();
                let names = names_of(self.checkpoint, of_strings.iter().map(|(piece, _)| *piece));
                result
                    .findings
                    .retain(|f| !is_of_strings(f, &path) || f.tensor.as_ref().is_none_or(|name| !names.contains(name)));
                inside.extend(of_strings);
            }
            in_holes.push((hole, inside));
            left = outside;
        }
        // Where bytes are wrong that nothing explains, they are likelier to have the checksum of a flipped bit by chance.
        let amid_others = is_other_save || left.iter().any(|(piece, _)| piece.len > TELLING);
        let (flipped, by_chance): (Vec<_>, Vec<_>) =
            flipped.into_iter().partition(|(_, flip)| !amid_others || self.chance(flip) < AMID_OTHERS);
        for (wrong, flip) in flipped {
            result.push(with_copy(self.flip_finding(&path, wrong, &flip), copy.as_ref(), &[wrong]));
        }
        for (hole, inside) in in_holes.iter().filter(|(_, inside)| !inside.is_empty()) {
            let finding = hole.finding(&path, self.checkpoint, inside);
            result.push(self.fold(with_copy(finding, copy.as_ref(), inside), inside));
        }
        let mut unexplained: Vec<(Wrong<'_>, Option<BitFlip>)> = left
            .into_iter()
            .map(|wrong| (wrong, None))
            .chain(by_chance.into_iter().map(|(w, f)| (w, Some(f))))
            .collect();
        unexplained.sort_by_key(|((piece, _), _)| piece.start);
        let mut starts: Vec<u64> =
            self.pieces.iter().filter(|p| p.shard == self.shard && p.len > 0).map(|p| p.start).collect();
        starts.sort_unstable();
        let (stretches, unexplained) = stretch::split(&unexplained, &starts);
        for stretch in &stretches {
            let finding = stretch::finding(&path, stretch, is_other_save);
            result.push(self.fold(with_copy(finding, copy.as_ref(), stretch), stretch));
        }
        for (wrong, flip) in unexplained {
            let mut finding = self.mismatch(&path, wrong, is_other_save);
            if let Some(flip) = flip {
                let at = wrong.0.start.saturating_add(flip.byte);
                let odds = odds_against(&flip);
                let help = finding.help.take().unwrap_or_default();
                finding.help = Some(format!(
                    "{help}; one flipped bit would explain this tensor, bit {} of byte {at}, or chance (1 : {odds})",
                    flip.bit
                ));
            }
            result.push(with_copy(finding, copy.as_ref(), &[wrong]));
        }
    }

    /// Says of a finding which tensors it explains.
    fn fold(&self, mut finding: Finding, explained: &[Wrong<'_>]) -> Finding {
        finding.explains = names_of(self.checkpoint, explained.iter().map(|(piece, _)| *piece));
        finding
    }

    /// Pieces of the shard that match and that another save would hardly have too: longer than a scalar, not zeros.
    fn good(&self) -> impl Iterator<Item = &StoredPiece> {
        let wrong: Vec<u64> = self.wrong.iter().map(|(piece, _)| piece.start).collect();
        let own = self.pieces.iter().filter(|piece| piece.shard == self.shard && piece.is_selected);
        let matches = move |piece: &&StoredPiece| wrong.binary_search(&piece.start).is_err();
        own.filter(|piece| !piece.is_variable && (self.has)(piece)).filter(matches).filter(|piece| can_differ(piece))
    }

    /// Without another save at hand: whether what is wrong is so much of what can differ between two saves, and so
    /// scattered over the file, that a mixed pair is likelier than damage.
    fn likely_other_save(&self, path: &Path, left: &[Wrong<'c>], holes: usize) -> Option<Finding> {
        let zeros = |(piece, got): &Wrong<'_>| got.0 == crc_of_zeros(piece.len);
        // One run of zeros is a hole; several, or one beside other wrong tensors, may be slots of the first step.
        let may_be_slots = holes > 1 || left.iter().any(|wrong| !zeros(wrong));
        let wrong = left.iter().filter(|wrong| (may_be_slots || !zeros(wrong)) && self.flip(**wrong).is_none());
        let wrong: Vec<&StoredPiece> = wrong.map(|(piece, _)| *piece).filter(|piece| piece.len > TELLING).collect();
        let good: Vec<&StoredPiece> = self.good().collect();
        let bytes = |pieces: &[&StoredPiece]| pieces.iter().map(|piece| piece.len).sum::<u64>();
        let of = left.len().saturating_add(good.len());
        let (certain, message) = if good.is_empty() {
            // Slots of an optimizer are zeros at the first step, so zeros alone may be another save's as well; where
            // nothing but them is wrong and nothing can be right, both are possible.
            let all_zeros = left.iter().all(zeros);
            if left.len() < 2 || (!all_zeros && left.iter().all(|wrong| zeros(wrong) || self.flip(*wrong).is_some())) {
                return None;
            }
            let of_all = self.pieces.iter().filter(|piece| piece.shard == self.shard && !piece.is_variable).count();
            let that = if of_all > self.wrong.len() { " that can differ between two saves" } else { "" };
            let n = left.len();
            let message = format!("none of the {n} tensors in {}{that} is what the index says", file_name(path));
            let certain = if all_zeros {
                "every size fits, every checksum differs, and all of these tensors are zeros".to_owned()
            } else {
                "every size fits and every checksum of these differs".to_owned()
            };
            (certain, message)
        } else {
            // In damage the wrong ones are neighbours; in another save they stand among the right ones.
            let scattered = good.iter().any(|piece| {
                wrong.iter().any(|other| other.start < piece.start)
                    && wrong.iter().any(|other| other.start > piece.start)
            });
            // A tensor that is zeros from its first byte to its last, beside one that is wrong otherwise: a slot.
            let scattered = scattered || (left.iter().any(zeros) && left.iter().any(|wrong| !zeros(wrong)));
            let share = bytes(&wrong) >= bytes(&good);
            if wrong.len() < 2 || !share || (good.len() > 1 && !scattered) {
                return None;
            }
            let n = wrong.len();
            let message =
                format!("{n} of the {of} tensors in {} that can differ between two saves do", file_name(path));
            (format!("every size fits; {} of the checksums differ", left.len()), message)
        };
        let likely = if left.iter().all(zeros) {
            "index and data come from different saves, one of them before training changed these tensors; or the file \
             was never written"
        } else {
            "index and data come from different saves, or the shard was overwritten"
        };
        let finding =
            Finding::new(Code::MispairedData, message).in_file(path).because(certain, Some(likely.to_owned()));
        Some(finding.with_help("find the index and data of one save; until then no tensor of this pair can be trusted"))
    }

    fn needed(&self) -> u64 {
        self.pieces.iter().filter(|p| p.shard == self.shard).map(StoredPiece::end).max().unwrap_or(0)
    }

    /// The one bit that would explain a wrong piece. Two counters may differ in one bit without any damage.
    fn flip(&self, (piece, got): Wrong<'c>) -> Option<BitFlip> {
        single_bit(piece.crc.0, got.0, piece.len).filter(|flip| self.chance(flip) < RARE)
    }

    /// How likely it is that one of so many wrong pieces has such a checksum by chance.
    fn chance(&self, flip: &BitFlip) -> f64 {
        flip.odds * u32::try_from(self.wrong.len()).map_or(f64::from(u32::MAX), f64::from)
    }

    fn flip_finding(&self, path: &Path, (piece, got): Wrong<'_>, flip: &BitFlip) -> Finding {
        let at = piece.start.saturating_add(flip.byte);
        let who = piece_name(self.checkpoint, piece);
        let message =
            format!("{who}: one bit differs from what was saved, bit {} of byte {at} of {}", flip.bit, file_name(path));
        let mut finding = Finding::new(Code::SingleBitFlip, message).in_file(path);
        finding.offset = Some(at);
        (finding.expected, finding.found) = (Some(format!("{:#010x}", piece.crc.0)), Some(format!("{:#010x}", got.0)));
        let odds = odds_against(flip);
        let unique = if flip.unique { "" } else { "; in a tensor this large other bits would explain it too" };
        let certain = format!("the two checksums differ exactly as this one bit makes them{unique}");
        let (likely, help) = if piece.len > TELLING {
            ("a memory, disk or transfer error", "fetch the shard again")
        } else {
            ("a memory, disk or transfer error, or the value of another save", "compare it with what it should be")
        };
        let likely = format!("{likely} (odds of coincidence 1 : {odds})");
        finding = finding.because(certain, Some(likely)).with_help(help);
        match self.checkpoint.tensors().get(piece.tensor as usize) {
            Some(tensor) => finding.for_tensor(&tensor.name),
            None => finding,
        }
    }

    /// A wrong tensor that no cause explains.
    fn mismatch(&self, path: &Path, (piece, got): Wrong<'_>, is_other_save: bool) -> Finding {
        let (stored, computed) = (format!("{:#010x}", piece.crc.0), format!("{:#010x}", got.0));
        let who = piece_name(self.checkpoint, piece);
        let message = format!(
            "{who}: its {} bytes are not the ones that were saved (stored {stored}, computed {computed}; {} at offset {})",
            piece.len,
            file_name(path),
            piece.start
        );
        let mut finding = Finding::new(Code::TensorChecksumMismatch, message).in_file(path);
        // That the others can be used is said only where nothing speaks for another save.
        finding.help = Some(match self.wrong.len() {
            _ if is_other_save => "nothing nearby has it as it should be; fetch that file again".to_owned(),
            1 if self.good().map(|good| good.len).sum::<u64>() / 4 >= piece.len => {
                "fetch that file again; the other tensors match their checksums".to_owned()
            }
            _ => "fetch that file again".to_owned(),
        });
        (finding.offset, finding.expected, finding.found) = (Some(piece.start), Some(stored), Some(computed));
        if let Some(tensor) = self.checkpoint.tensors().get(piece.tensor as usize) {
            finding = finding.for_tensor(&tensor.name);
            if let Some(value) = derived(self.checkpoint, &tensor) {
                let assumption = value.assumption().map_or_else(String::new, |text| format!(", {text}"));
                let certain = format!("by its checksum the value that was saved is {}{assumption}", value.text());
                finding = finding.because(certain, None);
            }
        }
        finding
    }
}

/// Whether a finding is about the strings of a tensor in this file.
fn is_of_strings(finding: &Finding, path: &Path) -> bool {
    matches!(finding.code, Code::StringLengthsMismatch | Code::BadStringTensor) && finding.file.as_deref() == Some(path)
}

/// One to how many the checksum of a flipped bit is chance.
fn odds_against(flip: &BitFlip) -> f64 {
    f64::round(1.0 / flip.odds.max(f64::MIN_POSITIVE))
}

/// A file that is another one has another length and other strings: what was told of these is a part of the cause, and
/// goes under it.
fn absorb(mut finding: Finding, path: &Path, result: &mut Validation) -> Finding {
    use Code::{BadStringTensor, ShortShard, StringLengthsMismatch, TensorChecksumMismatch, UnreferencedBytes};
    let is_part = |f: &Finding| {
        let codes = [BadStringTensor, ShortShard, StringLengthsMismatch, TensorChecksumMismatch, UnreferencedBytes];
        codes.contains(&f.code) && f.file.as_deref() == Some(path)
    };
    for told in result.findings.extract_if(.., |f| is_part(f)) {
        finding.explains.extend(told.explains);
        finding.explains.extend(told.tensor);
    }
    finding.explains.sort_unstable();
    finding.explains.dedup();
    finding
}

/// Names a file that has the right bytes of all these pieces.
fn with_copy(mut finding: Finding, copy: Option<&(PathBuf, Vec<Wrong<'_>>)>, wrong: &[Wrong<'_>]) -> Finding {
    if let Some((file, held)) = copy
        && wrong.iter().all(|(piece, _)| held.iter().any(|(other, _)| std::ptr::eq(*other, *piece)))
    {
        let help = finding.help.take().unwrap_or_default();
        finding.help = Some(format!("{help}; {} has the right bytes at the same place", file_name(file)));
    }
    finding
}
