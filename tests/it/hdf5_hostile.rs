//! HDF5 files and archives of Keras that were changed at random and with intent: every answer is an answer, small and
//! soon, and says what to do.

use std::fs;
use std::path::Path;

use ckpt::analysis::{Roles, Summary};
use ckpt::base::error::{Error, ErrorKind};
use ckpt::read::checkpoint::Checkpoint;
use ckpt::read::graphs::keras::KerasConfigFile;

use crate::support::{open, testdata};
use crate::validating::{options, try_run};

/// Files with every structure there is, none of them large.
const FILES: [&str; 8] = [
    "hdf5/types/newest.h5",
    "hdf5/types/user_block.h5",
    "hdf5/gaps/newest.h5",
    "hdf5/gaps/oldest.h5",
    "keras/keras3/code.keras",
    "keras/keras3/packed.keras",
    "keras/across/keras3_subclassed/model.keras",
    "keras/tf_keras/old_optimizer.h5",
];
/// Changed files of each.
const EACH: u64 = 60;
/// What structures begin with; changes near them matter most.
const SIGNATURES: [&[u8]; 14] = [
    b"\x89HDF",
    b"OHDR",
    b"TREE",
    b"SNOD",
    b"HEAP",
    b"GCOL",
    b"FRHP",
    b"FHDB",
    b"BTHD",
    b"BTLF",
    b"FAHD",
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
];

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() >> 8).unwrap() % n.max(1)
    }
}

fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    let places: Vec<usize> = SIGNATURES.iter().flat_map(|sign| memchr::memmem::find_iter(bytes, sign)).collect();
    for _ in 0..=random.below(3) {
        let base = if random.below(4) == 0 { random.below(bytes.len()) } else { places[random.below(places.len())] };
        let at = (base + random.below(96)).min(bytes.len().saturating_sub(9));
        let number = [0, 1, u64::MAX, 1 << 63, 1 << 40, bytes.len() as u64, places[random.below(places.len())] as u64];
        let number = number[random.below(number.len())].to_le_bytes();
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = number[0],
            2 => bytes[at..at + 2].copy_from_slice(&number[..2]),
            3 => bytes[at..at + 4].copy_from_slice(&number[..4]),
            4 => bytes[at..at + 8].copy_from_slice(&number),
            _ if bytes.len() > 64 => bytes.truncate(64 + random.below(bytes.len() - 64)),
            _ => {}
        }
        if bytes.len() < 64 {
            return;
        }
    }
}

/// Asks everything of a file; gives how many errors there were.
fn ask(path: &Path) -> usize {
    let mut errors = 0;
    let told = |error: &Error| {
        let text = error.to_string();
        assert!(!text.is_empty() && text.len() < 4096 && !text.chars().any(char::is_control), "{text:?}");
    };
    match open(path) {
        Ok(checkpoint) => {
            errors += checkpoint.damage().len();
            assert!(errors < 1100, "{errors} errors");
            checkpoint.damage().iter().chain(checkpoint.notes()).for_each(told);
            let (summary, roles) = (Summary::of(&checkpoint), Roles::of(&checkpoint));
            assert!(summary.findings.len() >= errors.min(1));
            assert_eq!(roles.totals().tensors, checkpoint.tensors().len());
            errors += read(&checkpoint);
        }
        Err(error) => {
            told(&error);
            errors += 1;
        }
    }
    let _ = try_run(path, &options());
    let _ = KerasConfigFile::of(path).map(|file| file.read(&ckpt::base::limits::Limits::default()));
    errors
}

/// Reads all tensors, of each no more than a megabyte.
fn read(checkpoint: &Checkpoint) -> usize {
    let mut errors = 0;
    for tensor in checkpoint.tensors() {
        let mut bytes = 0;
        let end = checkpoint.read_all(&tensor, &mut |part| {
            bytes += part.len();
            if bytes > 1 << 20 { Err(ErrorKind::Request("enough".to_owned()).into()) } else { Ok(()) }
        });
        errors += usize::from(end.is_err());
    }
    errors
}

#[test]
fn files_that_were_changed_at_random_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    let mut wrong = 0;
    for (n, file) in FILES.iter().enumerate() {
        let whole = fs::read(testdata().join(file)).unwrap();
        let path = dir.path().join(Path::new(file).file_name().unwrap());
        for seed in 1..=EACH {
            let mut bytes = whole.clone();
            change(&mut bytes, &mut Random(seed * 7919 + n as u64));
            fs::write(&path, &bytes).unwrap();
            wrong += usize::from(ask(&path) > 0);
        }
    }
    assert!(wrong > 100, "only {wrong} of the changes were noticed");
}

