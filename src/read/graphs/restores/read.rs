//! What a graph restores: the names that its `RestoreV2` operations read, and the variables that take the values.
//!
//! TensorFlow: `python/training/saver.py` and `python/training/saving/saveable_object_util.py` build these operations;
//! a TF2 SavedModel hides them in a function (`__inference__traced_restore_…`) whose arguments are the variables.
//! Format of `shape_and_slices`: `core/util/saved_tensor_slice_util.cc`.

use std::collections::BTreeMap;

use super::ops::{Builder, target_of, upstream};
use super::plan::{Part, Read, RestorePlan, TargetKind, Wanted};
use crate::base::error::Result;
use crate::read::graphs::graph::{Feeder, Library, Node, Nodes, Slice};
use crate::read::pb;
use crate::read::tensor::{Extent, Shape, TensorSlice};
use crate::read::wire::{Field, Walker};

const WALK: Walker = Walker { what: "meta graph" };

impl Part {
    /// `5 3 0,3:-`; `None` for the empty specification, which means all of the tensor.
    ///
    /// # Errors
    /// Why it is no such specification, in TensorFlow's words.
    pub fn parse(text: &[u8]) -> Result<Option<Self>, String> {
        let text = String::from_utf8_lossy(text);
        if text.is_empty() {
            return Ok(None);
        }
        let fields: Vec<&str> = text.split(' ').collect();
        let Some((slice, dims)) = fields.split_last().filter(|(_, dims)| !dims.is_empty()) else {
            return Err(format!("Need least two elements in shape_and_slice specification: {text}"));
        };
        let numbers: Option<Vec<i64>> = dims.iter().map(|dim| dim.parse().ok()).collect();
        let numbers = numbers.ok_or_else(|| format!("Non numerical dimension in shape_and_slice: {text}"))?;
        let extents: Option<Vec<Extent>> = slice.split(':').filter(|item| !item.is_empty()).map(extent).collect();
        let bad = || format!("Expected a pair of numbers or '-' but got '{slice}': string = {text}");
        let slice = TensorSlice(extents.ok_or_else(bad)?);
        Ok(Some(Self { full: Shape::new(numbers), slice }))
    }

    /// The shape of the part, if it lies in the whole.
    pub fn shape(&self) -> Option<Shape> {
        let extents = self.slice.resolve(self.full.dims()?)?;
        let lens: Option<Vec<i64>> = extents.iter().map(|(_, len)| i64::try_from(*len).ok()).collect();
        Some(Shape::new(lens?))
    }
}

fn extent(item: &str) -> Option<Extent> {
    if item == "-" {
        return Some(Extent { start: 0, length: None });
    }
    let (start, length) = item.split_once(',')?;
    let (start, length): (i64, i64) = (start.parse().ok()?, length.parse().ok()?);
    (start >= 0 && length > 0).then_some(Extent { start, length: Some(length) })
}

