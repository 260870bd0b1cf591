//! The tensors of a result, with where each comes from. Of a million of them little is kept: names, dtypes and shapes as
//! a catalogue keeps them, and twelve bytes for where the values come from.

use std::sync::Arc;

use crate::base::error::Error;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::read::container::{Builder, Cursor, Tensors};

/// A tensor of an input: the number of the input, and its position there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorRef {
    /// Which input.
    pub input: usize,
    /// Position in its tensors.
    pub at: usize,
}

/// Where the values of a tensor come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// From this tensor, as they are or in another dtype.
    Tensor(TensorRef),
    /// The arithmetic mean of these.
    Mean(Vec<TensorRef>),
    /// One string that is made new: the object graph under other names.
    Given(Arc<[u8]>),
}

/// What is done with a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The same name, the same bytes.
    Copied,
    /// The same bytes under another name.
    Renamed,
    /// Values in another dtype.
    Cast,
    /// The mean of several.
    Mean,
    /// Made new, because it names tensors that have other names now, or are gone.
    Rewritten,
}

impl Action {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Renamed => "renamed",
            Self::Cast => "cast",
            Self::Mean => "mean",
            Self::Rewritten => "rewritten",
        }
    }
}

/// A tensor of the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// What it is. Of its parts only shards and slices are known.
    pub tensor: Tensor,
    /// Where its values come from.
    pub from: From,
    /// What is done with it.
    pub action: Action,
}

/// The tensors of a result, by name.
#[derive(Debug, Default)]
pub struct Outputs {
    tensors: Arc<Tensors>,
    sources: Sources,
}

/// Where the values of each come from.
#[derive(Debug, Default)]
struct Sources {
    each: Vec<Source>,
    others: Vec<From>,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    /// Which input, or [`OTHER`].
    input: u32,
    /// Position in its tensors, or among the others.
    at: u32,
    action: Action,
}

/// What is no single tensor of an input.
const OTHER: u32 = u32::MAX;

impl Outputs {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// The tensor at a position.
    pub fn get(&self, at: usize) -> Option<Output> {
        let (from, action) = self.sources.get(at)?;
        Some(Output { tensor: self.tensors.get(at)?, from, action })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Output> + '_ {
        let mut cursor = self.tensors.cursor();
        std::iter::from_fn(move || {
            let (at, tensor) = cursor.advance()?;
            let (from, action) = self.sources.get(at)?;
            Some(Output { tensor: tensor.clone(), from, action })
        })
    }

    /// What they are.
    pub fn tensors(&self) -> &Arc<Tensors> {
        &self.tensors
    }

    /// As [`Outputs::get`], by a cursor over [`Outputs::tensors`], which is quick where it stands nearby.
    pub(super) fn reach(&self, at: usize, cursor: &mut Cursor<'_>) -> Option<Output> {
        let (from, action) = self.sources.get(at)?;
        Some(Output { tensor: cursor.reach(at)?.clone(), from, action })
    }

    /// What is done with each of them.
    pub fn actions(&self) -> impl Iterator<Item = Action> + '_ {
        self.sources.each.iter().map(|source| source.action)
    }
}

impl Sources {
    fn get(&self, at: usize) -> Option<(From, Action)> {
        let Source { input, at, action } = *self.each.get(at)?;
        let from = match input {
            OTHER => self.others.get(at as usize)?.clone(),
            input => From::Tensor(TensorRef { input: input as usize, at: at as usize }),
        };
        Some((from, action))
    }

    fn push(&mut self, from: From, action: Action) {
        let short = |one: TensorRef| Some((u32::try_from(one.input).ok()?, u32::try_from(one.at).ok()?));
        let short = match &from {
            From::Tensor(one) => short(*one).filter(|(input, _)| *input != OTHER),
            _ => None,
        };
        let (input, at) = short.unwrap_or_else(|| {
            self.others.push(from);
            (OTHER, u32::try_from(self.others.len() - 1).unwrap_or(OTHER))
        });
        self.each.push(Source { input, at, action });
    }
}

/// The tensors of the inputs, each found without a search where it follows the one that was asked for before.
pub struct InputCursors<'i>(Vec<Cursor<'i>>);

impl<'i> InputCursors<'i> {
    /// Of these inputs.
    pub fn of(inputs: &'i [Checkpoint]) -> Self {
        Self(inputs.iter().map(|input| input.tensors().cursor()).collect())
    }

    /// A tensor; `None` if its input has none there.
    pub fn reach(&mut self, from: TensorRef) -> Option<&Tensor> {
        self.0.get_mut(from.input)?.reach(from.at)
    }
}

/// What is said of a recipe that is not of these inputs.
pub(super) fn gone() -> Error {
    Error::malformed("recipe", "a tensor that no input has")
}

/// Takes them in by name.
#[derive(Debug, Default)]
pub(super) struct OutputsBuilder {
    tensors: Builder,
    sources: Sources,
}

impl OutputsBuilder {
    pub(super) fn push(&mut self, tensor: &Tensor, from: From, action: Action) {
        self.tensors.push(tensor);
        self.sources.push(from, action);
    }

    pub(super) fn finish(self) -> Outputs {
        Outputs { tensors: Arc::new(self.tensors.finish()), sources: self.sources }
    }
}
