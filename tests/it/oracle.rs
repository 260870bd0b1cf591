//! The reader against TensorFlow: every fixture is listed and read as `expected.json` says TensorFlow did.

use crate::support::{
    Answer, Document, Expected, all_documents, check_regions, elements, open, read_all, region, show,
};
use ckpt::base::error::ErrorKind;
use ckpt::read::checkpoint::{Checkpoint, Checksums, ElementBuffers, Parts, Tensor};
use ckpt::read::storage::Window;
use ckpt::read::tensor::numpy::npy::widen;
use ckpt::read::tensor::{Axis, Checked, DType};
use ckpt::read::wire::Crc32c;
use sha2::{Digest, Sha256};

/// Checkpoints with `tensors` below `testdata` when this was written; more are welcome, fewer are a loss.
const CHECKPOINTS: usize = 38;
const TENSORS: usize = 791;
/// One document describes a SavedModel without variables.
const WITHOUT_TENSORS: usize = 1;

/// Opens the checkpoint of a document that has tensors.
fn opened() -> Vec<(Document, Checkpoint)> {
    let documents: Vec<Document> = all_documents().into_iter().filter(|doc| !doc.tensors.is_empty()).collect();
    assert!(documents.len() >= CHECKPOINTS - WITHOUT_TENSORS, "only {} checkpoints", documents.len());
    let tensors: usize = documents.iter().map(|doc| doc.tensors.len()).sum();
    assert!(tensors >= TENSORS, "only {tensors} tensors");
    let open = |doc: Document| {
        let checkpoint = open(&doc.prefix).unwrap_or_else(|e| panic!("{}: {e}", doc.prefix.display()));
        (doc, checkpoint)
    };
    documents.into_iter().map(open).collect()
}

#[test]
fn names_types_and_shapes_are_tensorflows_and_nothing_else() {
    for (doc, checkpoint) in opened() {
        let want: Vec<(String, String, String)> =
            doc.tensors.iter().map(|t| (show(&t.name), t.dtype.clone(), format!("{:?}", t.shape))).collect();
        let got: Vec<(String, String, String)> = checkpoint
            .tensors()
            .iter()
            .map(|t| (show(&t.name), t.dtype.to_string(), format!("{:?}", t.shape.dims().unwrap())))
            .collect();
        assert_eq!(got, want, "{}", doc.prefix.display());
        // What these files have besides is the subject of `hdf5_gaps`.
        if doc.prefix.parent().is_some_and(|dir| dir.ends_with("hdf5/gaps")) {
            continue;
        }
        assert!(checkpoint.damage().is_empty(), "{}: {:?}", doc.prefix.display(), checkpoint.damage());
        assert!(checkpoint.notes().is_empty(), "{}: {:?}", doc.prefix.display(), checkpoint.notes());
    }
}

#[test]
fn values_are_tensorflows_byte_for_byte() {
    for (doc, checkpoint) in opened() {
        for expected in &doc.tensors {
            check_value(&checkpoint, expected, &format!("{} {}", doc.prefix.display(), show(&expected.name)));
        }
    }
}

/// Whether reading all of a tensor says what its format allows: verified where it has a checksum of what was read, and
/// never where it has none.
fn is_as_checked(checkpoint: &Checkpoint, tensor: &Tensor, checked: Checked) -> bool {
    let is_run = matches!(&tensor.parts, Parts::Whole(place) if place.range.is_some());
    match checkpoint.format().checksums {
        Checksums::EachRun => checked == Checked::Verified,
        // The checksum of a member is of more than the run.
        Checksums::Container => (checked == Checked::Verified) != is_run || tensor.elements() == Some(0),
        // Chunks may have checksums of their own; runs have none.
        Checksums::Some => checked == Checked::Not || !is_run,
        Checksums::None => checked == Checked::Not,
    }
}

