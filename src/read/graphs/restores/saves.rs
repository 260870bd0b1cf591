//! What a graph's saver writes: names, dtypes, shapes and parts, in the order in which they lie in the data files.
//!
//! TensorFlow: `SaveV2` appends the tensors in the order of its inputs (`core/kernels/save_restore_v2_ops.cc`). A sharded
//! saver has one for each device, and the shards are numbered in their order (`python/training/saver.py`,
//! `python/checkpoint/functional_saver.py`). A TF2 SavedModel hides them in a function (`__inference__traced_save_…`)
//! whose arguments are the variables or their values.

use std::collections::HashSet;
use std::path::Path;

use super::ops::upstream;
use super::plan::Part;
use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::read::graphs::graph::{
    Feeder, Form, Input, Node, Nodes, Part as GraphPart, integers, shape_of, strings, with_graphs,
};
use crate::read::pb;
use crate::read::tensor::{DType, Shape};

/// What one saver writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavePlan {
    /// For each shard its tensors, in the order of the file.
    pub shards: Vec<Vec<Saved>>,
}

/// A tensor that is saved, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its name.
    pub name: Vec<u8>,
    /// Its type.
    pub dtype: DType,
    /// The part that it is, of a partitioned variable.
    pub part: Option<Part>,
    /// The shape of what is stored, as far as the graph says it: a dimension may be −1, or the rank unknown.
    pub shape: Shape,
    /// The hash table that it belongs to: keys and values of one table have one number of rows.
    pub table: Option<Vec<u8>>,
}

impl SavePlan {
    /// The plans of the graphs in a file, in the form that its name tells; none if it has no saver.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(path: &Path, limits: &Limits) -> Result<Vec<Self>> {
        let Some(form) = Form::of(path)? else { return Ok(Vec::new()) };
        let look = |file: &crate::read::graphs::graph::GraphFile<'_>| {
            let plans: Vec<Self> = file.parts.iter().map(Self::of_part).collect::<Result<_>>()?;
            Ok(plans.into_iter().filter(|plan| plan.shards.iter().any(|shard| !shard.is_empty())).collect())
        };
        with_graphs(path, form, look, limits)
    }

    fn of_part(part: &GraphPart<'_>) -> Result<Self> {
        let saver = part.meta.saver.as_ref().map(|saver| saver.save_tensor_name.as_str()).unwrap_or_default();
        let root = saver.split(':').next().unwrap_or_default();
        let library = part.library()?;
        let mut writes = Vec::new();
        for graph in &part.graphs {
            let nodes = Nodes::of_graph(*graph)?;
            let runs = nodes.position(root.as_bytes()).map(|root| upstream(&nodes, root)).transpose()?;
            let body = Body { nodes: &nodes, outside: None };
            body.writes(runs.as_ref(), &mut writes)?;
            // Which functions of a bare graph save, nobody says.
            for call in runs.iter().flatten().filter_map(|at| nodes.all.get(*at)) {
                if !matches!(call.op, b"StatefulPartitionedCall" | b"PartitionedCall") {
                    continue;
                }
                let Some(pb::attr_value::Value::Func(function)) = call.value(b"f")? else { continue };
                let Some(function) = library.get(function.name.as_bytes()) else { continue };
                let inner = Nodes::of_function(function)?;
                let outside = Some((&nodes, call.data_inputs()?));
                Body { nodes: &inner, outside }.writes(None, &mut writes)?;
            }
        }
        writes.sort_by_key(|(shard, _)| *shard);
        // A device that has nothing to save writes no shard.
        Ok(Self { shards: writes.into_iter().map(|(_, saved)| saved).filter(|saved| !saved.is_empty()).collect() })
    }
}

