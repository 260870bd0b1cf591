//! Little-endian numbers, addresses and lengths out of a structure. How many bytes an address or a length takes, the
//! superblock says.

use crate::base::error::{Error, Result};
use crate::read::wire::Cursor;

/// Reads the fields of a structure, front to back.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    cursor: Cursor<'a>,
    offset_size: u8,
    length_size: u8,
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8], offset: u64, offset_size: u8, length_size: u8) -> Self {
        Self { cursor: Cursor::new(bytes, offset), offset_size, length_size }
    }

    /// The same for other bytes, which follow in the file where these begin or are part of them.
    pub(super) fn of(&self, bytes: &'a [u8]) -> Self {
        Self { cursor: Cursor::new(bytes, self.cursor.offset()), ..*self }
    }

    /// Offset of the next byte in the file.
    pub(super) fn offset(&self) -> u64 {
        self.cursor.offset()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.cursor.rest()
    }

    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        self.cursor.take(n)
    }

    /// The fields of the next `n` bytes.
    pub(super) fn part(&mut self, n: usize) -> Result<Self> {
        let offset = self.offset();
        Ok(Self { cursor: Cursor::new(self.take(n)?, offset), ..*self })
    }

    pub(super) fn skip(&mut self, n: usize) -> Result<()> {
        self.take(n).map(|_| ())
    }

    /// A number of so many bytes, at most eight.
    pub(super) fn number(&mut self, bytes: u8) -> Result<u64> {
        if bytes > 8 {
            return Err(Error::malformed("HDF5 file", "a number of more than eight bytes").at_offset(self.offset()));
        }
        let bytes = self.take(usize::from(bytes))?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        let [byte] = self.cursor.array()?;
        Ok(byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.cursor.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.cursor.fixed32()
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.cursor.fixed64()
    }

    /// A length.
    pub(super) fn length(&mut self) -> Result<u64> {
        self.number(self.length_size)
    }

    /// An address; `None` if it is the one that means "nowhere": all bits set.
    pub(super) fn address(&mut self) -> Result<Option<u64>> {
        let address = self.number(self.offset_size)?;
        let nowhere = u64::MAX >> (64u32.saturating_sub(u32::from(self.offset_size) * 8));
        Ok((address != nowhere).then_some(address))
    }

    /// An address that must be one.
    pub(super) fn place(&mut self) -> Result<u64> {
        let at = self.offset();
        self.address()?.ok_or_else(|| Error::malformed("HDF5 file", "an address is missing").at_offset(at))
    }

    /// Skips the four bytes that a structure begins with, which must be these.
    pub(super) fn signature(&mut self, what: &'static str, signature: [u8; 4]) -> Result<()> {
        let at = self.offset();
        if self.take(4)? == signature.as_slice() {
            return Ok(());
        }
        let name = String::from_utf8_lossy(&signature);
        Err(Error::malformed(what, format!("it does not begin with {name}")).at_offset(at))
    }
}
