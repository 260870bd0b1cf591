//! HDF5 files that are damaged, cut off or made to hurt: told once, and in proportion to the file. What whole ones hold
//! is compared with h5py in `oracle`.

use std::fs;
use std::path::Path;

use ckpt::base::error::{Error, ErrorKind};
use ckpt::read::checkpoint::Checkpoint;

use crate::support::{open, testdata, tries};
use crate::validating::{ckpt, ckpt_says};

const SMALL: &str = "hdf5/types/user_block.h5";

/// Opens bytes as an HDF5 file.
fn opened(dir: &Path, bytes: &[u8]) -> Result<Checkpoint, Error> {
    let path = dir.join("model.h5");
    fs::write(&path, bytes).unwrap();
    open(&path)
}

/// Reads all tensors, of each no more than a megabyte; gives what went wrong.
fn read(checkpoint: &Checkpoint) -> Vec<String> {
    let mut wrong = Vec::new();
    for tensor in checkpoint.tensors() {
        let mut bytes = 0;
        let end = checkpoint.read_all(&tensor, &mut |part| {
            bytes += part.len();
            if bytes > 1 << 20 { Err(ErrorKind::Request("enough".to_owned()).into()) } else { Ok(()) }
        });
        wrong.extend(end.err().map(|error| error.to_string()).filter(|_| bytes <= 1 << 20));
    }
    wrong
}

#[test]
fn a_file_that_is_cut_anywhere_says_so_once() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(testdata().join(SMALL)).unwrap();
    // Behind the user block and the superblock, which without the rest are no HDF5 file at all.
    for len in 1024 + 96..whole.len() {
        let cut = match opened(dir.path(), &whole[..len]) {
            Err(error) => error.to_string(),
            Ok(checkpoint) => {
                let said: Vec<String> = checkpoint.damage().iter().map(ToString::to_string).collect();
                assert_eq!(said.len(), 1, "cut at {len}: {said:?}");
                said.concat()
            }
        };
        assert!(cut.contains("cut off") && cut.contains(&(whole.len() - 1024).to_string()), "cut at {len}: {cut}");
    }
    for len in 0..1024 + 96 {
        assert!(opened(dir.path(), &whole[..len]).is_err(), "cut at {len}");
    }
}

#[test]
fn a_flipped_byte_is_told_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let files =
        [(SMALL, 3), ("hdf5/types/oldest.h5", 151), ("hdf5/types/newest.h5", 149), ("hdf5/chunks/oldest.h5", 9973)];
    for (file, step) in files.into_iter().chain([("hdf5/chunks/newest.h5", 9967)]) {
        let step = if step < 1000 { tries(5, 1) * step } else { step };
        let whole = fs::read(testdata().join(file)).unwrap();
        let mut told = 0;
        for at in (0..whole.len()).step_by(step) {
            for flip in [0xff, 0x04] {
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                match opened(dir.path(), &bytes) {
                    Err(error) => {
                        told += 1;
                        assert!(error.location().file.is_some(), "{file} {at}: {error}");
                    }
                    Ok(checkpoint) => {
                        let wrong = read(&checkpoint);
                        told += usize::from(!wrong.is_empty() || !checkpoint.damage().is_empty());
                    }
                }
            }
        }
        assert!(told > 5, "{file}: {told} flips were told");
    }
}

// A name that was changed is not the one by which HDF5 finds the member: it stands out of order, or has another hash.
#[test]
fn a_member_whose_name_was_changed_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for file in ["hdf5/types/oldest.h5", "hdf5/types/newest.h5"] {
        let whole = fs::read(testdata().join(file)).unwrap();
        let name = b"big_float16";
        let places: Vec<usize> =
            (0..whole.len()).filter(|at| whole[*at..].starts_with(name) && whole[at - 1] != b'/').collect();
        assert!(!places.is_empty(), "{file}");
        for at in places {
            let mut bytes = whole.clone();
            bytes[at + 4] ^= 8;
            let checkpoint = opened(dir.path(), &bytes).unwrap();
            let told: Vec<String> = checkpoint.damage().iter().map(ToString::to_string).collect();
            let is_told = |told: &String| told.contains("big_nloat16") || told.contains("checksum");
            assert!(told.iter().any(is_told), "{file} {at}: {told:?}");
        }
    }
}

