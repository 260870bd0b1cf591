//! Text where weights should be: words and file beginnings recognised by their checksum, and line ends changed by a
//! transfer.

use crate::read::wire::Crc32c;

/// Four printable characters that have some checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The characters; bytes that are not printable stand as in a Rust byte string.
    pub text: String,
    /// What begins with them, with its article.
    pub suggests: Option<&'static str>,
}

/// Beginnings of files that end up under a checkpoint's name, as long as they are the same in every such file.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "a Git LFS pointer"),
    (b"version https://hawser.github.com/spec/v1\noid sha256:", "a Git LFS pointer"),
    (b"<!DOCTYPE html>\n<html", "a web page"),
    (b"<!DOCTYPE html><html", "a web page"),
    (b"<!doctype html><html", "a web page"),
    (b"<html>\n<head>\n<title>", "a web page"),
    (b"<html><head><title>", "a web page"),
    (b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "an XML error message"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras .h5)"),
    (b"\x1f\x8b\x08\0", "a gzip archive"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"GGUF", "a GGUF model"),
    (b"Not Found", "an error message"),
    (b"404: Not Found", "an error message"),
    (b"Entry not found", "an error message"),
];

/// What begins with these four bytes.
fn beginning(word: &[u8]) -> Option<&'static str> {
    let starts = |head: &[u8]| head.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(word));
    BEGINNINGS.iter().find(|(head, _)| starts(head)).map(|(_, what)| *what)
}

/// The four bytes with this checksum, if they are printable or begin a known kind of file.
///
/// One in fifty checksums has four printable characters by chance; what begins a file is no chance.
pub fn ascii_word(crc: u32) -> Option<Word> {
    let bytes = super::invert_u32(crc);
    let suggests = beginning(&bytes);
    let printable = bytes.iter().all(|b| matches!(b, 0x20..=0x7e));
    (printable || suggests.is_some()).then(|| Word { text: bytes.escape_ascii().to_string(), suggests })
}

/// A piece of the beginning of a known kind of file that has some checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The bytes.
    pub bytes: &'static [u8],
    /// Where in that file they stand.
    pub offset: usize,
    /// What the file is, with its article.
    pub file: &'static str,
}

/// The piece of a known file's beginning that has this checksum.
///
/// Pieces of four bytes and more at every position are tried, some four thousand: by chance one checksum in a million
/// fits. Shorter ones would prove nothing, as any value of one byte is a piece of something.
pub fn text_fragment(crc: u32) -> Option<Fragment> {
    for (head, file) in BEGINNINGS {
        for offset in 0..head.len() {
            let mut sum = Crc32c::default();
            for (n, byte) in head.iter().enumerate().skip(offset) {
                sum = sum.extend(std::slice::from_ref(byte));
                if sum.0 == crc && n - offset >= 3 {
                    let bytes = head.get(offset..=n)?;
                    return Some(Fragment { bytes, offset, file });
                }
            }
        }
    }
    None
}

/// Line ends and related bytes of a file, counted as it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineEnds {
    /// Bytes counted.
    pub bytes: u64,
    /// Line feeds behind a carriage return.
    pub crlf: u64,
    /// Line feeds behind anything else.
    pub lone_lf: u64,
    /// Characters U+FFFD in UTF-8: what a text transfer puts for bytes that are not text.
    pub replaced: u64,
    /// The last two bytes: a pair may lie across two parts.
    last: [u8; 2],
}

impl LineEnds {
    /// Counts the next part of the file.
    pub fn count(&mut self, part: &[u8]) {
        let [mut before, mut last] = self.last;
        for &byte in part {
            match byte {
                b'\n' if last == b'\r' => self.crlf += 1,
                b'\n' => self.lone_lf += 1,
                0xbd if [before, last] == [0xef, 0xbf] => self.replaced += 1,
                _ => {}
            }
            (before, last) = (last, byte);
        }
        self.last = [before, last];
        self.bytes = self.bytes.saturating_add(part.len() as u64);
    }
}

/// How a text-mode transfer changed a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mangled {
    /// Every LF became CR LF; the file has this many bytes too many.
    LfToCrLf(u64),
    /// Every CR LF became LF; the file has this many bytes too few.
    CrLfToLf(u64),
    /// It was read as text and written again: this many bytes or runs of bytes were replaced by U+FFFD, for good.
    Replaced(u64),
}

