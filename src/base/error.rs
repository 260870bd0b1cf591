//! The one error type of the library: what is wrong, where, and what to do about it.
//!
//! A reader fails deep inside a file and knows the offset; the file, the part and the tensor are added as the error
//! travels outward (`in_file`, `at_part`, `for_key`). Display is one line with the values first; `help` is the advice
//! that a command prints below it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use crate::base::escape::Escaped;
use crate::base::fault::Fault;

/// A `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong while a file was read, with its place and, where known, what to do.
#[derive(Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    at: Location,
    help: Option<Cow<'static, str>>,
}

/// Where an error was met. Every field is optional: it is filled in by whoever knows it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file that was being read.
    pub file: Option<PathBuf>,
    /// The part of the file, in the words of its format.
    pub part: Option<Part>,
    /// Offset in bytes from the start of the file.
    pub offset: Option<u64>,
    /// The table key or tensor name, as stored.
    pub key: Option<Vec<u8>>,
}

/// A named part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The last 48 bytes of a table.
    Footer,
    /// The block that holds the handles of the data blocks.
    IndexBlock,
    /// The n-th data block, counted from 0.
    DataBlock(usize),
    /// The `BundleHeaderProto` under the empty key.
    BundleHeader,
    /// A `BundleEntryProto`.
    BundleEntry,
    /// The `SavedTensorSlices` metadata of a V1 checkpoint.
    SaverV1Meta,
    /// The bytes of a tensor in a data shard.
    TensorData,
    /// The object graph of a `tf.train.Checkpoint`.
    ObjectGraph,
    /// The header of a file that has one: safetensors, `.npy`.
    Header,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Footer => f.write_str("footer"),
            Self::IndexBlock => f.write_str("index block"),
            Self::DataBlock(n) => write!(f, "data block {n}"),
            Self::BundleHeader => f.write_str("bundle header"),
            Self::BundleEntry => f.write_str("bundle entry"),
            Self::SaverV1Meta => f.write_str("V1 metadata"),
            Self::TensorData => f.write_str("tensor data"),
            Self::ObjectGraph => f.write_str("object graph"),
            Self::Header => f.write_str("header"),
        }
    }
}

