//! One block: its trailer, its compression, and the prefix-compressed entries in it.

use std::collections::BTreeMap;

use super::footer::TRAILER_LEN;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::wire::{BitFlip, Crc32c, Cursor, MaskedCrc, bit_odds, single_bit};

/// A decompressed block whose entry area and restart array have been told apart.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    entries: &'a [u8],
    /// Offsets into `entries` at which a key is stored whole; `LevelDB` seeks among them.
    restarts: &'a [u8],
    /// Offset in the file of `entries`; for a compressed block, of the block itself.
    offset: u64,
    compressed: bool,
}

/// One entry of a block.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'k, 'v> {
    /// The whole key, rebuilt from the shared prefix.
    pub key: &'k [u8],
    /// The value.
    pub value: &'v [u8],
    /// Offset of the entry in the file (of its block, if that is compressed).
    pub offset: u64,
    /// Offset of the value in the file (of its block, if that is compressed).
    pub value_offset: u64,
    /// Whether the entry before it in the block has the same key.
    pub repeated: bool,
}

impl<'a> Block<'a> {
    /// Checks and decompresses a block: `stored` is its contents with the trailer, at `offset` in the file.
    ///
    /// # Errors
    /// If the checksum is wrong (unless `check` is false), the type unknown, or the contents malformed.
    pub(super) fn decode(
        stored: &'a [u8],
        offset: u64,
        check: bool,
        plain: &'a mut Vec<u8>,
        limits: &Limits,
    ) -> Result<Self> {
        let bad = |why: &'static str| Error::malformed("bad block contents", why).at_offset(offset);
        let trailer_at = stored.len().saturating_sub(usize::try_from(TRAILER_LEN).unwrap_or(5));
        let (contents, trailer) = stored.split_at_checked(trailer_at).ok_or_else(|| bad("no trailer"))?;
        let mut trailer = Cursor::new(trailer, offset.saturating_add(contents.len() as u64));
        let [kind] = trailer.array()?;
        let want = MaskedCrc(trailer.fixed32()?).unmasked();
        let got = Crc32c::of(contents).extend(&[kind]);
        if check && got != want {
            let kind = ErrorKind::ChecksumMismatch { what: "block", got: got.0, want: want.0 };
            return Err(Error::new(kind).at_offset(offset).with_help("this file is damaged here; fetch it again"));
        }
        match kind {
            0 => Self::from_contents(contents, offset, false),
            1 => {
                decompress(contents, plain, limits).map_err(|e| e.at_offset(offset))?;
                Self::from_contents(plain, offset, true)
            }
            other => Err(Error::new(ErrorKind::UnknownCompression(other)).at_offset(offset)),
        }
    }

    fn from_contents(contents: &'a [u8], offset: u64, compressed: bool) -> Result<Self> {
        let bad = |why: &'static str| Error::malformed("bad block contents", why).at_offset(offset);
        let (rest, count) = contents.split_last_chunk::<4>().ok_or_else(|| bad("shorter than its restart count"))?;
        let restarts = u64::from(u32::from_le_bytes(*count)).saturating_mul(4);
        let entries_len = (rest.len() as u64)
            .checked_sub(restarts)
            .and_then(|len| usize::try_from(len).ok())
            .ok_or_else(|| bad("more restarts than the block has room for"))?;
        let (entries, restarts) = rest.split_at_checked(entries_len).unwrap_or((rest, &[]));
        Ok(Self { entries, restarts, offset, compressed })
    }

