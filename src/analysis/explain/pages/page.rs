//! The page of a code, as data.

use crate::analysis::Code;

/// What `ckpt explain CODE` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Which code.
    pub code: Code,
    /// How it is found.
    pub found: &'static str,
    /// What TensorFlow does with such a file.
    pub tensorflow: &'static str,
    /// What usually leads to it.
    pub causes: &'static [&'static str],
    /// What to do.
    pub next: &'static [&'static str],
}

impl Page {
    /// What the code means, in one line.
    pub fn means(&self) -> &'static str {
        self.code.what()
    }
}
