//! The scopes that dominate a checkpoint, with repeated blocks folded into one.
//!
//! Names form a tree at their slashes. Siblings that differ only in a number and hold the same things (`layer_0` …
//! `layer_11`) are one row, times twelve; a scope that holds most of the bytes is opened further.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::roles::short_name;
use crate::base::escape::escaped;
use crate::read::checkpoint::{Tensor, Tensors};
use crate::read::tensor::Shape;

/// One scope, or several that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its path; of several, with the numbers in braces: `encoder/layer_{0..11}`.
    pub path: String,
    /// How many scopes it stands for.
    pub times: usize,
    /// Tensors in all of them.
    pub tensors: usize,
    /// Elements in all of them.
    pub parameters: u64,
    /// Bytes in all of them.
    pub bytes: u64,
    /// The tensors that lie directly in one of them, by name.
    pub leaves: Vec<(String, Shape)>,
    /// Whether there are scopes inside.
    pub has_inner: bool,
}

#[derive(Debug, Default)]
struct Node {
    children: BTreeMap<Box<[u8]>, usize>,
    /// The first tensors that lie directly in it, as positions, and how many bytes of their names are the scope's; all
    /// of them are in the sums and the signature.
    leaves: Vec<(u32, u32)>,
    /// Sums over the tensors that lie directly in it.
    own: Sums,
    /// Sums over what lies in scopes of it that are not told apart any more.
    rest: Sums,
    /// Sums over everything in it.
    all: Sums,
    /// A hash of what it holds: names, dtypes and shapes.
    signature: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    tensors: usize,
    parameters: u64,
    bytes: u64,
}

impl Sums {
    fn add(&mut self, tensor: &Tensor) {
        self.tensors += 1;
        let parameters = if tensor.is_numeric() { tensor.elements().unwrap_or(0) } else { 0 };
        self.parameters = self.parameters.saturating_add(parameters);
        self.bytes = self.bytes.saturating_add(tensor.bytes().unwrap_or(0));
    }
}

/// The nodes of all names, the root first. In one vector, so that a deep name costs no stack.
struct Tree<'t> {
    tensors: &'t Tensors,
    nodes: Vec<Node>,
}

/// How deep names are taken apart; what lies deeper belongs to the scope at this depth.
const DEPTH: usize = 32;

/// How many scopes are told apart; beyond, names are no longer taken apart, and their sums still count.
const SCOPES: usize = 1 << 16;

/// How many tensors of a scope are remembered by name.
const LEAVES: usize = 32;

/// The scopes that hold the most bytes, `most` of them at most, and how many others there are. Only tensors whose
/// positions `counts` are looked at.
pub fn scopes(tensors: &Tensors, counts: impl Fn(usize) -> bool, most: usize) -> (Vec<Scope>, usize) {
    let tree = Tree::build(tensors, counts);
    let total = tree.node(0).map_or(0, |root| root.all.bytes);
    let mut rows = tree.fold(0, "");
    // Open the largest scope as long as it holds most of everything and the rows stay few.
    loop {
        rows.sort_by(|a, b| (b.0.bytes, &a.0.path).cmp(&(a.0.bytes, &b.0.path)));
        let opened = rows.iter().position(|(scope, _)| {
            scope.has_inner && scope.leaves.is_empty() && scope.times == 1 && scope.bytes > total / 3
        });
        let Some(at) = opened else { break };
        let (scope, node) = rows.remove(at);
        let inner = tree.fold(node, &scope.path);
        let grows = inner.len() > 1 && rows.len().saturating_add(inner.len()) > most;
        if inner.is_empty() || grows {
            rows.insert(at, (scope, node));
            break;
        }
        rows.extend(inner);
    }
    let others = rows.len().saturating_sub(most);
    rows.truncate(most);
    (rows.into_iter().map(|(scope, _)| scope).collect(), others)
}