/// All of a tensor of numbers in the caller's memory, whatever the number of threads.
#[test]
fn values_are_the_same_in_memory_of_the_callers() {
    for (doc, checkpoint) in opened() {
        for expected in &doc.tensors {
            let tensor = checkpoint.tensor(&expected.name).unwrap();
            let Some(size) = tensor.elements().zip(tensor.dtype.element_size()).map(|(count, size)| count * size)
            else {
                continue;
            };
            let mut want = Vec::new();
            let read = checkpoint.read_all(&tensor, &mut |part| {
                want.extend_from_slice(part);
                Ok(())
            });
            for threads in [1, 3] {
                let mut got = vec![0xa5; usize::try_from(size).unwrap()];
                let filled = checkpoint.read_into(&tensor, &mut got, threads);
                let what = format!("{} {}", doc.prefix.display(), show(&expected.name));
                assert_eq!(filled.is_ok(), read.is_ok(), "{what}");
                if let Ok(checked) = &read {
                    assert_eq!(filled.unwrap(), *checked, "{what}");
                    assert!(got == want, "{what}");
                }
                let mut short = vec![0; got.len() + 1];
                assert!(matches!(
                    checkpoint.read_into(&tensor, &mut short, threads).unwrap_err().kind(),
                    ErrorKind::Request(_)
                ));
            }
        }
    }
}

fn check_value(checkpoint: &Checkpoint, expected: &Expected, what: &str) {
    let tensor = checkpoint.tensor(&expected.name).unwrap_or_else(|| panic!("{what} is missing"));
    match &expected.answer {
        Answer::Unreadable { .. } if tensor.dtype == DType::Variant => {
            let (messages, checked) = elements(checkpoint, &tensor).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(Some(messages.len() as u64), tensor.elements(), "{what}");
            assert_eq!(checked, Checked::Verified, "{what}");
            assert!(messages.iter().all(|message| message.starts_with(&[0x0a])), "{what}: type_name comes first");
        }
        Answer::Unreadable { message, slices } => {
            assert!(message.contains("sufficient slices"), "{what}: an error this test does not know: {message}");
            let error = read_all(checkpoint, &tensor).expect_err(what);
            assert!(matches!(error.kind(), ErrorKind::Slices(_)), "{what}: {error}");
            assert!(!slices.is_empty());
            for slice in slices {
                let axes: Vec<Axis> = slice
                    .start
                    .iter()
                    .zip(&slice.shape)
                    .map(|(&start, &count)| Axis { start, step: 1, count })
                    .collect();
                let (got, _) = region(checkpoint, &tensor, &axes).unwrap_or_else(|e| panic!("{what}: {e}"));
                assert_eq!(got.concat(), slice.raw, "{what}");
            }
        }
        answer => {
            let (got, checked) = read_all(checkpoint, &tensor).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert!(is_as_checked(checkpoint, &tensor, checked), "{what}: {checked:?}");
            match answer {
                Answer::Raw(raw) if expected.file_bytes.is_some() => {
                    assert_eq!(Some(&got), expected.file_bytes.as_ref(), "{what}: as stored");
                    // ml_dtypes leaves the high bits of its bytes at zero; the numbers that they mean have a sign.
                    let mut widened = got;
                    widen(tensor.dtype, &mut widened);
                    let numbers: Vec<i8> = widened.iter().map(|byte| byte.cast_signed()).collect();
                    let want: Vec<i8> = raw.iter().map(|byte| number(&expected.dtype, *byte)).collect();
                    assert_eq!(numbers, want, "{what}");
                }
                Answer::Raw(raw) => assert!(&got == raw, "{what}: got {got:x?}, want {raw:x?}"),
                Answer::Sha256 { hex, len } => {
                    assert_eq!(got.len(), *len, "{what}");
                    assert_eq!(format!("{:x}", Sha256::digest(&got)), *hex, "{what}");
                }
                Answer::Strings(strings) => {
                    let (got, _) = elements(checkpoint, &tensor).unwrap();
                    assert!(&got == strings, "{what}");
                }
                Answer::Unreadable { .. } => unreachable!(),
            }
        }
    }
}

