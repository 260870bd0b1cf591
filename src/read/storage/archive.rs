//! Members of a zip archive: where each lies, and its bytes, in place where they are stored as they are and unpacked on
//! the way where they are deflated.
//!
//! Directories of zip archives are read by the `zip` crate, which knows zip64, data descriptors and what lies before the
//! first member; nothing is unpacked before somebody asks for it, and then no more than was asked for.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use flate2::read::DeflateDecoder;

use super::Source;
use crate::base::error::{Error, ErrorKind, Result};

/// Most members that an archive may have: each takes memory before anything of it is read. A `.npz` has one for each
/// array, and the largest models have some ten thousand.
const MEMBERS: usize = 1 << 20;

/// An open archive.
#[derive(Debug)]
pub struct Archive {
    source: Arc<Source>,
    members: Vec<Member>,
    has_doubles: bool,
}

/// How the bytes of a member are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As they are.
    Stored,
    /// Deflated.
    Deflated,
    /// Otherwise, or encrypted: they cannot be read.
    Other,
}

/// One member.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name in the archive.
    pub name: Vec<u8>,
    /// How its bytes are stored.
    pub packing: Packing,
    /// Offset of the first stored byte in the archive.
    pub start: u64,
    /// Number of stored bytes.
    pub stored: u64,
    /// Number of its bytes, as the archive says.
    pub len: u64,
    /// CRC-32 of its bytes, as the archive says.
    pub crc32: u32,
}

impl Archive {
    /// Reads the list of members.
    ///
    /// # Errors
    /// If the file is no zip archive, is cut off, or lists what cannot be.
    pub fn open(source: Arc<Source>) -> Result<Self> {
        let bad = |why: String| Error::malformed("zip archive", why).in_file(source.path());
        let reader = SourceReader { source: Arc::clone(&source), at: 0, end: source.len() };
        let mut zip = zip::ZipArchive::new(reader).map_err(|error| {
            bad(error.to_string()).with_help("the list of members stands at the end of the file: a cut one has none")
        })?;
        if zip.len() > MEMBERS {
            let kind = ErrorKind::LimitExceeded { what: "members", got: zip.len() as u64, limit: MEMBERS as u64 };
            return Err(Error::new(kind).in_file(source.path()));
        }
        let mut members = Vec::with_capacity(zip.len());
        for n in 0..zip.len() {
            let member = zip.by_index_raw(n).map_err(|error| bad(format!("member {n}: {error}")))?;
            let packing = match member.compression() {
                _ if member.encrypted() => Packing::Other,
                zip::CompressionMethod::STORE => Packing::Stored,
                zip::CompressionMethod::DEFLATE => Packing::Deflated,
                _ => Packing::Other,
            };
            let start = member.data_start().ok_or_else(|| bad(format!("member {n} has no place")))?;
            let (stored, len) = (member.compressed_size(), member.size());
            if start.checked_add(stored).is_none_or(|end| end > source.len()) {
                let kind = ErrorKind::Truncated { needed: stored, available: source.len().saturating_sub(start) };
                return Err(Error::new(kind).at_offset(start).in_file(source.path()));
            }
            if packing == Packing::Stored && stored != len {
                return Err(bad(format!("member {n} is stored as it is, but {stored} bytes of it as {len}")));
            }
            members.push(Member {
                name: member.name_raw().to_vec(),
                packing,
                start,
                stored,
                len,
                crc32: member.crc32(),
            });
        }
        let has_doubles = zip.has_duplicate_names();
        Ok(Self { source, members, has_doubles })
    }

    /// The archive itself.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// All members, in the order of the list.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether a name stands in the list more than once: which one is taken depends on who reads it.
    pub fn has_doubles(&self) -> bool {
        self.has_doubles
    }

    /// The bytes of a member from its first one on.
    ///
    /// # Errors
    /// If it is packed in a way that is not read.
    pub fn reader(&self, member: &Member) -> Result<MemberReader> {
        let end = member.start.saturating_add(member.stored);
        let stored = SourceReader { source: Arc::clone(&self.source), at: member.start, end };
        let unpack = match member.packing {
            Packing::Stored => Unpack::Stored(stored),
            Packing::Deflated => Unpack::Deflated(Box::new(DeflateDecoder::new(stored))),
            Packing::Other => {
                let why = "a member is encrypted, or packed by a method other than deflate".to_owned();
                return Err(Error::malformed("zip archive", why).at_offset(member.start).in_file(self.source.path()));
            }
        };
        Ok(MemberReader { unpack, sum: flate2::Crc::new(), at: 0, len: member.len, crc32: Some(member.crc32) })
    }

