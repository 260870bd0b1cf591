//! The nodes of a `GraphDef` or of a function: found by name, followed by their inputs, decoded only when asked.
//!
//! TensorFlow: `core/framework/{graph,node_def,function}.proto`. A graph may be hundreds of megabytes of which a
//! restore uses a few hundred nodes, so of every node only name and op are kept, as places in the file.

use std::collections::HashMap;

use super::fields::Walker;
use crate::error::Result;
use crate::pb;
use crate::tensor::{DType, Shape};
use crate::wire::Field;

const WALK: Walker = Walker { what: "graph" };

/// How many nodes are passed on the way from an operation to what feeds it. Chains of `Identity` are two or three
/// long; a cycle in a hostile graph ends here.
const CHAIN: usize = 64;

/// A node, not decoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    pub(super) name: &'a [u8],
    pub(super) op: &'a [u8],
    message: Field<'a>,
}

/// Some nodes that refer to each other by name: of a graph, or of one function in its library.
#[derive(Debug, Default)]
pub(super) struct Nodes<'a> {
    pub(super) all: Vec<Node<'a>>,
    by_name: HashMap<&'a [u8], usize>,
    /// Names of the arguments of a function.
    pub(super) arguments: Vec<&'a [u8]>,
}

/// A graph with its functions.
#[derive(Debug, Default)]
pub(super) struct Graph<'a> {
    pub(super) nodes: Nodes<'a>,
    functions: HashMap<&'a [u8], Field<'a>>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin<'a> {
    /// An output of a node.
    Node(Node<'a>, usize),
    /// No node has this name: an argument of the function, or a mistake.
    Name(&'a [u8]),
}

/// What an input refers to: one output of a node (or an argument of a function), or the node itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Input<'a> {
    pub(super) node: &'a [u8],
    pub(super) output: usize,
    pub(super) is_control: bool,
}

impl<'a> Input<'a> {
    /// `^node`, `node`, `node:1`; in a function `node:out_arg:1`.
    fn parse(text: &'a [u8]) -> Self {
        let (text, is_control) = text.strip_prefix(b"^").map_or((text, false), |rest| (rest, true));
        let mut parts = text.split(|byte| *byte == b':');
        let node = parts.next().unwrap_or_default();
        let last = parts.next_back().and_then(|last| std::str::from_utf8(last).ok()?.parse().ok());
        Self { node, output: last.unwrap_or(0), is_control }
    }
}