/// The archive with `value` in a field of the entry of its list for this member.
fn forged(archive: &[u8], member: &[u8], field: usize, value: &[u8]) -> Vec<u8> {
    let entries = memchr::memmem::find_iter(archive, b"PK\x01\x02");
    let entry = entries.into_iter().find(|at| archive[at + 46..].starts_with(member)).unwrap();
    let mut bytes = archive.to_vec();
    bytes[entry + field..entry + field + value.len()].copy_from_slice(value);
    bytes
}

#[test]
fn a_member_that_lies_is_one_error_and_the_others_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.keras");
    let whole = fs::read(testdata().join("keras/keras3/code.keras")).unwrap();
    let lies: [(&str, usize, &[u8], &str); 5] = [
        ("its length", 24, &[0xff, 0xff, 0xff, 0x7f], "it is stored as it is, but"),
        ("its stored length", 20, &[0xff, 0xff, 0xff, 0x7f], "truncated"),
        ("its place", 42, &[0xff, 0xff, 0xff, 0x7f], "behind the end of the file"),
        ("another place", 42, &[7, 0, 0, 0], "there is no member where the list has one"),
        ("its method", 10, &[99, 0], "packed by a method other than deflate"),
    ];
    for (what, field, value, says) in lies {
        for member in [&b"metadata.json"[..], b"model.weights.h5"] {
            fs::write(&path, forged(&whole, member, field, value)).unwrap();
            let error = match open(&path) {
                // The weights are there, whatever the other members are.
                Ok(checkpoint) => {
                    assert_eq!((member, checkpoint.damage().len()), (&b"metadata.json"[..], 1), "{what}");
                    checkpoint.damage()[0].to_string() + checkpoint.damage()[0].help().unwrap_or_default()
                }
                Err(error) => {
                    assert_eq!(member, b"model.weights.h5", "{what}: {error}");
                    error.to_string() + error.help().unwrap_or_default()
                }
            };
            assert!(error.contains(says) && error.contains("offset"), "{what}: {error}");
            assert!(error.contains(std::str::from_utf8(member).unwrap()), "{what}: {error}");
            assert!(error.contains("again"), "{what}: {error}");
        }
    }
}

// A hole of zeros over the header of a group leaves no message in it that says what it is: it was taken for a group
// without members, and forty tensors were missing without a word.
#[test]
fn a_group_whose_header_is_zeroed_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.h5");
    let mut bytes = fs::read(testdata().join("hdf5/types/oldest.h5")).unwrap();
    bytes[32_674..32_674 + 512].fill(0);
    fs::write(&path, &bytes).unwrap();
    let checkpoint = open(&path).unwrap();
    let said: Vec<String> = checkpoint.damage().iter().map(ToString::to_string).collect();
    assert!(
        said.iter().any(|said| said.contains("many") && said.contains("neither a group nor a data set")),
        "{said:?}"
    );
    assert!(!checkpoint.tensors().is_empty(), "the rest goes on");
}

#[test]
fn an_archive_that_is_cut_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.keras");
    let whole = fs::read(testdata().join("keras/keras3/code.keras")).unwrap();
    for len in (100..whole.len() - 30).step_by(997) {
        fs::write(&path, &whole[..len]).unwrap();
        let error = open(&path).unwrap_err();
        let said = format!("{error}; {}", error.help().unwrap_or_default());
        assert!(said.contains("cut off") && said.contains(&format!("offset {len}")), "{said}");
        assert!(said.contains("fetch or save it again") && !said.contains("EOCD"), "{said}");
    }
}

#[test]
fn what_would_be_unpacked_is_bounded() {
    use ckpt::base::limits::Limits;
    use ckpt::read::checkpoint::Choice;
    let path = testdata().join("keras/keras3/packed.keras");
    let mut limits = Limits::default();
    limits.unpacked = 1000;
    let error = Checkpoint::open(&path, Choice::default(), &limits).unwrap_err();
    let said = format!("{error}; {}", error.help().unwrap_or_default());
    assert!(
        said.contains("model.weights.h5") && said.contains("the limit is 1000") && said.contains("unzip"),
        "{said}"
    );
}
