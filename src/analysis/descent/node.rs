//! What is kept of a checkpoint: for each tensor two numbers, of its name and of its bytes.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::time::SystemTime;

use super::constants::Constants;
use crate::analysis::naming::roles::{Role, Roles};
use crate::analysis::survey::files::{FileInfo, files};
use crate::analysis::survey::step::Step;
use crate::analysis::training::OptimizerAge;
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Parts, Tensor};
use crate::read::tensor::DType;

/// Tensors of fewer bytes are the same without meaning anything.
const SMALL: u64 = 24;

/// A tensor of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// The number of its name, of its bytes, and of its dtype and shape.
    pub(super) name: u32,
    pub(super) print: u32,
    pub(super) kind: u32,
    pub(super) is_weight: bool,
    pub(super) is_slot: bool,
}

/// One checkpoint.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) prefix: PathBuf,
    pub(super) run: usize,
    pub(super) step: Option<u64>,
    /// Whether a tensor of its own holds the step.
    pub(super) is_counted: bool,
    pub(super) ages: Vec<OptimizerAge>,
    pub(super) modified: Option<SystemTime>,
    pub(super) complete: bool,
    pub(super) bytes: u64,
    /// Sorted by the number of the name.
    pub(super) items: Vec<Item>,
    /// Whether any is a slot.
    pub(super) has_slots: bool,
    /// A number that checkpoints share whose weights have the same names, dtypes and shapes.
    pub(super) model: u64,
    /// Length of each shard by the index, by its number.
    pub(super) shards: Vec<u64>,
}

impl Node {
    /// The tensor with this name.
    pub(super) fn find(&self, name: u32) -> Option<Item> {
        self.items.binary_search_by_key(&name, |item| item.name).ok().and_then(|at| self.items.get(at).copied())
    }
}

/// What bytes are, as far as an index tells: dtype, shape, checksums of all pieces.
type Print = (DType, Box<[i64]>, Box<[u32]>);

/// All names and bytes of a set.
#[derive(Debug, Default)]
pub(super) struct Known {
    names: HashMap<Box<[u8]>, u32>,
    pub(super) name_of: Vec<Box<[u8]>>,
    kinds: HashMap<(DType, Box<[i64]>), u32>,
    prints: HashMap<Print, u32>,
    /// Of each print: its bytes, and whether they prove anything.
    pub(super) size_of: Vec<(u64, bool)>,
    constants: Constants,
}

fn number<K: Hash + Eq>(of: &mut HashMap<K, u32>, key: K) -> (u32, bool) {
    let next = u32::try_from(of.len()).unwrap_or(u32::MAX);
    let mut is_new = false;
    let number = *of.entry(key).or_insert_with(|| {
        is_new = true;
        next
    });
    (number, is_new)
}

/// The checksums of a tensor, if all of its pieces have one.
fn checksums(tensor: &Tensor) -> Option<Box<[u32]>> {
    match &tensor.parts {
        Parts::Whole(place) => Some(Box::new([place.crc32c?.0])),
        Parts::Slices(slices) => slices.iter().map(|slice| Some(slice.place?.crc32c?.0)).collect(),
    }
}

impl Known {
    /// Keeps what the index of a checkpoint says.
    pub(super) fn node(&mut self, checkpoint: &Checkpoint, run: usize, modified: Option<SystemTime>) -> Node {
        let roles = Roles::of(checkpoint);
        let step = Step::of(checkpoint);
        let mut items = Vec::with_capacity(checkpoint.tensors().len());
        let mut bytes = 0u64;
        let mut shards = Vec::new();
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((at, tensor)) = cursor.advance() {
            bytes = bytes.saturating_add(tensor.bytes().unwrap_or(0));
            ends(tensor, &mut shards);
            if *tensor.name == *OBJECT_GRAPH_KEY {
                continue;
            }
            let Some(sums) = checksums(tensor) else { continue };
            let dims: Box<[i64]> = tensor.shape.dims().unwrap_or_default().into();
            let (kind, _) = number(&mut self.kinds, (tensor.dtype, dims.clone()));
            let size = tensor.bytes().unwrap_or(0);
            let first = if let [only] = *sums { Some(only) } else { None };
            let (print, is_new) = number(&mut self.prints, (tensor.dtype, dims, sums));
            if is_new {
                let is_constant = first.is_some_and(|crc| self.constants.is_one(tensor.dtype, size, crc));
                self.size_of.push((size, tensor.is_numeric() && size >= SMALL && !is_constant));
            }
            let (name, is_new) = number(&mut self.names, tensor.name.as_slice().into());
            if is_new {
                self.name_of.push(tensor.name.as_slice().into());
            }
            let role = roles.role(at);
            let is_weight = matches!(role, Role::Weight | Role::Average);
            items.push(Item { name, print, kind, is_weight, is_slot: role == Role::Slot });
        }
        items.sort_unstable_by_key(|item| item.name);
        let complete = files(checkpoint).iter().all(|file: &FileInfo| file.finding().is_none());
        Node {
            prefix: checkpoint.origin().prefix.as_path().to_path_buf(),
            run,
            step: step.step,
            is_counted: step.tensor.is_some() && !step.likely,
            ages: OptimizerAge::all(checkpoint),
            modified,
            complete,
            bytes,
            has_slots: items.iter().any(|item| item.is_slot),
            model: model(&items),
            items,
            shards,
        }
    }

    /// Whether bytes prove anything.
    pub(super) fn proves(&self, print: u32) -> bool {
        self.size_of.get(print as usize).is_some_and(|(_, proves)| *proves)
    }
}

/// A number of the names and shapes of weights.
fn model(items: &[Item]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    for item in items.iter().filter(|item| item.is_weight) {
        (item.name, item.kind).hash(&mut hasher);
    }
    hasher.finish()
}

/// How far tensors reach in each shard.
fn ends(tensor: &Tensor, shards: &mut Vec<u64>) {
    /// A number of shards beyond this is no number to make room for.
    const MOST: usize = 1 << 16;
    let mut reach = |shard: i32, range: Option<(i64, i64)>| {
        let Some((at, (start, len))) = usize::try_from(shard).ok().zip(range).filter(|(at, _)| *at < MOST) else {
            return;
        };
        let end = u64::try_from(start.saturating_add(len)).unwrap_or(0);
        if shards.len() <= at {
            shards.resize(at.saturating_add(1), 0);
        }
        if let Some(known) = shards.get_mut(at) {
            *known = (*known).max(end);
        }
    };
    match &tensor.parts {
        Parts::Whole(place) => reach(place.shard, place.range),
        Parts::Slices(slices) => {
            for place in slices.iter().filter_map(|slice| slice.place) {
                reach(place.shard, place.range);
            }
        }
    }
}