impl<'t> Tree<'t> {
    fn build(tensors: &'t Tensors, counts: impl Fn(usize) -> bool) -> Self {
        let mut tree = Self { tensors, nodes: vec![Node::default()] };
        let mut path = Vec::new();
        let mut cursor = tensors.cursor();
        while let Some((position, tensor)) = cursor.advance() {
            if !counts(position) {
                continue;
            }
            let mut rest = short_name(&tensor.name);
            let mut at = 0;
            let mut is_rest = false;
            path.clear();
            path.push(at);
            while path.len() < DEPTH
                && let Some(slash) = rest.iter().position(|b| *b == b'/')
            {
                let (component, behind) = rest.split_at(slash);
                let next = tree.nodes.len();
                let Some(node) = tree.nodes.get_mut(at) else { break };
                match node.children.get(component) {
                    Some(child) => at = *child,
                    None if next >= SCOPES => {
                        is_rest = true;
                        break;
                    }
                    None => {
                        node.children.insert(component.into(), next);
                        tree.nodes.push(Node::default());
                        at = next;
                    }
                }
                path.push(at);
                rest = behind.get(1..).unwrap_or_default();
            }
            for at in &path {
                if let Some(node) = tree.nodes.get_mut(*at) {
                    node.all.add(tensor);
                }
            }
            if let Some(node) = tree.nodes.get_mut(at) {
                if is_rest {
                    node.rest.add(tensor);
                } else {
                    node.own.add(tensor);
                }
                let mut hasher = DefaultHasher::new();
                (node.signature, rest, tensor.dtype, &tensor.shape).hash(&mut hasher);
                node.signature = hasher.finish();
                if !is_rest && node.leaves.len() < LEAVES {
                    let before = short_name(&tensor.name).len().saturating_sub(rest.len());
                    let leaf = u32::try_from(position).ok().zip(u32::try_from(before).ok());
                    node.leaves.extend(leaf);
                }
            }
        }
        tree.sign();
        tree
    }

    fn node(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at)
    }

    /// Adds what lies in its scopes to the hash of every node. Children come after their parents, so backwards is
    /// bottom-up.
    fn sign(&mut self) {
        for at in (0..self.nodes.len()).rev() {
            let mut hasher = DefaultHasher::new();
            let Some(node) = self.nodes.get(at) else { continue };
            node.signature.hash(&mut hasher);
            for (name, child) in &node.children {
                (name, self.node(*child).map(|n| n.signature)).hash(&mut hasher);
            }
            let signature = hasher.finish();
            if let Some(node) = self.nodes.get_mut(at) {
                node.signature = signature;
            }
        }
    }

    /// The scopes directly inside a node, alike ones folded; tensors directly in it make one more row.
    fn fold(&self, at: usize, path: &str) -> Vec<(Scope, usize)> {
        let Some(node) = self.node(at) else { return Vec::new() };
        let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
        let mut groups: BTreeMap<(String, String, u64), Vec<(u64, usize)>> = BTreeMap::new();
        for (name, child) in &node.children {
            let Some(inner) = self.node(*child) else { continue };
            let name = escaped(name);
            let (before, number, after) = numbered(&name);
            let key = (before.to_owned(), after.to_owned(), inner.signature);
            groups.entry(key).or_default().push((number.unwrap_or(u64::MAX), *child));
        }
        let mut rows = Vec::new();
        for ((before, after, _), mut members) in groups {
            members.sort_unstable();
            let numbers: Vec<u64> = members.iter().map(|(number, _)| *number).collect();
            let name = match numbers.as_slice() {
                [u64::MAX] => format!("{before}{after}"),
                [only] => format!("{before}{only}{after}"),
                many => format!("{before}{{{}}}{after}", ranges(many)),
            };
            let Some((first, inner)) = members.first().and_then(|(_, at)| Some((*at, self.node(*at)?))) else {
                continue;
            };
            let mut scope = self.scope(join(&name), inner);
            scope.times = members.len();
            for node in members.iter().filter_map(|(_, at)| self.node(*at)) {
                scope.add(node.all);
            }
            rows.push((scope, first));
        }
        if node.own.tensors > 0 {
            let mut scope = self.scope(if path.is_empty() { "(top level)".to_owned() } else { path.to_owned() }, node);
            scope.add(node.own);
            scope.has_inner = false;
            rows.push((scope, at));
        }
        if node.rest.tensors > 0 {
            let mut scope = self.scope(join("(rest: more scopes than are told apart)"), node);
            scope.leaves.clear();
            scope.add(node.rest);
            scope.has_inner = false;
            rows.push((scope, at));
        }
        rows
    }

    /// A scope that looks like `node`, without sums.
    fn scope(&self, path: String, node: &Node) -> Scope {
        let mut cursor = self.tensors.cursor();
        let leaf = |(at, before): &(u32, u32)| {
            let tensor = cursor.reach(*at as usize)?;
            let name = short_name(&tensor.name).get(*before as usize..)?;
            Some((escaped(name).into_owned(), tensor.shape.clone()))
        };
        Scope {
            path,
            times: 1,
            tensors: 0,
            parameters: 0,
            bytes: 0,
            leaves: node.leaves.iter().filter_map(leaf).collect(),
            has_inner: !node.children.is_empty(),
        }
    }
}

