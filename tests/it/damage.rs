//! No silent loss: whatever bit of a checkpoint flips and wherever it is cut, the reader says so or reads the same.
//!
//! Bytes of which neither matters are listed in `golden/unprotected.txt`, so that the list can only grow on purpose.
//! `UPDATE_GOLDEN=1` writes it anew.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write as _};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use crate::support::{Document, all_documents, elements, testdata, tries};
use ckpt::read::checkpoint::Checksums;
use ckpt::read::storage::Source;
use ckpt::read::table::{FOOTER_LEN, Table};
use tempfile::TempDir;

/// Name, type with shape, and elements of a tensor.
type Tensor = (Vec<u8>, String, Option<Vec<Vec<u8>>>);

/// What can be seen of a checkpoint: `None` in place of values that cannot be read.
#[derive(PartialEq, Debug)]
struct Seen {
    tensors: Vec<Tensor>,
    complaints: usize,
}

impl Seen {
    /// Opens and reads everything; `None` if the checkpoint cannot be opened.
    fn of(prefix: &Path) -> Option<Self> {
        let checkpoint = crate::support::open(prefix).ok()?;
        let tensors = checkpoint.tensors().iter().map(|tensor| {
            let values = elements(&checkpoint, &tensor).ok().map(|(values, _)| values);
            (tensor.name.clone(), format!("{} {}", tensor.dtype, tensor.shape), values)
        });
        let complaints = checkpoint.damage().len() + checkpoint.notes().len();
        Some(Self { tensors: tensors.collect(), complaints })
    }

    /// Whether a reader of `self` was told that something is wrong that was right in `before`.
    fn tells(&self, before: &Self) -> bool {
        let unread = |seen: &Self| seen.tensors.iter().filter(|(_, _, values)| values.is_none()).count();
        self.complaints > before.complaints || unread(self) > unread(before)
    }
}

/// A copy of a checkpoint's files, to be damaged.
struct Copy {
    dir: TempDir,
    prefix: PathBuf,
    before: Seen,
}

impl Copy {
    fn new(prefix: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let from = if prefix.is_dir() { prefix } else { prefix.parent().unwrap() };
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
            }
        }
        let prefix = if prefix.is_dir() { dir.path().join("") } else { dir.path().join(prefix.file_name().unwrap()) };
        let before = Seen::of(&prefix).unwrap();
        assert_eq!(before.complaints, 0, "{}", prefix.display());
        Self { dir, prefix, before }
    }

    /// Whether the reader tells that something is wrong now; if not, nothing may have changed.
    fn tells(&self, what: impl Fn() -> String) -> bool {
        let seen = catch_unwind(|| Seen::of(&self.prefix)).unwrap_or_else(|_| panic!("{}: a panic", what()));
        match seen {
            None => true,
            Some(seen) if seen.tells(&self.before) => true,
            Some(seen) => {
                assert!(seen == self.before, "{}: changed without a word", what());
                false
            }
        }
    }

    /// Flips one bit of every byte of a file and cuts it at lengths all over it, and at every one near its ends, where
    /// headers and footers are; the offsets of bytes that nothing protects.
    fn damage(&self, name: &str) -> Vec<u64> {
        let path = self.dir.path().join(name);
        let whole = fs::read(&path).unwrap();
        // In place: writing the file anew each time takes ten times as long.
        let mut file = File::options().write(true).open(&path).unwrap();
        let mut put = |at: usize, byte: u8| {
            file.seek(SeekFrom::Start(at as u64)).unwrap();
            file.write_all(&[byte]).unwrap();
        };
        let mut unprotected = Vec::new();
        for (at, byte) in whole.iter().enumerate() {
            put(at, byte ^ 1 << bit(name, at));
            if !self.tells(|| format!("{name}, bit {} of byte {at} flipped", bit(name, at))) {
                unprotected.push(at as u64);
            }
            put(at, *byte);
        }
        let is_near_an_end = |len: &usize| *len < 64 || *len + 64 > whole.len();
        for len in (0..whole.len()).rev().filter(|len| len % tries(9, 1) == 0 || is_near_an_end(len)) {
            file.set_len(len as u64).unwrap();
            let told = self.tells(|| format!("{name}, cut to {len} bytes"));
            assert!(told, "{name}, cut to {len} bytes: not a word");
        }
        fs::write(path, whole).unwrap();
        unprotected
    }
}