/// A graph, or a function with the place where it is called.
struct Body<'n, 'a> {
    nodes: &'n Nodes<'a>,
    outside: Option<(&'n Nodes<'a>, Vec<Input<'a>>)>,
}

impl<'a> Body<'_, 'a> {
    /// Every `SaveV2`, or those among `runs`, with the number of its shard.
    fn writes(&self, runs: Option<&HashSet<usize>>, into: &mut Vec<(i64, Vec<Saved>)>) -> Result<()> {
        for (at, node) in self.nodes.all.iter().enumerate() {
            if node.op != b"SaveV2" || runs.is_some_and(|runs| !runs.contains(&at)) {
                continue;
            }
            let inputs = node.data_inputs()?;
            let constant = |at: usize| inputs.get(at).map_or(Ok(None), |input| self.nodes.constant(*input));
            let dtypes = node.dtypes(b"dtypes")?;
            let Some(names) = constant(1)? else { continue };
            let specs = constant(2)?.map_or_else(|| vec![Vec::new(); dtypes.len()], |s| strings(&s, dtypes.len()));
            let names = strings(&names, dtypes.len());
            let mut saved = Vec::new();
            for (n, ((name, spec), dtype)) in names.into_iter().zip(specs).zip(dtypes).enumerate() {
                let part = Part::parse(&spec).ok().flatten();
                let input = inputs.get(n.saturating_add(3)).copied();
                let (found, table) = input.map_or(Ok((Shape::unknown_rank(), None)), |input| {
                    let is_values = name.ends_with(b"values");
                    self.shape(input, is_values)
                })?;
                let of_part = part.as_ref().and_then(Part::shape);
                // A slice that is all of its tensor is no slice (`IsFullSlice` in `tensor_bundle.cc`).
                let part = part.filter(|part| of_part.as_ref() != Some(&part.full));
                let shape = of_part.unwrap_or(found);
                saved.push(Saved { name, dtype, part, shape, table });
            }
            into.push((self.shard(inputs.first().copied())?, saved));
        }
        Ok(())
    }

    /// The number of the shard that a prefix says.
    fn shard(&self, prefix: Option<Input<'a>>) -> Result<i64> {
        let Some(prefix) = prefix else { return Ok(0) };
        let Some(Feeder::Node(node, _)) = self.nodes.source(prefix, |_| ())? else { return Ok(0) };
        if node.op != b"ShardedFilename" {
            return Ok(0);
        }
        let number = node.inputs()?.get(1).map_or(Ok(None), |input| self.nodes.constant(*input))?;
        Ok(number.and_then(|number| integers(&number).first().copied()).unwrap_or(0))
    }

    /// The shape of what an input gives, and the table that it is of.
    fn shape(&self, input: Input<'a>, is_values: bool) -> Result<(Shape, Option<Vec<u8>>)> {
        let unknown = Ok((Shape::unknown_rank(), None));
        let Some((mut nodes, mut node, output)) = self.feeder(self.nodes, input)? else { return unknown };
        if node.op == b"ReadVariableOp" {
            let Some(handle) = node.inputs()?.first().copied() else { return unknown };
            let Some(found) = self.feeder(nodes, handle)? else { return unknown };
            (nodes, node) = (found.0, found.1);
        }
        Ok(match node.op {
            b"VariableV2" | b"Variable" | b"AutoReloadVariable" | b"VarHandleOp" => (node.shape(b"shape")?, None),
            b"Const" => {
                let shape = match node.value(b"value")? {
                    Some(pb::attr_value::Value::Tensor(tensor)) => tensor.tensor_shape.as_ref().map(shape_of),
                    _ => None,
                };
                (shape.unwrap_or_else(Shape::unknown_rank), None)
            }
            b"LookupTableExportV2" | b"LookupTableExport" => {
                let handle = node.inputs()?.first().copied();
                let table = handle.map_or(Ok(None), |handle| self.feeder(nodes, handle))?;
                let mut dims = vec![-1];
                if let Some((_, table, _)) = &table
                    && (output == 1 || is_values)
                {
                    dims.extend_from_slice(table.shape(b"value_shape")?.dims().unwrap_or_default());
                }
                (Shape::new(dims), table.map(|(_, table, _)| table.name.to_vec()))
            }
            _ => return unknown,
        })
    }

    /// The node that gives an input, with the nodes that it stands among; past the arguments of a function.
    fn feeder<'s>(
        &'s self,
        nodes: &'s Nodes<'a>,
        input: Input<'a>,
    ) -> Result<Option<(&'s Nodes<'a>, Node<'a>, usize)>> {
        Ok(match nodes.source(input, |_| ())? {
            Some(Feeder::Node(node, output)) => Some((nodes, node, output)),
            Some(Feeder::Name(name)) => {
                let Some((outside, inputs)) = &self.outside else { return Ok(None) };
                let at = nodes.arguments.iter().position(|argument| *argument == name);
                let Some(input) = at.and_then(|at| inputs.get(at)) else { return Ok(None) };
                match outside.source(*input, |_| ())? {
                    Some(Feeder::Node(node, output)) => Some((*outside, node, output)),
                    _ => None,
                }
            }
            None => None,
        })
    }
}
