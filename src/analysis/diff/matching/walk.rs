//! The elements of one tensor in the order of another: how far apart they lie, axis by axis.
//!
//! An order of axes, a flip of some and a new shape are all one thing here: a list of axes of the result, each with the
//! number of its indexes and how far the elements of the source lie apart along it.

use std::ops::Range;

/// Where a part of a tensor lies along an axis of it: in one run, or in as many groups as the axis is cut into, behind the
/// same number of indexes of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stretch {
    pub(super) axis: usize,
    /// The first index, of the first group.
    pub(super) start: u64,
    /// How many indexes, of all groups together.
    pub(super) size: u64,
    pub(super) groups: u64,
}

impl Stretch {
    /// The shape of the part of a tensor with this shape.
    pub(super) fn dims(&self, of: &[u64]) -> Vec<u64> {
        let mut dims = of.to_vec();
        if let Some(dim) = dims.get_mut(self.axis) {
            *dim = self.size;
        }
        dims
    }
}

/// One axis of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    pub(super) count: usize,
    pub(super) stride: isize,
}

/// In which order the elements of a source come, in C order of the result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Walk {
    /// Where the first element lies.
    pub(super) start: isize,
    /// From the outermost axis of the result to the innermost; axes that lie in one run are one.
    pub(super) steps: Vec<Step>,
}

impl Walk {
    /// The walk over a source with these dimensions, whose axes come in the order `axes`, those of `flipped` backwards.
    pub(super) fn new(dims: &[u64], axes: &[usize], flipped: &[usize]) -> Option<Self> {
        let mut strides = vec![1isize; dims.len()];
        let mut stride = 1isize;
        for (at, dim) in dims.iter().enumerate().rev() {
            *strides.get_mut(at)? = stride;
            stride = stride.checked_mul(isize::try_from(*dim).ok()?)?;
        }
        let (mut start, mut steps) = (0isize, Vec::with_capacity(axes.len()));
        for (n, axis) in axes.iter().enumerate() {
            let count = usize::try_from(*dims.get(*axis)?).ok()?;
            let mut stride = *strides.get(*axis)?;
            if flipped.contains(&n) && count > 0 {
                start = start.checked_add(stride.checked_mul(isize::try_from(count - 1).ok()?)?)?;
                stride = -stride;
            }
            steps.push(Step { count, stride });
        }
        Some(Self { start, steps }.joined())
    }

    /// The same over a stretch of one axis alone.
    pub(super) fn within(dims: &[u64], stretch: &Stretch, axes: &[usize]) -> Option<Self> {
        let Stretch { axis, start, size, groups } = *stretch;
        let mut strides = Vec::with_capacity(dims.len());
        let mut stride = 1u64;
        for dim in dims.iter().rev() {
            strides.push(stride);
            stride = stride.checked_mul(*dim)?;
        }
        strides.reverse();
        let step = |count: u64, stride: u64| {
            Some(Step { count: usize::try_from(count).ok()?, stride: isize::try_from(stride).ok()? })
        };
        let inner = *strides.get(axis)?;
        let start = isize::try_from(start.checked_mul(inner)?).ok()?;
        let mut steps = Vec::with_capacity(dims.len().saturating_add(1));
        for of in axes {
            let (dim, stride) = (*dims.get(*of)?, *strides.get(*of)?);
            if *of == axis {
                steps.push(step(groups, dim.checked_div(groups)?.checked_mul(stride)?)?);
                steps.push(step(size.checked_div(groups)?, stride)?);
            } else {
                steps.push(step(dim, stride)?);
            }
        }
        Some(Self { start, steps }.joined())
    }

    /// The same with neighbouring axes that are one run made one, and without axes of one index.
    fn joined(mut self) -> Self {
        let mut steps: Vec<Step> = Vec::with_capacity(self.steps.len());
        for step in self.steps.into_iter().filter(|step| step.count != 1) {
            match steps.last_mut() {
                Some(last) if Some(last.stride) == run(step) => {
                    *last = Step { count: last.count.saturating_mul(step.count), stride: step.stride };
                }
                _ => steps.push(step),
            }
        }
        self.steps = steps;
        self
    }

