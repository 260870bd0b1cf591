//! What restore operations of a graph read, and the variables that take it: the plan, as data.

use crate::read::tensor::{DType, Shape, TensorSlice};

/// Everything that restoring a graph reads, by operation.
#[derive(Clone, Debug, Default)]
pub struct RestorePlan {
    /// The operations, each of which fails as one.
    pub reads: Vec<Read>,
    /// Whether the graph had no restore operations and these are what a new `Saver` would make of its variables.
    pub is_assumed: bool,
    /// What could not be told from the graph.
    pub unclear: Vec<String>,
}

/// One `RestoreV2`, or a `Restore` or `RestoreSlice` of old graphs.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The name of the operation.
    pub node: String,
    /// What it reads.
    pub tensors: Vec<Wanted>,
}

/// One tensor that is read.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The name that is looked up.
    pub name: Vec<u8>,
    /// The type that it must have; `None` if the graph does not say.
    pub dtype: Option<DType>,
    /// The part that is read, of a partitioned variable.
    pub part: Option<Part>,
    /// What takes the value.
    pub targets: Vec<Target>,
}

/// A `shape_and_slice`: a part of a tensor of this full shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The shape of the whole.
    pub full: Shape,
    /// Where the part lies.
    pub slice: TensorSlice,
}

/// What a value is assigned to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The variable.
    pub name: String,
    /// What kind of thing it is.
    pub kind: TargetKind,
    /// Its shape, possibly not known.
    pub shape: Shape,
    /// Whether the assignment fails where the shapes differ.
    pub validates: bool,
    /// The shape that the value is brought into first (`Saver(reshape=True)`).
    pub reshape: Option<Shape>,
}

/// What kind of variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// `VariableV2`, TensorFlow 1's own.
    Ref,
    /// `VarHandleOp`: resource variables.
    Resource,
    /// A hash table.
    Table,
    /// Something else, or something behind an operation of the user's own.
    Other,
}
