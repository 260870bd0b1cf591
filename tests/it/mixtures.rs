//! Several faults planted at once: nothing that is said to be certain may be untrue, one cause is one finding, and a
//! fault that stands alone is called by its name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ckpt::analysis::{Code, Finding, Severity, Validation};
use ckpt_synth::{BundleBuilder, dtype};

use crate::support::tries;
use crate::validating::{lines, noise, options, try_run, with};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    fn size(&mut self, sides: usize) -> usize {
        usize::try_from(self.roll(sides as u64)).unwrap()
    }
}

/// A tensor of a program: in which shard, how long, and what of it changes from save to save.
struct Variable {
    name: String,
    shard: i32,
    len: usize,
    content: Content,
}

enum Content {
    Trained,
    Frozen,
    Zeros,
    /// Zeros in the first save, trained in the others: a slot.
    Slot,
    Ones,
    Step,
}

fn program(dice: &mut Dice, shards: i32) -> Vec<Variable> {
    let mut all = Vec::new();
    for n in 0..8 + dice.size(8) {
        let (content, len) = match dice.roll(10) {
            0 => (Content::Zeros, 4 * (1 + dice.size(100))),
            1 => (Content::Ones, 4 * (1 + dice.size(60))),
            2 => (Content::Step, 8),
            3 => (Content::Frozen, 4 * (10 + dice.size(300))),
            4 | 5 => (Content::Slot, 4 * (20 + dice.size(800))),
            _ => (Content::Trained, 4 * (20 + dice.size(3000))),
        };
        let shard = i32::try_from(dice.roll(u64::try_from(shards).unwrap())).unwrap();
        all.push(Variable { name: format!("v{n:02}"), shard, len, content });
    }
    // Every shard has something that is trained.
    all.extend((0..shards).map(|shard| {
        let name = format!("w{shard}");
        Variable { name, shard, len: 9000 + 4 * dice.size(500), content: Content::Trained }
    }));
    all
}

fn save(program: &[Variable], number: u64, seed: u64, prefix: &Path) {
    let mut builder = BundleBuilder::new();
    for (n, variable) in (1..).zip(program) {
        let own = |save: u64| noise(variable.len, seed * 1000 + n * 17 + save * 7919);
        let bytes = match variable.content {
            Content::Trained => own(number),
            Content::Frozen => own(99),
            Content::Slot if number > 0 => own(number),
            Content::Zeros | Content::Slot => vec![0; variable.len],
            Content::Ones => 1f32.to_le_bytes().repeat(variable.len / 4),
            Content::Step => (number * 100).to_le_bytes().to_vec(),
        };
        let dims = [i64::try_from(variable.len).unwrap()];
        builder =
            builder.tensor_in(usize::try_from(variable.shard).unwrap(), &variable.name, dtype::UINT8, &dims, bytes);
    }
    builder.strings("words", &[2], &["one", "two"]).finish().write(prefix).unwrap();
}

/// What was done to the shards of the checkpoint under test.
#[derive(Debug, Default)]
struct Planted {
    /// Shards that are another save's, and whose.
    replaced: BTreeMap<i32, u64>,
    swapped: BTreeSet<i32>,
    /// Shard, byte, bit.
    flips: BTreeSet<(i32, u64, u8)>,
    holes: usize,
    garbage: usize,
    /// Shards of which a part is another save's.
    torn: BTreeSet<i32>,
    /// Shards that lost bytes, or got some, at their end or within.
    resized: BTreeSet<i32>,
    missing: BTreeSet<i32>,
    /// Byte and bit of the index.
    index_flips: BTreeSet<(u64, u8)>,
    faults: usize,
}