/// What is wrong, with the values that show it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused.
    #[error("cannot read: {0}")]
    Io(#[source] io::Error),
    /// Fewer bytes than a structure needs.
    #[error("truncated: {needed} bytes needed, {available} available")]
    Truncated {
        /// Bytes that the structure needs.
        needed: u64,
        /// Bytes that are there.
        available: u64,
    },
    /// A file that got shorter between opening and reading.
    #[error("the file shrank while it was read: it had {len} bytes when opened")]
    Shrank {
        /// Length when the file was opened.
        len: u64,
    },
    /// The last eight bytes are not the table magic.
    #[error("not an sstable (bad magic number): got {got:#018x}, want {want:#018x}")]
    BadMagic {
        /// What stands there.
        got: u64,
        /// The magic number of a table.
        want: u64,
    },
    /// A file shorter than a table's footer.
    #[error("file is too short to be an sstable: {len} bytes, a footer alone has 48")]
    TooShort {
        /// Length of the file in bytes.
        len: u64,
    },
    /// A block handle that leads out of the file.
    #[error("bad block handle: {size} bytes at offset {offset} do not lie before {limit}")]
    BadBlockHandle {
        /// Offset that the handle names.
        offset: u64,
        /// Size that the handle names.
        size: u64,
        /// First offset that is not a block's any more.
        limit: u64,
    },
    /// A stored checksum that does not belong to the bytes: CRC-32C (both unmasked), of a member of an archive CRC-32.
    #[error("{what} checksum mismatch: stored {want:#010x}, computed {got:#010x}")]
    ChecksumMismatch {
        /// What was checked: `block`, `tensor`, `string lengths`, `member`.
        what: &'static str,
        /// Computed over the bytes read.
        got: u32,
        /// Stored in the file.
        want: u32,
    },
    /// One bit that is flipped, told by the checksum, and read as if it were not.
    #[error("one bit is flipped, bit {bit} of byte {byte}; read as if it were not")]
    FlippedBit {
        /// Offset of the byte in the file.
        byte: u64,
        /// The bit, 0 for the lowest.
        bit: u8,
    },
    /// A compression type that neither LevelDB nor TensorFlow defines.
    #[error("bad block type {0}: neither 0 (none) nor 1 (Snappy)")]
    UnknownCompression(u8),
    /// Bytes that Snappy rejects.
    #[error("corrupted compressed block contents: {0}")]
    Decompress(String),
    /// A structure that contradicts itself.
    #[error("{what}: {why}")]
    Malformed {
        /// The structure.
        what: &'static str,
        /// What is wrong with it.
        why: Cow<'static, str>,
    },
    /// A name that leads to something which is there under another one.
    #[error("{0}")]
    OtherName(String),
    /// Keys that do not increase, which makes some of them unfindable for TensorFlow.
    #[error("keys out of order: {} follows {}", Escaped(.next), Escaped(.previous))]
    KeysOutOfOrder {
        /// The earlier key.
        previous: Vec<u8>,
        /// The key after it, not greater.
        next: Vec<u8>,
    },
    /// The first key of a bundle index is not the empty one.
    #[error("bundle header missing: the table has no entry under the empty key")]
    HeaderMissing,
    /// A version that this reader, like TensorFlow, must refuse.
    #[error("{0}")]
    Version(String),
    /// A number from the file that is larger than this reader allows.
    #[error("{what} too large: {got}, the limit is {limit}")]
    LimitExceeded {
        /// What is limited.
        what: &'static str,
        /// The number from the file.
        got: u64,
        /// The limit.
        limit: u64,
    },
    /// A tensor's stored size that its dtype and shape contradict.
    #[error("invalid size in bundle entry: stored {stored}, dtype and shape make {expected}")]
    SizeMismatch {
        /// Bytes according to the entry.
        stored: u64,
        /// Bytes according to dtype and shape.
        expected: u64,
    },
    /// A data type whose elements cannot be decoded.
    #[error("cannot decode elements of dtype {0}")]
    UnsupportedDType(String),
    /// Stored slices that do not add up to their tensor.
    #[error("slices do not cover the tensor: {0}")]
    Slices(String),
    /// A slice that is listed but not stored.
    #[error("slices do not cover the tensor: {0}")]
    SliceMissing(String),
    /// A path that leads to nothing that this tool reads.
    #[error("{0}")]
    NotACheckpoint(String),
    /// A file of the set that is not there, and that alone knows what it holds.
    #[error("{0}")]
    FileMissing(String),
    /// An index that is not there, and without which nothing says what the data is.
    #[error("{0}")]
    IndexMissing(String),
    /// No tensor has the name.
    #[error("no tensor named {}", Escaped(.0))]
    TensorNotFound(Vec<u8>),
    /// Output that could not be written.
    #[error("cannot write: {0}")]
    Output(#[source] io::Error),
    /// A request that cannot be carried out as worded.
    #[error("{0}")]
    Request(String),
}

impl Error {
    /// An error of `kind`, its place still unknown.
    #[cold]
    pub fn new(kind: ErrorKind) -> Self {
        Self { inner: Box::new(Inner { kind, at: Location::default(), help: None }) }
    }

    /// Shorthand for [`ErrorKind::Malformed`].
    #[cold]
    pub fn malformed(what: &'static str, why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Malformed { what, why: why.into() })
    }

    /// Shorthand for [`ErrorKind::Io`] on `path`.
    #[cold]
    pub fn io(error: io::Error, path: &Path) -> Self {
        Self::new(ErrorKind::Io(error)).in_file(path)
    }

    /// Shorthand for [`ErrorKind::Output`] on `path`, a file that shall be made.
    #[cold]
    pub fn output(error: io::Error, path: &Path) -> Self {
        Self::new(ErrorKind::Output(error)).in_file(path).with_help("nothing was put in place there")
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.inner.kind
    }

    /// Where it is wrong.
    pub fn location(&self) -> &Location {
        &self.inner.at
    }

    /// Whether bytes could not be read, so that nothing can be said of them: what they are, damaged or not, is not known.
    pub fn is_unread(&self) -> bool {
        matches!(self.kind(), ErrorKind::Io(_) | ErrorKind::Shrank { .. })
    }

    /// What to do about it, if that is known.
    pub fn help(&self) -> Option<&str> {
        self.inner.help.as_deref().or_else(|| match &self.inner.kind {
            ErrorKind::Io(error) => Fault::help_in(error),
            _ => None,
        })
    }

    /// Names the file, unless an inner reader already did.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        self.inner.at.file.get_or_insert_with(|| path.to_path_buf());
        self
    }

    /// Names the part of the file, unless an inner reader already did.
    #[must_use]
    pub fn at_part(mut self, part: Part) -> Self {
        self.inner.at.part.get_or_insert(part);
        self
    }

    /// Gives the offset in the file, unless an inner reader already did.
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.inner.at.offset.get_or_insert(offset);
        self
    }

    /// Names the key or tensor, unless an inner reader already did.
    #[must_use]
    pub fn for_key(mut self, key: &[u8]) -> Self {
        self.inner.at.key.get_or_insert_with(|| key.to_vec());
        self
    }

    /// Adds what to do, unless an inner reader already did.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.inner.help.get_or_insert_with(|| help.into());
        self
    }

    /// Adds to what to do.
    #[must_use]
    pub fn and_help(mut self, more: &str) -> Self {
        let help = self.help().map(str::to_owned).map_or_else(|| more.to_owned(), |help| format!("{help}; {more}"));
        self.inner.help = Some(help.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, at, .. } = &*self.inner;
        if let Some(key) = &at.key {
            write!(f, "{}: ", Escaped(key))?;
        }
        write!(f, "{kind}")?;
        let mut open = " (";
        if let Some(file) = &at.file {
            write!(f, "{open}{}", Escaped(file.as_os_str().as_encoded_bytes()))?;
            open = ", ";
        }
        if let Some(part) = &at.part {
            write!(f, "{open}{part}")?;
            open = ", ";
        }
        if let Some(offset) = at.offset {
            write!(f, "{open}offset {offset}")?;
            open = ", ";
        }
        f.write_str(if open == ", " { ")" } else { "" })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.kind.source_of()
    }
}

impl ErrorKind {
    fn source_of(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) | Self::Output(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_gives_the_values_then_the_place() {
        let error = Error::new(ErrorKind::ChecksumMismatch { what: "block", got: 1, want: 0xdead_beef })
            .at_offset(498)
            .at_part(Part::DataBlock(3))
            .in_file(Path::new("model.ckpt.index"));
        assert_eq!(
            error.to_string(),
            "block checksum mismatch: stored 0xdeadbeef, computed 0x00000001 \
             (model.ckpt.index, data block 3, offset 498)"
        );
    }

    #[test]
    fn a_name_with_escape_codes_is_shown_harmless() {
        let error = Error::new(ErrorKind::HeaderMissing).for_key(b"a\x1b[31m");
        assert_eq!(error.to_string(), "a\\x1b[31m: bundle header missing: the table has no entry under the empty key");
    }

    #[test]
    fn the_innermost_place_wins() {
        let error = Error::new(ErrorKind::HeaderMissing).at_offset(1).at_offset(2);
        assert_eq!(error.location().offset, Some(1));
    }
}