impl RestorePlan {
    /// The plan of a `MetaGraphDef`.
    pub(in crate::read::graphs) fn of_meta_graph(message: Field<'_>) -> Result<Self> {
        let (mut graph, mut saver, mut collections) = (None, pb::SaverDef::default(), BTreeMap::new());
        WALK.each_in(message, |field| {
            match field.number {
                2 => graph = Some(field),
                3 => saver = pb::decode("saver", WALK.bytes(field)?, field.offset)?,
                4 => {
                    let (key, value) = WALK.entry(field)?;
                    if let Some(value) = value.filter(|_| key == "variables") {
                        collections.insert(key, value);
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        let Some(graph) = graph else { return Ok(Self::default()) };
        let graph = Slice::of(graph)?;
        let restore = (!saver.restore_op_name.is_empty()).then_some(saver.restore_op_name.as_str());
        let variables = collections.get("variables").map(|field| variable_defs(*field)).transpose()?;
        Self::of_graph(graph, &Nodes::of_graph(graph)?, restore, variables)
    }

    /// The plan of a `GraphDef`, which does not say which of its savers is meant.
    pub(in crate::read::graphs) fn of_graph_def(message: Field<'_>) -> Result<Self> {
        let graph = Slice::of(message)?;
        let nodes = Nodes::of_graph(graph)?;
        let restore_all = |node: &&Node<'_>| node.op == b"NoOp" && node.name.ends_with(b"/restore_all");
        let mut savers: Vec<&[u8]> = nodes.all.iter().filter(restore_all).map(|node| node.name).collect();
        savers.sort_by_key(|name| (name.len(), *name));
        let restore = savers.first().map(|name| String::from_utf8_lossy(name).into_owned());
        let mut plan = Self::of_graph(graph, &nodes, restore.as_deref(), None)?;
        if let (Some(first), 2..) = (restore, savers.len()) {
            plan.unclear.push(format!("the graph has {} savers; {first} is taken", savers.len()));
        }
        Ok(plan)
    }

    fn of_graph(
        graph: Slice<'_>,
        nodes: &Nodes<'_>,
        restore: Option<&str>,
        variables: Option<Vec<pb::VariableDef>>,
    ) -> Result<Self> {
        let mut builder = Builder::new();
        // The name of an operation or of one of its outputs.
        let root = restore.map(|name| name.split(':').next().unwrap_or_default().as_bytes());
        let runs = root.and_then(|root| nodes.position(root)).map(|root| upstream(nodes, root));
        let runs = runs.transpose()?;
        builder.body(nodes, runs.as_ref(), |name| target_of(nodes.get(name)))?;
        // A TF2 SavedModel calls a function that restores.
        let calls = nodes.all.iter().enumerate().filter(|(at, node)| {
            matches!(node.op, b"StatefulPartitionedCall" | b"PartitionedCall")
                && runs.as_ref().is_some_and(|runs| runs.contains(at))
        });
        let library = Library::read(&[graph])?;
        for (_, call) in calls {
            let Some(pb::attr_value::Value::Func(function)) = call.value(b"f")? else { continue };
            let Some(function) = library.get(function.name.as_bytes()) else { continue };
            let body = Nodes::of_function(function)?;
            let inputs = call.data_inputs()?;
            builder.body(&body, None, |argument| {
                let at = body.arguments.iter().position(|name| *name == argument)?;
                match nodes.source(*inputs.get(at)?, |_| ()).ok()?? {
                    Feeder::Node(node, _) => target_of(Some(node)),
                    Feeder::Name(_) => None,
                }
            })?;
        }
        let mut plan = builder.finish();
        if plan.reads.is_empty() {
            plan.assume(nodes, variables)?;
        }
        Ok(plan)
    }

    /// What a new `Saver` would restore: every variable of the collection, or of the graph.
    fn assume(&mut self, nodes: &Nodes<'_>, variables: Option<Vec<pb::VariableDef>>) -> Result<()> {
        let mut tensors = Vec::new();
        let mut add = |node: Node<'_>, part: Option<(Vec<u8>, Part)>| -> Result<()> {
            let Some(mut target) = target_of(Some(node)) else { return Ok(()) };
            if !matches!(target.kind, TargetKind::Ref | TargetKind::Resource) {
                return Ok(());
            }
            target.validates = target.kind == TargetKind::Ref && target.shape.elements().is_some();
            let shared = node.text(b"shared_name")?.unwrap_or_default();
            let own = if shared.is_empty() || target.kind == TargetKind::Ref { node.name } else { shared };
            let own = own.to_vec();
            let (name, part) = part.map_or((own, None), |(name, part)| (name, Some(part)));
            tensors.push(Wanted { name, dtype: node.dtype(b"dtype")?, part, targets: vec![target] });
            Ok(())
        };
        match variables {
            Some(variables) => {
                for variable in variables {
                    let name = variable.variable_name.split(':').next().unwrap_or_default();
                    let part = variable.save_slice_info_def.map(|info| {
                        let extents = info.var_offset.iter().zip(&info.var_shape);
                        let extents = extents.map(|(start, len)| Extent { start: *start, length: Some(*len) });
                        let slice = TensorSlice(extents.collect());
                        (info.full_name.into_bytes(), Part { full: Shape::new(info.full_shape), slice })
                    });
                    if let Some(node) = nodes.get(name.as_bytes()) {
                        add(node, part)?;
                    }
                }
            }
            None => nodes.all.iter().try_for_each(|node| add(*node, None))?,
        }
        self.is_assumed = true;
        if !tensors.is_empty() {
            self.reads.push(Read { node: String::new(), tensors });
        }
        Ok(())
    }
}

/// The `VariableDef`s of a collection.
pub(in crate::read::graphs) fn variable_defs(collection: Field<'_>) -> Result<Vec<pb::VariableDef>> {
    let mut variables = Vec::new();
    WALK.each_in(collection, |list| {
        WALK.each_in(list, |value| {
            match (list.number, value.number) {
                (2, 1) => variables.push(pb::decode("variable", WALK.bytes(value)?, value.offset)?),
                // Very old graphs list names only.
                (1, 1) => {
                    variables.push(pb::VariableDef { variable_name: WALK.string(value)?, ..Default::default() });
                }
                _ => {}
            }
            Ok(())
        })
    })?;
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::tensor::DType;
    use crate::read::wire::Value;

    fn plan(text: &str) -> RestorePlan {
        let bytes = pb::from_text("tensorflow.GraphDef", "graph", text.as_bytes()).unwrap();
        RestorePlan::of_graph_def(Field { number: 2, value: Value::Bytes(&bytes), offset: 0 }).unwrap()
    }

    #[test]
    fn specifications_of_parts() {
        let part = Part::parse(b"784 10 0,392:-").unwrap().unwrap();
        assert_eq!((part.full.to_string(), part.shape().unwrap().to_string()), ("[784,10]".into(), "[392,10]".into()));
        assert_eq!(Part::parse(b""), Ok(None));
        for (bad, why) in [("784", "Need least two"), ("a 1 -", "Non numerical"), ("4 1,0", "Expected a pair")] {
            assert!(Part::parse(bad.as_bytes()).unwrap_err().starts_with(why), "{bad}");
        }
        assert!(Part::parse(b"4 2,4").unwrap().unwrap().shape().is_none());
    }

    #[test]
    fn without_restore_operations_a_saver_is_assumed() {
        let text = "node { name: 'w' op: 'VariableV2'
              attr { key: 'dtype' value { type: DT_FLOAT } } attr { key: 'shape' value { shape { dim { size: 2 } } } } }
            node { name: 'r' op: 'VarHandleOp' attr { key: 'dtype' value { type: DT_INT64 } }
              attr { key: 'shape' value { shape { } } } attr { key: 'shared_name' value { s: 'shared' } } }";
        let plan = plan(text);
        assert!(plan.is_assumed);
        let tensors = &plan.reads[0].tensors;
        assert_eq!((tensors[0].name.as_slice(), tensors[0].targets[0].validates), (&b"w"[..], true));
        assert_eq!((tensors[1].name.as_slice(), tensors[1].targets[0].validates), (&b"shared"[..], false));
    }

    #[test]
    fn only_what_the_saver_runs_is_read() {
        let names = |prefix: &str, name: &str| {
            format!(
                "node {{ name: '{prefix}/n' op: 'Const' attr {{ key: 'value' value {{ tensor {{ string_val: '{name}' }} }} }} }}
                 node {{ name: '{prefix}/s' op: 'Const' attr {{ key: 'value' value {{ tensor {{ string_val: '' }} }} }} }}
                 node {{ name: '{prefix}/r' op: 'RestoreV2' input: 'p' input: '{prefix}/n' input: '{prefix}/s'
                   attr {{ key: 'dtypes' value {{ list {{ type: DT_FLOAT }} }} }} }}
                 node {{ name: '{prefix}/a' op: 'Assign' input: 'w' input: '{prefix}/r'
                   attr {{ key: 'validate_shape' value {{ b: false }} }} }}
                 node {{ name: '{prefix}/restore_all' op: 'NoOp' input: '^{prefix}/a' }}"
            )
        };
        let variable = "node { name: 'w' op: 'VariableV2' attr { key: 'shape' value { shape { dim { size: 4 } } } } }";
        let plan = plan(&format!("{variable} {} {}", names("save", "first"), names("save_1", "second")));
        assert_eq!(plan.reads.len(), 1);
        let wanted = &plan.reads[0].tensors[0];
        assert_eq!((wanted.name.as_slice(), wanted.dtype), (&b"first"[..], Some(DType::Float32)));
        assert_eq!((wanted.targets[0].shape.to_string(), wanted.targets[0].validates), ("[4]".to_owned(), false));
        assert_eq!(plan.unclear, ["the graph has 2 savers; save/restore_all is taken"]);
    }
}
