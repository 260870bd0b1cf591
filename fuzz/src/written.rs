//! What is written: conversions, read back; and reports that several processes write for one that merges them.

use std::path::Path;
use std::sync::Arc;

use ckpt::analysis::convert::{Action, ConvertOptions, OutFormat, Recipe, Target, write_recipe};
use ckpt::analysis::parts::{PartReport, Share};
use ckpt::analysis::{ValidateOptions, validate};
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::read::container::element_bytes;
use ckpt::read::tensor::numpy::npy;
use ckpt::report::{Format, Look, PartOf, read_part, write_part, write_validation};
use ckpt_synth::{BundleBuilder, crc, dtype};

use super::bundles::{open, read, whole};
use super::input::{Held, Input, answer, harmless, said, scratch, seal};
use super::structured::described;

/// The kinds of checkpoints that are converted: a described one, and files as they are.
const INPUTS: [&str; 5] = ["model.ckpt", "model.ckpt.index", "model.h5", "model.safetensors", "model.npz"];

/// A checkpoint, in a format of the fuzzer's, written in one of the formats that are written.
///
/// Promises: it is refused, and then nothing lies there; or every tensor of the recipe lies there with the elements
/// that the input has, in the dtype that the recipe says, and what is left out is named; writing it once more gives the
/// same files (of one input in four); the input is what it was.
pub fn convert(data: &[u8]) {
    let mut input = Input(data);
    let (kind, how) = (usize::from(input.below(5)), input.u8());
    let (shards, size) = (i32::from(input.below(6)), u64::from(input.u8()) * 16);
    let name = INPUTS[kind];
    let held = match kind {
        0 => {
            let (builder, wanted) = described(&mut input, 40);
            if wanted.is_empty() {
                return;
            }
            Held::bundle(builder.finish())
        }
        1 => {
            let index = seal(input.long().to_vec());
            Held::new([(name, &*index), ("model.ckpt.data-00000-of-00001", input.0)])
        }
        _ => Held::new([(name, input.0)]),
    };
    let Ok(checkpoint) = open(&held.path().join(name)) else { return };
    let dir = scratch();
    let format = [OutFormat::Bundle, OutFormat::Safetensors, OutFormat::Npz, OutFormat::Npy][usize::from(how & 3)];
    let to = |name: &str| {
        let mut target = Target::new(&dir.path().join(name).join("copy"), Some(format)).unwrap();
        target.shard_size = (how & 4 != 0).then_some(size + 1);
        target.state_file = how & 8 != 0 && format == OutFormat::Bundle;
        target
    };
    let options = ConvertOptions {
        weights_only: how & 16 != 0,
        own_names: how & 32 != 0,
        shards: (shards > 0 && format == OutFormat::Bundle).then_some(shards),
        ..ConvertOptions::default()
    };
    let mut limits = Limits::default();
    limits.threads = Some(1);
    let inputs = [checkpoint];
    let recipe = match Recipe::new(&inputs, &options, &to("out")) {
        Ok(recipe) if !recipe.outputs.is_empty() => recipe,
        other => return drop(answer(&other.map(drop))),
    };
    // A few bytes may stand for many elements; what takes long is of no use here.
    if recipe.outputs.tensors().iter().map(|tensor| element_bytes(&tensor)).fold(0, u64::saturating_add) > 1 << 18 {
        return;
    }
    let write = |name: &str| write_recipe(&inputs, &recipe, &to(name), &limits, &Progress::default());
    match write("out") {
        Err(error) => {
            said(&error);
            let left = std::fs::read_dir(dir.path().join("out")).into_iter().flatten().count();
            assert_eq!(left, 0, "{error}, and something is left");
        }
        Ok(converted) => {
            same(&inputs[0], &recipe, &to("out"));
            // Files are the price of a run.
            if !data.len().is_multiple_of(16) {
                return;
            }
            let again = write("again").unwrap();
            for (one, other) in converted.files.iter().zip(&again.files) {
                let both = [&one.path, &other.path].map(|path| std::fs::read(path).unwrap());
                let is_state = one.path.ends_with("checkpoint");
                assert!(is_state || both[0] == both[1], "{} is written otherwise", one.path.display());
            }
        }
    }
}

/// Whether what was written is what the recipe says of the input.
fn same(input: &Checkpoint, recipe: &Recipe, target: &Target) {
    let found = match target.path.with_extension("safetensors.index.json") {
        index if index.exists() => open(&index),
        _ => open(&target.path),
    };
    let found = found.unwrap_or_else(|error| panic!("{}", said(&error)));
    assert!(found.damage().is_empty(), "{:?}", found.damage());
    for output in recipe.outputs.iter() {
        let name = &output.tensor.name;
        // A `.npy` has room for no name.
        let written = if target.format == OutFormat::Npy { found.tensors().get(0) } else { found.tensor(name) };
        let written = written.unwrap_or_else(|| panic!("{name:?} is not there"));
        assert_eq!(written.dims().ok(), output.tensor.shape.dims().map(|d| d.iter().map(|d| *d as u64).collect()));
        let Some(from) = input.tensor(name).filter(|_| output.action == Action::Copied) else { continue };
        if from.dtype == written.dtype {
            let dims = from.dims().unwrap();
            let (mut a, mut b) = (read(input, &from, &whole(&dims)), read(&found, &written, &whole(&dims)));
            // A bool of another value than 1 is true as well, and NumPy has the narrowest numbers in whole bytes.
            a.elements.iter_mut().chain(&mut b.elements).for_each(|element| npy::widen(from.dtype, element));
            // Slices that do not cover their tensor are carried over as they are.
            assert!(a.elements == b.elements, "{name:?}, {}, has other elements: {:?}", from.dtype, b.end);
            assert_eq!(a.end.is_ok(), b.end.is_ok(), "{name:?}: {:?} {:?}", a.end, b.end);
        }
    }
}

