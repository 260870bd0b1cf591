//! The object graph of a checkpoint, from wherever it can still be read.
//!
//! It is a tensor of the checkpoint, so it lies in a data shard. Where that shard is missing, the graph of the
//! SavedModel around the variables describes the same objects.

use crate::analysis::derived::is_missing;
use crate::base::error::{Error, ErrorKind};
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY};
use crate::read::graphs::object_graph::ObjectGraph;
use crate::read::graphs::saved_model::SavedModel;
use crate::read::tensor::DType;

/// The object graph of a checkpoint, or why there is none.
#[derive(Debug)]
pub enum Objects {
    /// The checkpoint names its tensors after variables and has no objects.
    None,
    /// As the checkpoint has it.
    Graph(Box<ObjectGraph>),
    /// From `saved_model.pb`, because the one in the checkpoint cannot be read.
    FromSavedModel(Box<ObjectGraph>, Error),
    /// It cannot be read.
    Unreadable(Error),
}

impl Objects {
    /// Reads the object graph of a checkpoint.
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let Some(read) = graph_of(checkpoint) else {
            return lost(checkpoint).map_or(Self::None, Self::Unreadable);
        };
        let error = match read {
            Ok(graph) => return Self::Graph(Box::new(graph)),
            Err(error) => error,
        };
        let file = checkpoint.origin().saved_model.as_ref().and_then(|dir| SavedModel::file_in(dir).ok());
        let is_key = |key: &str| checkpoint.tensor(key.as_bytes()).is_some();
        match file.map(|file| ObjectGraph::of_saved_model(&file, is_key, checkpoint.limits())) {
            Some(Ok(Some(graph))) => Self::FromSavedModel(Box::new(graph), error),
            _ => Self::Unreadable(error),
        }
    }

    /// The graph, if there is one.
    pub fn graph(&self) -> Option<&ObjectGraph> {
        match self {
            Self::Graph(graph) | Self::FromSavedModel(graph, _) => Some(graph),
            Self::None | Self::Unreadable(_) => None,
        }
    }

    /// Why the graph in the checkpoint could not be read.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::FromSavedModel(_, error) | Self::Unreadable(error) => Some(error),
            Self::None | Self::Graph(_) => None,
        }
    }
}

/// That the index is missing in which the graph would be found.
fn lost(checkpoint: &Checkpoint) -> Option<Error> {
    let lost = |error: &Error| {
        let ErrorKind::IndexMissing(why) = error.kind() else { return None };
        let again = Error::new(ErrorKind::IndexMissing(why.clone())).in_file(error.location().file.as_deref()?);
        Some(again.with_help(error.help().unwrap_or_default().to_owned()))
    };
    checkpoint.damage().iter().find_map(lost)
}

/// The largest graph that is read; ten thousand layers take some megabytes.
const MOST: u64 = 256 << 20;

/// The bytes of the object graph in a checkpoint, which has one or not: checked, and no more of them than are worth
/// decoding. Whoever wants the graph that the checkpoint itself has reads it here.
pub(in crate::analysis) fn message_of(checkpoint: &Checkpoint) -> Option<Result<Vec<u8>, Error>> {
    let tensor = checkpoint.tensor(OBJECT_GRAPH_KEY)?;
    let refuse = |why: &str| Some(Err(Error::malformed("object graph", why.to_owned())));
    if tensor.dtype != DType::String || tensor.elements() != Some(1) {
        return refuse("it is not one string");
    }
    let limit = checkpoint.limits().message.min(MOST);
    if let Some(got) = tensor.bytes().filter(|bytes| *bytes > limit) {
        return Some(Err(Error::new(ErrorKind::LimitExceeded { what: "object graph", got, limit })));
    }
    let mut message = Vec::new();
    let bytes = checkpoint.read_all(&tensor, &mut |bytes| {
        message.extend_from_slice(bytes);
        Ok(())
    });
    let missing = is_missing(checkpoint, &tensor);
    Some(bytes.map(|_| message).map_err(|error| {
        if missing { error.with_help("the object graph lies in a data shard that is missing") } else { error }
    }))
}

/// The object graph in a checkpoint, which has one or not.
pub(in crate::analysis) fn graph_of(checkpoint: &Checkpoint) -> Option<Result<ObjectGraph, Error>> {
    message_of(checkpoint).map(|message| ObjectGraph::parse(&message?))
}