/// Which bit of a byte is flipped: the same ones every time, and all of them in the long run.
fn bit(name: &str, at: usize) -> u32 {
    let seed = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let mixed = (seed ^ at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u32::try_from((mixed >> 40) % 8).unwrap()
}

/// What the bytes of a table are, in order: names with the offset behind each.
fn parts(path: &Path) -> Vec<(String, u64)> {
    let table = Table::open(Source::open(path).unwrap(), &ckpt::base::limits::Limits::default()).unwrap();
    let len = fs::metadata(path).unwrap().len();
    let mut parts: Vec<(String, u64)> = Vec::new();
    let named = table.blocks().iter().enumerate().map(|(n, handle)| (format!("data block {n}"), *handle));
    let footer = table.footer();
    let others = [("metaindex block".to_owned(), footer.metaindex), ("index block".to_owned(), footer.index)];
    for (name, handle) in named.chain(others) {
        parts.push((name, handle.end_with_trailer(len).unwrap()));
    }
    let varint = |n: u64| u64::from(n.max(1).ilog2() / 7 + 1);
    let of = |handle: ckpt::read::table::BlockHandle| varint(handle.offset) + varint(handle.size);
    let metaindex = len - FOOTER_LEN + of(footer.metaindex);
    parts.push(("metaindex handle in the footer".to_owned(), metaindex));
    parts.push(("index handle in the footer".to_owned(), metaindex + of(footer.index)));
    parts.push(("padding of the footer".to_owned(), len - 8));
    parts.push(("magic number".to_owned(), len));
    parts
}

/// `offsets` as ranges within the parts of the file.
fn describe(path: &Path, offsets: &[u64]) -> String {
    let mut text = String::new();
    let mut start = 0;
    for (part, end) in parts(path) {
        let mut inside = offsets.iter().copied().filter(|at| (start..end).contains(at)).peekable();
        while let Some(first) = inside.next() {
            let mut last = first;
            while let Some(next) = inside.next_if_eq(&(last + 1)) {
                last = next;
            }
            writeln!(text, "  {first}..{} {part}", last + 1).unwrap();
        }
        start = end;
    }
    text
}

/// Checkpoints of the fixtures, one of each case: the others of a case are of the same program.
fn one_of_each_case() -> Vec<Document> {
    let mut cases = HashSet::new();
    let mut all = all_documents();
    all.retain(|document| {
        !document.tensors.is_empty() && cases.insert(document.prefix.parent().map(Path::to_path_buf))
    });
    all
}

/// Prefixes of the fixtures, and a table of theirs that is small enough to try every byte.
fn small_tables() -> Vec<(PathBuf, Vec<String>)> {
    let mut found = Vec::new();
    for document in one_of_each_case() {
        let checkpoint = crate::support::open(&document.prefix).unwrap();
        let origin = checkpoint.origin();
        // Files of other formats have no table, and no checksum to notice a flipped bit by.
        if origin.file.is_some() {
            continue;
        }
        let tables = if origin.v1_files.is_empty() { vec![origin.prefix.index()] } else { origin.v1_files.clone() };
        let small = tables.iter().filter(|path| fs::metadata(path).unwrap().len() <= 2048);
        let small = small.take(1);
        let names: Vec<String> = small.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        if !names.is_empty() {
            found.push((document.prefix, names));
        }
    }
    found
}

#[test]
fn every_byte_of_an_index_is_protected_or_declared_not_to_be() {
    let mut text = String::from(
        "Bytes of the fixtures' tables of which one bit was flipped without the reader noticing. All names, types,\n\
         shapes and values were read as before.\n",
    );
    let tables = small_tables();
    assert!(tables.len() >= 20, "only {} checkpoints", tables.len());
    let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let every = if is_update { 1 } else { tries(3, 1) };
    let mut sections = Vec::new();
    for (prefix, names) in tables.into_iter().step_by(every) {
        let copy = Copy::new(&prefix);
        for name in names {
            let unprotected = copy.damage(&name);
            let dir = if prefix.is_dir() { &prefix } else { prefix.parent().unwrap() };
            let shown: PathBuf = dir.strip_prefix(testdata()).unwrap().join(&name).components().collect();
            let shown = shown.to_str().unwrap().replace('\\', "/");
            let section = format!("\n{shown}\n{}", describe(&copy.dir.path().join(&name), &unprotected));
            text.push_str(&section);
            sections.push(section);
        }
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/unprotected.txt");
    if is_update {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, &text).unwrap();
    }
    let want = fs::read_to_string(&golden).unwrap().replace("\r\n", "\n");
    // Each stands there as it is; and if all were tried, nothing else does.
    let is_there = |section: &String| format!("{want}\n").contains(&format!("{section}\n"));
    let is_same = if every == 1 { text == want } else { sections.iter().all(is_there) };
    assert!(is_same, "tests/golden/unprotected.txt has changed (UPDATE_GOLDEN=1 writes it):\n{text}");
}

#[test]
fn every_byte_of_a_shard_is_protected_if_a_tensor_uses_it() {
    let mut tried = 0;
    for document in one_of_each_case().into_iter().step_by(tries(2, 1)) {
        let checkpoint = crate::support::open(&document.prefix).unwrap();
        if checkpoint.format().checksums != Checksums::EachRun {
            continue;
        }
        let of = checkpoint.num_shards();
        let shards: Vec<PathBuf> = (0..of).map(|id| checkpoint.origin().prefix.shard(id, of)).collect();
        let small = |path: &&PathBuf| (1..=1024).contains(&fs::metadata(path).unwrap().len());
        for shard in shards.iter().filter(small) {
            let copy = Copy::new(&document.prefix);
            // The bytes of a tensor that does not exist as a whole are not read by reading all tensors.
            if copy.before.tensors.iter().any(|(_, _, values)| values.is_none()) {
                continue;
            }
            tried += 1;
            let name = shard.file_name().unwrap().to_str().unwrap();
            let unprotected = copy.damage(name);
            assert!(unprotected.is_empty(), "{}: {unprotected:?}", shard.display());
        }
    }
    assert!(tried >= tries(5, 10), "only {tried} shards");
}