/// A directory with a checkpoint `m` that has faults, maybe beside other saves of the same program.
fn plant(dir: &Path, seed: u64) -> (PathBuf, i32, Planted) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..5 {
        dice.roll(2);
    }
    let shards = 1 + i32::try_from(dice.roll(3)).unwrap();
    let program = program(&mut dice, shards);
    let prefix = dir.join("m");
    save(&program, 1, seed, &prefix);
    let others = [0u64, 2];
    for other in others {
        save(&program, other, seed, &dir.join(format!("other-{other}")));
    }
    let file = |prefix: &Path, shard: i32| with(prefix, &format!(".data-{shard:05}-of-{shards:05}"));
    let mut planted = Planted::default();
    let times = 1 + dice.size(3);
    for _ in 0..times {
        let shard = i32::try_from(dice.roll(u64::try_from(shards).unwrap())).unwrap();
        let path = file(&prefix, shard);
        let Ok(mut bytes) = fs::read(&path) else { continue };
        // An earlier cut may have left next to nothing.
        if bytes.len() < 2 {
            continue;
        }
        match dice.roll(12) {
            0 if !planted.swapped.contains(&shard) => {
                let other = others[dice.size(2)];
                bytes = fs::read(file(&dir.join(format!("other-{other}")), shard)).unwrap();
                planted.replaced.insert(shard, other);
                planted.flips.retain(|flip| flip.0 != shard);
            }
            1 if shards > 1 && planted.faults == 0 => {
                let second = (shard + 1) % shards;
                let other = fs::read(file(&prefix, second)).unwrap();
                fs::write(file(&prefix, second), &bytes).unwrap();
                bytes = other;
                planted.swapped.extend([shard, second]);
            }
            2 => {
                let start = dice.size(bytes.len() / 2) / 4096 * 4096;
                let end = (start + 8192).min(bytes.len());
                bytes[start..end].fill(0);
                planted.holes += 1;
            }
            3 => {
                let (at, bit) = (dice.size(bytes.len()), u8::try_from(dice.roll(8)).unwrap());
                bytes[at] ^= 1 << bit;
                planted.flips.insert((shard, at as u64, bit));
            }
            4 => {
                // Two writers: from a page on, or up to one, it is what the other wrote.
                let other = fs::read(file(&dir.join(format!("other-{}", others[dice.size(2)])), shard)).unwrap();
                let len = bytes.len().min(other.len());
                let at = dice.size(len.max(1)) / 4096 * 4096;
                let range = if dice.roll(2) == 0 { at..len } else { 0..at };
                bytes[range.clone()].copy_from_slice(&other[range]);
                planted.torn.insert(shard);
            }
            5 => {
                let len = dice.size(bytes.len());
                bytes.truncate(if dice.roll(2) == 0 { len } else { len / 4096 * 4096 });
                planted.resized.insert(shard);
            }
            6 => {
                // A few bytes more or fewer somewhere: all behind them is shifted.
                let at = dice.size(bytes.len());
                if dice.roll(2) == 0 {
                    bytes.splice(at..at, noise(1 + dice.size(9), seed));
                } else {
                    bytes.drain(at..(at + 1 + dice.size(9)).min(bytes.len()));
                }
                planted.resized.insert(shard);
            }
            7 => {
                // A page written to the place of another.
                let pages = bytes.len() / 4096;
                if pages > 1 {
                    let (from, to) = (dice.size(pages) * 4096, dice.size(pages) * 4096);
                    bytes.copy_within(from..from + 4096, to);
                }
                planted.garbage += 1;
            }
            8 => {
                let start = dice.size(bytes.len());
                let end = (start + 1 + dice.size(9000)).min(bytes.len());
                bytes[start..end].fill([0xff, b' ', 0x55][dice.size(3)]);
                planted.garbage += 1;
            }
            9 => {
                let index = with(&prefix, ".index");
                let mut table = fs::read(&index).unwrap();
                let (at, bit) = (dice.size(table.len()), u8::try_from(dice.roll(8)).unwrap());
                table[at] ^= 1 << bit;
                planted.index_flips.insert((at as u64, bit));
                fs::write(&index, table).unwrap();
            }
            10 if shards > 1 => {
                fs::remove_file(&path).unwrap();
                planted.missing.insert(shard);
                planted.faults += 1;
                continue;
            }
            _ => {
                let start = dice.size(bytes.len());
                let end = (start + 1 + dice.size(6000)).min(bytes.len());
                let random = noise(end - start, seed + 5);
                bytes[start..end].copy_from_slice(&random);
                planted.garbage += 1;
            }
        }
        planted.faults += 1;
        fs::write(&path, bytes).unwrap();
    }
    // The other saves are there, or only their indexes, or only their data, or nothing.
    for other in others {
        let kept = dice.roll(4);
        let name = dir.join(format!("other-{other}"));
        if kept.is_multiple_of(2) {
            fs::remove_file(with(&name, ".index")).unwrap();
        }
        if kept / 2 == 0 {
            (0..shards).for_each(|shard| fs::remove_file(file(&name, shard)).unwrap());
        }
    }
    (prefix, shards, planted)
}