/// Where these bytes are in others, once and only once.
fn only(bytes: &[u8], part: &[u8]) -> usize {
    let found: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(part)).collect();
    assert_eq!(found.len(), 1, "{part:?}");
    found[0]
}

#[test]
fn dimensions_that_no_file_can_hold_are_one_error() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(testdata().join(SMALL)).unwrap();
    // A dataspace of one dimension that may not grow beyond its five elements.
    let space = [1, 1, 1, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0];
    let at = only(&whole, &space) + 8;
    for forged in [6u64, 1 << 20, 1 << 40, 1 << 62, u64::MAX] {
        let mut bytes = whole.clone();
        bytes[at..at + 8].copy_from_slice(&forged.to_le_bytes());
        let checkpoint = opened(dir.path(), &bytes).unwrap();
        let said: Vec<String> = checkpoint.damage().iter().map(ToString::to_string).collect();
        assert!(said.len() == 1 && said[0].starts_with("x: "), "{forged}: {said:?}");
        assert_eq!(checkpoint.tensors().len(), 1, "the other data set is there");
    }
}

#[test]
fn trees_and_groups_that_contain_themselves_end() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(testdata().join("hdf5/chunks/oldest.h5")).unwrap();
    let mut told = 0;
    for at in (0..whole.len() - 40).filter(|at| whole[*at..].starts_with(b"TREE")) {
        // The first child of a node, behind its first key, becomes the node itself, one level up.
        let rank = if whole[at + 4] == 0 { None } else { Some(2) };
        let key = rank.map_or(8, |rank| 8 + 8 * (rank + 1));
        let mut bytes = whole.clone();
        bytes[at + 5] = 1;
        bytes[at + 24 + key..at + 32 + key].copy_from_slice(&(at as u64).to_le_bytes());
        match opened(dir.path(), &bytes) {
            Err(_) => told += 1,
            Ok(checkpoint) => told += usize::from(!read(&checkpoint).is_empty() || !checkpoint.damage().is_empty()),
        }
    }
    assert!(told > 30, "{told} trees were told");
    // A group that is a member of itself: every address of a group's header in turn becomes the root's.
    let whole = fs::read(testdata().join("hdf5/types/oldest.h5")).unwrap();
    let root = &whole[64..72];
    for at in (0..whole.len() - 48).filter(|at| whole[*at..].starts_with(b"SNOD")) {
        let mut bytes = whole.clone();
        bytes[at + 16..at + 24].copy_from_slice(root);
        let checkpoint = opened(dir.path(), &bytes).unwrap();
        assert!(checkpoint.tensors().len() < 200);
    }
}

#[test]
fn what_has_checksums_is_verified_and_the_rest_is_not_called_intact() {
    let path = testdata().join("hdf5/chunks/newest.h5");
    let said = ckpt_says(0, &["validate", path.to_str().unwrap()]);
    assert!(said.contains("what has checksums is intact"), "{said}");
    let said = ckpt_says(0, &["validate", testdata().join("hdf5/types/oldest.h5").to_str().unwrap()]);
    assert!(said.contains("whole") && said.contains("no checksums"), "{said}");
    // A bit in a chunk that has a checksum, and one in a chunk that must only decode.
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(&path).unwrap();
    let floats: Vec<u8> = (0u8..3).flat_map(|n| f32::from(n).to_le_bytes()).collect();
    let found: Vec<usize> = (0..whole.len()).filter(|at| whole[*at..].starts_with(&floats)).collect();
    let mut wrong = 0;
    for at in found {
        let mut bytes = whole.clone();
        bytes[at + 3] ^= 1;
        let path = dir.path().join("model.h5");
        fs::write(&path, &bytes).unwrap();
        let output = ckpt(&["validate", path.to_str().unwrap()]);
        if output.status.code() == Some(1) {
            wrong += 1;
            assert!(String::from_utf8_lossy(&output.stdout).contains("fletcher32"), "at {at}");
        }
    }
    // The five data sets with nothing but checksums.
    assert!(wrong >= 5, "{wrong} flips were found");
}
