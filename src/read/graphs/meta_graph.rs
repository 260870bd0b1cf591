//! What a `MetaGraphDef` says, without decoding its graph.
//!
//! TensorFlow: `core/protobuf/meta_graph.proto`. The file `<prefix>.meta` is one, and a SavedModel is a list of them.
//! Nearly all of their bytes are the graph, which may be hundreds of megabytes: its nodes are counted and skipped.

pub use super::signature::{Signature, TensorInfo};

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use prost::Message;

use super::collection::{ANY_LIST, NODE_LIST, WALK, asset_of, count_values};
use super::message_file::read_as;
use crate::base::error::{Error, Result};
use crate::base::limits::Limits;
use crate::read::pb;
use crate::read::wire::{Field, Value};

/// Signatures whose keys begin with this are TensorFlow's own: the init and train ops.
///
/// TensorFlow: `cc/saved_model/constants.h`.
pub const INTERNAL_SIGNATURE_PREFIX: &str = "__saved_model_";

/// A `MetaGraphDef`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetaGraph {
    /// Which of a SavedModel's graphs this is: `serve`, `train`, … Compared as a set.
    pub tags: Vec<String>,
    /// The release that wrote it.
    pub tensorflow_version: String,
    /// The commit of that release.
    pub tensorflow_git_version: String,
    /// Whether attributes that have their default value were left out.
    pub stripped_default_attrs: bool,
    /// What can be called, by key.
    pub signatures: BTreeMap<String, Signature>,
    /// How variables are saved and restored.
    pub saver: Option<SaverInfo>,
    /// Files below `assets/`.
    pub asset_files: Vec<String>,
    /// The ops that fill its tables, by name: the collection `table_initializer`.
    pub table_initializers: Vec<String>,
    /// How many values each collection has.
    pub collections: BTreeMap<String, usize>,
    /// Nodes of the graph itself, not of its functions.
    pub node_count: usize,
    /// Functions in its library.
    pub function_count: usize,
    /// The version of the rules that the graph was written by.
    pub producer: i32,
    /// The oldest version that may read the graph.
    pub min_consumer: i32,
    /// Whether it has the objects of TensorFlow 2.
    pub has_object_graph: bool,
}

/// A `GraphDef`, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GraphInfo {
    /// Nodes of the graph itself, not of its functions.
    pub node_count: usize,
    /// Functions in its library.
    pub function_count: usize,
    /// The version of the rules that it was written by.
    pub producer: i32,
    /// The oldest version that may read it.
    pub min_consumer: i32,
}

/// A `SaverDef`.
#[derive(Debug, Clone, PartialEq)]
pub struct SaverInfo {
    /// The format that it writes.
    pub version: SaverVersion,
    /// Whether every device writes files of its own.
    pub sharded: bool,
    /// How many checkpoints it keeps; 0 for all.
    pub max_to_keep: i32,
    /// How often it keeps one for good.
    pub keep_checkpoint_every_n_hours: f32,
    /// The tensor that takes the prefix.
    pub filename_tensor_name: String,
    /// The tensor to fetch in order to save.
    pub save_tensor_name: String,
    /// The op to run in order to restore.
    pub restore_op_name: String,
}

/// TensorFlow's `SaverDef.CheckpointFormatVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaverVersion {
    /// 0, from before there were versions; the same format as V1.
    Legacy,
    /// 1: tables of tensors.
    V1,
    /// 2: bundles.
    V2,
    /// A number that TensorFlow 2.21 does not define.
    Unknown(i32),
}

