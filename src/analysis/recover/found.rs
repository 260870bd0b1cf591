//! What came of looking for a whole checkpoint: the plan, as data.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::undone::{Undo, Undone};
use crate::analysis::convert::{ConvertOptions, Converted, Recipe, Target, write_files};
use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::base::progress::Progress;
use crate::read::checkpoint::Checkpoint;

/// One thing that is done to make the copy whole.
#[derive(Clone, Debug, PartialEq)]
pub enum Did {
    /// A bit that is flipped back.
    Bit {
        /// The file that has it wrong.
        file: PathBuf,
        /// Offset of the byte in it.
        byte: u64,
        /// The bit, 0 for the lowest.
        bit: u8,
        /// The tensor whose checksum tells; none of a block of the index.
        tensor: Option<Vec<u8>>,
        /// How often damage of another kind looks like one bit in so many bytes.
        odds: f64,
    },
    /// Entries that were lost, made anew.
    Index {
        /// The index that should have them.
        file: PathBuf,
        /// What says which tensors there are, and in which order they lie.
        by: PathBuf,
        /// How many were made.
        tensors: usize,
    },
    /// A part of a save, put together with the others.
    Merged {
        /// Its index.
        file: PathBuf,
        /// How many tensors it has.
        tensors: usize,
    },
    /// A file that was found under another name.
    Renamed {
        /// Where it lies.
        file: PathBuf,
        /// The name that it should have.
        to: PathBuf,
    },
    /// A file that went through something which was undone.
    Undone {
        /// The file.
        file: PathBuf,
        /// The file that it should be.
        to: PathBuf,
        /// What was undone.
        how: Undo,
    },
    /// Tensors whose right bytes are in another file.
    Copied {
        /// The other file.
        file: PathBuf,
        /// The file that should have them.
        to: PathBuf,
        /// How many.
        tensors: usize,
    },
}

/// A tensor that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its name; none where the name is lost too.
    pub name: Option<Vec<u8>>,
    /// Why not.
    pub why: String,
}

/// A checkpoint as it can be had, and what is done for that. Nothing has been written.
#[derive(Debug)]
pub struct Recovery {
    /// What is done.
    pub did: Vec<Did>,
    /// What cannot be had.
    pub lost: Vec<Lost>,
    /// How many tensors have a checksum that was computed anew: nobody can say that their values are what was saved.
    pub unverified: usize,
    /// What the user should know of it.
    pub notes: Vec<String>,
    /// The prefix that the broken one has, or was to get.
    pub prefix: PathBuf,
    /// The files that are read.
    pub files: Vec<PathBuf>,
    pub(super) checkpoint: Checkpoint,
    /// What files were that had to be undone: read as long as this is there.
    pub(super) _undone: Undone,
}

impl Recovery {
    /// The checkpoint as it can be had, which is read from wherever its bytes lie; what is lost is in it, and cannot be
    /// read.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// What will be written.
    ///
    /// # Errors
    /// If no recipe can be made of it.
    pub fn recipe(&self, target: &Target) -> Result<Recipe> {
        let lost: BTreeMap<Vec<u8>, String> =
            self.lost.iter().filter_map(|lost| Some((lost.name.clone()?, lost.why.clone()))).collect();
        let options = ConvertOptions { lost, ..ConvertOptions::default() };
        Recipe::new(std::slice::from_ref(&self.checkpoint), &options, target)
    }

    /// Writes it, as [`write_recipe`](crate::analysis::convert::write_recipe) does.
    ///
    /// # Errors
    /// As there. Then nothing of it lies there.
    pub fn write(&self, recipe: &Recipe, target: &Target, limits: &Limits, progress: &Progress) -> Result<Converted> {
        let inputs = std::slice::from_ref(&self.checkpoint);
        write_files(inputs, self.files.iter().cloned(), recipe, target, limits, progress)
    }

    /// Whether there is nothing to mend: the checkpoint is whole as it lies there.
    pub fn is_sound(&self) -> bool {
        self.did.is_empty() && self.lost.is_empty()
    }
}
