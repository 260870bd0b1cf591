//! Where the bytes of a checkpoint lie: scopes within scopes, the largest told apart and the rest summed up.
//!
//! Names come sorted, so that what lies in a scope is together, and a scope is closed when the next begins. What is too
//! small to be told apart is summed up at that moment: memory does not grow with the number of tensors.

use std::cmp::Ordering;

use crate::analysis::naming::roles::{Role, Roles, short_name};
use crate::analysis::naming::totals::Totals;
use crate::read::checkpoint::{Checkpoint, Tensor};

/// How deep scopes are told apart.
const DEEPEST: usize = 24;

/// A scope or a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its components below the branch that it lies in, joined by `/`, as stored.
    pub name: Vec<u8>,
    /// Sums over everything in it.
    pub totals: Totals,
    /// The position of the tensor, if it is one.
    pub tensor: Option<usize>,
    /// What most of its bytes are for.
    pub role: Role,
    /// What lies in it, the largest first; what is not told apart is missing.
    pub inner: Vec<Branch>,
    /// What is not told apart: tensors, and their sums.
    pub rest: Totals,
}

/// A scope that is still open.
struct Open {
    name: Vec<u8>,
    totals: Totals,
    by_role: [u64; Role::ALL.len()],
    inner: Vec<Branch>,
    rest: Totals,
}

impl Open {
    fn new(name: &[u8]) -> Self {
        Self {
            name: name.to_vec(),
            totals: Totals::default(),
            by_role: [0; Role::ALL.len()],
            inner: Vec::new(),
            rest: Totals::default(),
        }
    }

    fn close(self) -> Branch {
        let Self { name, totals, by_role, mut inner, rest } = self;
        inner.sort_by(|a, b| b.totals.bytes.cmp(&a.totals.bytes).then_with(|| a.name.cmp(&b.name)));
        let largest = Role::ALL.into_iter().zip(by_role).max_by_key(|(role, bytes)| (*bytes, std::cmp::Reverse(*role)));
        Branch { name, totals, tensor: None, role: largest.map_or(Role::Other, |(role, _)| role), inner, rest }
    }
}

impl Branch {
    /// The tensors of a checkpoint as a tree of scopes, in which at most `most` tensors and scopes are told apart, the
    /// largest ones. A scope that holds nothing but another one is one branch with it.
    pub fn of(checkpoint: &Checkpoint, roles: &Roles, most: usize) -> Self {
        // No more than this many can be as large as this.
        let least = (roles.totals().bytes / (most.max(1) as u64).saturating_mul(2)).max(1);
        let mut open = vec![Open::new(b"")];
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((at, tensor)) = cursor.advance() {
            enter(&mut open, at, tensor, roles.role(at), least);
        }
        close_to(&mut open, 0, least);
        let mut tree = open.pop().map_or_else(|| Open::new(b"").close(), Open::close);
        while tree.count() > most.max(1) {
            let mut sizes = Vec::new();
            tree.sizes(&mut sizes);
            sizes.sort_unstable_by(|a, b| b.cmp(a));
            let Some(cut) = sizes.get(most.max(1)).copied() else { break };
            let larger = sizes.partition_point(|size| *size > cut);
            tree.drop_small(cut, &mut most.max(1).saturating_sub(larger));
        }
        tree.join();
        tree
    }

    /// Branches below this one.
    pub fn count(&self) -> usize {
        self.inner.iter().map(|inner| inner.count().saturating_add(1)).sum()
    }

    fn sizes(&self, into: &mut Vec<u64>) {
        for inner in &self.inner {
            into.push(inner.totals.bytes);
            inner.sizes(into);
        }
    }

    /// Sums up branches below a size, and of those that have just it all but so many.
    fn drop_small(&mut self, size: u64, keep: &mut usize) {
        let mut is_kept = |inner: &Self| match inner.totals.bytes.cmp(&size) {
            Ordering::Greater => true,
            Ordering::Equal if *keep > 0 => {
                *keep -= 1;
                true
            }
            _ => false,
        };
        let (large, small): (Vec<Self>, Vec<Self>) =
            std::mem::take(&mut self.inner).into_iter().partition(&mut is_kept);
        self.inner = large;
        for small in small {
            add(&mut self.rest, &small.totals);
        }
        self.inner.iter_mut().for_each(|inner| inner.drop_small(size, keep));
    }