    /// The entries, in stored order.
    pub fn entries(&self) -> Entries<'a> {
        Entries {
            cursor: Cursor::new(self.entries, if self.compressed { 0 } else { self.offset }),
            block: *self,
            key: Vec::new(),
            first: true,
            repeated: false,
            disorder: None,
            described: 0,
            restarts: self.restarts,
            bad_restart: !self.restarts.starts_with(&[0; 4]),
        }
    }

    /// The values under those of `keys` that are in the block, with their offsets, handed to `found` with the number
    /// that belongs to the key.
    ///
    /// # Errors
    /// If an entry is malformed.
    pub fn find(&self, keys: &BTreeMap<Vec<u8>, usize>, mut found: impl FnMut(usize, &'a [u8], u64)) -> Result<()> {
        let mut entries = self.entries();
        while let Some(entry) = entries.next_entry()? {
            if let Some(n) = keys.get(entry.key) {
                found(*n, entry.value, entry.value_offset);
            }
        }
        Ok(())
    }
}

/// Whether `next` comes behind `previous`. Their first bytes differ wherever all that two keys share is left out, which
/// saves comparing them as memory.
#[inline]
fn follows(next: &[u8], previous: &[u8]) -> bool {
    match (next.first(), previous.first()) {
        (Some(next), Some(previous)) if next != previous => next > previous,
        _ => next > previous,
    }
}

/// Which one bit of a stored block, trailer included, is flipped; `None` if its checksum is right, or no single bit
/// explains it. In a block of 256 KiB one checksum in two thousand looks like a flipped bit by chance, so what comes of
/// it must still decode.
pub(super) fn flipped_bit(stored: &[u8]) -> Option<BitFlip> {
    let (summed, checksum) = stored.split_last_chunk::<4>()?;
    let masked = MaskedCrc(u32::from_le_bytes(*checksum));
    let (want, got) = (masked.unmasked(), Crc32c::of(summed));
    if got == want {
        return None;
    }
    // The checksum itself may be what is flipped.
    let differing = masked.0 ^ got.masked().0;
    let len = summed.len() as u64;
    if differing.is_power_of_two() {
        let at = differing.trailing_zeros();
        let (byte, bit) = (len.saturating_add(u64::from(at >> 3)), u8::try_from(at & 7).unwrap_or(0));
        return Some(BitFlip { byte, bit, unique: true, odds: bit_odds(4) });
    }
    single_bit(want.0, got.0, len).filter(|flip| flip.unique)
}

fn decompress(contents: &[u8], plain: &mut Vec<u8>, limits: &Limits) -> Result<()> {
    let failed = |e: snap::Error| Error::new(ErrorKind::Decompress(e.to_string()));
    let len = snap::raw::decompress_len(contents).map_err(failed)? as u64;
    // Snappy's densest element makes 64 bytes of 3: a longer claim cannot be honest.
    let limit = limits.decompressed_block.min((contents.len() as u64).saturating_mul(32));
    if len > limit {
        return Err(ErrorKind::LimitExceeded { what: "decompressed block", got: len, limit }.into());
    }
    plain.resize(usize::try_from(len).unwrap_or(0), 0);
    snap::raw::Decoder::new().decompress(contents, plain).map_err(failed)?;
    Ok(())
}

/// How many disorders of one block are described one by one.
const DESCRIBED: usize = 1000;

/// As much of a key as an error shows.
fn shown(key: &[u8]) -> &[u8] {
    key.get(..1024).unwrap_or(key)
}

/// A key that is not greater than the one before it.
#[derive(Debug)]
pub enum Disorder {
    /// With both keys.
    Described(Error),
    /// Too many have been described already.
    OneMore,
}

/// Walks the entries of a block, rebuilding each key in one reused buffer.
#[derive(Debug)]
pub struct Entries<'a> {
    cursor: Cursor<'a>,
    block: Block<'a>,
    key: Vec<u8>,
    first: bool,
    repeated: bool,
    disorder: Option<Disorder>,
    /// How many disorders have been described.
    described: usize,
    /// Restarts that no entry has been found at yet.
    restarts: &'a [u8],
    bad_restart: bool,
}