    /// How many elements it goes over.
    pub(super) fn len(&self) -> usize {
        self.steps.iter().fold(1, |len, step| len.saturating_mul(step.count))
    }

    /// Whether elements come in the order in which they lie.
    pub(super) fn is_in_order(&self) -> bool {
        match self.steps.as_slice() {
            [] => true,
            [only] => only.stride == 1,
            _ => false,
        }
    }

    /// Where the element of the source lies that comes at this place.
    pub(super) fn at(&self, mut n: usize) -> Option<usize> {
        let mut at = self.start;
        for step in self.steps.iter().rev() {
            let index = isize::try_from(n.checked_rem(step.count)?).ok()?;
            at = at.checked_add(step.stride.checked_mul(index)?)?;
            n /= step.count;
        }
        usize::try_from(at).ok()
    }

    /// The walk in pieces that follow one another in the result, none over more than `most` elements, each with the
    /// elements of the result that it makes.
    pub(super) fn pieces(&self, most: usize) -> Vec<(Range<usize>, Self)> {
        let mut out = Vec::new();
        cut(self.start, &self.steps, most.max(1), &mut out);
        let mut at = 0usize;
        let place = |walk: Self| {
            let first = at;
            at = at.saturating_add(walk.len());
            (first..at, walk)
        };
        out.into_iter().map(place).collect()
    }

    /// The runs of the source that a walk touches, in the order in which they lie, and the walk over them once they have
    /// been put behind one another.
    pub(super) fn gathered(&self) -> Option<(Vec<Range<u64>>, Self)> {
        let mut by_stride: Vec<(usize, Step)> = self.steps.iter().copied().enumerate().collect();
        by_stride.sort_by_key(|(_, step)| step.stride.unsigned_abs());
        let mut low = self.start;
        for step in self.steps.iter().filter(|step| step.stride < 0) {
            low = low.checked_add(step.stride.checked_mul(isize::try_from(step.count.checked_sub(1)?).ok()?)?)?;
        }
        // What lies together, and the axes that lead from one run to the next.
        let (mut run, mut compact) = (1usize, 1isize);
        let mut outer: Vec<(usize, usize)> = Vec::new();
        let (mut steps, mut start) = (self.steps.clone(), 0isize);
        for (at, step) in by_stride {
            let apart = step.stride.unsigned_abs();
            if outer.is_empty() && apart == run {
                run = run.checked_mul(step.count)?;
            } else {
                outer.push((step.count, apart));
            }
            let stride = if step.stride < 0 { -compact } else { compact };
            if stride < 0 {
                start = start.checked_add(compact.checked_mul(isize::try_from(step.count.checked_sub(1)?).ok()?)?)?;
            }
            *steps.get_mut(at)? = Step { count: step.count, stride };
            compact = compact.checked_mul(isize::try_from(step.count).ok()?)?;
        }
        let mut firsts = vec![usize::try_from(low).ok()?];
        for (count, apart) in outer {
            let before = firsts.clone();
            firsts.clear();
            for n in 0..count {
                let on = n.checked_mul(apart)?;
                firsts.extend(before.iter().map(|first| first.saturating_add(on)));
            }
        }
        let range = |first: usize| first as u64..first.saturating_add(run) as u64;
        Some((firsts.into_iter().map(range).collect(), Self { start, steps }.joined()))
    }
}

/// How far the next index of the axis outside must lie for both to be one run.
fn run(inner: Step) -> Option<isize> {
    inner.stride.checked_mul(isize::try_from(inner.count).ok()?)
}

