//! Elements in memory put into another order, and whether they are others in that order.

use super::walk::{Step, Walk};

/// Elements that are put in order at a time and then compared: they stay in the second-level cache.
const AT_ONCE: usize = 32 << 10;

/// Elements of a tile: rows of the source are read, columns written, both within a few lines of the cache.
const TILE: usize = 16;

/// Places that are looked at before everything is.
const LOOKS: usize = 61;

/// Whether `b` is what `walk` makes of `a`, byte for byte, of elements of so many bytes.
pub(super) fn is_so(walk: &Walk, a: &[u8], b: &[u8], size: u64, hold: &mut Vec<u8>) -> bool {
    match size {
        1 => compare::<1>(walk, a, b, hold),
        2 => compare::<2>(walk, a, b, hold),
        4 => compare::<4>(walk, a, b, hold),
        8 => compare::<8>(walk, a, b, hold),
        16 => compare::<16>(walk, a, b, hold),
        _ => false,
    }
}

/// What `walk` makes of `a`, in `out` instead of what it held; none if the two do not fit.
pub(super) fn arranged(walk: &Walk, a: &[u8], size: u64, out: &mut Vec<u8>) -> Option<()> {
    out.clear();
    out.resize(walk.len().checked_mul(usize::try_from(size).ok()?)?, 0);
    match size {
        1 => put(walk, a.as_chunks::<1>().0, out.as_chunks_mut::<1>().0),
        2 => put(walk, a.as_chunks::<2>().0, out.as_chunks_mut::<2>().0),
        4 => put(walk, a.as_chunks::<4>().0, out.as_chunks_mut::<4>().0),
        8 => put(walk, a.as_chunks::<8>().0, out.as_chunks_mut::<8>().0),
        16 => put(walk, a.as_chunks::<16>().0, out.as_chunks_mut::<16>().0),
        _ => None,
    }
}

/// Hands on what `walk` makes of `a`, in runs that stay in the cache; nothing more once the two do not fit.
pub(super) fn each_arranged(walk: &Walk, a: &[u8], size: u64, hold: &mut Vec<u8>, each: &mut dyn FnMut(&[u8])) {
    for (_, piece) in walk.pieces(AT_ONCE) {
        if arranged(&piece, a, size, hold).is_none() {
            return;
        }
        each(hold);
    }
}

fn compare<const N: usize>(walk: &Walk, a: &[u8], b: &[u8], hold: &mut Vec<u8>) -> bool {
    let (a, b) = (a.as_chunks::<N>().0, b.as_chunks::<N>().0);
    let len = walk.len();
    if b.len() != len {
        return false;
    }
    if walk.is_in_order() {
        let start = usize::try_from(walk.start).unwrap_or(usize::MAX);
        return a.get(start..start.saturating_add(len)) == Some(b);
    }
    // Most orders that are tried are wrong, and one look tells.
    let step = (len / LOOKS).max(1) | 1;
    let is_other = |n: usize| walk.at(n).and_then(|at| a.get(at)) != b.get(n);
    if (0..len).step_by(step).any(is_other) {
        return false;
    }
    hold.clear();
    hold.resize(AT_ONCE.min(len).saturating_mul(N), 0);
    walk.pieces(AT_ONCE).into_iter().all(|(range, piece)| {
        let out = hold.as_chunks_mut::<N>().0.get_mut(..range.len()).unwrap_or_default();
        put(&piece, a, out).is_some() && b.get(range) == Some(&*out)
    })
}

