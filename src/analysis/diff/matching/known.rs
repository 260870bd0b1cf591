//! What an index has, by checksum, and what is found in it.

use std::collections::{BTreeMap, BTreeSet};

use super::orders::{Order, backwards, orders};
use super::side::{Data, narrower};
use super::walk::Stretch;
use super::work::Work;
use crate::analysis::diff::how::Rounded;
use crate::read::tensor::DType;

/// Tensors of an index by dtype, number of elements and checksum.
pub(super) type Known = BTreeMap<(i32, u64, u32), Vec<usize>>;

/// A tensor of the index that has the checksum of one of the other side.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) order: Order,
    pub(super) cast: Option<Rounded>,
    pub(super) stretch: Option<Stretch>,
    /// Rounding has the dtype of this.
    pub(super) key: (i32, u64, u32),
    /// Of a stretch: whether any model could have it.
    pub(super) says_nothing: bool,
}

/// What the index of a side has without a partner so far.
pub(super) fn known(work: &Work<'_>, side: usize) -> Known {
    let mut known = Known::new();
    for (at, item) in work.free_items(side) {
        if let Data::Sum(crc) = item.data {
            known.entry((item.tensor.dtype.number(), item.count, crc.0)).or_default().push(at);
        }
    }
    known
}

/// The dtypes of an index that a tensor could have there.
pub(super) fn targets(own: DType, there: &BTreeSet<i32>) -> Vec<DType> {
    let all = std::iter::once(own).chain(narrower(own).iter().copied());
    all.filter(|dtype| there.contains(&dtype.number())).collect()
}

/// The order that leads back.
pub(super) fn turned(order: &Order, wanted: &[u64], data: &[u64]) -> Option<Order> {
    let back = |candidate: &Order| {
        let len = order.walk.len();
        let step = (len / 64).max(1);
        (0..len).step_by(step).all(|n| order.walk.at(n).and_then(|at| candidate.walk.at(at)) == Some(n))
    };
    orders(wanted, data).into_iter().chain(backwards(wanted, data)).find(back)
}