    /// A scope with nothing but one branch becomes that one.
    fn join(&mut self) {
        for inner in &mut self.inner {
            inner.join();
            while inner.rest.tensors == 0 && inner.inner.len() == 1 && inner.tensor.is_none() {
                let Some(only) = inner.inner.pop() else { break };
                let mut name = std::mem::take(&mut inner.name);
                name.push(b'/');
                name.extend_from_slice(&only.name);
                *inner = Self { name, ..only };
            }
        }
    }
}

fn add(sum: &mut Totals, more: &Totals) {
    *sum = [*sum, *more].iter().sum();
}

/// Takes one tensor in; names come sorted.
fn enter(open: &mut Vec<Open>, at: usize, tensor: &Tensor, role: Role, least: u64) {
    let path: Vec<&[u8]> = short_name(&tensor.name).splitn(DEEPEST, |byte| *byte == b'/').collect();
    let Some((leaf, scopes)) = path.split_last() else { return };
    let same = open.iter().skip(1).zip(scopes).take_while(|(open, scope)| open.name == **scope).count();
    close_to(open, same, least);
    for scope in scopes.iter().skip(same) {
        open.push(Open::new(scope));
    }
    let mut totals = Totals::default();
    totals.add(tensor);
    for scope in open.iter_mut() {
        add(&mut scope.totals, &totals);
        if let Some(bytes) = Role::ALL.iter().position(|of| *of == role).and_then(|n| scope.by_role.get_mut(n)) {
            *bytes = bytes.saturating_add(totals.bytes);
        }
    }
    let Some(scope) = open.last_mut() else { return };
    if totals.bytes < least {
        add(&mut scope.rest, &totals);
    } else {
        let (name, rest) = (leaf.to_vec(), Totals::default());
        scope.inner.push(Branch { name, totals, tensor: Some(at), role, inner: Vec::new(), rest });
    }
}

/// Closes scopes until so many are open below the whole.
fn close_to(open: &mut Vec<Open>, depth: usize, least: u64) {
    while open.len() > depth.saturating_add(1) {
        let Some(closed) = open.pop() else { return };
        let Some(outer) = open.last_mut() else { return };
        if closed.totals.bytes < least {
            add(&mut outer.rest, &closed.totals);
        } else {
            outer.inner.push(closed.close());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::checkpoint::{Parts, Place};
    use crate::read::tensor::{DType, Shape};

    /// The tree of tensors with these names and numbers of float32 elements.
    fn tree(tensors: &[(&str, i64)], least: u64) -> Branch {
        let mut open = vec![Open::new(b"")];
        for (at, (name, elements)) in tensors.iter().enumerate() {
            let parts = Parts::Whole(Place { shard: 0, range: Some((0, elements * 4)), crc32c: None });
            let shape = Shape::new([*elements]);
            let tensor = Tensor { name: name.as_bytes().into(), dtype: DType::Float32, shape, parts };
            let role = if name.ends_with("/m") { Role::Slot } else { Role::Weight };
            enter(&mut open, at, &tensor, role, least);
        }
        close_to(&mut open, 0, least);
        let mut tree = open.pop().unwrap().close();
        tree.join();
        tree
    }

    fn adds_up(branch: &Branch) {
        if branch.tensor.is_none() {
            let inner: usize = branch.inner.iter().map(|inner| inner.totals.tensors).sum();
            assert_eq!(branch.totals.tensors, inner + branch.rest.tensors, "{:?}", branch.name);
        }
        branch.inner.iter().for_each(adds_up);
    }

    #[test]
    fn what_is_small_is_summed_up_and_nothing_is_lost() {
        let tensors = [("a-b", 1), ("a/b/c/k", 50), ("a/b/c/k/m", 60), ("a/b/d", 2), ("a/c", 3), ("z/only/one", 40)];
        let tree = tree(&tensors, 40);
        let sum: i64 = tensors.iter().map(|(_, n)| n * 4).sum();
        assert_eq!((tree.totals.tensors, tree.totals.bytes), (6, u64::try_from(sum).unwrap()));
        let names: Vec<_> = tree.inner.iter().map(|inner| String::from_utf8(inner.name.clone()).unwrap()).collect();
        assert_eq!(names, ["a", "z/only/one"]);
        assert_eq!((tree.rest.tensors, tree.inner[0].rest.tensors), (1, 1), "a-b, and a/c");
        assert_eq!(tree.inner[1].tensor, Some(5));
        assert_eq!(tree.inner[0].role, Role::Slot, "most of its bytes");
        adds_up(&tree);
    }
}