/// The parts of a report by several processes: files that are none, files with a right checksum, and true ones in which
/// what was found is changed.
///
/// Promises: a file is refused in harmless words, or read again as it was written; parts that are true make the report of
/// one process; whatever a part says, a merge of it ends, and with the same report if it says what is true.
pub fn parts(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.below(4);
    if kind < 2 {
        let bytes = if kind == 0 { input.0.to_vec() } else { summed(input.0) };
        match read_part("a.part", &bytes) {
            Err(error) => harmless(&error.to_string()),
            Ok((of, report)) => assert_eq!(again(&of, &report), report),
        }
        return;
    }
    let (of, mut edits) = (u64::from(input.below(4)) + 1, Input(input.take(24)));
    let mut builder = BundleBuilder::new();
    for n in 0..input.below(6) + 1 {
        let shape = [i64::from(input.below(30)), i64::from(input.below(9))];
        let bytes: Vec<u8> = input.short().iter().copied().chain([0; 4]).collect();
        let bytes = bytes.iter().copied().cycle().take((4 * shape[0] * shape[1]) as usize);
        builder = builder.tensor(format!("t{n}"), dtype::FLOAT, &shape, bytes.collect::<Vec<u8>>());
    }
    let held = Held::bundle(builder.finish());
    let prefix = held.path().join("model.ckpt");
    let part = |number| {
        let share = Arc::new(Share::part(number, of).unwrap());
        drop(validated(&prefix, Some(&share)));
        again(&PartOf { command: "validate".into(), arguments: Vec::new() }, &share.report().unwrap())
    };
    let mut reports: Vec<PartReport> = (1..=of).map(part).collect();
    let whole = reports.clone();
    if kind == 3 {
        while !edits.is_empty() {
            edit(&mut reports, &mut edits);
        }
    }
    let is_true = reports == whole;
    let Ok(merged) = Share::merged(reports) else { return assert!(!is_true) };
    let merged = Arc::new(merged);
    let told = validated(&prefix, Some(&merged));
    if is_true {
        assert_eq!(merged.finish(), Ok(()));
        assert_eq!(told, validated(&prefix, None));
    } else if let Err(error) = merged.finish() {
        harmless(&error.to_string());
    }
}

/// A part that is written and read again.
fn again(of: &PartOf, report: &PartReport) -> PartReport {
    let mut file = Vec::new();
    write_part(of, report, Default::default(), &mut file).unwrap();
    let (of_again, again) = read_part(&report.of_file, &file).unwrap();
    assert_eq!(*of, of_again);
    again
}

/// A document with the checksum that it should have.
fn summed(bytes: &[u8]) -> Vec<u8> {
    let Ok(serde_json::Value::Object(mut fields)) = serde_json::from_slice(bytes) else { return bytes.to_vec() };
    fields.remove("crc32c");
    let sum = crc::crc32c(&serde_json::to_vec(&fields).unwrap());
    fields.insert("crc32c".to_owned(), format!("{sum:#010x}").into());
    serde_json::to_vec(&fields).unwrap()
}

/// Changes one thing that a part says.
fn edit(reports: &mut [PartReport], edits: &mut Input<'_>) {
    let at = usize::from(edits.u8()) % reports.len();
    let what = edits.below(9);
    let report = &mut reports[at];
    let number = edits.i64();
    match what {
        0 => report.number = number.unsigned_abs(),
        1 => report.of = number.unsigned_abs(),
        2 => drop(report.marks.pop()),
        _ => {
            let Some(call) = report.calls.first_mut() else { return };
            let number = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
            match what {
                3 => call.units = number,
                4 => call.weight = number as u64,
                5 => call.own = call.own.start.min(number)..number,
                6 => call.record.truncate(number),
                7 => call.record.push(edits.u8()),
                _ => {
                    let value = edits.u8();
                    let len = call.record.len().max(1);
                    call.record.get_mut(number % len).into_iter().for_each(|byte| *byte = value);
                }
            }
        }
    }
}

/// What `validate` says, as JSON.
fn validated(path: &Path, share: Option<&Arc<Share>>) -> String {
    let options = ValidateOptions { finite: true, share: share.cloned(), ..ValidateOptions::all(false, 1) };
    match validate(path, &options, &Limits::default(), &Progress::default()) {
        Err(error) => said(&error),
        Ok(found) => {
            let mut out = Vec::new();
            write_validation(&found, false, Format::Json, Look::default(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        }
    }
}
