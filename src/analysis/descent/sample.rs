//! A few thousand numbers of a checkpoint, from the largest weights that all of some checkpoints have.

use super::gather::Way;
use super::node::Node;
use crate::base::limits::Limits;
use crate::read::checkpoint::ElementBuffers;
use crate::read::storage::Window;
use crate::read::tensor::{Wide, Widener};

/// Weights, and numbers of each.
const WEIGHTS: usize = 4;
const EACH: u64 = 1024;

/// Which weights are looked at: those of the first that all others have in the same shape with other bytes, the largest
/// first.
pub(super) fn chosen(nodes: &[&Node], size_of: impl Fn(u32) -> u64) -> Vec<u32> {
    let Some((first, rest)) = nodes.split_first() else { return Vec::new() };
    let differs = |item: &super::node::Item| {
        let others: Vec<_> = rest.iter().filter_map(|node| node.find(item.name)).collect();
        others.len() == rest.len()
            && others.iter().all(|other| other.kind == item.kind)
            && others.iter().any(|other| other.print != item.print)
    };
    let mut weights: Vec<_> = first.items.iter().filter(|item| item.is_weight && differs(item)).collect();
    weights.sort_by_key(|item| (std::cmp::Reverse(size_of(item.print)), item.name));
    weights.into_iter().take(WEIGHTS).map(|item| item.name).collect()
}

/// The first numbers of each of these weights, one behind the other. `None` if one of them cannot be read.
pub(super) fn numbers(way: &Way, names: &[Box<[u8]>], limits: &Limits) -> Option<Vec<f64>> {
    let checkpoint = way.open(limits).ok()?;
    let mut all = Vec::new();
    let mut bytes = Window::default();
    for name in names {
        let tensor = checkpoint.tensor(name)?;
        let mut widener = Widener::new(tensor.dtype).filter(|_| tensor.dtype.is_float())?;
        let mut hold = ElementBuffers::default();
        let mut elements = checkpoint.elements(&tensor, &mut hold).ok()?;
        elements.read(0..elements.count().min(EACH), &mut bytes).ok()?;
        match widener.widen(&bytes) {
            Wide::Single(values) => all.extend(values.iter().copied().map(f64::from)),
            Wide::Double(values) => all.extend_from_slice(values),
            Wide::Int(_) | Wide::UInt(_) => return None,
        }
    }
    (all.iter().all(|number| number.is_finite()) && !all.is_empty()).then_some(all)
}

/// How alike two are: the cosine of the angle between them.
pub(super) fn likeness(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}
