//! What goes into the catalogue comes out, wherever one looks.

use super::*;
use crate::read::container::StoredSlice;
use crate::read::container::{Parts, Place};
use crate::read::tensor::TensorSlice;
use crate::read::wire::Crc32c;

fn tensor(name: &[u8], n: i64) -> Tensor {
    let range = Some((n * 1000 - 3, if n % 5 == 0 { -1 } else { 8 * n }));
    let shard = i32::try_from(n % 7).unwrap() - 1;
    let mut parts = Parts::Whole(Place { shard, range, crc32c: Some(Crc32c(0x8000_0000 | u32::try_from(n).unwrap())) });
    if n % 11 == 0 {
        parts = Parts::Whole(Place { shard, range: None, crc32c: None });
    }
    if n % 13 == 0 {
        parts = Parts::Slices([StoredSlice { slice: TensorSlice(Vec::new()), place: None }].into_iter().collect());
    }
    let dtype = if n % 3 == 0 { DType::Unknown(-4) } else { DType::Float32 };
    Tensor { name: name.to_vec(), dtype, shape: Shape::new([n % 4, 2]), parts }
}

fn many(count: i64) -> Vec<Tensor> {
    // Long enough for several chunks.
    let name = |n: i64| format!("{:03}/{}/{n:09}", n / 100, "x".repeat(usize::try_from(n % 300).unwrap()));
    let mut all: Vec<Tensor> = (0..count).map(|n| tensor(name(n).as_bytes(), n)).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

#[test]
fn what_goes_in_comes_out() {
    for count in [0, 1, 15, 16, 17, 5000] {
        let all = many(count);
        let tensors: Tensors = all.iter().cloned().collect();
        assert_eq!((tensors.len(), tensors.is_empty()), (all.len(), all.is_empty()));
        assert_eq!(tensors.iter().collect::<Vec<_>>(), all);
        assert_eq!(tensors.iter().len(), all.len());
        assert_eq!(tensors.get(all.len()), None);
        for (at, tensor) in all.iter().enumerate() {
            assert_eq!(tensors.get(at).as_ref(), Some(tensor));
            assert_eq!(tensors.find(&tensor.name), Some(at));
            let behind = [&tensor.name[..], b"\0"].concat();
            assert_eq!((tensors.find(&behind), tensors.lower_bound(&behind)), (None, at + 1));
        }
        assert_eq!((tensors.find(b""), tensors.lower_bound(b"")), (None, 0));
    }
}

// Names begin and end alike, and what is between them grows, shrinks, vanishes and repeats its surroundings.
#[test]
fn names_share_their_beginnings_and_ends() {
    let middles = ["", "/", "a", "aa", "aaa", "1", "10", "/.A", "/.A/V", "/.A/V/.A/V", "w/.A/V", "z"];
    let mut names: Vec<String> =
        middles.iter().flat_map(|m| ["", "l/", "l/a"].map(|l| format!("{l}{m}/.A/V"))).collect();
    names.extend(middles.iter().map(|middle| format!("l/{middle}")));
    names.sort();
    names.dedup();
    // Each is once the one that stands in full, and has every other before it.
    for skip in 0..names.len() {
        for step in [1, 2, 5] {
            let some: Vec<&String> = names.iter().skip(skip).step_by(step).collect();
            let tensors: Tensors = some.iter().map(|name| tensor(name.as_bytes(), 1)).collect();
            let read: Vec<Vec<u8>> = tensors.iter().map(|tensor| tensor.name).collect();
            assert!(read.iter().map(Vec::as_slice).eq(some.iter().map(|name| name.as_bytes())), "{some:?} {read:?}");
            assert!(some.iter().enumerate().all(|(at, name)| tensors.find(name.as_bytes()) == Some(at)));
        }
    }
}

// Of what a tensor may have or lack nothing is lost, and nothing is given to it: no checksum is not a checksum of 0.
#[test]
fn every_combination_comes_out_as_it_went_in() {
    let ranges = [None, Some((0, 8)), Some((0, 0)), Some((7, 9)), Some((i64::MIN, -1)), Some((i64::MAX, i64::MAX))];
    let sums = [None, Some(Crc32c(0)), Some(Crc32c(1)), Some(Crc32c(u32::MAX))];
    let places = [0, 1, -1, i32::MIN, i32::MAX].into_iter().flat_map(|shard| {
        let with_sums = move |range| sums.map(|crc32c| Place { shard, range, crc32c });
        ranges.into_iter().flat_map(with_sums)
    });
    let mut all_parts: Vec<Parts> = places.clone().map(Parts::Whole).collect();
    let slice = |place| StoredSlice { slice: TensorSlice(Vec::new()), place };
    all_parts.extend(places.map(|place| Parts::Slices([slice(None), slice(Some(place))].into_iter().collect())));
    all_parts.push(Parts::Slices(Slices::default()));
    let kinds = [
        (DType::Float32, Shape::new([2])),
        (DType::String, Shape::scalar()),
        (DType::Unknown(-1), Shape::unknown_rank()),
    ];
    let mut all = Vec::new();
    for (n, parts) in all_parts.iter().enumerate() {
        for (m, (dtype, shape)) in kinds.iter().enumerate() {
            let name = format!("{n:04}/{m}").into_bytes();
            all.push(Tensor { name, dtype: *dtype, shape: shape.clone(), parts: parts.clone() });
        }
    }
    let tensors: Tensors = all.iter().cloned().collect();
    assert_eq!(tensors.iter().collect::<Vec<_>>(), all);
    for (at, tensor) in all.iter().enumerate() {
        assert_eq!(tensors.get(at).as_ref(), Some(tensor));
    }
}

#[test]
fn a_cursor_goes_where_it_is_sent() {
    let all = many(3000);
    let tensors: Tensors = all.iter().cloned().collect();
    let mut cursor = tensors.cursor();
    for at in [5, 6, 21, 2999, 0, 17, 1500, 1501, 1519, 40] {
        assert!(cursor.seek(at));
        assert_eq!(*cursor.tensor(), all[at]);
        let kind = &tensors.kinds()[cursor.kind()];
        assert_eq!((kind.dtype, &kind.shape), (all[at].dtype, &all[at].shape));
    }
    assert!(!cursor.seek(3000));
}

#[test]
fn names_in_any_order_are_sorted_and_the_first_of_a_name_counts() {
    let names: [&[u8]; 6] = [b"b", b"a", b"a", b"", b"b/c", b"b"];
    let tensors: Tensors = names.iter().zip(1..).map(|(name, n)| tensor(name, n)).collect();
    let found: Vec<_> = tensors.iter().map(|t| (t.name.clone(), t)).collect();
    let names: Vec<&[u8]> = found.iter().map(|(name, _)| name.as_slice()).collect();
    assert_eq!(names, [&b""[..], b"a", b"b", b"b/c"]);
    assert_eq!((&found[1].1, &found[2].1), (&tensor(b"a", 2), &tensor(b"b", 1)));
}

#[test]
fn builders_one_behind_the_other_make_one_catalogue() {
    let all = many(3000);
    for cuts in [vec![0, 3000], vec![0, 1, 2, 17, 1000, 1000, 2999, 3000], vec![0, 0, 1500, 3000]] {
        let builders = cuts.windows(2).map(|cut| {
            let mut builder = Builder::default();
            for tensor in &all[cut[0]..cut[1]] {
                builder.push(tensor);
            }
            builder
        });
        let tensors = Builder::join(builders.collect()).finish();
        assert!(tensors.iter().eq(all.iter().cloned()), "{cuts:?}");
        assert!(all.iter().enumerate().all(|(at, tensor)| tensors.find(&tensor.name) == Some(at)), "{cuts:?}");
        let kinds: std::collections::BTreeSet<_> = tensors.kinds().iter().map(|k| (k.dtype, k.shape.clone())).collect();
        assert_eq!(kinds.len(), tensors.kinds().len(), "each once");
    }
    // The second begins before the first ends, and with a name that is there.
    let builders = [&all[10..20], &all[5..15]].map(|part| {
        let mut builder = Builder::default();
        for tensor in part {
            builder.push(tensor);
        }
        builder
    });
    assert!(Builder::join(builders.into()).finish().iter().eq(all[5..20].iter().cloned()));
}
