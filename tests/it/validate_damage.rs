//! Damage to TensorFlow's own files: every bit of a tensor, every truncation, every byte of an index that matters.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::tries;
use crate::validating::{copy, errors, lines, options, run, try_run, with};
use ckpt::analysis::{Code, Severity, ValidateOptions, Validation, validate_found};
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::{Checkpoint, Choice, Found, ModelDir, Parts, Place, Tensor};
use ckpt::read::tensor::Checked;

/// Bundles of TensorFlow: the fixture, and the prefix in it. All but the one with thousands of tensors.
const BUNDLES: &[(&str, &str)] = &[
    ("bundle_v2/odd_names", "odd"),
    ("dtypes/all", "all"),
    ("model_dir/estimator", "model.ckpt-10"),
    ("model_dir/manager", "ckpt-3"),
    ("object_graph/awkward", "ckpt-1"),
    ("object_graph/keras3", "ckpt-1"),
    ("object_graph/root_variable", "root"),
    ("object_graph/tf_keras", "ckpt-1"),
    ("object_graph/tf_keras_weights", "w"),
    ("partitioned/half", "half"),
    ("partitioned/max_shard_size", "ckpt-1"),
    ("partitioned/merged", "merged"),
    ("saved_model/tf1/model", "variables/variables"),
    ("saver_v2/plain", "model.ckpt-7"),
    ("saver_v2/sharded_adam", "model.ckpt-200"),
    ("saver_v2/uncovered_slots", "model.ckpt-1"),
];

/// As [`BUNDLES`], but with tensors of many kilobytes.
const LARGE: (&str, &str) = ("dtypes/shapes", "shapes");

/// Legacy checkpoints: the fixture, the path to give, and the files.
const LEGACY: &[(&str, &str, &[&str])] = &[
    ("saver_v1/single", "model.ckpt-5", &["model.ckpt-5"]),
    ("saver_v1/slices", "slices", &["slices"]),
    (
        "saver_v1/sharded",
        "model.ckpt-9",
        &["model.ckpt-9-00000-of-00003", "model.ckpt-9-00001-of-00003", "model.ckpt-9-00002-of-00003"],
    ),
];

/// Places of damage in the bytes of one checkpoint, about.
fn most() -> usize {
    tries(40, 300)
}

fn open(path: &Path) -> ckpt::base::error::Result<Checkpoint> {
    Checkpoint::open(path, Choice::default(), &Limits::default())
}

fn places(tensor: &Tensor) -> Vec<Place> {
    match &tensor.parts {
        Parts::Whole(place) => vec![*place],
        Parts::Slices(slices) => slices.iter().filter_map(|slice| slice.place).collect(),
    }
}

/// Where the bytes of a checkpoint's tensors lie: tensor, shard file, offset, length.
fn pieces(checkpoint: &Checkpoint) -> Vec<(Vec<u8>, PathBuf, usize, usize)> {
    let of = checkpoint.num_shards();
    let mut all = Vec::new();
    for tensor in checkpoint.tensors() {
        for place in places(&tensor) {
            let (offset, size) = place.range.unwrap();
            let file = checkpoint.origin().prefix.shard(place.shard, of);
            all.push((tensor.name.clone(), file, usize::try_from(offset).unwrap(), usize::try_from(size).unwrap()));
        }
    }
    all
}

/// The tensors that error-level findings name.
fn named(validation: &Validation) -> BTreeSet<Vec<u8>> {
    errors(validation).into_iter().flat_map(|finding| finding.tensor.iter().chain(&finding.explains).cloned()).collect()
}

/// What is said of a checkpoint at every place of damage: all that there is to say in some, and between them what one
/// checkpoint says without its neighbours and without what `recover` would do, which takes most of the time.
struct Told {
    prefix: PathBuf,
    /// Where it is one of a directory, as what is of an older format is not always.
    found: Option<Found>,
    runs: usize,
}

impl Told {
    fn of(prefix: &Path) -> Self {
        let dir = ModelDir::scan(prefix.parent().unwrap(), &Limits::default()).unwrap();
        let found = dir.checkpoints.into_iter().find(|found| found.prefix.as_path() == prefix);
        Self { prefix: prefix.to_path_buf(), found, runs: 0 }
    }

    fn now(&mut self, options: &ValidateOptions) -> Validation {
        self.tried(options).unwrap()
    }

    fn tried(&mut self, options: &ValidateOptions) -> ckpt::base::error::Result<Validation> {
        self.runs += 1;
        match &self.found {
            Some(found) if self.runs % 5 != 1 => {
                Ok(validate_found(&self.prefix, found, options, &Limits::default(), &Progress::default()))
            }
            _ => try_run(&self.prefix, options),
        }
    }
}

