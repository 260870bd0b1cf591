//! Files that went through something which can be undone: packed by gzip under their own names, line feeds that got
//! carriage returns, bytes that were taken for Latin-1 and written as UTF-8.
//!
//! What comes of it is one more file that may have the right bytes, and nothing is taken of it without its checksum.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::read::MultiGzDecoder;

use super::places::Places;
use crate::base::limits::Limits;
use crate::read::bundle::Prefix;
use crate::read::storage::{MemoryStore, Source, Window, mount, unmount};

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// It was packed by gzip.
    Gzip,
    /// Each line feed got a carriage return.
    LineEnds,
    /// Each byte above 7F became the two that UTF-8 has for the character of Latin-1.
    Latin1,
}

impl Undo {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::LineEnds => "line_ends",
            Self::Latin1 => "latin1",
        }
    }
}

/// Carriage returns before line feeds that are no chance, and so many characters of Latin-1.
const PROVES: usize = 6;

/// Bytes by which a file is judged.
const HEAD: u64 = 64 << 10;

/// What files of a checkpoint were before, readable under paths of their own as long as this is there.
#[derive(Debug, Default)]
pub(super) struct Undone {
    at: Option<PathBuf>,
    files: Vec<(PathBuf, PathBuf, Undo)>,
}

impl Undone {
    /// Looks at all files that are called like the checkpoint, and adds to the places what they were.
    pub(super) fn look(prefix: &Prefix, places: &mut Places, limits: &Limits) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let base = prefix.base_name().to_string_lossy().into_owned();
        let at = prefix.directory().join(format!(".ckpt-undone-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        let (mut store, mut files) = (MemoryStore::default(), Vec::new());
        for (n, file) in places.files.iter().enumerate() {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if base.is_empty() || !name.starts_with(&base) {
                continue;
            }
            let Some((how, bytes)) = Source::open(file).ok().and_then(|source| undone(&source, limits.unpacked)) else {
                continue;
            };
            // The name stays, by which it is looked for; folders keep files of one name apart.
            let was = at.join(n.to_string()).join(name.strip_suffix(".gz").unwrap_or(name));
            store.insert(&was, bytes);
            files.push((was, file.clone(), how));
        }
        if files.is_empty() {
            return Self::default();
        }
        mount(&at, Arc::new(store));
        places.files.extend(files.iter().map(|(was, ..)| was.clone()));
        Self { at: Some(at), files }
    }

    /// The file on the disk that a file of ours was made of.
    pub(super) fn original(&self, file: &Path) -> PathBuf {
        let of = self.files.iter().find(|(was, ..)| was == file);
        of.map_or_else(|| file.to_path_buf(), |(_, file, _)| file.clone())
    }

    /// What was undone to have a file of ours.
    pub(super) fn how(&self, file: &Path) -> Option<Undo> {
        self.files.iter().find(|(was, ..)| was == file).map(|(.., how)| *how)
    }
}

impl Drop for Undone {
    fn drop(&mut self) {
        if let Some(at) = &self.at {
            unmount(at);
        }
    }
}

/// What a file was, if it is no more than so many bytes.
fn undone(source: &Source, most: u64) -> Option<(Undo, Vec<u8>)> {
    let head = source.head(HEAD).ok()?;
    let all = || {
        let mut scratch = Window::default();
        let len = source.len();
        (len <= most).then(|| source.slice(0..len, &mut scratch).map(<[u8]>::to_vec).ok()).flatten()
    };
    if head.starts_with(&[0x1f, 0x8b, 8]) {
        let (packed, mut bytes) = (all()?, Vec::new());
        let read = MultiGzDecoder::new(packed.as_slice()).take(most.saturating_add(1)).read_to_end(&mut bytes);
        return (read.is_ok() && bytes.len() as u64 <= most).then_some((Undo::Gzip, bytes));
    }
    let feeds = memchr::memchr_iter(b'\n', &head).count();
    let returns = memchr::memmem::find_iter(&head, b"\r\n").count();
    if returns >= PROVES && feeds == returns {
        return Some((Undo::LineEnds, without_returns(&all()?)));
    }
    let characters = head.iter().filter(|byte| **byte >= 0xc2).count();
    if characters >= PROVES && is_utf8(&head) {
        let text = String::from_utf8(all()?).ok()?;
        let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        return Some((Undo::Latin1, bytes?));
    }
    None
}

/// Whether it is UTF-8, but for a last character that is cut.
fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// One carriage return less before each line feed.
fn without_returns(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0usize;
    for found in memchr::memmem::find_iter(bytes, b"\r\n") {
        out.extend_from_slice(bytes.get(at..found).unwrap_or_default());
        at = found.saturating_add(1);
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: Vec<u8>, most: u64) -> Option<(Undo, Vec<u8>)> {
        undone(&Source::memory(Path::new("m"), bytes), most)
    }

    #[test]
    fn each_is_undone_and_nothing_else_is_taken_for_one() {
        let bytes: Vec<u8> = (0..=255u8).cycle().take(6000).collect();
        assert!(of(bytes.clone(), 1 << 20).is_none());
        let returned: Vec<u8> =
            bytes.iter().flat_map(|b| if *b == b'\n' { vec![b'\r', b'\n'] } else { vec![*b] }).collect();
        assert_eq!(of(returned, 1 << 20), Some((Undo::LineEnds, bytes.clone())));
        let latin: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        assert_eq!(of(latin.into_bytes(), 1 << 20), Some((Undo::Latin1, bytes.clone())));
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, &bytes).unwrap();
        let packed = packed.finish().unwrap();
        assert_eq!(of(packed.clone(), 1 << 20), Some((Undo::Gzip, bytes.clone())));
        // A cut one, and one that would be larger than is allowed.
        assert!(of(packed[..packed.len() - 9].to_vec(), 1 << 20).is_none());
        assert!(of(packed, 100).is_none());
    }
}