/// What a byte of such a type means as a number of a whole byte (of a float4, its bits).
fn number(dtype: &str, byte: u8) -> i8 {
    let unsigned = i8::try_from(byte).unwrap();
    match dtype {
        "int4" if unsigned >= 8 => unsigned - 16,
        "int2" if unsigned >= 2 => unsigned - 4,
        "int4" | "int2" | "uint4" | "uint2" | "float4_e2m1fn" => unsigned,
        other => panic!("{other} fills its bytes"),
    }
}

#[test]
fn regions_are_what_naive_slicing_gives() {
    let mut regions = 0;
    for (_, checkpoint) in opened() {
        for tensor in checkpoint.tensors().iter().filter(|t| t.shape.rank() != Some(0)) {
            // Those that do not exist as a whole are in the test above.
            if let Ok((all, _)) = elements(&checkpoint, &tensor) {
                regions += check_regions(&checkpoint, &tensor, &all);
            }
        }
    }
    assert!(regions > 1000, "only {regions} regions");
}

#[test]
fn elements_in_runs_are_those_of_the_whole() {
    let mut compared = 0;
    for (_, checkpoint) in opened() {
        for tensor in checkpoint.tensors().iter().filter(Tensor::is_numeric) {
            let Ok((all, _)) = read_all(&checkpoint, &tensor) else { continue };
            let mut hold = ElementBuffers::default();
            let mut elements = checkpoint.elements(&tensor, &mut hold).unwrap();
            let count = elements.count();
            let (mut got, mut run, mut at) = (Vec::new(), Window::default(), 0);
            for step in (1..).map(|n| n * 7 % 13 + 1) {
                let end = (at + step).min(count);
                elements.read(at..end, &mut run).unwrap();
                got.extend_from_slice(&run);
                at = end;
                if at == count {
                    break;
                }
            }
            assert!(got == all, "{:?}", tensor.name);
            match elements.sum() {
                Some((since, len, crc)) => {
                    assert_eq!((since, len), (0, all.len() as u64));
                    assert!(checkpoint.is_big_endian() || crc == Crc32c::of(&all));
                }
                None => assert!(is_as_checked(&checkpoint, &tensor, elements.finish().unwrap())),
            }
            assert!(elements.read(count..count + 1, &mut run).is_err());
            compared += 1;
        }
    }
    assert!(compared > 300, "only {compared} tensors");
}

#[test]
fn types_of_less_than_a_byte_occur_among_the_fixtures() {
    let all = opened();
    let sub_byte = all.iter().flat_map(|(doc, _)| &doc.tensors).filter(|t| t.file_bytes.is_some());
    let mut dtypes: Vec<&str> = sub_byte.map(|t| t.dtype.as_str()).collect();
    dtypes.sort_unstable();
    assert_eq!(dtypes, ["float4_e2m1fn", "int2", "int4", "uint2", "uint4"]);
}

#[test]
fn a_directory_means_the_checkpoint_that_tensorflow_takes() {
    let mut asked = 0;
    for (dir, json) in crate::support::expected_files() {
        let Some(latest) = json.get("latest_checkpoint") else { continue };
        asked += 1;
        let checkpoint = open(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
        let origin = checkpoint.origin();
        let base = origin.prefix.base_name().to_str().unwrap();
        if let Some(latest) = latest.as_str() {
            assert_eq!(base, latest, "{}", dir.display());
            assert!(origin.notes.is_empty(), "{}: {:?}", dir.display(), origin.notes);
        } else {
            // TensorFlow gives up. The one that the generator calls the last is the one to fall back on.
            let fallback = json["prefix"].as_str().unwrap();
            assert_eq!(base, fallback.trim_start_matches("./"), "{}", dir.display());
            assert!(!origin.notes.is_empty(), "{} was chosen without a word", dir.display());
        }
        let want = json["tensors"].as_array().unwrap().len();
        assert_eq!(checkpoint.tensors().len(), want, "{}", dir.display());
    }
    assert!(asked >= 8, "only {asked} directories");
}
