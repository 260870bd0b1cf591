//! What a page is made of: answers that were found out before it is written.

use std::path::Path;

use super::changes::PageChanges;
use super::tensors::PageTensors;
use crate::analysis::{Roles, Summary, Timeline, Validation};
use crate::read::checkpoint::Checkpoint;

/// What a page is made of.
#[derive(Clone, Copy, Debug)]
pub struct PageReport<'r> {
    /// The path, as given.
    pub given: &'r Path,
    /// What was opened; `None` where nothing could be.
    pub checkpoint: Option<&'r Checkpoint>,
    /// What `inspect` says of it.
    pub summary: Option<&'r Summary>,
    /// What was checked and found, restores included.
    pub validation: &'r Validation,
    /// Whether no data was read to check it.
    pub quick: bool,
    /// What its tensors are for.
    pub roles: Option<&'r Roles>,
    /// Its tensors.
    pub tensors: Option<&'r PageTensors>,
    /// The directory that it lies in, if that was given.
    pub timeline: Option<&'r Timeline>,
    /// What changed from it to another checkpoint.
    pub changes: Option<&'r PageChanges<'r>>,
}