impl MetaGraph {
    /// Reads a `.meta` file, binary or text.
    ///
    /// # Errors
    /// If it cannot be read or is no `MetaGraphDef`.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self> {
        read_as(path, "tensorflow.MetaGraphDef", WALK.what, limits, |bytes| Self::parse(bytes, 0))
    }

    /// Parses a binary `MetaGraphDef`, which begins at `offset` in its file.
    ///
    /// # Errors
    /// [`Malformed`] or [`Truncated`] with the offset if it is none.
    ///
    /// [`Malformed`]: crate::base::error::ErrorKind::Malformed
    /// [`Truncated`]: crate::base::error::ErrorKind::Truncated
    pub fn parse(bytes: &[u8], offset: u64) -> Result<Self> {
        let mut meta_graph = Self::default();
        let mut assets_in_collection = Vec::new();
        let mut saver: Option<pb::SaverDef> = None;
        let mut graph = GraphInfo::default();
        WALK.each(bytes, offset, |field| {
            match field.number {
                1 => meta_graph.meta_info(field)?,
                2 => graph.count(field)?,
                3 => {
                    let merged = saver.get_or_insert_default().merge(WALK.bytes(field)?);
                    let malformed = |error: prost::DecodeError| Error::malformed("saver", error.to_string());
                    merged.map_err(|error| malformed(error).at_offset(field.offset))?;
                }
                4 => {
                    let (key, collection) = WALK.entry(field)?;
                    let mut keep = |kind: u32, value: Field<'_>| {
                        match (key.as_str(), kind) {
                            ("saved_model_assets", ANY_LIST) => assets_in_collection.push(asset_of(value)?),
                            ("table_initializer", NODE_LIST) => {
                                let name = String::from_utf8_lossy(WALK.bytes(value)?);
                                meta_graph.table_initializers.push(name.into_owned());
                            }
                            _ => {}
                        }
                        Ok(())
                    };
                    let count = collection.map_or(Ok(0), |collection| count_values(collection, &mut keep))?;
                    meta_graph.collections.insert(key, count);
                }
                5 => {
                    let (key, signature) = WALK.entry(field)?;
                    let signature = signature.map_or_else(|| Ok(Signature::default()), Signature::parse)?;
                    meta_graph.signatures.insert(key, signature);
                }
                6 => {
                    let asset: pb::AssetFileDef = pb::decode("asset", WALK.bytes(field)?, field.offset)?;
                    meta_graph.asset_files.push(asset.filename);
                }
                7 => meta_graph.has_object_graph = true,
                _ => {}
            }
            Ok(())
        })?;
        // TensorFlow: `GetAssetFileDefs` in `cc/saved_model/loader_util.cc`.
        if meta_graph.asset_files.is_empty() {
            meta_graph.asset_files = assets_in_collection;
        }
        meta_graph.saver = saver.map(SaverInfo::from);
        let GraphInfo { node_count, function_count, producer, min_consumer } = graph;
        Ok(Self { node_count, function_count, producer, min_consumer, ..meta_graph })
    }

    /// Counts the nodes of `graphs`, which are all that a file holds.
    ///
    /// # Errors
    /// If one is damaged.
    pub(crate) fn count_nodes(&mut self, graphs: &[super::graph::Slice<'_>]) -> Result<()> {
        let mut graph = GraphInfo::default();
        for slice in graphs {
            graph.count(Field { number: 0, value: Value::Bytes(slice.bytes), offset: slice.offset })?;
        }
        (self.node_count, self.function_count) = (graph.node_count, graph.function_count);
        (self.producer, self.min_consumer) = (graph.producer, graph.min_consumer);
        Ok(())
    }

    /// Whether its tags are `tags` as a set, which is how TensorFlow chooses one of several.
    pub fn has_tags<S: AsRef<str>>(&self, tags: &[S]) -> bool {
        let wanted: BTreeSet<&str> = tags.iter().map(AsRef::as_ref).collect();
        wanted == self.tags.iter().map(String::as_str).collect()
    }

    /// The signatures that are not TensorFlow's own.
    pub fn user_signatures(&self) -> impl Iterator<Item = (&str, &Signature)> {
        let all = self.signatures.iter().map(|(key, signature)| (key.as_str(), signature));
        all.filter(|(key, _)| !key.starts_with(INTERNAL_SIGNATURE_PREFIX))
    }

    /// `MetaInfoDef`, without its list of ops, which may be long.
    fn meta_info(&mut self, field: Field<'_>) -> Result<()> {
        WALK.each_in(field, |field| {
            match field.number {
                4 => self.tags.push(WALK.string(field)?),
                5 => self.tensorflow_version = WALK.string(field)?,
                6 => self.tensorflow_git_version = WALK.string(field)?,
                7 => self.stripped_default_attrs = WALK.varint(field)? != 0,
                _ => {}
            }
            Ok(())
        })
    }
}

