//! The nodes of a graph as far as somebody may name them: what can be fed, and where it ends.

use std::collections::HashSet;

use super::names::{listed, no_such};
use super::port::{Port, of_info, shape_text};
use crate::base::error::Result;
use crate::read::graphs::graph::Part;
use crate::read::graphs::meta_graph::TensorInfo;
use crate::read::tensor::{DType, Shape};

/// What is asked of the nodes of a graph.
pub(super) struct Nodes {
    /// Of every node its name; of those that stand for a value that is fed what they say of it.
    all: Vec<(String, Option<Placeholder>)>,
    /// Whether some of them hold values that must come from somewhere.
    pub(super) has_variables: bool,
    /// Nodes that no other node takes anything of.
    ends: Vec<String>,
}

/// A node that stands for a value that is fed.
struct Placeholder {
    dtype: Option<DType>,
    shape: Shape,
    has_value: bool,
}

/// The first producer whose placeholders without dimensions are scalars; those of before take any shape.
///
/// TensorFlow: `Placeholder` in `core/ops/array_ops.cc`.
const SCALARS_SINCE: i32 = 24;

/// Whether a node may make a value that somebody wants to see. What trains, saves and holds variables does not.
fn speaks(name: &str, op: &str) -> bool {
    const OPS: [&str; 8] = [
        "NoOp",
        "Const",
        "Placeholder",
        "PlaceholderWithDefault",
        "VarHandleOp",
        "VarIsInitializedOp",
        "Assert",
        "MergeV2Checkpoints",
    ];
    const BEGIN: [&str; 6] = ["Assign", "Apply", "ResourceApply", "Save", "Restore", "Initialize"];
    let of_training = name.starts_with("gradients/") || name.starts_with("save/") || name.ends_with("/read");
    !OPS.contains(&op) && !BEGIN.iter().any(|begin| op.starts_with(begin)) && !of_training
}

impl Nodes {
    /// The ops that fill the tables of a graph: those that its collection names, or, where it has none, the one that
    /// `tf.tables_initializer` made under its own name.
    pub(super) fn table_initializers(&self, part: &Part<'_>) -> Vec<String> {
        let here: HashSet<&str> = self.all.iter().map(|(name, _)| name.as_str()).collect();
        let named = part.meta.table_initializers.iter().map(String::as_str);
        let own = part.is_bare().then_some("init_all_tables");
        named.chain(own).filter(|name| here.contains(name)).map(str::to_owned).collect()
    }

    pub(super) fn of(part: &Part<'_>) -> Result<Self> {
        let mut nodes = Self { all: Vec::new(), has_variables: false, ends: Vec::new() };
        let mut taken = HashSet::new();
        let mut speaking = Vec::new();
        part.each_node(|node| {
            let name = String::from_utf8_lossy(node.name).into_owned();
            let op = String::from_utf8_lossy(node.op);
            let placeholder = match &*op {
                "Placeholder" | "PlaceholderV2" | "PlaceholderWithDefault" => {
                    let shape = node.shape(b"shape")?;
                    // So the op was described before producers with this number.
                    let is_any = part.meta.producer < SCALARS_SINCE && op == "Placeholder" && shape.rank() == Some(0);
                    Some(Placeholder {
                        dtype: node.dtype(b"dtype")?,
                        shape: if is_any { Shape::unknown_rank() } else { shape },
                        has_value: op == "PlaceholderWithDefault",
                    })
                }
                _ => None,
            };
            nodes.has_variables |= matches!(&*op, "VariableV2" | "Variable" | "VarHandleOp");
            node.each_input(|input| {
                taken.insert(input.node.to_vec());
            })?;
            if speaks(&name, &op) {
                speaking.push(name.clone());
            }
            nodes.all.push((name, placeholder));
            Ok(())
        })?;
        speaking.retain(|name| !taken.contains(name.as_bytes()));
        nodes.ends = speaking;
        Ok(nodes)
    }

    fn find(&self, tensor: &str) -> Option<&(String, Option<Placeholder>)> {
        let node = tensor.rsplit_once(':').map_or(tensor, |(node, _)| node);
        self.all.iter().find(|(name, _)| name == node)
    }

    /// An input of a signature. What a placeholder says of its shape counts before what the signature does, which may
    /// lack it: that reads as a scalar, and could be anything.
    pub(super) fn input(&self, name: &str, info: &TensorInfo) -> Port {
        let placeholder = self.find(&info.name).and_then(|(_, found)| found.as_ref());
        let shape = match placeholder {
            Some(found) if found.shape.rank().is_some() => found.shape.clone(),
            _ if info.shape.rank() == Some(0) => Shape::unknown_rank(),
            _ => info.shape.clone(),
        };
        Port { shape, is_optional: placeholder.is_some_and(|found| found.has_value), ..of_info(name, info) }
    }

    /// A tensor by its name in the graph.
    pub(super) fn port(&self, tensor: &str) -> Result<Port> {
        let Some((_, placeholder)) = self.find(tensor) else {
            let names: Vec<&str> = self.all.iter().map(|(name, _)| name.as_str()).collect();
            let node = tensor.rsplit_once(':').map_or(tensor, |(node, _)| node);
            return Err(no_such("node", node, &names));
        };
        let (dtype, shape) = match placeholder {
            Some(found) => (found.dtype, found.shape.clone()),
            None => (None, Shape::unknown_rank()),
        };
        Ok(Port { name: tensor.to_owned(), tensor: tensor.to_owned(), dtype, shape, is_optional: false })
    }

    pub(super) fn feed_help(&self) -> String {
        let fed = self.all.iter().filter_map(|(name, found)| found.as_ref().map(|found| (name, found)));
        let fed = fed.filter(|(_, found)| !found.has_value);
        let text = |(name, found): (&String, &Placeholder)| {
            let dtype = found.dtype.map_or_else(String::new, |dtype| format!("{dtype} "));
            format!("{name}:0 ({dtype}{})", shape_text(&found.shape))
        };
        let fed: Vec<String> = fed.map(text).collect();
        let fed: Vec<&str> = fed.iter().map(String::as_str).collect();
        let fed = if fed.is_empty() { String::new() } else { format!("; its placeholders are {}", listed(&fed)) };
        format!("say what goes in and comes out with --feed and --fetch{fed}; {}", self.fetch_help())
    }

    pub(super) fn fetch_help(&self) -> String {
        let ends: Vec<String> = self.ends.iter().map(|name| format!("{name}:0")).collect();
        let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
        if ends.is_empty() {
            "ckpt ops --list shows its ops".to_owned()
        } else {
            format!("it ends in {}", listed(&ends))
        }
    }
}
