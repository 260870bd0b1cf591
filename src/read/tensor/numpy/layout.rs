//! Which elements of a tensor are shown: all, or those at the corners when there are many.

use std::ops::Range;

use super::Options;

/// The indexes of one dimension that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visible {
    /// Length of the dimension.
    pub len: u64,
    /// How many are shown from its beginning.
    pub leading: u64,
    /// How many are shown from its end.
    pub trailing: u64,
}

impl Visible {
    /// Whether some are left out, with `...` in their place.
    pub fn is_summarised(&self) -> bool {
        self.shown() < self.len
    }

    /// How many are shown.
    pub fn shown(&self) -> u64 {
        self.leading.saturating_add(self.trailing)
    }

    /// The indexes shown: one range, or the two around the gap.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u64>> {
        let gap = self.is_summarised().then_some((self.leading, self.len.saturating_sub(self.trailing)));
        let (first, second) = gap.map_or((0..self.len, 0..0), |(start, end)| (0..start, end..self.len));
        [first, second].into_iter().filter(|range| !range.is_empty())
    }

    fn whole(len: u64) -> Self {
        Self { len, leading: len, trailing: 0 }
    }

    fn edges(len: u64, items: u64) -> Self {
        if len / 2 < items || len == items.saturating_mul(2) {
            Self::whole(len)
        } else {
            Self { len, leading: items, trailing: items }
        }
    }
}

/// The elements of a tensor that are shown, in C order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    dims: Vec<Visible>,
}

impl Layout {
    /// What is shown of a tensor with these dimensions.
    pub fn new(dims: &[u64], options: &Options) -> Self {
        let whole = Self { dims: dims.iter().copied().map(Visible::whole).collect() };
        // A product that overflows saturates, which is above any threshold.
        if options.full || whole.shown() <= options.threshold {
            return whole;
        }
        let matrix = options.edge_items.saturating_mul(2).saturating_pow(2);
        let most = options.most_in_a_summary.max(options.threshold).max(matrix);
        let summary = |items| Self { dims: dims.iter().map(|&len| Visible::edges(len, items)).collect() };
        let mut layout = summary(options.edge_items);
        // More than two items a side are only worth trying for few dimensions, so this loop is short.
        let mut items = options.edge_items.min(1000);
        while layout.shown() > most && items > 1 {
            items -= 1;
            layout = summary(items);
        }
        // Dozens of dimensions: of the outer ones, only the first index.
        for axis in 0..dims.len() {
            if layout.shown() <= most {
                break;
            }
            if let Some(visible) = layout.dims.get_mut(axis) {
                *visible = Visible { len: visible.len, leading: 1, trailing: 0 };
            }
        }
        layout
    }

    /// Every dimension's share, outermost first; none for a scalar.
    pub fn dims(&self) -> &[Visible] {
        &self.dims
    }

    /// How many elements are shown; `u64::MAX` if that overflows.
    pub fn shown(&self) -> u64 {
        if self.is_empty() {
            return 0;
        }
        self.dims.iter().fold(1, |product, dim| product.saturating_mul(dim.shown()))
    }

    /// Whether the tensor has no elements at all, which prints as `[]` whatever its rank.
    pub fn is_empty(&self) -> bool {
        self.dims.iter().any(|dim| dim.len == 0)
    }

    /// The elements shown as runs in C order: flat index of the first, and how many follow each other.
    pub fn runs(&self) -> Runs<'_> {
        // Dimensions at the end that are shown whole belong to one run with the dimension before them.
        let whole = self.dims.iter().rev().take_while(|dim| !dim.is_summarised()).count();
        let split = self.dims.len().saturating_sub(whole).saturating_sub(1);
        let (outer, inner) = self.dims.split_at_checked(split).unwrap_or((&[], &self.dims));
        let (last, below) = inner.split_first().map_or((Visible::whole(1), inner), |(last, below)| (*last, below));
        let row = below.iter().fold(1u64, |product, dim| product.saturating_mul(dim.len));
        let done = self.shown() == 0;
        Runs { outer, last, row, index: vec![0; outer.len()], half: 0, done }
    }
}

/// Iterator over runs of visible elements, from [`Layout::runs`].
#[derive(Clone, Debug)]
pub struct Runs<'a> {
    outer: &'a [Visible],
    last: Visible,
    row: u64,
    index: Vec<u64>,
    half: usize,
    done: bool,
}