/// Flips bits of every tensor, one a run, and asserts that exactly that tensor is named: every bit of the smallest
/// checkpoints, of the others one bit in each of some hundreds of bytes, and of every tensor the first and last byte.
fn flip_tensors(fixture: &str, prefix: &str) {
    let dir = copy(fixture);
    let prefix = dir.path().join(prefix);
    let all = pieces(&open(&prefix).unwrap());
    let bytes: usize = all.iter().map(|(.., len)| len).sum();
    let quick = ValidateOptions { threads: 1, ..options() };
    let mut told = Told::of(&prefix);
    let mut seed = 7u32;
    for (name, file, start, len) in &all {
        let intact = fs::read(file).unwrap();
        let last = (start + len).saturating_sub(1);
        let every = bytes.div_ceil(most());
        for at in (*start..last).step_by(every).chain((*len > 0).then_some(last)) {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // The smallest fixtures get every bit.
            let bits = if bytes <= 200 { 0..8 } else { seed >> 29..(seed >> 29) + 1 };
            for bit in bits {
                let mut damaged = intact.clone();
                damaged[at] ^= 1 << bit;
                fs::write(file, damaged).unwrap();
                let validation = told.now(&quick);
                let want = BTreeSet::from([name.clone()]);
                assert_eq!(named(&validation), want, "{fixture} byte {at} bit {bit}\n{}", lines(&validation));
                assert!(validation.checked.verified < validation.checked.tensors, "{fixture} byte {at}");
            }
        }
        fs::write(file, intact).unwrap();
    }
}

#[test]
fn every_flipped_bit_of_a_tensor_is_found() {
    for (fixture, prefix) in BUNDLES {
        flip_tensors(fixture, prefix);
    }
}

#[test]
fn flipped_bits_of_larger_tensors_are_found() {
    flip_tensors(LARGE.0, LARGE.1);
}

#[test]
fn every_truncation_of_a_shard_is_found() {
    for (fixture, prefix) in BUNDLES {
        let dir = copy(fixture);
        let prefix = dir.path().join(prefix);
        let all = pieces(&open(&prefix).unwrap());
        let mut told = Told::of(&prefix);
        let files: BTreeSet<&PathBuf> = all.iter().map(|(_, file, ..)| file).collect();
        for file in files {
            let intact = fs::read(file).unwrap();
            let of_file = || all.iter().filter(|(_, other, ..)| other == file);
            let needed = of_file().map(|(.., start, len)| start + len).max().unwrap();
            // Where a tensor begins and ends, and some hundreds of places between.
            let ends: Vec<usize> = of_file().flat_map(|(.., start, len)| [*start, start + len]).collect();
            let every = needed.div_ceil(most());
            for cut in (0..needed).filter(|cut| cut % every == 0 || ends.contains(cut)) {
                fs::write(file, &intact[..cut]).unwrap();
                let validation = told.now(&options());
                let found = errors(&validation);
                assert!(
                    found.iter().any(|finding| finding.file.as_deref() == Some(file)),
                    "{fixture} {} cut at {cut}\n{}",
                    file.display(),
                    lines(&validation)
                );
                // What lies before the cut is still verified.
                let lost: BTreeSet<&[u8]> =
                    of_file().filter(|(.., start, len)| start + len > cut).map(|(name, ..)| name.as_slice()).collect();
                let checked = validation.checked;
                let whole_file_is_wrong = found.iter().any(|f| f.code == Code::ForeignShard);
                assert!(
                    whole_file_is_wrong || checked.tensors - checked.verified == lost.len() as u64,
                    "{fixture} cut at {cut}: {checked:?}, lost {}\n{}",
                    lost.len(),
                    lines(&validation)
                );
            }
            fs::write(file, intact).unwrap();
        }
    }
}

/// All that a reader returns of a checkpoint, or that it cannot.
type Contents = Option<Vec<(Vec<u8>, String, Option<Vec<u8>>)>>;

fn contents(path: &Path) -> Contents {
    let checkpoint = open(path).ok()?;
    let read = |tensor: &Tensor| {
        let mut bytes = Vec::new();
        let checked = checkpoint.read_all(tensor, &mut |part| {
            // The ends of strings count.
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
            Ok(())
        });
        checked.ok().filter(|checked| *checked == Checked::Verified).map(|_| bytes)
    };
    let one = |tensor: Tensor| (tensor.name.clone(), format!("{} {}", tensor.dtype, tensor.shape), read(&tensor));
    Some(checkpoint.tensors().iter().map(one).collect())
}

/// Whether damage was found, with what was said: an error-level finding, or that there is no checkpoint.
fn is_found(told: &mut Told) -> (bool, String) {
    match told.tried(&options()) {
        Ok(validation) => (!validation.is_ok(), lines(&validation)),
        Err(error) => (true, error.to_string()),
    }
}

