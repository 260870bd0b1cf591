//! The nodes of a graph or of one function, found by name and followed by their inputs.
//!
//! A graph may be hundreds of megabytes of which a restore uses a few hundred nodes: of every node only name and op are
//! kept, as places in the file.

use std::collections::HashMap;

use super::{Function, Input, Node, Slice};
use crate::base::error::Result;
use crate::read::pb;

/// How many nodes are passed on the way from an operation to what feeds it. Chains of `Identity` are two or three
/// long; a cycle in a hostile graph ends here.
const CHAIN: usize = 64;

/// Some nodes that refer to each other by name: of a graph, or of one function in its library.
#[derive(Debug, Default)]
pub(in crate::read::graphs) struct Nodes<'a> {
    pub(in crate::read::graphs) all: Vec<Node<'a>>,
    by_name: HashMap<&'a [u8], usize>,
    /// Names of the arguments of a function.
    pub(in crate::read::graphs) arguments: Vec<&'a [u8]>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub(in crate::read::graphs) enum Feeder<'a> {
    /// An output of a node.
    Node(Node<'a>, usize),
    /// No node has this name: an argument of the function, or a mistake.
    Name(&'a [u8]),
}

impl<'a> Nodes<'a> {
    /// Those of a `GraphDef`, without its functions.
    pub(in crate::read::graphs) fn of_graph(graph: Slice<'a>) -> Result<Self> {
        let mut nodes = Self::default();
        graph.each(|field| {
            if field.number == 1 {
                nodes.push(Node::parse(field)?);
            }
            Ok(())
        })?;
        Ok(nodes)
    }

    /// Those of a function's body.
    pub(in crate::read::graphs) fn of_function(function: &Function<'a>) -> Result<Self> {
        let mut nodes = Self { arguments: function.arguments()?, ..Self::default() };
        function.each_node(|node| {
            nodes.push(node);
            Ok(())
        })?;
        Ok(nodes)
    }

    fn push(&mut self, node: Node<'a>) {
        self.by_name.insert(node.name, self.all.len());
        self.all.push(node);
    }

    /// The position of a node.
    pub(in crate::read::graphs) fn position(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The node with this name.
    pub(in crate::read::graphs) fn get(&self, name: &[u8]) -> Option<Node<'a>> {
        self.all.get(self.position(name)?).copied()
    }

    /// Where an input comes from, past any number of `Identity` nodes. Calls `pass` for every `Reshape` on the way.
    /// `None` for a chain that is too long or leads nowhere.
    pub(in crate::read::graphs) fn source(
        &self,
        input: Input<'a>,
        mut pass: impl FnMut(Node<'a>),
    ) -> Result<Option<Feeder<'a>>> {
        let mut input = input;
        for _ in 0..CHAIN {
            let Some(node) = self.get(input.node) else { return Ok(Some(Feeder::Name(input.node))) };
            match node.op {
                b"Identity" => {}
                b"Reshape" => pass(node),
                _ => return Ok(Some(Feeder::Node(node, input.output))),
            }
            let Some(first) = node.inputs()?.first().copied() else { return Ok(None) };
            input = first;
        }
        Ok(None)
    }

    /// The constant that an input is, if it is one.
    pub(in crate::read::graphs) fn constant(&self, input: Input<'a>) -> Result<Option<pb::TensorProto>> {
        let Some(Feeder::Node(node, _)) = self.source(input, |_| ())? else { return Ok(None) };
        Ok(match (node.op, node.value(b"value")?) {
            (b"Const", Some(pb::attr_value::Value::Tensor(tensor))) => Some(tensor),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_found_behind_identities_and_cycles_end() {
        let text = "node { name: 'v' op: 'VarHandleOp' } node { name: 'i' op: 'Identity' input: 'v' }
            node { name: 'j' op: 'Identity' input: 'i:0' } node { name: 'x' op: 'Identity' input: 'x' }";
        let bytes = pb::from_text("tensorflow.GraphDef", "graph", text.as_bytes()).unwrap();
        let nodes = Nodes::of_graph(Slice { bytes: &bytes, offset: 0 }).unwrap();
        let input = |node| Input { node, output: 0, control: false };
        let Ok(Some(Feeder::Node(node, 0))) = nodes.source(input(b"j"), |_| ()) else { panic!("not found") };
        assert_eq!(node.name, b"v");
        assert!(nodes.source(input(b"x"), |_| ()).unwrap().is_none());
        assert!(matches!(nodes.source(input(b"arg"), |_| ()), Ok(Some(Feeder::Name(b"arg")))));
    }
}
