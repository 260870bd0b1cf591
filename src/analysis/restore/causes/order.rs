//! The longest alignment of two sequences that keeps their order.

/// Pairs of positions, each larger than the one before on both sides, as many as can be of those that fit.
pub(super) fn longest(a: usize, b: usize, fits: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    // From the back, so that it can be walked from the front.
    let width = b.saturating_add(1);
    let cells = width.saturating_mul(a.saturating_add(1));
    let (mut longest, mut fit) = (vec![0usize; cells], vec![false; cells]);
    let at = |i: usize, j: usize| i.saturating_mul(width).saturating_add(j);
    for i in (0..a).rev() {
        for j in (0..b).rev() {
            let get = |i: usize, j: usize| longest.get(at(i, j)).copied().unwrap_or(0);
            let (next_i, next_j) = (i.saturating_add(1), j.saturating_add(1));
            let is_fit = fits(i, j);
            let mut best = get(next_i, j).max(get(i, next_j));
            if is_fit {
                best = best.max(get(next_i, next_j).saturating_add(1));
            }
            if let (Some(cell), Some(fit)) = (longest.get_mut(at(i, j)), fit.get_mut(at(i, j))) {
                (*cell, *fit) = (best, is_fit);
            }
        }
    }
    let get = |i: usize, j: usize| longest.get(at(i, j)).copied().unwrap_or(0);
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while get(i, j) > 0 {
        let (next_i, next_j) = (i.saturating_add(1), j.saturating_add(1));
        if fit.get(at(i, j)).copied().unwrap_or(false) && get(next_i, next_j).saturating_add(1) == get(i, j) {
            pairs.push((i, j));
            (i, j) = (next_i, next_j);
        } else if get(next_i, j) == get(i, j) {
            i = next_i;
        } else {
            j = next_j;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept() {
        let (a, b) = (b"abcd", b"xbydc");
        let pairs = longest(a.len(), b.len(), |i, j| a[i] == b[j]);
        // Of two as long, one.
        assert!(pairs == [(1, 1), (2, 4)] || pairs == [(1, 1), (3, 3)], "{pairs:?}");
        assert!(longest(0, 3, |_, _| true).is_empty() && longest(2, 2, |_, _| false).is_empty());
        assert_eq!(longest(3, 3, |_, _| true), [(0, 0), (1, 1), (2, 2)]);
    }
}
