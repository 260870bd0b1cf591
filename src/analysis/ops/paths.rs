//! Where a path comes from: a constant of the graph, the saver, an asset, whoever calls, or a computation.
//!
//! Followed backwards from the op: along inputs, through ops that only pass strings on, from the argument of a
//! function to the places that call it. That is what tells `SaveV2` of every saved model from one that writes to a
//! fixed place.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::lookup::{Lookup, Scope};
use super::reach::{Fed, Top};
use crate::analysis::finding::op_site::Origin;
use crate::base::error::Result;
use crate::read::graphs::graph::{Input, Library, Node, ObjectKind, Objects, Part};

pub(super) struct Tracer<'t, 'a> {
    pub(super) part: &'t Part<'a>,
    pub(super) lookup: Lookup<'t, 'a>,
    objects: &'t Objects<'a>,
    /// Assets by the node that is fed with their path.
    assets: HashMap<&'t [u8], &'t str>,
    /// How many steps may still be gone, for all paths together.
    left: Cell<u64>,
    bound: RefCell<BTreeMap<usize, Rc<[usize]>>>,
}

/// Steps after which a path is given up: honest ones take a dozen.
const STEPS: usize = 512;

/// Steps for all paths of a graph: hundreds of thousands of honest ones, or some seconds.
const ALL_STEPS: u64 = 4_000_000;

impl<'t, 'a> Tracer<'t, 'a> {
    pub(super) fn new(
        part: &'t Part<'a>,
        top: &'t Top<'a>,
        library: &'t Library<'a>,
        objects: &'t Objects<'a>,
    ) -> Self {
        let assets = part.assets.iter().filter(|(tensor, _)| !tensor.is_empty());
        let assets = assets.map(|(tensor, file)| (Input::parse(tensor.as_bytes()).node, file.as_str()));
        Self {
            part,
            lookup: Lookup::new(top, library),
            objects,
            assets: assets.collect(),
            left: Cell::new(ALL_STEPS),
            bound: RefCell::default(),
        }
    }

