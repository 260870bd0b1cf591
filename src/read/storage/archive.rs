//! Members of a zip archive: where each lies, and its bytes, in place where they are stored as they are and unpacked on
//! the way where they are deflated.
//!
//! Directories of zip archives are read by the `zip` crate, which knows zip64, data descriptors and what lies before the
//! first member; nothing is unpacked before somebody asks for it, and then no more than was asked for.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, OnceLock};

use flate2::read::DeflateDecoder;

use super::Source;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;

/// Most members that an archive may have: each takes memory before anything of it is read. A `.npz` has one for each
/// array, and the largest models have some ten thousand.
const MEMBERS: usize = 1 << 20;

/// The end of the list of members is in so many last bytes: it and a comment, whose length has two bytes.
const LAST: u64 = 22 + 0xffff;

/// An open archive.
#[derive(Debug)]
pub struct Archive {
    source: Arc<Source>,
    members: Vec<Member>,
    /// Their positions by name, once somebody has asked for one.
    by_name: OnceLock<Vec<u32>>,
    faults: Vec<Error>,
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
        let reader = SourceReader { source: Arc::clone(&source), at: 0, end: source.len() };
        let mut zip = zip::ZipArchive::new(reader).map_err(|error| without_list(&source, &error))?;
        if zip.len() > MEMBERS {
            let kind = ErrorKind::LimitExceeded { what: "members", got: zip.len() as u64, limit: MEMBERS as u64 };
            return Err(Error::new(kind).in_file(source.path()));
        }
        let (mut members, mut faults) = (Vec::with_capacity(zip.len()), Vec::new());
        for n in 0..zip.len() {
            let name = zip.name_for_index(n).and_then(std::result::Result::ok).map(|name| name.as_bytes().to_vec());
            let name = name.unwrap_or_default();
            match member(&mut zip, n, &source) {
                Ok(member) => members.push(member),
                Err(error) => faults.push(error.for_key(&name).in_file(source.path()).with_help(DAMAGED)),
            }
        }
        let has_doubles = zip.has_duplicate_names();
        Ok(Self { source, members, by_name: OnceLock::new(), faults, has_doubles })
    }

    /// The archive itself.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// All members, in the order of the list.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member of this name; of several the last, which is the one that Python takes.
    pub fn find(&self, name: &[u8]) -> Option<&Member> {
        let name_of = |n: &u32| self.members.get(*n as usize).map(|member| member.name.as_slice());
        let by_name = self.by_name.get_or_init(|| {
            // There are no more than `MEMBERS`, far below what the number holds.
            let mut order: Vec<u32> = (0..).take(self.members.len()).collect();
            order.sort_by(|a, b| (name_of(a), a).cmp(&(name_of(b), b)));
            order
        });
        let behind = by_name.partition_point(|n| name_of(n) <= Some(name));
        let last = by_name.get(behind.checked_sub(1)?)?;
        self.members.get(*last as usize).filter(|member| member.name == name)
    }

    /// What is wrong with members that are in the list and cannot be found by it; once.
    pub fn take_faults(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.faults)
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
                let why = "it is encrypted, or packed by a method other than deflate".to_owned();
                let error = Error::malformed("zip archive", why).at_offset(member.start).in_file(self.source.path());
                return Err(error.with_help("pack the archive again without a password, by deflate or as it is"));
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
        let in_file = |error: Error| error.at_offset(member.start).in_file(self.source.path()).with_help(DAMAGED);
        if member.len > limit {
            let kind = ErrorKind::LimitExceeded { what: "member of an archive", got: member.len, limit };
            return Err(Error::new(kind).at_offset(member.start).in_file(self.source.path()));
        }
        let mut bytes = Vec::new();
        let mut reader = self.reader(member)?;
        // The length is the archive's word; memory grows with what is really there.
        reader.by_ref().take(member.len).read_to_end(&mut bytes).map_err(|e| in_file(ErrorKind::Io(e).into()))?;
        reader.finish().map_err(in_file)?;
        Ok(bytes)
    }
}

/// What to do with a file whose parts do not fit together.
const DAMAGED: &str = "the file is damaged, or was changed after it was written: fetch it again";

