//! The operations of a graph that restore, followed to the variables that take what they read.
//!
//! TensorFlow: `python/training/saver.py` makes one `RestoreV2` for all names, one a device or one a variable; each output
//! goes to an assignment (`core/ops/state_ops.cc`, `core/ops/resource_variable_ops.cc`) or into a table
//! (`core/ops/lookup_ops.cc`), maybe through an `Identity`, and with `Saver(reshape=True)` through a `Reshape`.

use std::collections::{BTreeMap, HashSet};

use super::plan::{Part, Read, RestorePlan, Target, TargetKind, Wanted};
use crate::base::error::Result;
use crate::read::graphs::graph::{Feeder, Node, Nodes, integers, strings};
use crate::read::tensor::Shape;

/// Everything that has to run for the node at `root`, itself included.
pub(super) fn upstream(nodes: &Nodes<'_>, root: usize) -> Result<HashSet<usize>> {
    let mut seen = HashSet::from([root]);
    let mut open = vec![root];
    while let Some(at) = open.pop() {
        let Some(node) = nodes.all.get(at) else { continue };
        for input in node.inputs()? {
            if let Some(at) = nodes.position(input.node).filter(|at| !seen.contains(at)) {
                seen.insert(at);
                open.push(at);
            }
        }
    }
    Ok(seen)
}

/// What a node is as the target of an assignment.
pub(super) fn target_of(node: Option<Node<'_>>) -> Option<Target> {
    let node = node?;
    let kind = match node.op {
        b"VariableV2" | b"Variable" | b"AutoReloadVariable" => TargetKind::Ref,
        b"VarHandleOp" => TargetKind::Resource,
        op if op.starts_with(b"MutableHashTable") || op.starts_with(b"MutableDenseHashTable") => TargetKind::Table,
        _ => TargetKind::Other,
    };
    let shape = match kind {
        TargetKind::Ref | TargetKind::Resource => node.shape(b"shape").ok()?,
        _ => Shape::unknown_rank(),
    };
    let name = String::from_utf8_lossy(node.name).into_owned();
    Some(Target { name, kind, shape, validates: false, reshape: None })
}

/// Collects reads and the variables that they end in.
pub(super) struct Builder {
    plan: RestorePlan,
    /// By the name of the operation; a function's have names of their own.
    reads: BTreeMap<(usize, Vec<u8>), Read>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self { plan: RestorePlan::default(), reads: BTreeMap::new() }
    }

    /// One graph or function; of a graph, the nodes in `runs` only, if there are such.
    pub(super) fn body<'a>(
        &mut self,
        nodes: &Nodes<'a>,
        runs: Option<&HashSet<usize>>,
        resolve: impl Fn(&'a [u8]) -> Option<Target>,
    ) -> Result<()> {
        let round = self.reads.keys().map(|(round, _)| round.saturating_add(1)).max().unwrap_or(0);
        for (at, node) in nodes.all.iter().enumerate() {
            if runs.is_some_and(|runs| !runs.contains(&at)) {
                continue;
            }
            if matches!(node.op, b"RestoreV2" | b"Restore" | b"RestoreSlice") {
                let read = self.read(nodes, *node)?;
                self.reads.insert((round, node.name.to_vec()), read);
            }
        }
        for (at, node) in nodes.all.iter().enumerate() {
            if runs.is_some_and(|runs| !runs.contains(&at)) {
                continue;
            }
            match node.op {
                b"Assign" => self.assign(nodes, *node, 1, node.flag(b"validate_shape", true)?, round, &resolve)?,
                b"AssignVariableOp" => {
                    self.assign(nodes, *node, 1, node.flag(b"validate_shape", false)?, round, &resolve)?;
                }
                b"LookupTableImportV2" | b"LookupTableImport" => {
                    self.assign(nodes, *node, 1, false, round, &resolve)?;
                    self.assign(nodes, *node, 2, false, round, &resolve)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The names, types and parts of a restore operation.
    fn read(&mut self, nodes: &Nodes<'_>, node: Node<'_>) -> Result<Read> {
        let text = String::from_utf8_lossy(node.name).into_owned();
        let inputs = node.inputs()?;
        let constant = |at: usize| inputs.get(at).map_or(Ok(None), |input| nodes.constant(*input));
        let dtypes =
            if node.op == b"RestoreV2" { node.dtypes(b"dtypes")? } else { node.dtype(b"dt")?.into_iter().collect() };
        let Some(names) = constant(1)? else {
            self.plan.unclear.push(format!("the names that {text} reads are computed while it runs"));
            return Ok(Read { node: text, tensors: Vec::new() });
        };
        let specs = if node.op == b"Restore" { None } else { constant(2)? };
        let names = strings(&names, dtypes.len());
        let specs = specs.map_or_else(|| vec![Vec::new(); dtypes.len()], |specs| strings(&specs, dtypes.len()));
        let mut tensors = Vec::new();
        for ((name, spec), dtype) in names.into_iter().zip(specs).zip(dtypes) {
            let part = Part::parse(&spec).unwrap_or_else(|why| {
                self.plan.unclear.push(why);
                None
            });
            tensors.push(Wanted { name, dtype: Some(dtype), part, targets: Vec::new() });
        }
        Ok(Read { node: text, tensors })
    }

    fn assign<'a>(
        &mut self,
        nodes: &Nodes<'a>,
        node: Node<'a>,
        value: usize,
        validates: bool,
        round: usize,
        resolve: &impl Fn(&'a [u8]) -> Option<Target>,
    ) -> Result<()> {
        let inputs = node.data_inputs()?;
        let (Some(to), Some(from)) = (inputs.first().copied(), inputs.get(value).copied()) else { return Ok(()) };
        let mut reshaped = None;
        let source = nodes.source(from, |node| reshaped = Some(node))?;
        let Some(Feeder::Node(source, output)) = source else { return Ok(()) };
        let Some(read) = self.reads.get_mut(&(round, source.name.to_vec())) else { return Ok(()) };
        let Some(wanted) = read.tensors.get_mut(output) else { return Ok(()) };
        let target = match nodes.source(to, |_| ())? {
            Some(Feeder::Node(node, _)) => target_of(Some(node)),
            Some(Feeder::Name(name)) => resolve(name),
            None => None,
        };
        let Some(mut target) = target else { return Ok(()) };
        target.validates = validates && target.kind != TargetKind::Table;
        if let Some(node) = reshaped {
            let constant = node.inputs()?.get(1).map_or(Ok(None), |input| nodes.constant(*input))?;
            let shape = constant.map(|shape| Shape::new(integers(&shape)));
            target.reshape = Some(shape.unwrap_or_else(|| target.shape.clone()));
        }
        wanted.targets.push(target);
        Ok(())
    }

    pub(super) fn finish(self) -> RestorePlan {
        let reads = self.reads.into_values().filter(|read| !read.tensors.is_empty()).collect();
        RestorePlan { reads, ..self.plan }
    }
}
