//! Where the parts of a written table lie, so that a test knows what a byte belongs to.

use std::ops::Range;

/// A block as stored: its (possibly compressed) contents and its five-byte trailer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The stored contents.
    pub contents: Range<usize>,
    /// The type byte and the masked checksum.
    pub trailer: Range<usize>,
}

impl Piece {
    /// A block of `size` stored bytes at `offset`.
    pub(crate) fn at(offset: usize, size: usize) -> Self {
        let end = offset + size;
        Self { contents: offset..end, trailer: end..end + 5 }
    }

    /// Contents and trailer.
    pub fn range(&self) -> Range<usize> {
        self.contents.start..self.trailer.end
    }
}

/// The parts of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Data blocks, in file order.
    pub data: Vec<Piece>,
    /// The metaindex block.
    pub metaindex: Piece,
    /// The index block.
    pub index: Piece,
    /// The last 48 bytes.
    pub footer: Range<usize>,
    /// How many bytes of the footer the two handles take; zeros follow up to the magic number.
    pub handles: usize,
}

/// What a byte of a table belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Contents of the n-th data block.
    Data(usize),
    /// Trailer of the n-th data block.
    DataTrailer(usize),
    /// Contents of the metaindex block.
    Metaindex,
    /// Trailer of the metaindex block.
    MetaindexTrailer,
    /// Contents of the index block.
    Index,
    /// Trailer of the index block.
    IndexTrailer,
    /// The two handles of the footer.
    FooterHandles,
    /// The zeros between handles and magic number, which nothing protects.
    FooterPadding,
    /// The magic number.
    FooterMagic,
    /// Beyond the end of the file.
    Outside,
}

impl Layout {
    /// The part that the byte at `offset` belongs to.
    pub fn part_at(&self, offset: usize) -> Part {
        let n = self.data.partition_point(|p| p.trailer.end <= offset);
        if let Some(piece) = self.data.get(n).filter(|p| p.range().contains(&offset)) {
            return if piece.contents.contains(&offset) { Part::Data(n) } else { Part::DataTrailer(n) };
        }
        let magic = self.footer.end - 8;
        let parts = [
            (self.metaindex.contents.clone(), Part::Metaindex),
            (self.metaindex.trailer.clone(), Part::MetaindexTrailer),
            (self.index.contents.clone(), Part::Index),
            (self.index.trailer.clone(), Part::IndexTrailer),
            (self.footer.start..self.footer.start + self.handles, Part::FooterHandles),
            (self.footer.start + self.handles..magic, Part::FooterPadding),
            (magic..self.footer.end, Part::FooterMagic),
        ];
        let found = parts.into_iter().find(|(range, _)| range.contains(&offset));
        found.map_or(Part::Outside, |(_, part)| part)
    }
}