    /// Reads a member and compares it with its checksum.
    ///
    /// # Errors
    /// If it cannot be read, or is not what the archive says.
    pub fn verify(&self, member: &Member) -> Result<()> {
        let in_file = |error: Error| error.at_offset(member.start).in_file(self.source.path());
        let mut reader = self.reader(member)?;
        io::copy(&mut reader, &mut io::sink()).map_err(|error| in_file(ErrorKind::Io(error).into()))?;
        reader.finish().map(|_| ()).map_err(in_file)
    }

    /// All bytes of a member, which may not be more than `limit`.
    ///
    /// # Errors
    /// If there are more, they cannot be read, or are not what the archive says.
    pub fn read(&self, member: &Member, limit: u64) -> Result<Vec<u8>> {
        let in_file = |error: Error| error.at_offset(member.start).in_file(self.source.path());
        if member.len > limit {
            return Err(in_file(
                ErrorKind::LimitExceeded { what: "member of an archive", got: member.len, limit }.into(),
            ));
        }
        let mut bytes = Vec::new();
        let mut reader = self.reader(member)?;
        // The length is the archive's word; memory grows with what is really there.
        reader.by_ref().take(member.len).read_to_end(&mut bytes).map_err(|e| in_file(ErrorKind::Io(e).into()))?;
        reader.finish().map_err(in_file)?;
        Ok(bytes)
    }
}

/// The bytes of a member, one after the other.
#[derive(Debug)]
pub struct MemberReader {
    unpack: Unpack,
    sum: flate2::Crc,
    at: u64,
    len: u64,
    crc32: Option<u32>,
}

#[derive(Debug)]
enum Unpack {
    Stored(SourceReader),
    Deflated(Box<DeflateDecoder<SourceReader>>),
}

impl MemberReader {
    /// The bytes of a whole file, of which no checksum is known.
    pub fn of_file(source: &Arc<Source>) -> Self {
        let len = source.len();
        let stored = SourceReader { source: Arc::clone(source), at: 0, end: len };
        Self { unpack: Unpack::Stored(stored), sum: flate2::Crc::new(), at: 0, len, crc32: None }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Whether all bytes have been read and a checksum of them is known; then it is the right one.
    ///
    /// # Errors
    /// If all were read and they are others.
    pub fn finish(&self) -> Result<bool> {
        let Some(crc32) = self.crc32.filter(|_| self.at == self.len) else { return Ok(false) };
        if self.sum.sum() == crc32 {
            return Ok(true);
        }
        let why = format!("CRC-32 of a member is {:#010x}, the archive says {crc32:#010x}", self.sum.sum());
        Err(Error::malformed("zip archive", why).with_help("these bytes are not the ones that were saved"))
    }
}

impl Read for MemberReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let room = left.min(buffer.len());
        let Some(buffer) = buffer.get_mut(..room).filter(|room| !room.is_empty()) else { return Ok(0) };
        let n = match &mut self.unpack {
            Unpack::Stored(reader) => reader.read(buffer)?,
            Unpack::Deflated(reader) => reader.read(buffer)?,
        };
        if n == 0 {
            let why = format!("a member ends after {} of {} bytes", self.at, self.len);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        self.sum.update(buffer.get(..n).unwrap_or_default());
        self.at = self.at.saturating_add(n as u64);
        Ok(n)
    }
}

/// A part of a source as a stream.
#[derive(Debug)]
struct SourceReader {
    source: Arc<Source>,
    at: u64,
    end: u64,
}

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let room = left.min(buffer.len());
        let part = buffer.get_mut(..room).unwrap_or_default();
        self.source.read_exact_at(part, self.at).map_err(io::Error::other)?;
        self.at = self.at.saturating_add(part.len() as u64);
        Ok(part.len())
    }
}

impl Seek for SourceReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
