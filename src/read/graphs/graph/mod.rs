//! Graphs, op by op: nodes, functions and what they call, walked where they lie in the file.
//!
//! `meta_graph` counts nodes and skips them; here they are looked at, for the questions that only ops answer: what
//! can this model touch, and from where is it reached. Nothing is decoded into a tree: a node is a slice of the file
//! whose fields are walked when somebody asks, so that a graph of hundreds of megabytes costs what is asked of it.
//!
//! TensorFlow: `core/framework/{graph,node_def,attr_value,function}.proto`.

pub(super) mod collections;
mod constants;
mod file;
mod library;
mod node;
mod nodes;
mod objects;
mod python_value;
mod values;
mod variables;

pub use collections::{MissingItem, missing_nodes};
pub use file::{Form, GraphFile, Part, has_end_of_a_graph, with_graphs};
pub use library::{Function, Library};
pub use node::{Input, Node};
pub(super) use nodes::{Feeder, Nodes};
pub use objects::{Arguments, Callable, Method, ObjectKind, Objects, SavedNode, Spec};
pub use python_value::{PythonValue, python_bytes, python_text};
pub(super) use values::{integers, shape_of, strings};
pub use variables::GraphVariable;

use crate::base::error::Result;
use crate::read::wire::{Field, Walker};

const WALK: Walker = Walker { what: "graph" };

/// A message somewhere in the file: its bytes, and where they begin.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a> {
    /// The bytes of the message.
    pub bytes: &'a [u8],
    /// Their offset in the file.
    pub offset: u64,
}

impl<'a> Slice<'a> {
    pub(super) fn of(field: Field<'a>) -> Result<Self> {
        Ok(Self { bytes: WALK.bytes(field)?, offset: field.offset })
    }

    fn each(self, take: impl FnMut(Field<'a>) -> Result<()>) -> Result<()> {
        WALK.each(self.bytes, self.offset, take)
    }
}