fn cut(start: isize, steps: &[Step], most: usize, out: &mut Vec<Walk>) {
    let Some((first, inner)) = steps.split_first() else {
        out.push(Walk { start, steps: Vec::new() });
        return;
    };
    let each = inner.iter().fold(1usize, |len, step| len.saturating_mul(step.count));
    let on = |n: usize| start.saturating_add(first.stride.saturating_mul(isize::try_from(n).unwrap_or(isize::MAX)));
    if each > most {
        (0..first.count).for_each(|n| cut(on(n), inner, most, out));
        return;
    }
    let some = (most / each.max(1)).max(1);
    for n in (0..first.count).step_by(some) {
        let count = some.min(first.count - n);
        let steps = std::iter::once(Step { count, stride: first.stride }).chain(inner.iter().copied()).collect();
        out.push(Walk { start: on(n), steps }.joined());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(walk: &Walk) -> Vec<usize> {
        (0..walk.len()).map(|n| walk.at(n).unwrap()).collect()
    }

    #[test]
    fn axes_in_another_order_and_backwards() {
        let walk = |dims: &[u64], axes: &[usize], flipped: &[usize]| Walk::new(dims, axes, flipped).unwrap();
        assert_eq!(all(&walk(&[2, 3], &[1, 0], &[])), [0, 3, 1, 4, 2, 5]);
        assert_eq!(all(&walk(&[2, 3], &[0, 1], &[1])), [2, 1, 0, 5, 4, 3]);
        assert_eq!(all(&walk(&[2, 2], &[1, 0], &[0, 1])), [3, 1, 2, 0]);
        assert!(walk(&[4, 1, 5], &[1, 0, 2], &[]).is_in_order());
        assert_eq!(walk(&[3, 3, 4, 5], &[3, 2, 0, 1], &[]).steps.len(), 3);
        assert_eq!(all(&walk(&[], &[], &[])), [0]);
    }

    #[test]
    fn a_stretch_of_an_axis() {
        let within = |dims: &[u64], axis: usize, start: u64, size: u64, groups: u64, axes: &[usize]| {
            all(&Walk::within(dims, &Stretch { axis, start, size, groups }, axes).unwrap())
        };
        assert_eq!(within(&[2, 4], 1, 1, 2, 1, &[1, 0]), [1, 5, 2, 6]);
        assert_eq!(within(&[4, 2], 0, 2, 2, 1, &[0, 1]), [4, 5, 6, 7]);
        // Heads of three parts in turn: of each head the second index.
        assert_eq!(within(&[6, 2], 0, 1, 2, 2, &[0, 1]), [2, 3, 8, 9]);
        assert_eq!(within(&[2, 6], 1, 1, 2, 2, &[1, 0]), [1, 7, 4, 10]);
    }

    #[test]
    fn pieces_follow_one_another_and_runs_are_those_that_they_touch() {
        for (dims, axes, flipped) in [
            (&[6u64, 5][..], &[1usize, 0][..], &[][..]),
            (&[3, 4, 5], &[2, 0, 1], &[1usize][..]),
            (&[2, 3, 4, 5], &[3, 2, 0, 1], &[2, 3]),
            (&[7], &[0], &[0]),
        ] {
            let walk = Walk::new(dims, axes, flipped).unwrap();
            let want = all(&walk);
            for most in [1, 2, 7, 12, 1000] {
                let mut got = Vec::new();
                for (range, piece) in walk.pieces(most) {
                    assert_eq!((range.start, range.len()), (got.len(), piece.len()));
                    assert!(piece.len() <= most);
                    got.extend(all(&piece));
                    let (runs, over) = piece.gathered().unwrap();
                    let lie: Vec<usize> = runs.into_iter().flatten().map(|n| usize::try_from(n).unwrap()).collect();
                    assert!(lie.is_sorted());
                    assert_eq!(all(&over).into_iter().map(|n| lie[n]).collect::<Vec<_>>(), all(&piece));
                }
                assert_eq!(got, want, "{dims:?} {axes:?} {most}");
            }
        }
    }
}
