//! What the checkpoint has: its tensors by the names that they go by in this restore, and its object graph.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::objects::graph_of_keys;
use super::prediction::Unexpected;
use super::{RestoreOptions, Spec};
use crate::analysis::derived::is_missing;
use crate::analysis::naming::objects::graph_of;
use crate::analysis::naming::roles::{Role, Roles};
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Tensor};
use crate::read::container::Nothing;
use crate::read::formats::bundle::BundleFiles;
use crate::read::formats::saver_v1::SaverV1;
use crate::read::graphs::object_graph::ObjectGraph;

/// One tensor of the checkpoint.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) tensor: Tensor,
    pub(super) role: Role,
    pub(super) optimizer: Option<&'static str>,
    /// Whether the file that holds it is not there.
    pub(super) is_lost: bool,
}

impl Entry {
    pub(super) fn spec(&self) -> Spec {
        Spec { dtype: Some(self.tensor.dtype), shape: self.tensor.shape.clone() }
    }
}

/// A checkpoint, ready to be restored.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// By name; renamed, if there are renames.
    pub(super) entries: BTreeMap<Vec<u8>, Entry>,
    /// The object graph, if it is object-based: as stored, or made of the keys.
    pub(super) graph: Option<ObjectGraph>,
    /// Whether the graph was made of the keys, so that shared objects are not known.
    pub(super) is_guessed: bool,
    /// Why the graph is not the stored one.
    pub(super) why_guessed: Option<String>,
    /// Tensors that do not count.
    pub(super) excluded: BTreeSet<Vec<u8>>,
    /// Whether a part of the index is lost.
    pub(super) is_damaged: bool,
    /// Whether it is a V1 checkpoint.
    pub(super) is_v1: bool,
    /// The prefix, as TensorFlow would print it.
    pub(super) prefix: String,
    /// How many data shards there are.
    pub(super) num_shards: i32,
    /// The directory of the SavedModel that the variables belong to.
    pub(super) saved_model: Option<PathBuf>,
}

impl Stored {
    pub(super) fn of(checkpoint: &Checkpoint, options: &RestoreOptions) -> Self {
        let roles = Roles::of(checkpoint);
        let origin = checkpoint.origin();
        let mut stored = Self {
            is_damaged: !checkpoint.damage().is_empty(),
            is_v1: !origin.v1_files.is_empty(),
            prefix: origin.prefix.as_path().to_string_lossy().into_owned(),
            num_shards: checkpoint.num_shards(),
            saved_model: origin.saved_model.clone().or_else(|| saved_model_of(origin.prefix.as_path())),
            ..Self::default()
        };
        for (at, tensor) in checkpoint.tensors().iter().enumerate() {
            // Owned: the checkpoint may hand out tensors that it made for the asking.
            let tensor = tensor.clone();
            let (role, optimizer) = (roles.role(at), roles.optimizer(at));
            if tensor.name.as_slice() == OBJECT_GRAPH_KEY {
                continue;
            }
            let name = options.renames.apply(&tensor.name).into_owned();
            if options.excludes(&tensor, role) || options.excludes_name(&name, &tensor, role) {
                stored.excluded.insert(name);
                continue;
            }
            let is_lost = is_missing(checkpoint, &tensor);
            stored.entries.insert(name, Entry { tensor, role, optimizer, is_lost });
        }
        if checkpoint.is_object_based() {
            stored.read_graph(checkpoint, options);
        }
        stored
    }

    fn read_graph(&mut self, checkpoint: &Checkpoint, options: &RestoreOptions) {
        let graph = if options.quick {
            Err("--quick leaves the object graph out, which lies in a data shard".to_owned())
        } else if !options.renames.is_empty() {
            Err("with --map, objects are matched by the keys of their tensors".to_owned())
        } else {
            read_graph(checkpoint).map_err(|error| format!("the object graph cannot be read: {error}"))
        };
        match graph {
            Ok(graph) => self.graph = Some(graph),
            Err(why) => {
                self.graph = Some(graph_of_keys(self.entries.keys().map(Vec::as_slice)));
                (self.is_guessed, self.why_guessed) = (true, Some(why));
            }
        }
    }

    pub(super) fn is_object_based(&self) -> bool {
        self.graph.is_some()
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<&Entry> {
        self.entries.get(name)
    }
}

/// The directory of the SavedModel whose variables a prefix names: `DIR/variables/variables`.
fn saved_model_of(prefix: &Path) -> Option<PathBuf> {
    let parent = prefix.parent()?;
    let is_variables = |path: &Path| path.file_name().is_some_and(|name| name == "variables");
    let dir = parent.parent().filter(|_| is_variables(prefix) && is_variables(parent))?;
    Some(if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir.to_path_buf() })
}

/// What a checkpoint is that no saver of TensorFlow reads; `None` of one that it does, and of a mere list of names.
pub(super) fn foreign_to_savers(checkpoint: &Checkpoint) -> Option<&'static str> {
    let is_read = checkpoint.of_format::<BundleFiles>().is_some()
        || checkpoint.of_format::<SaverV1>().is_some()
        || checkpoint.of_format::<Nothing>().is_some();
    (!is_read).then(|| checkpoint.format().title)
}

/// The object graph of a checkpoint.
pub(super) fn read_graph(checkpoint: &Checkpoint) -> Result<ObjectGraph, String> {
    graph_of(checkpoint).ok_or("there is none")?.map_err(|error| error.to_string())
}

impl RestoreOptions {
    /// Whether a tensor counts for nothing.
    pub(super) fn excludes(&self, tensor: &Tensor, role: Role) -> bool {
        (!self.only.is_empty() && !self.only.takes(tensor, role))
            || (!self.ignore.is_empty() && self.ignore.takes(tensor, role))
    }

    fn excludes_name(&self, name: &[u8], tensor: &Tensor, role: Role) -> bool {
        if name == tensor.name.as_slice() {
            return false;
        }
        // A renamed tensor goes by both names, except that --only must not lose what had another name.
        let renamed = Tensor { name: name.into(), ..tensor.clone() };
        !self.ignore.is_empty() && self.ignore.takes(&renamed, role)
    }
}

pub(super) fn unexpected_of(name: &[u8], entry: &Entry) -> Unexpected {
    Unexpected {
        name: name.to_vec(),
        spec: entry.spec(),
        crc32c: entry.tensor.crc32c(),
        role: entry.role,
        optimizer: entry.optimizer,
    }
}
