//! A slice with a position that knows where it lies in its file.

use crate::base::error::{Error, ErrorKind, Result};

/// Reads primitive values from a slice, front to back. Errors name the absolute offset in the file.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    offset: u64,
}

impl<'a> Cursor<'a> {
    /// A cursor over `bytes`, which begin at `offset` in their file.
    pub fn new(bytes: &'a [u8], offset: u64) -> Self {
        Self { rest: bytes, offset }
    }

    /// Absolute offset of the next byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] if fewer are left.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let Some((head, tail)) = self.rest.split_at_checked(n) else {
            let (needed, available) = (n as u64, self.rest.len() as u64);
            return Err(Error::new(ErrorKind::Truncated { needed, available }).at_offset(self.offset));
        };
        self.rest = tail;
        self.offset = self.offset.saturating_add(n as u64);
        Ok(head)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A little-endian 32-bit number (LevelDB's `fixed32`).
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] if fewer than four bytes are left.
    pub fn fixed32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A little-endian 64-bit number (LevelDB's `fixed64`).
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] if fewer than eight bytes are left.
    pub fn fixed64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A base-128 number of up to 64 bits, least significant group first.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] at the end of the slice, [`ErrorKind::Malformed`] beyond ten bytes or 64 bits.
    #[inline]
    pub fn varint64(&mut self) -> Result<u64> {
        if let [byte, rest @ ..] = self.rest
            && *byte < 0x80
        {
            self.rest = rest;
            self.offset = self.offset.saturating_add(1);
            return Ok(u64::from(*byte));
        }
        self.varint64_slow()
    }

    fn varint64_slow(&mut self) -> Result<u64> {
        let start = self.offset;
        let mut value = 0u64;
        for shift in (0..70u32).step_by(7) {
            let [byte] = self.array()?;
            let group = u64::from(byte & 0x7f);
            if shift == 63 && group > 1 {
                break;
            }
            value |= group.wrapping_shl(shift);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::malformed("varint", "more than 64 bits").at_offset(start))
    }

    /// A base-128 number of up to 32 bits.
    ///
    /// # Errors
    /// As [`Cursor::varint64`], with 32 bits as the bound.
    #[inline]
    pub fn varint32(&mut self) -> Result<u32> {
        let start = self.offset;
        let value = self.varint64()?;
        u32::try_from(value).map_err(|_| Error::malformed("varint", "more than 32 bits").at_offset(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_of_every_length() {
        for (bytes, value) in [
            (&[0x00][..], 0),
            (&[0x7f], 127),
            (&[0x80, 0x01], 128),
            (&[0xac, 0x02], 300),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], u64::MAX),
        ] {
            let mut cursor = Cursor::new(bytes, 0);
            assert_eq!(cursor.varint64().unwrap(), value);
            assert!(cursor.is_empty());
        }
    }

    #[test]
    fn an_overlong_varint_is_malformed_at_its_start() {
        let error = Cursor::new(&[0xff; 11], 100).varint64().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Malformed { .. }));
        assert_eq!(error.location().offset, Some(100));
        let error = Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], 0).varint64();
        assert!(matches!(error.unwrap_err().kind(), ErrorKind::Malformed { .. }));
    }

    #[test]
    fn a_truncated_read_names_its_offset() {
        let mut cursor = Cursor::new(&[1, 2, 3, 4, 5], 1000);
        assert_eq!(cursor.fixed32().unwrap(), 0x0403_0201);
        let error = cursor.fixed32().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Truncated { needed: 4, available: 1 }));
        assert_eq!(error.location().offset, Some(1004));
    }
}
