//! Pieces whose bytes are not what was saved, and what they are called.

use super::entries::StoredPiece;
use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;
use crate::read::wire::Crc32c;

/// A piece whose bytes are not what was saved.
#[derive(Debug)]
pub(super) struct Mismatch {
    /// Position in the pieces.
    pub(super) piece: usize,
    /// The checksum of the bytes that are there.
    pub(super) got: Crc32c,
}

/// "dense/kernel slice 0,3:-" for messages.
pub(super) fn piece_name(checkpoint: &Checkpoint, piece: &StoredPiece) -> String {
    let Some(tensor) = checkpoint.tensors().get(piece.tensor as usize) else { return String::new() };
    let name = escaped(&tensor.name);
    match piece.slice(&tensor) {
        Some(stored) => format!("{name} slice {}", stored.slice),
        None => name.into_owned(),
    }
}
