//! What an answer is made of, for those who say what it means.

use std::path::Path;

use super::judged::Judgement;
use super::listed::How;
use super::loading::Loading;
use super::objects::{KerasProgram, Objects};
use super::saved::Saved;

/// Everything that an answer is made of.
pub(super) struct Answer<'a> {
    pub(super) objects: &'a Objects,
    pub(super) saved: &'a Saved,
    pub(super) program: KerasProgram,
    pub(super) how: How,
    pub(super) loading: &'a Loading,
    pub(super) judgement: &'a Judgement,
    pub(super) file: &'a Path,
    /// Whether this is a whole model that is loaded.
    pub(super) is_whole: bool,
}

