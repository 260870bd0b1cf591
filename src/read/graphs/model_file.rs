//! The files that say what a restore wants: `.meta`, `GraphDef`, SavedModel and spec files, told apart by content.

use std::path::{Path, PathBuf};

use super::graph::has_end_of_a_graph;
use super::message_file::read_as;
use super::restores::RestorePlan;
use super::saved_model::SavedModel;
use super::saved_objects::SavedObjects;
use super::spec::read_spec;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::container::Tensor;
use crate::read::finder::directory::containing;
use crate::read::finder::{WrittenPath, prefix_wins};
use crate::read::storage;
use crate::read::wire::{Field, Value, Walker};

const WALK: Walker = Walker { what: "model" };

/// What such a file holds.
#[derive(Debug)]
pub enum ModelFile {
    /// A `MetaGraphDef`, as a v1 `Saver` writes beside a checkpoint.
    MetaGraph(RestorePlan),
    /// A `GraphDef`, such as Estimator's `graph.pbtxt`.
    Graph(RestorePlan),
    /// A SavedModel: its directory and its graphs.
    SavedModel(PathBuf, Vec<SavedGraph>),
    /// A list of tensors.
    Spec(Vec<Tensor>),
}

/// One meta graph of a SavedModel.
#[derive(Debug, Default)]
pub struct SavedGraph {
    /// `serve`, …
    pub tags: Vec<String>,
    /// What its restore operations read.
    pub plan: RestorePlan,
    /// Its objects, if TensorFlow 2 wrote it.
    pub objects: Option<SavedObjects>,
}

/// What the bytes of a file are.
enum Kind {
    MetaGraph,
    Graph,
}

impl ModelFile {
    /// Reads `path` if it is such a file; `None` if it is something else, possibly a checkpoint.
    ///
    /// # Errors
    /// If it is such a file, judging by its name, and cannot be read.
    pub fn open(path: &Path, limits: &Limits) -> Result<Option<Self>> {
        let path = &WrittenPath::of(path)?.path;
        if storage::is_folder(path) {
            // A prefix of this name wins, as everywhere.
            if prefix_wins(path) {
                return Ok(None);
            }
            return match SavedModel::file_in(path) {
                Ok(file) => Self::saved_model(&file, limits).map(Some),
                Err(_) => Ok(None),
            };
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("pb" | "pbtxt" | "cpb") if name.starts_with("saved_model.") => {
                Self::saved_model(path, limits).map(Some)
            }
            Some("meta") => meta_graph(path, limits).map(|plan| Some(Self::MetaGraph(plan))),
            Some("json") => read_spec(path).map(|tensors| Some(Self::Spec(tensors))),
            _ if has_end_of_a_graph(path) => Self::graph(path, limits).map(Some),
            _ => Ok(None),
        }
    }

    fn saved_model(file: &Path, limits: &Limits) -> Result<Self> {
        // This refuses the chunked form and says why.
        SavedModel::read(file, limits)?;
        let graphs = read_as(file, "tensorflow.SavedModel", "SavedModel", limits, |bytes| {
            let mut graphs = Vec::new();
            WALK.each(bytes, 0, |field| {
                if field.number == 2 {
                    graphs.push(saved_graph(field)?);
                }
                Ok(())
            })?;
            Ok(graphs)
        })?;
        let dir = containing(file);
        Ok(Self::SavedModel(dir.to_path_buf(), graphs))
    }

    /// A `GraphDef` or a `MetaGraphDef`: nothing in the file says which, except what it looks like.
    fn graph(path: &Path, limits: &Limits) -> Result<Self> {
        let as_graph = read_as(path, "tensorflow.GraphDef", "graph", limits, |bytes| match kind(bytes) {
            Some(Kind::Graph) => RestorePlan::of_graph_def(whole(bytes)).map(Self::Graph),
            Some(Kind::MetaGraph) => RestorePlan::of_meta_graph(whole(bytes)).map(Self::MetaGraph),
            None => Err(Error::new(ErrorKind::NotACheckpoint("neither a GraphDef nor a MetaGraphDef".to_owned()))),
        });
        match as_graph {
            Ok(model) => Ok(model),
            // The text form of one is refused as the text form of the other.
            Err(error) => meta_graph(path, limits).map(Self::MetaGraph).map_err(|_| error),
        }
    }
}

fn whole(bytes: &[u8]) -> Field<'_> {
    Field { number: 0, value: Value::Bytes(bytes), offset: 0 }
}

fn meta_graph(path: &Path, limits: &Limits) -> Result<RestorePlan> {
    read_as(path, "tensorflow.MetaGraphDef", "meta graph", limits, |bytes| RestorePlan::of_meta_graph(whole(bytes)))
}

fn saved_graph(message: Field<'_>) -> Result<SavedGraph> {
    let mut graph = SavedGraph { plan: RestorePlan::of_meta_graph(message)?, ..SavedGraph::default() };
    WALK.each_in(message, |field| {
        match field.number {
            1 => WALK.each_in(field, |field| {
                if field.number == 4 {
                    graph.tags.push(WALK.string(field)?);
                }
                Ok(())
            })?,
            7 => graph.objects = Some(SavedObjects::parse(field)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(graph)
}

/// A `GraphDef` begins with nodes, which have the name of an op in field 2; a `MetaGraphDef` has its graph there.
fn kind(bytes: &[u8]) -> Option<Kind> {
    let is_node = |field: Field<'_>| {
        let mut op = false;
        let walked = WALK.each_in(field, |field| {
            if field.number == 2 {
                let name = WALK.bytes(field)?;
                op = !name.is_empty()
                    && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'>' | b'.'));
            }
            Ok(())
        });
        walked.is_ok() && op
    };
    let (mut nodes, mut graphs) = (false, false);
    let walked = WALK.each(bytes, 0, |field| {
        match field.number {
            1 if !nodes => nodes = is_node(field),
            2 if !graphs => {
                let walked = WALK.each_in(field, |inner| {
                    graphs |= inner.number == 1 && is_node(inner);
                    Ok(())
                });
                graphs &= walked.is_ok();
            }
            _ => {}
        }
        Ok(())
    });
    match (walked.is_ok(), nodes, graphs) {
        (true, true, _) => Some(Kind::Graph),
        (true, false, true) => Some(Kind::MetaGraph),
        _ => None,
    }
}
