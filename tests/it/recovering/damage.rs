//! Bits planted everywhere, alone, in pairs, in bursts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::support::{open, testdata, tries};
use super::{Came, Files, Values, judge, values};

/// Small fixtures with every kind of thing in them: strings, slices, several shards, an object graph, all dtypes.
fn fixtures() -> Vec<PathBuf> {
    ["saver_v2/sharded_adam/model.ckpt-200", "convert/arrays", "convert/objects-1", "cases/31-rename-denied/a/weights"]
        .iter()
        .map(|name| testdata().join(name))
        .collect()
}

/// Damages files as `damage` does, and counts what came of it.
fn all(test: &str, prefix: &Path, trials: impl Iterator<Item = (String, Vec<(usize, u8)>)>) -> BTreeMap<Came, usize> {
    let base = prefix.file_name().unwrap().to_str().unwrap();
    let original: Values = values(&open(prefix).unwrap());
    let mut files = Files::of(test, prefix);
    let mut came: BTreeMap<Came, usize> = BTreeMap::new();
    for (name, bits) in trials {
        let flip = |files: &mut Files| {
            for (byte, bit) in &bits {
                files.files.get_mut(&name).unwrap()[*byte] ^= 1 << bit;
            }
        };
        flip(&mut files);
        let what = format!("{} {name} {bits:?}", prefix.display());
        *came.entry(judge(&files.recover(base), &original, &what)).or_default() += 1;
        flip(&mut files);
    }
    files.done();
    came
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[test]
fn every_bit_that_is_planted_is_mended() {
    std::thread::scope(|scope| {
        for (n, prefix) in fixtures().into_iter().enumerate() {
            scope.spawn(move || {
                let test = format!("bits-{n}");
                let files = Files::of(&test, &prefix);
                // The longest, one of them a single long string, not bit for bit.
                let step = match prefix.file_name().and_then(|name| name.to_str()) {
                    Some("objects-1") => tries(45, 5),
                    Some("model.ckpt-200") => tries(25, 3),
                    _ => tries(9, 1),
                };
                let trials: Vec<(String, Vec<(usize, u8)>)> = files
                    .files
                    .iter()
                    .flat_map(|(name, bytes)| {
                        let bits = (0..bytes.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit)));
                        bits.step_by(step).map(|bit| (name.clone(), vec![bit]))
                    })
                    .collect();
                assert!(trials.len() > tries(450, 4000));
                let came = all(&test, &prefix, trials.into_iter());
                assert!(came.keys().all(|came| *came == Came::Whole), "{} {came:?}", prefix.display());
            });
        }
    });
}

#[test]
fn two_bits_and_bursts_are_never_mended_wrongly() {
    let mut random = Random(20_180_307);
    for prefix in fixtures() {
        let files = Files::of("bursts", &prefix);
        let names: Vec<(String, usize)> = files.files.iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect();
        let trials: Vec<(String, Vec<(usize, u8)>)> = (0..tries(180, 900))
            .map(|n| {
                let (name, len) = &names[random.below(names.len())];
                let first = random.below(len * 8);
                let bits: Vec<usize> = match n % 3 {
                    // Two anywhere, two near each other, a burst of up to 64 bits.
                    0 => vec![first, random.below(len * 8)],
                    1 => vec![first, (first + 1 + random.below(40)) % (len * 8)],
                    _ => {
                        (first..(first + 3 + random.below(61)).min(len * 8)).filter(|_| random.below(2) == 0).collect()
                    }
                };
                let bits = bits.into_iter().map(|bit| (bit / 8, u8::try_from(bit % 8).unwrap()));
                (name.clone(), bits.collect())
            })
            .collect();
        let came = all("bursts", &prefix, trials.into_iter());
        let not_whole: usize = came.iter().filter(|(came, _)| **came != Came::Whole).map(|(_, n)| n).sum();
        assert!(not_whole > tries(80, 400), "{} {came:?}", prefix.display());
    }
}

/// Too many strings to try every bit of their lengths.
#[test]
fn a_bit_in_the_lengths_of_many_strings_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("vocabulary");
    let words: Vec<String> = (0..3000).map(|n| format!("word{n}")).collect();
    let builder =
        ckpt_synth::BundleBuilder::new().strings("words", &[3000], &words).floats("w", &[3], &[1.0, 2.0, 3.0]);
    builder.finish().write(&prefix).unwrap();
    let data = Files::of("vocabulary", &prefix).files.keys().find(|name| name.contains(".data-")).unwrap().clone();
    // In a value, in the bit that says that a length goes on, in the checksum of the lengths, in a string.
    let bits = [(17, 2), (1500, 7), (2990, 7), (3002, 5), (5000, 1)];
    let bits = &bits[..tries(2, bits.len())];
    let came = all("vocabulary", &prefix, bits.iter().copied().map(|bit| (data.clone(), vec![bit])));
    assert_eq!(came, BTreeMap::from([(Came::Whole, bits.len())]));
}
