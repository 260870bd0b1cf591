//! stub
use crate::error::Result;
use crate::tensor::{DType, Shape};
use std::collections::BTreeMap;
use std::path::Path;
/// x
#[derive(Debug)]
pub struct TensorInfo {
    /// x
    pub dtype: DType,
    /// x
    pub shape: Shape,
    /// x
    pub name: String,
}
/// x
#[derive(Debug)]
pub struct Signature {
    /// x
    pub inputs: BTreeMap<String, TensorInfo>,
    /// x
    pub outputs: BTreeMap<String, TensorInfo>,
    /// x
    pub method_name: String,
}
/// x
#[derive(Debug)]
pub struct SaverInfo {
    /// x
    pub sharded: bool,
}
/// x
#[derive(Debug)]
pub struct MetaGraph {
    /// x
    pub tags: Vec<String>,
    /// x
    pub tensorflow_version: String,
    /// x
    pub signatures: BTreeMap<String, Signature>,
    /// x
    pub saver: Option<SaverInfo>,
    /// x
    pub asset_files: Vec<String>,
    /// x
    pub node_count: usize,
    /// x
    pub function_count: usize,
}
impl MetaGraph {
    /// x
    /// # Errors
    /// x
    pub fn read(_: &Path) -> Result<Self> {
        Err(crate::error::Error::malformed("x", "stub"))
    }
}