fn put<const N: usize>(walk: &Walk, a: &[[u8; N]], out: &mut [[u8; N]]) -> Option<()> {
    let Some((last, before)) = walk.steps.split_last() else {
        *out.first_mut()? = *a.get(usize::try_from(walk.start).ok()?)?;
        return Some(());
    };
    // How far the axes of the result lie apart in it.
    let mut apart = vec![1usize; before.len()];
    let mut each = last.count;
    for (place, step) in apart.iter_mut().zip(before).rev() {
        *place = each;
        each = each.checked_mul(step.count)?;
    }
    if last.stride == 1 {
        let outer: Vec<(Step, usize)> = before.iter().copied().zip(apart).collect();
        return odometer(&outer, walk.start, 0, &mut |from, to| {
            let from = usize::try_from(from).ok()?;
            let run = a.get(from..from.checked_add(last.count)?)?;
            out.get_mut(to..to.checked_add(last.count)?)?.copy_from_slice(run);
            Some(())
        });
    }
    // The axis along which the source lies closest.
    let near = (0..before.len()).min_by_key(|n| before.get(*n).map_or(usize::MAX, |step| step.stride.unsigned_abs()));
    let all: Vec<(Step, usize)> = before.iter().copied().zip(apart).collect();
    let Some((near, (across, rows))) = near.and_then(|near| Some((near, *all.get(near)?))) else {
        return odometer(&all, walk.start, 0, &mut |from, to| each_one(a, out, from, to, *last));
    };
    let outer: Vec<(Step, usize)> = all.iter().enumerate().filter(|(n, _)| *n != near).map(|(_, axis)| *axis).collect();
    odometer(&outer, walk.start, 0, &mut |from, to| {
        for row in (0..across.count).step_by(TILE) {
            for column in (0..last.count).step_by(TILE) {
                let height = TILE.min(across.count - row);
                let width = TILE.min(last.count - column);
                let from = from + signed(row) * across.stride + signed(column) * last.stride;
                let to = to + row * rows + column;
                if across.stride == 1 && height == TILE && width == TILE {
                    tile(a, out, (from, last.stride), (to, rows))?;
                } else {
                    for n in 0..height {
                        let last = Step { count: width, stride: last.stride };
                        each_one(a, out, from + signed(n) * across.stride, to + n * rows, last)?;
                    }
                }
            }
        }
        Some(())
    })
}

fn signed(n: usize) -> isize {
    isize::try_from(n).unwrap_or(isize::MAX)
}

/// A square of elements: rows of the source lie together, and so do columns of the result.
fn tile<const N: usize>(
    a: &[[u8; N]],
    out: &mut [[u8; N]],
    (from, apart): (isize, isize),
    (to, rows): (usize, usize),
) -> Option<()> {
    let mut square = [[[0; N]; TILE]; TILE];
    for (n, line) in square.iter_mut().enumerate() {
        let at = usize::try_from(from.checked_add(apart.checked_mul(signed(n))?)?).ok()?;
        *line = *a.get(at..)?.first_chunk::<TILE>()?;
    }
    for n in 0..TILE {
        let into = out.get_mut(to.checked_add(rows.checked_mul(n)?)?..)?.first_chunk_mut::<TILE>()?;
        for (element, line) in into.iter_mut().zip(&square) {
            *element = *line.get(n)?;
        }
    }
    Some(())
}

fn each_one<const N: usize>(a: &[[u8; N]], out: &mut [[u8; N]], from: isize, to: usize, step: Step) -> Option<()> {
    let into = out.get_mut(to..to.checked_add(step.count)?)?;
    let mut at = from;
    for element in into {
        *element = *a.get(usize::try_from(at).ok()?)?;
        at = at.checked_add(step.stride)?;
    }
    Some(())
}

/// Calls `each` for all indexes of some axes, with the places in the source and in the result.
fn odometer(
    axes: &[(Step, usize)],
    from: isize,
    to: usize,
    each: &mut dyn FnMut(isize, usize) -> Option<()>,
) -> Option<()> {
    let Some(((step, apart), inner)) = axes.split_first() else { return each(from, to) };
    for n in 0..step.count {
        let from = from.checked_add(step.stride.checked_mul(signed(n))?)?;
        odometer(inner, from, to.checked_add(apart.checked_mul(n)?)?, each)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_as_the_walk_says() {
        let mut hold = Vec::new();
        for (dims, axes, flipped) in [
            (&[40u64, 37][..], &[1usize, 0][..], &[][..]),
            (&[3, 3, 20, 33], &[3, 2, 0, 1], &[]),
            (&[3, 5, 20, 33], &[0, 1, 3, 2], &[0usize, 1][..]),
            (&[5, 4, 3], &[1, 0, 2], &[]),
            (&[7], &[0], &[0]),
            (&[300, 400], &[1, 0], &[1]),
        ] {
            let count: u64 = dims.iter().product();
            for size in [1usize, 2, 4, 8, 16] {
                let element = |n: u64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).repeat(2);
                let a: Vec<u8> = (0..count).flat_map(|n| element(n).into_iter().cycle().skip(3).take(size)).collect();
                let walk = Walk::new(dims, axes, flipped).unwrap();
                let want: Vec<u8> =
                    (0..walk.len()).flat_map(|n| a[walk.at(n).unwrap() * size..][..size].to_vec()).collect();
                let mut out = Vec::new();
                arranged(&walk, &a, size as u64, &mut out).unwrap();
                assert!(out == want, "{dims:?} {axes:?} {size}");
                assert!(is_so(&walk, &a, &out, size as u64, &mut hold));
                if size > 1 {
                    let last = out.len() / 2;
                    out[last] ^= 1;
                    assert!(!is_so(&walk, &a, &out, size as u64, &mut hold));
                }
            }
        }
    }
}
