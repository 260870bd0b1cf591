//! Pieces whose bytes are not those that were saved: what every cause looks at.

use crate::analysis::forensics::crc_of_zeros;
use crate::analysis::validate::entries::StoredPiece;
use crate::analysis::validate::shard_files::affected;
use crate::read::checkpoint::Checkpoint;
use crate::read::wire::Crc32c;

/// A scalar says nothing of a whole file: the counters of two saves differ in a bit, and agree by chance.
pub(super) const TELLING: u64 = 16;

/// A coincidence of checksums that is likelier than this explains nothing.
pub(in crate::analysis::validate) const RARE: f64 = 0.01;
/// The same of a shard in which more is wrong that nothing explains.
pub(in crate::analysis::validate) const AMID_OTHERS: f64 = 1e-5;

/// A piece whose bytes are wrong, and the checksum that they have.
pub(super) type Wrong<'c> = (&'c StoredPiece, Crc32c);

/// Whether two saves would hardly agree in a piece.
pub(super) fn can_differ(piece: &StoredPiece) -> bool {
    piece.len > TELLING && piece.crc.0 != crc_of_zeros(piece.len)
}

/// "3 tensors affected (a, b, c)" of wrong pieces.
pub(super) fn affected_by(checkpoint: &Checkpoint, wrong: &[Wrong<'_>]) -> String {
    affected(checkpoint, wrong.iter().map(|(piece, _)| *piece))
}