/// Whether a shard that should have `expected` bytes went through a transfer that changes line ends.
///
/// `ends` are those of the whole file as it is. Weights have a line feed every 256 bytes or so, behind a carriage
/// return one time in 256, so the patterns that are asked for do not come about by chance.
pub fn looks_mangled_by_text_mode(ends: &LineEnds, expected: u64) -> Option<Mangled> {
    const ENOUGH: u64 = 8;
    if ends.replaced >= ENOUGH && ends.replaced > ends.bytes / 64 {
        return Some(Mangled::Replaced(ends.replaced));
    }
    if ends.crlf >= ENOUGH && ends.lone_lf == 0 && ends.bytes.checked_sub(expected) == Some(ends.crlf) {
        return Some(Mangled::LfToCrLf(ends.crlf));
    }
    let lost = expected.saturating_sub(ends.bytes);
    // About one pair is lost in 65,536 bytes, and where the weights are less than random a few times as many. At a
    // mebibyte the absence of any pair is no chance: sixteen are to be expected.
    let large = ends.bytes >= 1 << 20 && ends.lone_lf >= ends.bytes / 4096;
    if lost > 0 && lost <= (ends.bytes >> 13).max(1) && ends.crlf == 0 && large {
        return Some(Mangled::CrLfToLf(lost));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that look like weights.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[4]
        };
        (0..len).map(|_| next()).collect()
    }

    fn ends(bytes: &[u8]) -> LineEnds {
        let mut ends = LineEnds::default();
        bytes.chunks(1000).for_each(|part| ends.count(part));
        ends
    }

    fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if let Some(behind) = rest.strip_prefix(from) {
                out.extend_from_slice(to);
                rest = behind;
            } else {
                out.push(*first);
                rest = &rest[1..];
            }
        }
        out
    }

    #[test]
    fn words_say_what_file_they_begin() {
        let word = |text: &[u8]| ascii_word(crc32c::crc32c(text)).map(|w| (w.text, w.suggests));
        assert_eq!(word(b"vers"), Some(("vers".into(), Some("a Git LFS pointer"))));
        assert_eq!(word(b"<!DO"), Some(("<!DO".into(), Some("a web page"))));
        assert_eq!(word(b"<htm"), Some(("<htm".into(), Some("a web page"))));
        assert_eq!(word(b"PK\x03\x04"), Some(("PK\\x03\\x04".into(), Some("a zip archive"))));
        assert_eq!(word(b"\x89HDF"), Some(("\\x89HDF".into(), Some("an HDF5 file (Keras .h5)"))));
        assert_eq!(word(b"abcd"), Some(("abcd".into(), None)));
        assert_eq!(word(&2696u32.to_le_bytes()), None);
    }

    #[test]
    fn pieces_of_a_pointer_are_recognised_at_any_place() {
        let fragment = text_fragment(crc32c::crc32c(b"version ")).unwrap();
        assert_eq!((fragment.offset, fragment.file), (0, "a Git LFS pointer"));
        let fragment = text_fragment(crc32c::crc32c(b"git-lfs.github.c")).unwrap();
        assert_eq!((fragment.offset, fragment.bytes), (16, &b"git-lfs.github.c"[..]));
        assert_eq!(text_fragment(crc32c::crc32c(&[0; 4])), None);
        assert_eq!(text_fragment(crc32c::crc32c(b"v")), None);
    }

    #[test]
    fn line_ends_that_were_changed_are_noticed() {
        let original = noise(2 << 20);
        let len = original.len() as u64;
        assert_eq!(looks_mangled_by_text_mode(&ends(&original), len), None);
        assert_eq!(looks_mangled_by_text_mode(&ends(&original[..1 << 20]), len), None);

        let windows = replace(&original, b"\n", b"\r\n");
        let added = windows.len() as u64 - len;
        assert_eq!(looks_mangled_by_text_mode(&ends(&windows), len), Some(Mangled::LfToCrLf(added)));
        assert_eq!(looks_mangled_by_text_mode(&ends(&windows), len + 1), None);

        let unix = replace(&original, b"\r\n", b"\n");
        let lost = len - unix.len() as u64;
        assert_eq!(looks_mangled_by_text_mode(&ends(&unix), len), Some(Mangled::CrLfToLf(lost)));

        let text = String::from_utf8_lossy(&original).into_owned();
        let found = looks_mangled_by_text_mode(&ends(text.as_bytes()), len);
        assert!(matches!(found, Some(Mangled::Replaced(_))), "{found:?}");
    }
}