    /// Where data input `n` of `node` comes from.
    pub(super) fn of_input(&self, scope: Scope, node: &Node<'a>, n: usize, fed: Fed) -> Result<BTreeSet<Origin>> {
        let mut found = BTreeSet::new();
        let mut seen: HashSet<(Scope, &'a [u8], usize)> = HashSet::new();
        let mut open: Vec<(Scope, Input<'a>, bool)> = Vec::new();
        match node.data_inputs()?.get(n) {
            Some(input) => open.push((scope, *input, false)),
            None => _ = found.insert(Origin::Unknown),
        }
        while let Some((scope, input, by_default)) = open.pop() {
            if !seen.insert((scope, input.node, input.output)) {
                continue;
            }
            let left = self.left.get();
            self.left.set(left.saturating_sub(1));
            if seen.len() > STEPS || left == 0 {
                found.insert(Origin::Unknown);
                break;
            }
            self.step(scope, input, (by_default, fed), &mut open, &mut found)?;
        }
        Ok(found)
    }

    fn step(
        &self,
        scope: Scope,
        input: Input<'a>,
        (by_default, fed): (bool, Fed),
        open: &mut Vec<(Scope, Input<'a>, bool)>,
        found: &mut BTreeSet<Origin>,
    ) -> Result<()> {
        if scope == Scope::Top {
            // A placeholder has nothing else; anything else counts where nobody feeds it.
            let needs = self.lookup.top.find(input.node).is_none_or(|(_, node)| node.op == b"Placeholder");
            let fed = Fed { saver: fed.saver || needs, assets: fed.assets || needs };
            if fed.saver && self.is_saver(input.node) {
                found.insert(Origin::Saver);
                return Ok(());
            }
            if let Some(file) = self.asset(input.node).filter(|_| fed.assets) {
                found.insert(Origin::Asset(file.to_owned()));
                return Ok(());
            }
        }
        let Some(node) = self.lookup.find(scope, input.node)? else {
            return self.argument(scope, input, open, found);
        };
        let inputs = node.data_inputs()?;
        let mut go = |positions: &[usize], by_default: bool| {
            open.extend(positions.iter().filter_map(|at| Some((scope, *inputs.get(*at)?, by_default))));
        };
        match node.op {
            b"Const" => {
                for string in node.const_strings()? {
                    let default = by_default && string == b"model";
                    found.insert(if default { Origin::Saver } else { Origin::Fixed(string.to_vec()) });
                }
            }
            b"Placeholder" | b"_Arg" | b"PlaceholderV2" => _ = found.insert(Origin::Caller(node.name.to_vec())),
            b"PlaceholderWithDefault" => go(&[0], true),
            b"Identity"
            | b"ShardedFilename"
            | b"ShardedFilespec"
            | b"Reshape"
            | b"ExpandDims"
            | b"Squeeze"
            | b"Enter"
            | b"Exit"
            | b"NextIteration"
            | b"StopGradient"
            | b"Switch"
            | b"StringStrip"
            | b"DisableCopyOnRead"
            | b"StridedSlice"
            | b"TensorSliceDataset"
            | b"TensorDataset" => {
                go(&[0], by_default);
            }
            b"IdentityN" => go(&[input.output], by_default),
            b"Select" | b"SelectV2" => go(&[1, 2], by_default),
            b"Merge" | b"RefMerge" | b"Pack" | b"ConcatV2" | b"GatherV2" => {
                let all: Vec<usize> = (0..inputs.len()).collect();
                go(&all, by_default);
            }
            b"ReadVariableOp" if scope == Scope::Top => match inputs.first() {
                Some(handle) => self.variable(*handle, open, found)?,
                None => _ = found.insert(Origin::Unknown),
            },
            b"StringJoin" => self.join(scope, &inputs, (by_default, fed), open, found)?,
            op => _ = found.insert(Origin::Computed(op.to_vec())),
        }
        Ok(())
    }

    /// Of joined strings the beginning decides where the file is.
    fn join(
        &self,
        scope: Scope,
        inputs: &[Input<'a>],
        (by_default, fed): (bool, Fed),
        open: &mut Vec<(Scope, Input<'a>, bool)>,
        found: &mut BTreeSet<Origin>,
    ) -> Result<()> {
        let mut text = Vec::new();
        for input in inputs {
            let constant = match self.lookup.find(scope, input.node)? {
                Some(node) if node.op == b"Const" => node.const_strings()?.first().copied(),
                _ => None,
            };
            let is_told = scope == Scope::Top
                && (fed.saver && self.is_saver(input.node) || fed.assets && self.asset(input.node).is_some());
            let constant = constant.filter(|_| !is_told);
            match constant {
                Some(string) => text.extend_from_slice(string),
                None if text.is_empty() => {
                    open.push((scope, *input, by_default));
                    return Ok(());
                }
                None => {
                    found.insert(Origin::Begins(text));
                    return Ok(());
                }
            }
        }
        found.insert(Origin::Fixed(text));
        Ok(())
    }

    /// The value of a variable: what the graph assigns to it. Models of TensorFlow 2 keep the paths of assets so.
    fn variable(
        &self,
        handle: Input<'a>,
        open: &mut Vec<(Scope, Input<'a>, bool)>,
        found: &mut BTreeSet<Origin>,
    ) -> Result<()> {
        let known = self.lookup.variables()?.get(handle.node).filter(|(assigned, _)| !assigned.is_empty());
        let Some((assigned, elsewhere)) = known else {
            found.insert(Origin::Computed(b"a variable".to_vec()));
            return Ok(());
        };
        open.extend(assigned.iter().map(|input| (Scope::Top, *input, false)));
        if *elsewhere {
            found.insert(Origin::Computed(b"a variable".to_vec()));
        }
        Ok(())
    }

    /// An argument of a function: what its callers give it, or the objects that it is bound to.
    fn argument(
        &self,
        scope: Scope,
        input: Input<'a>,
        open: &mut Vec<(Scope, Input<'a>, bool)>,
        found: &mut BTreeSet<Origin>,
    ) -> Result<()> {
        let Scope::Function(function) = scope else {
            found.insert(Origin::Unknown);
            return Ok(());
        };
        let body = self.lookup.body(function)?;
        let Some(position) = body.1.iter().position(|name| *name == input.node) else {
            found.insert(Origin::Unknown);
            return Ok(());
        };
        let mut known = self.bound(function, position, body.1.len(), open, found)?;
        let callers = self.lookup.callers()?;
        let own = u32::try_from(function).unwrap_or(u32::MAX);
        for (place, call) in callers.get(&own).into_iter().flatten() {
            let inputs = call.data_inputs()?;
            let at = match call.op {
                b"PartitionedCall" | b"StatefulPartitionedCall" | b"While" | b"StatelessWhile" => Some(position),
                b"If" | b"StatelessIf" | b"Case" | b"StatelessCase" | b"RemoteCall" => position.checked_add(1),
                op if self.lookup.library.by_name.get(op) == Some(&function) => Some(position),
                // Elements of data sets, batches: what the function gets is not what the op is given.
                _ => None,
            };
            match at.and_then(|at| inputs.get(at)) {
                Some(input) => open.push((*place, *input, false)),
                None => _ = found.insert(Origin::Computed(call.op.to_vec())),
            }
            known = true;
        }
        if !known {
            found.insert(Origin::Caller(input.node.to_vec()));
        }
        Ok(())
    }

    /// The last arguments of a concrete function are bound to objects of the model.
    fn bound(
        &self,
        function: usize,
        position: usize,
        arguments: usize,
        open: &mut Vec<(Scope, Input<'a>, bool)>,
        found: &mut BTreeSet<Origin>,
    ) -> Result<bool> {
        let Some(name) = self.lookup.library.functions.get(function).map(|function| function.name) else {
            return Ok(false);
        };
        let Ok(name) = std::str::from_utf8(name) else { return Ok(false) };
        let known = self.bound.borrow().get(&function).cloned();
        let bound = match known {
            Some(bound) => bound,
            None => Rc::from(self.objects.bound_inputs(name)?),
        };
        self.bound.borrow_mut().insert(function, Rc::clone(&bound));
        let at = (position + bound.len()).checked_sub(arguments);
        let Some(object) = at.and_then(|at| self.objects.nodes.get(*bound.get(at)?)) else { return Ok(false) };
        match &object.kind {
            ObjectKind::Asset(at) => match self.part.assets.get(*at) {
                Some((_, file)) => _ = found.insert(Origin::Asset(file.clone())),
                None => _ = found.insert(Origin::Unknown),
            },
            ObjectKind::Constant(operation) => match self.lookup.top.find(operation.as_bytes()) {
                Some((_, node)) => {
                    open.push((Scope::Top, Input { node: node.name, output: 0, control: false }, false));
                }
                None => _ = found.insert(Origin::Unknown),
            },
            _ => _ = found.insert(Origin::Computed(b"a variable".to_vec())),
        }
        Ok(true)
    }

    fn is_saver(&self, node: &[u8]) -> bool {
        let saver = self.part.meta.saver.as_ref();
        saver.is_some_and(|saver| Input::parse(saver.filename_tensor_name.as_bytes()).node == node && !node.is_empty())
    }

    fn asset(&self, node: &[u8]) -> Option<&str> {
        self.assets.get(node).copied()
    }
}