impl Iterator for Runs<'_> {
    type Item = (u64, u64);

    fn next(&mut self) -> Option<(u64, u64)> {
        if self.done {
            return None;
        }
        let range = self.last.ranges().nth(self.half)?;
        // Saturates only for tensors that no file can hold.
        let flat = self
            .outer
            .iter()
            .zip(&self.index)
            .fold(0u64, |flat, (dim, index)| flat.saturating_mul(dim.len).saturating_add(*index));
        let first = flat.saturating_mul(self.last.len).saturating_add(range.start).saturating_mul(self.row);
        let count = range.end.saturating_sub(range.start).saturating_mul(self.row);
        self.half += 1;
        if self.last.ranges().nth(self.half).is_none() {
            self.half = 0;
            self.done = !self.step();
        }
        Some((first, count))
    }
}

impl Runs<'_> {
    /// Goes to the next visible index of the outer dimensions; false after the last.
    fn step(&mut self) -> bool {
        for (dim, index) in self.outer.iter().zip(&mut self.index).rev() {
            *index += 1;
            if dim.is_summarised() && *index == dim.leading {
                *index = dim.len.saturating_sub(dim.trailing);
            }
            if *index < dim.len {
                return true;
            }
            *index = 0;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(dims: &[u64], options: &Options) -> Vec<(u64, u64)> {
        Layout::new(dims, options).dims().iter().map(|dim| (dim.leading, dim.trailing)).collect()
    }

    #[test]
    fn only_long_dimensions_of_a_large_tensor_are_cut() {
        let options = Options::default();
        assert_eq!(shares(&[1000], &options), [(1000, 0)]);
        assert_eq!(shares(&[1001], &options), [(3, 3)]);
        assert_eq!(shares(&[6, 7, 400], &options), [(6, 0), (3, 3), (3, 3)]);
        assert_eq!(shares(&[1 << 40], &Options { full: true, ..options }), [(1 << 40, 0)]);
    }

    #[test]
    fn a_high_rank_shows_fewer_items_but_never_more_than_the_limit() {
        let options = Options::default();
        assert_eq!(shares(&[9; 5], &options), [(2, 2); 5]);
        assert_eq!(shares(&[9; 9], &options), [(1, 1); 9]);
        for rank in 1..=254 {
            for dim in [2, 7, u64::MAX] {
                let shown = Layout::new(&vec![dim; rank], &options).shown();
                assert!((1..=options.most_in_a_summary).contains(&shown), "{rank} × {dim}: {shown}");
            }
        }
        let wide = Options { edge_items: 100, ..options };
        assert_eq!(Layout::new(&[1000, 1000], &wide).shown(), 40_000);
        assert!(Layout::new(&[1000; 3], &Options { edge_items: u64::MAX, ..wide }).shown() == 1_000_000_000);
    }

    #[test]
    fn runs_are_the_visible_elements_in_order() {
        for (dims, threshold) in
            [(vec![7u64, 3, 8], 0), (vec![8, 2, 2], 0), (vec![2, 3], 10), (vec![20], 5), (vec![9, 9, 9, 2], 1)]
        {
            let layout = Layout::new(&dims, &Options { threshold, ..Options::default() });
            let got: Vec<u64> = layout.runs().flat_map(|(first, count)| first..first + count).collect();
            let visible = |flat: u64| {
                let mut rest = flat;
                layout.dims().iter().rev().all(|dim| {
                    let index = rest % dim.len;
                    rest /= dim.len;
                    dim.ranges().any(|range| range.contains(&index))
                })
            };
            let want: Vec<u64> = (0..dims.iter().product()).filter(|flat| visible(*flat)).collect();
            assert_eq!(got, want, "{dims:?}");
            assert_eq!(got.len() as u64, layout.shown());
        }
        let runs = |dims: &[u64]| Layout::new(dims, &Options::default()).runs().collect::<Vec<_>>();
        assert_eq!(runs(&[]), [(0, 1)]);
        assert_eq!(runs(&[2, 3, 4]), [(0, 24)]);
        assert_eq!(runs(&[2, 0, 4]), []);
        assert_eq!(runs(&[2000, 4]), [(0, 12), (7988, 12)]);
    }

    #[test]
    fn no_edge_items_leave_only_the_dots() {
        let options = Options { edge_items: 0, ..Options::default() };
        assert_eq!(shares(&[2000, 3], &options), [(0, 0), (0, 0)]);
        assert_eq!(Layout::new(&[2000, 3], &options).runs().count(), 0);
    }
}