impl<'a> Graph<'a> {
    /// Walks a `GraphDef`.
    pub(super) fn parse(graph: Field<'a>) -> Result<Self> {
        let mut parsed = Self::default();
        WALK.each_in(graph, |field| {
            match field.number {
                1 => parsed.nodes.push(field)?,
                2 => WALK.each_in(field, |function| {
                    if function.number == 1 {
                        parsed.functions.insert(function_name(function)?, function);
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(parsed)
    }

    /// The body of the function with this name.
    pub(super) fn function(&self, name: &[u8]) -> Result<Option<Nodes<'a>>> {
        let Some(message) = self.functions.get(name) else { return Ok(None) };
        let mut body = Nodes::default();
        WALK.each_in(*message, |field| {
            match field.number {
                // The signature, an `OpDef`, with its arguments.
                1 => WALK.each_in(field, |field| {
                    if field.number == 2 {
                        body.arguments.push(first_string(field, 1)?);
                    }
                    Ok(())
                })?,
                3 => body.push(field)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(Some(body))
    }
}

/// The name in a `FunctionDef`'s signature.
fn function_name(function: Field<'_>) -> Result<&[u8]> {
    let mut name = &b""[..];
    WALK.each_in(function, |field| {
        if field.number == 1 {
            name = first_string(field, 1)?;
        }
        Ok(())
    })?;
    Ok(name)
}

fn first_string(message: Field<'_>, number: u32) -> Result<&[u8]> {
    let mut found = &b""[..];
    WALK.each_in(message, |field| {
        if field.number == number {
            found = WALK.bytes(field)?;
        }
        Ok(())
    })?;
    Ok(found)
}

impl<'a> Nodes<'a> {
    fn push(&mut self, message: Field<'a>) -> Result<()> {
        let (mut name, mut op) = (&b""[..], &b""[..]);
        WALK.each_in(message, |field| {
            match field.number {
                1 => name = WALK.bytes(field)?,
                2 => op = WALK.bytes(field)?,
                _ => {}
            }
            Ok(())
        })?;
        self.by_name.insert(name, self.all.len());
        self.all.push(Node { name, op, message });
        Ok(())
    }

    /// The position of a node.
    pub(super) fn position(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The node with this name.
    pub(super) fn get(&self, name: &[u8]) -> Option<Node<'a>> {
        self.all.get(self.position(name)?).copied()
    }

    /// Where an input comes from, past any number of `Identity` nodes. Calls `pass` for every `Reshape` on the way.
    /// `None` for a chain that is too long or leads nowhere.
    pub(super) fn source(&self, input: Input<'a>, mut pass: impl FnMut(Node<'a>)) -> Result<Option<Origin<'a>>> {
        let mut input = input;
        for _ in 0..CHAIN {
            let Some(node) = self.get(input.node) else { return Ok(Some(Origin::Name(input.node))) };
            match node.op {
                b"Identity" => {}
                b"Reshape" => pass(node),
                _ => return Ok(Some(Origin::Node(node, input.output))),
            }
            let Some(first) = node.inputs()?.first().copied() else { return Ok(None) };
            input = first;
        }
        Ok(None)
    }

    /// The constant that an input is, if it is one.
    pub(super) fn constant(&self, input: Input<'a>) -> Result<Option<pb::TensorProto>> {
        let Some(Origin::Node(node, _)) = self.source(input, |_| ())? else { return Ok(None) };
        Ok(match (node.op, node.attr("value")?) {
            (b"Const", Some(pb::attr_value::Value::Tensor(tensor))) => Some(tensor),
            _ => None,
        })
    }
}

impl<'a> Node<'a> {
    /// Its inputs, in order.
    pub(super) fn inputs(&self) -> Result<Vec<Input<'a>>> {
        let mut inputs = Vec::new();
        WALK.each_in(self.message, |field| {
            if field.number == 3 {
                inputs.push(Input::parse(WALK.bytes(field)?));
            }
            Ok(())
        })?;
        Ok(inputs)
    }

    /// One of its attributes; absent ones have the op's default.
    pub(super) fn attr(&self, wanted: &str) -> Result<Option<pb::attr_value::Value>> {
        let mut found = None;
        WALK.each_in(self.message, |field| {
            if field.number == 5 {
                let (key, value) = WALK.entry(field)?;
                if let Some(value) = value.filter(|_| key == wanted) {
                    let attr: pb::AttrValue = pb::decode("attribute", WALK.bytes(value)?, value.offset)?;
                    found = attr.value;
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// A boolean attribute.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        Ok(match self.attr(name)? {
            Some(pb::attr_value::Value::B(value)) => value,
            _ => default,
        })
    }

    /// An attribute that is a dtype.
    pub(super) fn dtype(&self, name: &str) -> Result<Option<DType>> {
        Ok(match self.attr(name)? {
            Some(pb::attr_value::Value::Type(number)) => Some(DType::from_number(number)),
            _ => None,
        })
    }

    /// An attribute that is a list of dtypes.
    pub(super) fn dtypes(&self, name: &str) -> Result<Vec<DType>> {
        Ok(match self.attr(name)? {
            Some(pb::attr_value::Value::List(list)) => list.r#type.into_iter().map(DType::from_number).collect(),
            _ => Vec::new(),
        })
    }

    /// An attribute that is a shape; of unknown rank if there is none.
    pub(super) fn shape(&self, name: &str) -> Result<Shape> {
        Ok(match self.attr(name)? {
            Some(pb::attr_value::Value::Shape(shape)) => shape_of(&shape),
            _ => Shape::unknown_rank(),
        })
    }

    /// An attribute that is a string.
    pub(super) fn text(&self, name: &str) -> Result<Vec<u8>> {
        Ok(match self.attr(name)? {
            Some(pb::attr_value::Value::S(bytes)) => bytes,
            _ => Vec::new(),
        })
    }
}

/// A `TensorShapeProto` as a shape.
pub(super) fn shape_of(shape: &pb::TensorShapeProto) -> Shape {
    if shape.unknown_rank {
        return Shape::unknown_rank();
    }
    Shape::new(shape.dim.iter().map(|dim| dim.size).collect::<Vec<i64>>())
}

/// The first `n` elements of a constant of strings. Where fewer are stored, the last one fills the rest
/// (`core/framework/tensor.cc`); where none is, all are empty.
pub(super) fn strings(tensor: &pb::TensorProto, n: usize) -> Vec<Vec<u8>> {
    const MOST: usize = 64 << 20;
    let stored = &tensor.string_val;
    // A long name that stands for a million others must not become a million long names.
    let filled = n.saturating_sub(stored.len()).saturating_mul(stored.last().map_or(0, Vec::len));
    let n = if filled > MOST { n.min(stored.len()) } else { n };
    (0..n).map(|at| stored.get(at).or(stored.last()).cloned().unwrap_or_default()).collect()
}

/// The elements of a constant of int32 or int64, which is how shapes are given. At most 255: no tensor has more
/// dimensions.
pub(super) fn integers(tensor: &pb::TensorProto) -> Vec<i64> {
    let content = &tensor.tensor_content;
    let wide = tensor.dtype == DType::Int64.number();
    if !content.is_empty() {
        let size = if wide { 8 } else { 4 };
        return content.chunks_exact(size).take(255).map(little_endian).collect();
    }
    let n = tensor.tensor_shape.as_ref().and_then(|shape| shape_of(shape).elements()).unwrap_or(1).min(255);
    let stored: Vec<i64> =
        if wide { tensor.int64_val.clone() } else { tensor.int_val.iter().map(|value| i64::from(*value)).collect() };
    let n = usize::try_from(n).unwrap_or(0);
    (0..n).map(|at| stored.get(at).or(stored.last()).copied().unwrap_or(0)).collect()
}

/// Four or eight bytes as a signed number.
fn little_endian(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
    let start = if negative { -1i64 } else { 0 };
    bytes.iter().rev().fold(start, |number, byte| (number << 8) | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Value;

    fn parsed(text: &str, check: impl FnOnce(&Graph<'_>)) {
        let bytes = pb::from_text("tensorflow.GraphDef", "graph", text.as_bytes()).unwrap();
        check(&Graph::parse(Field { number: 2, value: Value::Bytes(&bytes), offset: 0 }).unwrap());
    }

    #[test]
    fn inputs_of_graphs_and_functions() {
        let input = |text: &'static [u8]| {
            let Input { node, output, is_control } = Input::parse(text);
            (node, output, is_control)
        };
        assert_eq!(input(b"a/b"), (&b"a/b"[..], 0, false));
        assert_eq!(input(b"a:3"), (&b"a"[..], 3, false));
        assert_eq!(input(b"^a"), (&b"a"[..], 0, true));
        assert_eq!(input(b"RestoreV2:tensors:12"), (&b"RestoreV2"[..], 12, false));
    }

    #[test]
    fn sources_are_found_behind_identities_and_cycles_end() {
        let text = "node { name: 'v' op: 'VarHandleOp' } node { name: 'i' op: 'Identity' input: 'v' }
            node { name: 'j' op: 'Identity' input: 'i:0' } node { name: 'x' op: 'Identity' input: 'x' }";
        parsed(text, |graph| {
            let input = |node| Input { node, output: 0, is_control: false };
            let Ok(Some(Origin::Node(node, 0))) = graph.nodes.source(input(b"j"), |_| ()) else { panic!("not found") };
            assert_eq!(node.name, b"v");
            assert!(graph.nodes.source(input(b"x"), |_| ()).unwrap().is_none());
            assert!(matches!(graph.nodes.source(input(b"arg"), |_| ()), Ok(Some(Origin::Name(b"arg")))));
        });
    }

    #[test]
    fn constants_repeat_their_last_value() {
        let tensor = |text: &str| {
            let bytes = pb::from_text("tensorflow.TensorProto", "tensor", text.as_bytes()).unwrap();
            pb::decode::<pb::TensorProto>("tensor", &bytes, 0).unwrap()
        };
        assert_eq!(strings(&tensor("string_val: 'a' string_val: 'b'"), 3), [b"a", b"b", b"b"]);
        assert_eq!(strings(&tensor(""), 1), [b""]);
        assert_eq!(integers(&tensor("dtype: DT_INT32 tensor_shape { dim { size: 2 } } int_val: 7")), [7, 7]);
        let content = r"dtype: DT_INT32 tensor_content: '\377\377\377\377\002\000\000\000'";
        assert_eq!(integers(&tensor(content)), [-1, 2]);
        assert_eq!(integers(&tensor(r"dtype: DT_INT64 tensor_content: '\001\000\000\000\000\000\000\000'")), [1]);
    }
}