impl GraphInfo {
    /// Reads a file that holds a `GraphDef`, binary or text (`graph.pbtxt`).
    ///
    /// # Errors
    /// If it cannot be read or is no `GraphDef`.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self> {
        read_as(path, "tensorflow.GraphDef", "graph", limits, |bytes| {
            let mut info = Self::default();
            info.count(Field { number: 0, value: Value::Bytes(bytes), offset: 0 })?;
            Ok(info)
        })
    }

    fn count(&mut self, graph: Field<'_>) -> Result<()> {
        WALK.each_in(graph, |field| {
            match field.number {
                1 => self.node_count = self.node_count.saturating_add(1),
                2 => WALK.each_in(field, |field| {
                    self.function_count = self.function_count.saturating_add(usize::from(field.number == 1));
                    Ok(())
                })?,
                // A `VersionDef`.
                4 => WALK.each_in(field, |field| {
                    match field.number {
                        1 => self.producer = WALK.int32(field)?,
                        2 => self.min_consumer = WALK.int32(field)?,
                        _ => {}
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })
    }
}

impl From<pb::SaverDef> for SaverInfo {
    fn from(saver: pb::SaverDef) -> Self {
        let version = match saver.version {
            0 => SaverVersion::Legacy,
            1 => SaverVersion::V1,
            2 => SaverVersion::V2,
            other => SaverVersion::Unknown(other),
        };
        Self {
            version,
            sharded: saver.sharded,
            max_to_keep: saver.max_to_keep,
            keep_checkpoint_every_n_hours: saver.keep_checkpoint_every_n_hours,
            filename_tensor_name: saver.filename_tensor_name,
            save_tensor_name: saver.save_tensor_name,
            restore_op_name: saver.restore_op_name,
        }
    }
}

impl std::fmt::Display for SaverVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Legacy => f.pad("legacy"),
            Self::V1 => f.pad("V1"),
            Self::V2 => f.pad("V2"),
            Self::Unknown(number) => f.pad(&format!("unknown({number})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::graphs::message_file::is_text;

    /// Field `number` with `value`, whose length must be below 128.
    fn field(number: u8, value: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(value.len()).unwrap()], value].concat()
    }

    #[test]
    fn nodes_and_functions_are_counted_and_not_looked_into() {
        let library = field(2, &[field(1, b"\xff\xff"), field(1, b""), field(2, b"")].concat());
        let graph = [field(1, b"\xff"), field(1, b"\xff\xff"), library, field(4, &[0x08, 0x18, 0x10, 0x0c])].concat();
        let meta_graph = MetaGraph::parse(&field(2, &graph), 0).unwrap();
        assert_eq!((meta_graph.node_count, meta_graph.function_count), (2, 2));
        assert_eq!((meta_graph.producer, meta_graph.min_consumer), (24, 12));
        assert!(!meta_graph.has_object_graph && meta_graph.saver.is_none());
    }

    #[test]
    fn assets_of_old_models_are_in_a_collection() {
        let any = [field(1, b"type.googleapis.com/tensorflow.AssetFileDef"), field(2, &field(2, b"foo.txt"))].concat();
        let collection = field(5, &field(1, &any));
        let old = field(4, &[field(1, b"saved_model_assets"), field(2, &collection)].concat());
        let meta_graph = MetaGraph::parse(&old, 0).unwrap();
        assert_eq!(meta_graph.asset_files, ["foo.txt"]);
        assert_eq!(meta_graph.collections["saved_model_assets"], 1);
        let both = [old, field(6, &field(2, b"bar.txt"))].concat();
        assert_eq!(MetaGraph::parse(&both, 0).unwrap().asset_files, ["bar.txt"]);
    }

    #[test]
    fn ops_that_fill_tables_are_kept_by_name() {
        // collection_def: { key: "table_initializer", value: { node_list: { value: "t/init" } } }
        let collection = field(1, &field(1, b"t/init"));
        let entry = field(4, &[field(1, b"table_initializer"), field(2, &collection)].concat());
        let meta_graph = MetaGraph::parse(&entry, 0).unwrap();
        assert_eq!(meta_graph.table_initializers, ["t/init"]);
        assert_eq!(meta_graph.collections["table_initializer"], 1);
    }

    #[test]
    fn packed_values_of_a_collection_are_counted() {
        for (kind, packed, count) in [(3, &[1, 0x80, 1, 0xff, 0x7f][..], 3), (4, &[0; 8], 2)] {
            let list = field(kind, &field(1, packed));
            let entry = field(4, &[field(1, b"c"), field(2, &list)].concat());
            assert_eq!(MetaGraph::parse(&entry, 0).unwrap().collections["c"], count);
        }
    }

    #[test]
    fn tags_are_compared_as_sets() {
        let tags = vec!["serve".to_owned(), "gpu".to_owned(), "gpu".to_owned()];
        let meta_graph = MetaGraph { tags, ..MetaGraph::default() };
        assert!(meta_graph.has_tags(&["gpu", "serve", "serve"]));
        assert!(!meta_graph.has_tags(&["serve"]) && !meta_graph.has_tags(&["serve", "gpu", "tpu"]));
        assert!(MetaGraph::default().has_tags::<&str>(&[]));
    }

    #[test]
    fn text_and_binary_are_told_apart_and_read_alike() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.meta");
        let text = "meta_info_def { tags: 'serve' tensorflow_version: '1.15.0' }\nsaver_def { version: V2 }\n";
        std::fs::write(&path, text).unwrap();
        let from_text = MetaGraph::read(&path, &Limits::default()).unwrap();
        assert_eq!(from_text.saver.as_ref().unwrap().version, SaverVersion::V2);
        let binary = pb::from_text("tensorflow.MetaGraphDef", "meta graph", text.as_bytes()).unwrap();
        assert!(is_text(text.as_bytes()) && !is_text(&binary) && !is_text(b""));
        std::fs::write(&path, binary).unwrap();
        assert_eq!(MetaGraph::read(&path, &Limits::default()).unwrap(), from_text);
    }

    #[test]
    fn a_damaged_file_is_an_error_with_file_and_offset() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.meta");
        std::fs::write(&path, [0x0a, 0x02, 0x22, 0x05]).unwrap();
        let error = MetaGraph::read(&path, &Limits::default()).unwrap_err();
        assert_eq!((error.location().offset, error.location().file.as_deref()), (Some(4), Some(path.as_path())));
    }
}