impl Scope {
    fn add(&mut self, sums: Sums) {
        self.tensors += sums.tensors;
        self.parameters = self.parameters.saturating_add(sums.parameters);
        self.bytes = self.bytes.saturating_add(sums.bytes);
    }
}

/// Splits a component at its last number: `layer_11_x` into `layer_`, 11 and `_x`.
pub(in crate::analysis) fn numbered(name: &str) -> (&str, Option<u64>, &str) {
    let Some(end) = name.rfind(|c: char| c.is_ascii_digit()) else { return (name, None, "") };
    let end = end.saturating_add(1);
    let head = name.get(..end).unwrap_or(name);
    let start = head.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let digits = name.get(start..end).unwrap_or_default();
    // A padded number would come out without its zeros.
    let number = digits.parse().ok().filter(|n: &u64| n.to_string() == digits && *n != u64::MAX);
    match number {
        Some(number) => (name.get(..start).unwrap_or_default(), Some(number), name.get(end..).unwrap_or_default()),
        None => (name, None, ""),
    }
}

/// Sorted numbers as ranges: `0..11`, `0..3,5`.
pub(in crate::analysis) fn ranges(numbers: &[u64]) -> String {
    let mut out: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match out.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => out.push((number, number)),
        }
    }
    let text = out.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}..{b}") });
    text.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::checkpoint::{Parts, Place};
    use crate::read::tensor::DType;

    fn tensor(name: &str, dims: &[i64]) -> Tensor {
        let bytes = dims.iter().product::<i64>() * 4;
        let parts = Parts::Whole(Place { shard: 0, range: Some((0, bytes)), crc32c: None });
        Tensor { name: name.into(), dtype: DType::Float32, shape: Shape::new(dims), parts }
    }

    #[test]
    fn repeated_blocks_fold_and_different_ones_do_not() {
        let mut tensors = vec![tensor("bert/embeddings/word", &[10, 4]), tensor("dense/kernel", &[2, 2])];
        for n in 0..12 {
            tensors.push(tensor(&format!("bert/encoder/layer_{n}/kernel"), &[4, 4]));
        }
        tensors.push(tensor("dense_1/kernel", &[2, 3]));
        let (rows, others) = scopes(&tensors.into_iter().collect(), |_| true, 10);
        let paths: Vec<_> = rows.iter().map(|r| (r.path.as_str(), r.times, r.tensors)).collect();
        assert_eq!(
            paths,
            [("bert/encoder/layer_{0..11}", 12, 12), ("bert/embeddings", 1, 1), ("dense_1", 1, 1), ("dense", 1, 1)]
        );
        assert_eq!(others, 0);
        assert_eq!(rows[0].leaves, [("kernel".to_owned(), Shape::new([4, 4]))]);
    }

    #[test]
    fn numbers_in_names() {
        assert_eq!(numbered("layer_11"), ("layer_", Some(11), ""));
        assert_eq!(numbered("block3_conv"), ("block", Some(3), "_conv"));
        assert_eq!(numbered("part_007"), ("part_007", None, ""));
        assert_eq!(numbered("dense"), ("dense", None, ""));
        assert_eq!(ranges(&[0, 1, 2, 5]), "0..2,5");
    }

    #[test]
    fn a_name_of_many_slashes_costs_no_stack() {
        let name = "/".repeat(1_000_000);
        let deep = [tensor(&name, &[1])];
        assert_eq!(scopes(&deep.into_iter().collect(), |_| true, 10).0.len(), 1);
    }
}