/// Damages a file at bytes and at lengths all over it; wherever a reader then returns something else, it must be found.
fn damage_file(path: &Path, file: &Path) -> (usize, usize) {
    let intact = fs::read(file).unwrap();
    let whole = contents(path);
    assert!(whole.is_some(), "{}", path.display());
    let mut told = Told::of(path);
    let (mut changed, mut silent) = (0, 0);
    let mut check = |what: String, damaged: &[u8]| {
        fs::write(file, damaged).unwrap();
        if contents(path) == whole {
            // One flipped bit is told and mended; what is not even told must not matter.
            if is_found(&mut told).0 {
                changed += 1;
            } else {
                silent += 1;
            }
            return;
        }
        changed += 1;
        let (found, said) = is_found(&mut told);
        assert!(found, "{} {what} changes what is read and is not found\n{said}", file.display());
    };
    // Bytes of indexes are of the same few kinds; those of the footer are few.
    let is_tried = |at: &usize| at.is_multiple_of(tries(13, 1)) || at + 48 > intact.len();
    for at in (0..intact.len()).filter(is_tried) {
        let mut damaged = intact.clone();
        damaged[at] ^= 1 << (at * 5 % 8);
        check(format!("byte {at}"), &damaged);
        // Most of what a cut takes is the footer, without which nothing is read: a third of them tells the rest.
        if at % 3 == 0 || at + 48 > intact.len() {
            check(format!("cut at {at}"), &intact[..at]);
        }
    }
    fs::write(file, intact).unwrap();
    (changed, silent)
}

#[test]
fn every_damaged_byte_of_an_index_that_matters_is_found() {
    for (fixture, prefix) in BUNDLES {
        let dir = copy(fixture);
        let prefix = dir.path().join(prefix);
        let (changed, silent) = damage_file(&prefix, &with(&prefix, ".index"));
        // What may be damaged unnoticed: the padding of the footer, and the metaindex, which is empty.
        assert!(silent <= 64 && changed > tries(40, 100), "{fixture}: {changed} and {silent}");
    }
}

#[test]
fn every_damaged_byte_of_a_legacy_checkpoint_that_matters_is_found() {
    for (fixture, path, files) in LEGACY {
        let dir = copy(fixture);
        for file in *files {
            let (changed, _) = damage_file(&dir.path().join(path), &dir.path().join(file));
            assert!(changed > tries(40, 100), "{fixture} {file}: {changed}");
        }
    }
}

#[test]
fn intact_fixtures_are_intact() {
    let said = |fixture: &str, path: &str| {
        let dir = copy(fixture);
        let validation = run(&dir.path().join(path));
        assert_eq!(validation.findings.iter().filter(|f| f.severity == Severity::Error).count(), 0, "{fixture}");
        let checked = validation.checked;
        assert_eq!((checked.verified, checked.skipped), (checked.tensors, 0), "{fixture}");
        assert_eq!(checked.checkpoints, validation.targets.len() as u64, "{fixture}");
        validation.findings.iter().map(|f| format!("{} {}", f.severity.name(), f.code.name())).collect::<Vec<_>>()
    };
    let all = BUNDLES.iter().map(|(fixture, path)| (*fixture, *path));
    let all = all.chain([LARGE, ("bundle_v2/many_blocks", "many")]);
    let all = all.chain(LEGACY.iter().map(|(fixture, path, _)| (*fixture, *path)));
    let directories = [
        "model_dir/bare",
        "model_dir/estimator",
        "model_dir/manager",
        "model_dir/moved",
        "model_dir/no_state",
        "model_dir/stale",
        "saved_model/keras3_export/model",
        "saved_model/no_variables/model",
        "saved_model/no_variables_tf1/model",
        "saved_model/pbtxt/model",
        "saved_model/tf1/model",
        "saved_model/tf2/model",
        "serving/base/served",
    ];
    let mut remarks = Vec::new();
    for (fixture, path) in all.chain(directories.map(|fixture| (fixture, ""))) {
        remarks.extend(said(fixture, path).into_iter().map(|remark| format!("{fixture}/{path}: {remark}")));
    }
    let slot = "saver_v2/uncovered_slots/model.ckpt-1: note slices-incomplete";
    assert_eq!(
        remarks,
        [
            slot,
            slot,
            slot,
            "model_dir/moved/: warning state-file-moved",
            "model_dir/moved/: warning state-file-moved",
            "model_dir/stale/: warning state-file-stale",
        ]
    );
}

#[test]
fn counts_add_up() {
    for (fixture, prefix) in BUNDLES {
        let dir = copy(fixture);
        let prefix = dir.path().join(prefix);
        let checkpoint = open(&prefix).unwrap();
        let shards = u64::try_from(checkpoint.num_shards()).unwrap();
        let bytes: usize = pieces(&checkpoint).iter().map(|(.., len)| len).sum();
        let checked = run(&prefix).checked;
        assert_eq!(checked.bytes, bytes as u64, "{fixture}");
        assert_eq!(checked.tensors, checkpoint.tensors().len() as u64, "{fixture}");
        let meta = u64::from(with(&prefix, ".meta").is_file());
        let model = u64::from(checkpoint.origin().saved_model.is_some());
        assert!(checked.files > shards + meta + model, "{fixture}: {checked:?}");
        let quick = try_run(&prefix, &ValidateOptions { quick: true, ..options() }).unwrap().checked;
        assert_eq!((quick.skipped, quick.verified, quick.bytes), (quick.tensors, 0, 0), "{fixture}");
    }
}
