//! The shards as files: which of them can be read, what they are called, and which tensors lie in them.

use std::collections::BTreeMap;
use std::path::Path;

use super::entries::StoredPiece;
use crate::analysis::Code;
use crate::base::escape::{Escaped, escaped};
use crate::read::checkpoint::Checkpoint;

/// What is known of the shards when their bytes are about to be read.
#[derive(Debug, Default)]
pub(super) struct ShardFiles {
    /// Shards that cannot hold what the index says: missing, short, another kind of file.
    pub(super) broken: BTreeMap<i32, Code>,
    /// How long those are that are too short.
    pub(super) short: BTreeMap<i32, u64>,
}

impl ShardFiles {
    /// Whether the bytes of a piece can be there, as far as the lengths of files tell.
    pub(super) fn has(&self, piece: &StoredPiece) -> bool {
        match self.broken.get(&piece.shard) {
            None => true,
            Some(Code::ShortShard) => self.short.get(&piece.shard).is_some_and(|len| piece.end() <= *len),
            Some(_) => false,
        }
    }
}

pub(super) fn file_name(path: &Path) -> String {
    Escaped(path.file_name().unwrap_or_default().as_encoded_bytes()).to_string()
}

/// The names of the tensors that pieces belong to, each once.
pub(super) fn names_of<'p>(checkpoint: &Checkpoint, pieces: impl Iterator<Item = &'p StoredPiece>) -> Vec<Vec<u8>> {
    let mut positions: Vec<u32> = pieces.map(|piece| piece.tensor).collect();
    positions.sort_unstable();
    positions.dedup();
    let mut cursor = checkpoint.tensors().cursor();
    positions.iter().filter_map(|at| Some(cursor.reach(*at as usize)?.name.clone())).collect()
}

/// ": 3 of 21 tensors are lost (a, b, c)".
pub(super) fn affected<'p>(checkpoint: &Checkpoint, pieces: impl Iterator<Item = &'p StoredPiece>) -> String {
    let mut lost: Vec<u32> = pieces.map(|piece| piece.tensor).collect();
    lost.sort_unstable();
    lost.dedup();
    if lost.is_empty() {
        return ": no tensor lies in it".to_owned();
    }
    let tensors = checkpoint.tensors();
    let names: Vec<String> =
        lost.iter().take(3).filter_map(|at| Some(escaped(&tensors.get(*at as usize)?.name).into_owned())).collect();
    let more = if lost.len() > 3 { ", …" } else { "" };
    format!(": {} affected ({}{more})", counted(lost.len() as u64, "tensor"), names.join(", "))
}

/// "1 tensor", "3 tensors".
pub(super) fn counted(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}