impl<'a> Entries<'a> {
    /// The next entry, `None` behind the last.
    ///
    /// # Errors
    /// `bad entry in block` if a length contradicts the block or the key before; nothing behind it can be trusted.
    #[inline]
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_, 'a>>> {
        if self.cursor.is_empty() {
            return Ok(None);
        }
        let offset = self.file_offset();
        match self.read_entry() {
            Ok((value, value_offset)) => {
                let repeated = std::mem::take(&mut self.repeated);
                Ok(Some(Entry { key: &self.key, value, offset, value_offset, repeated }))
            }
            Err(error) => {
                self.cursor = Cursor::new(&[], self.cursor.offset());
                Err(error.at_offset(offset))
            }
        }
    }

    /// The key of the entry that was read last.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Whether the entry read last has a key that is not greater than the one before it.
    pub fn take_disorder(&mut self) -> Option<Disorder> {
        self.disorder.take()
    }

    /// What is wrong with the restarts, when all entries have been read. It hides nothing from a reader that goes
    /// through the block, but TensorFlow looks names up with their help.
    pub fn restart_fault(&self) -> Option<Error> {
        // An empty block has one restart all the same.
        let left = if self.first { !matches!(self.restarts, [0, 0, 0, 0]) } else { !self.restarts.is_empty() };
        (self.bad_restart || left).then(|| {
            let why = "its restarts are not where whole keys begin; TensorFlow fails to look up names in it";
            Error::malformed("bad block contents", why).at_offset(self.block.offset)
        })
    }

    /// Checks the next restart against an entry at `at` that shares `shared` bytes with the one before.
    #[inline]
    fn pass_restart(&mut self, at: usize, shared: usize) {
        if let Some((next, rest)) = self.restarts.split_first_chunk::<4>()
            && u32::from_le_bytes(*next) as usize <= at
        {
            self.bad_restart |= u32::from_le_bytes(*next) as usize != at || shared != 0;
            self.restarts = rest;
        }
    }

    #[inline]
    fn read_entry(&mut self) -> Result<(&'a [u8], u64)> {
        let bad = |why: &'static str| Error::malformed("bad entry in block", why);
        let offset = self.file_offset();
        let at = self.block.entries.len().saturating_sub(self.cursor.rest().len());
        let header = (self.cursor.varint32(), self.cursor.varint32(), self.cursor.varint32());
        let (Ok(shared), Ok(non_shared), Ok(value_len)) = header else {
            return Err(bad("its three lengths cannot be read"));
        };
        let shared = shared as usize;
        if shared > self.key.len() {
            return Err(bad("it shares more bytes than the key before has"));
        }
        let delta = self.cursor.take(non_shared as usize).map_err(|_| bad("its key runs beyond the block"))?;
        // With the shared prefix equal, the order of two keys is the order of their tails.
        if !self.first && !follows(delta, self.key.get(shared..).unwrap_or_default()) {
            self.repeated = self.key.get(shared..) == Some(delta);
            self.disorder = Some(self.describe_disorder(shared, delta, offset));
        }
        self.first = false;
        self.key.truncate(shared);
        self.key.extend_from_slice(delta);
        let value_offset = if self.block.compressed { self.block.offset } else { self.cursor.offset() };
        let value = self.cursor.take(value_len as usize).map_err(|_| bad("its value runs beyond the block"))?;
        self.pass_restart(at, shared);
        Ok((value, value_offset))
    }

    /// Three bytes make a disorder and keys may be long: only so many are described, with the beginnings of their keys.
    #[cold]
    fn describe_disorder(&mut self, shared: usize, delta: &[u8], offset: u64) -> Disorder {
        if self.described >= DESCRIBED {
            return Disorder::OneMore;
        }
        self.described = self.described.saturating_add(1);
        let previous = shown(&self.key).to_vec();
        let mut next = shown(self.key.get(..shared).unwrap_or_default()).to_vec();
        next.extend_from_slice(shown(delta));
        Disorder::Described(Error::new(ErrorKind::KeysOutOfOrder { previous, next }).at_offset(offset))
    }

    fn file_offset(&self) -> u64 {
        if self.block.compressed { self.block.offset } else { self.cursor.offset() }
    }
}
