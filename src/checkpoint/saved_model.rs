//! stub
use super::meta_graph::MetaGraph;
use crate::error::Result;
use std::path::{Path, PathBuf};
/// x
#[derive(Debug)]
pub struct SavedModel {
    /// x
    pub meta_graphs: Vec<MetaGraph>,
}
impl SavedModel {
    /// x
    /// # Errors
    /// x
    pub fn read(_: &Path) -> Result<Self> {
        Err(crate::error::Error::malformed("x", "stub"))
    }
    /// x
    pub fn asset_path(&self, _: &str) -> Option<PathBuf> {
        None
    }
}