fn shard_of(finding: &Finding) -> Option<i32> {
    let name = finding.file.as_ref()?.file_name()?.to_str()?.to_owned();
    name.split_once(".data-")?.1.get(..5)?.parse().ok()
}

/// Checks everything that is said to be certain against what was planted.
fn check(prefix: &Path, planted: &Planted, found: &Validation, what: &str) {
    let mut told: BTreeMap<&[u8], usize> = BTreeMap::new();
    for finding in found.findings.iter().filter(|finding| finding.severity == Severity::Error) {
        for tensor in finding.tensor.iter().chain(&finding.explains) {
            *told.entry(tensor.as_slice()).or_default() += 1;
        }
        let shard = shard_of(finding);
        let certain = finding.cause.as_ref().map_or("", |cause| cause.certain.as_str());
        let replaced = shard.and_then(|shard| planted.replaced.get(&shard));
        match finding.code {
            Code::MispairedData => {
                let same = finding.message.split_once("; the same of ").map_or("", |(_, names)| names);
                for shard in same.split(", ").filter_map(|name| name.split_once(".data-")?.1.get(..5)?.parse().ok()) {
                    let is_other = planted.replaced.contains_key(&shard) || planted.torn.contains(&shard);
                    assert!(is_other || !same.contains("another save"), "{what}");
                }
                for other in [0u64, 2] {
                    if certain.contains(&format!("other-{other}.index")) {
                        let is_torn = shard.is_some_and(|shard| planted.torn.contains(&shard));
                        assert!(replaced == Some(&other) || is_torn, "{what}");
                    }
                }
                if finding.message.contains("another save") {
                    assert!(replaced.is_some() || shard.is_some_and(|shard| planted.torn.contains(&shard)), "{what}");
                }
            }
            Code::SwappedShards => assert!(planted.swapped.contains(&shard.unwrap()), "{what}"),
            Code::SingleBitFlip if shard.is_none() => {
                let at = finding.offset.unwrap();
                assert!(planted.index_flips.iter().any(|flip| flip.0 == at), "{what}");
            }
            Code::BlockChecksumMismatch | Code::IndexChecksumMismatch | Code::NotATable | Code::BadBlock => {
                assert!(!planted.index_flips.is_empty(), "{what}");
            }
            Code::MissingShard => assert!(planted.missing.contains(&shard.unwrap()), "{what}"),
            Code::SingleBitFlip => {
                let (shard, at) = (shard.unwrap(), finding.offset.unwrap());
                assert!(planted.flips.iter().any(|flip| (flip.0, flip.1) == (shard, at)), "{what}");
            }
            Code::HoleOfZeros => {
                let text = finding.message.split(" from ").nth(1).unwrap();
                let (start, rest) = text.split_once(" to ").unwrap();
                let end = rest.split_once(',').unwrap().0;
                let file = fs::read(finding.file.as_ref().unwrap()).unwrap();
                let hole = &file[start.parse().unwrap()..end.parse().unwrap()];
                assert!(hole.iter().all(|byte| *byte == 0), "{what}");
            }
            Code::TensorChecksumMismatch => {
                let help = finding.help.as_deref().unwrap_or_default();
                assert!(!help.contains("can be used"), "{what}");
                // That the others match is said where most of the shard does: never of a shard that is another save's.
                let most = found.checked.verified * 2 > found.checked.tensors;
                assert!(!help.contains("other tensors match") || replaced.is_none() || most, "{what}");
            }
            Code::StringLengthsMismatch | Code::BadStringTensor => {}
            Code::ShortShard => {
                let is_resized = shard.is_some_and(|shard| planted.resized.contains(&shard));
                assert!(is_resized || !planted.swapped.is_empty(), "{what}");
            }
            other => panic!("{other:?}\n{what}"),
        }
    }
    assert!(told.values().all(|times| *times == 1), "a tensor has two findings\n{what}");
    // What a damaged index lost, or the files that are not there, is not counted by tensors.
    if !planted.index_flips.is_empty() || !planted.missing.is_empty() {
        return;
    }
    let unverified = found.checked.tensors - found.checked.verified;
    assert_eq!(unverified, told.len() as u64, "every wrong tensor is told once\n{what}");
    // A fault that stands alone has one finding with its name, and no other.
    let errors: Vec<&Finding> = found.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    if planted.faults == 1 && !errors.is_empty() {
        let codes: BTreeSet<Code> = errors.iter().map(|finding| finding.code).collect();
        let only = |code: Code| assert_eq!(codes, BTreeSet::from([code]), "{what}");
        if let Some(other) = planted.replaced.values().next() {
            // With the index of that save at hand there is no doubt; without it one tensor alone says little.
            if with(&prefix.with_file_name(format!("other-{other}")), ".index").exists() {
                only(Code::MispairedData);
                assert_eq!(errors.len(), 1, "{what}");
            } else {
                assert!(!codes.contains(&Code::HoleOfZeros) && !codes.contains(&Code::SingleBitFlip), "{what}");
            }
        } else if !planted.flips.is_empty() {
            only(Code::SingleBitFlip);
        } else if planted.holes > 0 && errors.len() == 1 {
            assert!([Code::HoleOfZeros, Code::TensorChecksumMismatch].contains(&errors[0].code), "{what}");
        } else if !planted.swapped.is_empty() {
            let swapped = errors.iter().filter(|finding| finding.code == Code::SwappedShards).count();
            assert!(swapped > 0, "{what}");
        }
    }
}

