//! Ground: how far a long run has come.

use std::sync::atomic::{AtomicBool, AtomicU64};

/// How much is to be read and has been, for whoever shows progress.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes that will be read, as far as that is known.
    pub total: AtomicU64,
    /// Bytes that have been read.
    pub done: AtomicU64,
    /// Whether results are written meanwhile: in one terminal, a bar and rows above it do not go together.
    pub tells: AtomicBool,
}
