//! Object graphs: cycles, wrong references, depth, breadth, and bytes that are no graph.

use super::{Case, base};
use crate::bundle::{BundleBuilder, OBJECT_GRAPH_KEY};
use crate::dtype;
use crate::graph::{Node, ObjectGraph};
use crate::proto::{Msg, varint};

const KEY: &str = "v/.ATTRIBUTES/VARIABLE_VALUE";

/// A bundle of the variable `v` and a graph.
fn with(graph: impl AsRef<[u8]>) -> BundleBuilder {
    BundleBuilder::new().floats(KEY, &[1], &[1.5]).object_graph(graph)
}

/// The graph: these nodes.
fn nodes(nodes: Vec<Node>) -> BundleBuilder {
    with(nodes.into_iter().fold(ObjectGraph::new(), ObjectGraph::node).build())
}

fn root() -> Node {
    Node::new().child(1, "v")
}

fn variable() -> Node {
    Node::new().variable("foo", KEY)
}

/// Unknown messages in each other, from the inside out.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inner, _| Msg::new().bytes(9, inner).build())
}

pub(super) fn cases() -> Vec<Case> {
    let c = Case::damaged;
    let legal = Case::legal;
    let fine = || ObjectGraph::of_variables(&[(&["v"], "foo")]).build();
    let groups = |depth: usize| [vec![0x53; depth], vec![0x54; depth]].concat();
    let chain = (0..100_000).map(|i| Node::new().child(i + 1, "n"));
    let ladder = (0..60).map(|i| Node::new().child(i + 1, "l").child(i + 1, "r"));
    let wide = (0..100_000).fold(Node::new(), |node, i| node.child(1, &format!("v{i}")));
    vec![
        c("graph-garbage", "a graph that is no message").built(with([0xff; 40])),
        c("graph-cut", "half a graph").built(with(&fine()[..fine().len() / 2])),
        c("graph-empty", "a graph without nodes, not even a root").built(with([])),
        c("graph-node-claims-2-60", "a node that claims 2^60 bytes")
            .built(with([vec![0x0a], varint(1 << 60), vec![0; 4]].concat())),
        c("graph-child-out-of-range", "a child that is no node").built(nodes(vec![root().child(7, "x"), variable()])),
        c("graph-child-negative", "a child of number -1").built(nodes(vec![root().child(-1, "x"), variable()])),
        c("graph-child-max", "a child of number 2^31 - 1").built(nodes(vec![root().child(i32::MAX, "x"), variable()])),
        c("graph-slot-out-of-range", "slot variables of and at nodes that are not there")
            .built(nodes(vec![root().slot(9, "m", 8).slot(1, "v", -1), variable()])),
        Case::arguable("graph-same-name-twice", "two children of one name")
            .built(nodes(vec![root().child(0, "v"), variable()])),
        c("graph-key-missing", "an attribute whose tensor is not there").built(nodes(vec![
            root().child(2, "w"),
            variable(),
            Node::new().variable("bar", "w/.ATTRIBUTES/VARIABLE_VALUE"),
        ])),
        Case::arguable("graph-tensor-unreachable", "a tensor that no node mentions").built(with(fine()).floats(
            "orphan",
            &[1],
            &[1.0],
        )),
        Case::arguable("graph-node-unreachable", "a node that nothing leads to")
            .built(nodes(vec![Node::new(), variable()])),
        c("graph-as-numbers", "the graph's key holds floats").built(base().floats(OBJECT_GRAPH_KEY, &[1], &[1.0])),
        c("graph-as-two-strings", "the graph's key holds two strings").built(base().strings(
            OBJECT_GRAPH_KEY,
            &[2],
            &[fine(), fine()],
        )),
        c("graph-as-no-strings", "the graph's key holds no string").built(base().strings(
            OBJECT_GRAPH_KEY,
            &[0],
            &[""; 0],
        )),
        c("graph-bad-checksum", "the graph's checksum is wrong")
            .built(with(fine()).entry_patch(OBJECT_GRAPH_KEY, |e| e.crc ^= 1)),
        c("graph-name-invalid-utf8", "a local name that is not UTF-8").built(nodes(vec![
            root().raw(Msg::new().msg(1, Msg::new().int(1, 1).bytes(2, b"caf\xe9")).build()),
            variable(),
        ])),
        c("graph-wrong-wire-types", "nodes written as numbers").built(with(Msg::new().int(1, 5).int(1, 6).build())),
        c("graph-field-zero", "a field of number 0 in a node").built(nodes(vec![root().raw([0, 0]), variable()])),
        c("graph-open-groups", "ten thousand groups that nobody closes")
            .built(nodes(vec![root().raw(vec![0x53; 10_000]), variable()])),
        Case::arguable("graph-deep-groups", "ten thousand groups in each other, in an unknown field")
            .built(nodes(vec![root().raw(groups(10_000)), variable()])),
        Case::arguable("graph-million-nodes", "a million empty nodes, none reachable")
            .built(with([fine(), [0x0a, 0x00].repeat(1_000_000)].concat())),
        Case::arguable("graph-attribute-without-key", "an attribute whose key is empty")
            .built(nodes(vec![root(), variable().attribute("x", "", "")])),
        Case::arguable("graph-name-empty", "a child without a name")
            .built(nodes(vec![root().child(1, ""), variable()])),
        Case::arguable("graph-has-values-lies", "a node that denies what it stores")
            .built(nodes(vec![root().has_checkpoint_values(false), variable().has_checkpoint_values(false)])),
        legal("graph-deep-messages", "two thousand messages in each other, in an unknown field")
            .built(nodes(vec![root().raw(nested(2000)), variable()])),
        legal("graph-cycle", "a child that leads back to the root")
            .built(nodes(vec![root(), variable().child(0, "owner")])),
        legal("graph-own-child", "a node that is its own child")
            .built(nodes(vec![root().child(0, "self"), variable()])),
        legal("graph-ladder", "sixty nodes in a row, two edges between each: 2^60 paths")
            .built(nodes(ladder.chain([Node::new().child(61, "v"), variable()]).collect())),
        legal("graph-chain-of-100000", "a path of a hundred thousand nodes")
            .built(nodes(chain.chain([variable()]).collect())),
        legal("graph-100000-children", "a root with a hundred thousand edges to one node")
            .built(nodes(vec![wide, variable()])),
        legal("graph-registered-saver", "a node with a registered saver").built(nodes(vec![
            root().child(2, "t"),
            variable(),
            Node::new().registered_saver("Custom.Saver", "t"),
        ])),
        legal("graph-names-to-escape", "local names with dots, slashes, escape sequences and nothing visible")
            .built(nodes(vec![root().child(1, "a.b/c").child(1, "\x1b[31m\n").child(1, "\u{202e}x"), variable()])),
        legal("graph-key-is-prefix", "an attribute whose key is the beginning of its tensors' keys").built(
            BundleBuilder::new()
                .floats("h/.ATTRIBUTES/table-keys", &[1], &[1.0])
                .floats("h/.ATTRIBUTES/table-values", &[1], &[1.0])
                .object_graph(
                    ObjectGraph::new()
                        .node(Node::new().child(1, "h"))
                        .node(Node::new().attribute("table", "", "h/.ATTRIBUTES/table"))
                        .build(),
                ),
        ),
        Case::damaged("graph-key-of-other-type", "the variable that the graph names is a variant")
            .built(with(fine()).entry_patch(KEY, |e| e.dtype = dtype::VARIANT)),
    ]
}