#[test]
fn nothing_certain_is_untrue_in_hundreds_of_mixtures() {
    let planted_in_all = tries(400_u64, 1200);
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut clean, mut alone, mut named) = (0_u64, 0_u64, 0_u64);
    // Others than the usual ones, to look for what these do not show.
    let from: u64 = std::env::var("CKPT_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    for seed in from..from + planted_in_all {
        let dir = tempfile::tempdir().unwrap();
        let (prefix, shards, planted) = plant(dir.path(), seed);
        // An index that cannot be opened is an error, and says nothing of data.
        let Ok(found) = try_run(&prefix, &options()) else {
            assert!(!planted.index_flips.is_empty(), "seed {seed}");
            continue;
        };
        clean += u64::from(found.is_ok());
        if planted.faults == 1 && planted.replaced.len() == 1 {
            alone += 1;
            named += u64::from(found.findings.iter().any(|finding| finding.code == Code::MispairedData));
        }
        let what = format!("seed {seed}, {shards} shards: {planted:?}\n{}", lines(&found));
        check(&prefix, &planted, &found, &what);
        for finding in &found.findings {
            *codes.entry(finding.code.name()).or_default() += 1;
        }
    }
    // Zeros over zeros change nothing; nearly everything else must be found.
    assert!(clean < planted_in_all / 20, "{clean} of {planted_in_all} were found intact");
    assert!(alone > planted_in_all / 48 && named * 10 >= alone * 9, "{named} of {alone} mixed pairs were called so");
    for code in ["mispaired-data", "swapped-shards", "single-bit-flip", "hole-of-zeros", "tensor-checksum-mismatch"] {
        assert!(codes.get(code).is_some_and(|times| *times > planted_in_all / 40), "{codes:?}");
    }
}
