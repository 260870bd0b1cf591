//! The last 48 bytes of a table: where the index block is, and the magic number.

use crate::base::error::{Error, ErrorKind, Result};
use crate::read::storage::{Source, Window};
use crate::read::wire::Cursor;

/// `kTableMagicNumber` in `tsl/lib/io/format.h`.
pub const MAGIC: u64 = 0xdb47_7524_8b80_fb57;

/// `Footer::kEncodedLength`: two handles of at most 20 bytes and the magic.
pub const FOOTER_LEN: u64 = 48;

/// Bytes behind the contents of a block: its type and its checksum (`kBlockTrailerSize`).
pub(super) const TRAILER_LEN: u64 = 5;

/// Where a block lies. `size` excludes the five bytes of its trailer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHandle {
    /// Offset of the block's first byte.
    pub offset: u64,
    /// Bytes of stored contents.
    pub size: u64,
}

/// The decoded footer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footer {
    /// The metaindex block, always empty in TensorFlow's files and ignored by its reader.
    pub metaindex: BlockHandle,
    /// The index block.
    pub index: BlockHandle,
}

impl BlockHandle {
    /// No block: a place in no file.
    pub(super) const NOWHERE: Self = Self { offset: u64::MAX, size: 0 };

    /// Reads a handle: two varints.
    ///
    /// # Errors
    /// If they are truncated or too long.
    pub fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        Ok(Self { offset: cursor.varint64()?, size: cursor.varint64()? })
    }

    /// End of the block with its trailer, if that lies before the footer of a file of `len` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::BadBlockHandle`] otherwise.
    pub fn end_with_trailer(&self, len: u64) -> Result<u64> {
        let limit = len.saturating_sub(FOOTER_LEN);
        self.offset
            .checked_add(self.size)
            .and_then(|end| end.checked_add(TRAILER_LEN))
            .filter(|end| *end <= limit)
            .ok_or_else(|| {
                let kind = ErrorKind::BadBlockHandle { offset: self.offset, size: self.size, limit };
                Error::new(kind).with_help("the file is cut or its footer is damaged; fetch it again")
            })
    }
}

impl Footer {
    /// The footers that one flipped bit may have made of this one, with the bit: its handles have no checksum, so whoever
    /// reads the index block they name must find it right.
    pub(super) fn mended(source: &Source) -> Result<Vec<(Self, u64, u8)>> {
        let start = source
            .len()
            .checked_sub(FOOTER_LEN)
            .ok_or_else(|| Error::new(ErrorKind::TooShort { len: source.len() }))?;
        let mut scratch = Window::default();
        let bytes = source.slice(start..source.len(), &mut scratch)?.to_vec();
        let mut found = Vec::new();
        for bit in 0..FOOTER_LEN.saturating_mul(8) {
            let (byte, bit) = (bit / 8, u8::try_from(bit % 8).unwrap_or(0));
            let mut changed = bytes.clone();
            if let Some(byte) = usize::try_from(byte).ok().and_then(|at| changed.get_mut(at)) {
                *byte ^= 1u8 << bit;
            }
            found.extend(Self::parse(&changed, start).ok().map(|footer| (footer, start.saturating_add(byte), bit)));
        }
        Ok(found)
    }

    /// Reads the footer of a table.
    ///
    /// # Errors
    /// [`ErrorKind::TooShort`], [`ErrorKind::BadMagic`], or a handle that cannot be read.
    pub fn read(source: &Source) -> Result<Self> {
        let len = source.len();
        let Some(start) = len.checked_sub(FOOTER_LEN) else {
            return Err(Error::new(ErrorKind::TooShort { len }));
        };
        let mut scratch = Window::default();
        Self::parse(source.slice(start..len, &mut scratch)?, start)
    }

    fn parse(bytes: &[u8], start: u64) -> Result<Self> {
        let (handles, magic) = bytes.split_at_checked(40).unwrap_or((bytes, &[]));
        let got = Cursor::new(magic, start.saturating_add(40)).fixed64()?;
        if got != MAGIC {
            let kind = ErrorKind::BadMagic { got, want: MAGIC };
            return Err(Error::new(kind).at_offset(start.saturating_add(40)));
        }
        let mut cursor = Cursor::new(handles, start);
        Ok(Self { metaindex: BlockHandle::read(&mut cursor)?, index: BlockHandle::read(&mut cursor)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn short_and_foreign_files_are_told_apart() {
        let read = |bytes: Vec<u8>| Footer::read(&Source::memory(Path::new("x"), bytes)).unwrap_err();
        assert!(matches!(read(vec![0; 47]).kind(), ErrorKind::TooShort { len: 47 }));
        let error = read(vec![0; 60]);
        assert!(matches!(error.kind(), ErrorKind::BadMagic { got: 0, .. }));
        assert_eq!(error.location().offset, Some(52));
    }

    #[test]
    fn a_handle_that_overflows_is_refused() {
        for (offset, size) in [(u64::MAX, 1), (0, u64::MAX), (u64::MAX - 4, 0), (50, 0)] {
            assert!(BlockHandle { offset, size }.end_with_trailer(100).is_err());
        }
        assert_eq!(BlockHandle { offset: 40, size: 7 }.end_with_trailer(100).unwrap(), 52);
    }
}
