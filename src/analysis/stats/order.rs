//! In which order tensors are told, and keeping only the first of them.

use std::cmp::Ordering;

use super::TensorStats;

/// What tensors are sorted by. Figures come with the largest first, and those without one last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatsSort {
    /// Name, as bytes.
    #[default]
    Name,
    /// Number of elements.
    Elements,
    /// Largest absolute value of a finite element.
    MaxAbs,
    /// Absolute value of the mean.
    Mean,
    /// Standard deviation.
    Deviation,
    /// L2 norm.
    Norm,
    /// Share of zeros.
    Zeros,
    /// Elements that are not finite.
    NonFinite,
    /// The largest singular value, of matrices; needs [`StatsOptions::spectral`](super::StatsOptions::spectral).
    Spectral,
}

/// An order of tensors. Those that are equal come by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatsOrder {
    /// What they are sorted by.
    pub by: StatsSort,
    /// Whether all of it is turned around.
    pub reverse: bool,
}

/// What an order needs to know of a tensor.
#[derive(Clone, Copy, Debug)]
pub struct SortKey {
    figure: Option<f64>,
    at: u32,
}

impl StatsOrder {
    /// Whether this is the order in which tensors are read.
    pub fn is_by_name(self) -> bool {
        self == Self::default()
    }

    /// What the order needs to know of this tensor.
    pub fn key(self, tensor: &TensorStats) -> SortKey {
        // A catalogue has no more positions than this; selections keep them in as many bits.
        SortKey { figure: figure(tensor, self.by), at: u32::try_from(tensor.at).unwrap_or(u32::MAX) }
    }

    /// The positions of these tensors, in order.
    pub fn sorted(self, mut keys: Vec<SortKey>) -> Vec<usize> {
        keys.sort_unstable_by(|a, b| self.compare(a, b));
        keys.into_iter().map(|key| key.at as usize).collect()
    }

    fn compare(self, a: &SortKey, b: &SortKey) -> Ordering {
        let by_figure = match (a.figure, b.figure) {
            (Some(a), Some(b)) => b.total_cmp(&a),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        let order = by_figure.then(a.at.cmp(&b.at));
        if self.reverse { order.reverse() } else { order }
    }
}

#[expect(clippy::cast_precision_loss, reason = "an order of counts")]
fn figure(tensor: &TensorStats, by: StatsSort) -> Option<f64> {
    let figures = &tensor.figures;
    if tensor.error.is_some() {
        return None;
    }
    match by {
        StatsSort::Name => None,
        StatsSort::Elements => Some(figures.elements as f64),
        StatsSort::MaxAbs => figures.largest(),
        StatsSort::Mean => figures.mean().map(f64::abs),
        StatsSort::Deviation => figures.deviation(),
        StatsSort::Norm => figures.mean().map(|_| figures.norm()),
        StatsSort::Zeros => (figures.elements > 0).then(|| figures.zeros as f64 / figures.elements as f64),
        StatsSort::NonFinite => Some(figures.elements.saturating_sub(figures.finite()) as f64),
        StatsSort::Spectral => tensor.spectral.as_ref().and_then(|spectrum| spectrum.sigma_max),
    }
}

/// The first tensors in some order, while all of them pass by.
#[derive(Debug)]
pub struct First {
    order: StatsOrder,
    most: usize,
    kept: Vec<TensorStats>,
}

impl First {
    /// Keeps the first `most` tensors in this order.
    pub fn new(order: StatsOrder, most: usize) -> Self {
        Self { order, most, kept: Vec::new() }
    }

    /// Tensors that come behind all those before by name.
    pub fn extend(&mut self, tensors: Vec<TensorStats>) {
        if self.order.is_by_name() {
            let room = self.most.saturating_sub(self.kept.len());
            self.kept.extend(tensors.into_iter().take(room));
            return;
        }
        self.kept.extend(tensors);
        // Sorting for every few that come would cost more than keeping some that are not wanted.
        if self.kept.len() > self.most.saturating_add((self.most / 4).max(4096)) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let order = self.order;
        self.kept.sort_by(|a, b| order.compare(&order.key(a), &order.key(b)));
        self.kept.truncate(self.most);
    }

    /// What was kept, in order.
    pub fn finish(mut self) -> Vec<TensorStats> {
        self.cut();
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Vec<TensorStats> {
        let row = |at: usize| {
            let elements = if at.is_multiple_of(5) { 7 } else { (at as u64).wrapping_mul(7919) % 1009 };
            let mut row = TensorStats::new(at);
            row.figures.elements = elements;
            row
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn the_first_are_those_of_all_in_order() {
        for by in [StatsSort::Name, StatsSort::Elements, StatsSort::MaxAbs] {
            for reverse in [false, true] {
                let order = StatsOrder { by, reverse };
                let all = rows(30_000);
                let want = order.sorted(all.iter().map(|row| order.key(row)).collect());
                assert_eq!(
                    (want.len(), want.first() == Some(&0)),
                    (30_000, order.is_by_name() || by == StatsSort::MaxAbs && !reverse)
                );
                for most in [0, 1, 10, 29_999, 40_000] {
                    let mut first = First::new(order, most);
                    let mut rest = rows(30_000).into_iter();
                    loop {
                        let some: Vec<TensorStats> = rest.by_ref().take(777).collect();
                        if some.is_empty() {
                            break;
                        }
                        first.extend(some);
                        assert!(first.kept.len() <= most + (most / 4).max(4096));
                    }
                    let got: Vec<usize> = first.finish().iter().map(|row| row.at).collect();
                    assert_eq!(got, want[..most.min(30_000)], "{order:?} {most}");
                }
            }
        }
    }

    #[test]
    fn equal_ones_come_by_name_and_unreadable_ones_last() {
        let mut all = rows(11);
        all[3].error = Some(crate::base::error::Error::malformed("x", "y"));
        let order = StatsOrder { by: StatsSort::Elements, reverse: false };
        let sorted = order.sorted(all.iter().map(|row| order.key(row)).collect());
        assert_eq!(sorted.last(), Some(&3));
        let sevens: Vec<usize> = sorted.into_iter().filter(|at| at.is_multiple_of(5)).collect();
        assert_eq!(sevens, [0, 5, 10]);
    }
}