/// The name that a member has where it lies, which the list of members repeats (4.3.7 of PKWARE's APPNOTE).
fn name_at(source: &Source, header: u64) -> Result<Vec<u8>> {
    let mut fixed = [0; 30];
    source.read_exact_at(&mut fixed, header)?;
    let [.., low, high, _, _] = fixed;
    let mut name = vec![0; u16::from_le_bytes([low, high]).into()];
    source.read_exact_at(&mut name, header.saturating_add(30))?;
    Ok(name)
}

/// One entry of the list, checked against the length of the file and the name that stands before the member itself.
fn member(zip: &mut zip::ZipArchive<SourceReader>, n: usize, source: &Source) -> Result<Member> {
    let len_of_file = source.len();
    let bad = |why: String| Error::malformed("zip archive", why);
    let list = zip.central_directory_start();
    let member = zip.by_index_raw(n).map_err(|error| {
        let words = error.to_string();
        let why = match words.strip_prefix("invalid Zip archive: ").unwrap_or(&words) {
            said if said.starts_with("Unexpected end") => {
                "the list has a place for it behind the end of the file".to_owned()
            }
            "Invalid local file header" => "there is no member where the list has one".to_owned(),
            said => format!("it is not found by the list of members: {said}"),
        };
        bad(why).at_offset(list)
    })?;
    let packing = match member.compression() {
        _ if member.encrypted() => Packing::Other,
        zip::CompressionMethod::STORE => Packing::Stored,
        zip::CompressionMethod::DEFLATE => Packing::Deflated,
        _ => Packing::Other,
    };
    let start = member.data_start().ok_or_else(|| bad("it has no place".to_owned()).at_offset(list))?;
    let (stored, len) = (member.compressed_size(), member.size());
    if start.checked_add(stored).is_none_or(|end| end > len_of_file) {
        let kind = ErrorKind::Truncated { needed: stored, available: len_of_file.saturating_sub(start) };
        return Err(Error::new(kind).at_offset(start));
    }
    if packing == Packing::Stored && stored != len {
        let why = format!("it is stored as it is, but {stored} bytes of it as {len}");
        return Err(bad(why).at_offset(start));
    }
    let (name, crc32) = (member.name_raw().to_vec(), member.crc32());
    // No checksum covers names, but they stand in the file twice; Python refuses a member of two names as well.
    let other = name_at(source, member.header_start())?;
    if other != name {
        let why =
            format!("the list calls it '{}', and where it lies it is called '{}'", escaped(&name), escaped(&other));
        return Err(bad(why).at_offset(member.header_start()));
    }
    Ok(Member { name, packing, start, stored, len, crc32 })
}

/// Why an archive has no list of members: that it is cut off before it, or what is wrong with it.
fn without_list(source: &Source, error: &zip::result::ZipError) -> Error {
    let len = source.len();
    let start = len.saturating_sub(LAST);
    let mut tail = vec![0; usize::try_from(len.saturating_sub(start)).unwrap_or(0)];
    if let Err(error) = source.read_exact_at(&mut tail, start) {
        return error.in_file(source.path());
    }
    let found = memchr::memmem::rfind(&tail, b"PK\x05\x06").map(|at| start.saturating_add(at as u64));
    let (why, at) = match found {
        Some(at) => {
            let words = error.to_string();
            let why = match words.strip_prefix("invalid Zip archive: ").unwrap_or(&words) {
                said if said.starts_with("Unexpected end") => "it has fewer entries than it says",
                said if said.starts_with("Invalid CDFH") => "it is not where the end of the file says",
                said if said.starts_with("Variable-length") => "an entry is longer than the file",
                said => said,
            };
            (format!("the list of its members cannot be read: {why}"), at)
        }
        None => (format!("cut off: the list of its members should stand at its end, behind these {len} bytes"), len),
    };
    let help = match found {
        Some(_) => "its end is damaged: fetch it again",
        None => "the copy or download did not finish, or the program that wrote it was stopped: fetch or save it again",
    };
    Error::malformed("zip archive", why).at_offset(at).in_file(source.path()).with_help(help)
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
        let kind = ErrorKind::ChecksumMismatch { what: "member", got: self.sum.sum(), want: crc32 };
        Err(Error::new(kind).with_help("these bytes are not the ones that were saved"))
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
