//! "Did you mean …?": the names closest to one that does not exist.

/// Levenshtein distance of two names, cut at 200 bytes each so that hostile names cost nothing.
pub fn distance(a: &[u8], b: &[u8]) -> usize {
    let (a, b) = (a.get(..200).unwrap_or(a), b.get(..200).unwrap_or(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let substituted = diagonal.saturating_add(usize::from(x != y));
            diagonal = *cell;
            left = substituted.min(diagonal.saturating_add(1)).min(left.saturating_add(1));
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Up to `most` of `names` that are close to `wanted`: containing it, sharing its last component, or a few letters off.
pub fn nearest<N: AsRef<[u8]> + Ord>(wanted: &[u8], names: impl Iterator<Item = N>, most: usize) -> Vec<N> {
    let last = |name: &[u8]| name.rsplit(|b| *b == b'/').next().map(<[u8]>::to_vec).unwrap_or_default();
    let wanted_last = last(wanted);
    let mut ranked: Vec<(usize, N)> = names
        .take(100_000)
        .filter_map(|owned| {
            let name = owned.as_ref();
            let contains = wanted.len() >= 3 && name.windows(wanted.len()).any(|w| w.eq_ignore_ascii_case(wanted));
            // Lengths alone decide for most names, without the quadratic comparison.
            let near = name.len().abs_diff(wanted.len()) <= wanted.len() / 3 + 1;
            let rank = match near.then(|| distance(wanted, name)) {
                Some(letters) if letters <= wanted.len() / 3 + 1 => letters,
                _ if contains => 50,
                _ if wanted_last.len() >= 3 && last(name) == wanted_last => 100,
                _ => return None,
            };
            Some((rank, owned))
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(most).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_slips() {
        assert_eq!(distance(b"dense/bais", b"dense/bias"), 2);
        assert_eq!(distance(b"", b"abc"), 3);
        assert_eq!(distance(b"same", b"same"), 0);
    }

    #[test]
    fn the_closest_come_first() {
        let names: [&[u8]; 4] = [b"dense/kernel", b"dense/bias", b"dense_1/bias", b"global_step"];
        assert_eq!(nearest(b"dense/bais", names.into_iter(), 2), [&b"dense/bias"[..], b"dense_1/bias"]);
        assert_eq!(nearest(b"xyzzy", names.into_iter(), 2), [] as [&[u8]; 0]);
    }
}
