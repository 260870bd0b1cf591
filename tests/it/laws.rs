//! Laws that hold for every input: what the synthetic writer writes, the reader reads, whole and in parts.

use crate::support::{elements, flat_indexes, region};
use ckpt::read::bundle::slice_key as key_of_reader;
use ckpt::read::tensor::{Axis, Checked, Extent as ReadExtent, TensorSlice};
use ckpt::read::wire::{Cursor, ordered_code};
use ckpt_synth::{Bundle, BundleBuilder, Compression, Extent, V1Builder, Values, dtype, slice_key};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Runs a law on the same inputs every time.
fn law<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(strategy, test) {
        panic!("{error}");
    }
}

/// Numeric types of a bundle.
const NUMERIC: [i32; 30] =
    [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33];

/// A tensor to be written: elements as bytes, little-endian.
#[derive(Clone, Debug)]
struct Made {
    dtype: i32,
    shape: Vec<u64>,
    elements: Vec<Vec<u8>>,
    shard: usize,
    /// For every dimension, where it is cut; a tensor without cuts is stored whole.
    cuts: Option<Vec<Vec<u64>>>,
    /// Whether extents over whole dimensions are written out.
    explicit: bool,
}

fn made() -> impl Strategy<Value = Made> {
    let dtypes = prop_oneof![4 => proptest::sample::select(&NUMERIC[..]), 1 => Just(dtype::STRING)];
    let shape = vec(0u64..6, 0..4);
    (dtypes, shape, 0usize..3, any::<bool>(), any::<bool>()).prop_flat_map(|(number, shape, shard, cut, explicit)| {
        let count = usize::try_from(shape.iter().product::<u64>()).unwrap();
        let element = match dtype::size(number) {
            Some(size) => vec(any::<u8>(), size..=size).boxed(),
            None => vec(any::<u8>(), 0..200).boxed(),
        };
        let cuts: Vec<_> = shape.iter().map(|dim| vec(0..dim.max(&1) + 1, 0..3)).collect();
        let can_be_cut = cut && count > 0 && !shape.is_empty();
        (vec(element, count..=count), cuts).prop_map(move |(elements, cuts)| Made {
            dtype: number,
            shape: shape.clone(),
            elements,
            shard,
            cuts: can_be_cut.then_some(cuts),
            explicit,
        })
    })
}

impl Made {
    fn dims(&self) -> Vec<i64> {
        self.shape.iter().map(|dim| i64::try_from(*dim).unwrap()).collect()
    }

    /// The boxes of a tensor with cuts: start and length in every dimension.
    fn boxes(&self, cuts: &[Vec<u64>]) -> Vec<Vec<(u64, u64)>> {
        let mut boxes = vec![vec![]];
        for (dim, cuts) in self.shape.iter().zip(cuts) {
            let mut edges = cuts.clone();
            edges.extend([0, *dim]);
            edges.sort_unstable();
            edges.dedup();
            edges.retain(|edge| edge <= dim);
            let spans: Vec<(u64, u64)> = edges.windows(2).map(|pair| (pair[0], pair[1] - pair[0])).collect();
            let with = |start: &Vec<(u64, u64)>| {
                spans.iter().map(|span| [start.clone(), vec![*span]].concat()).collect::<Vec<_>>()
            };
            boxes = boxes.iter().flat_map(with).collect();
        }
        boxes
    }

    fn add(&self, builder: BundleBuilder, name: &str, big: bool) -> BundleBuilder {
        let bytes = |elements: &[Vec<u8>]| {
            let mut bytes = elements.concat();
            if big {
                // The two halves of a complex number are swapped each for itself.
                let size = dtype::size(self.dtype).unwrap();
                let complex = matches!(self.dtype, dtype::COMPLEX64 | dtype::COMPLEX128);
                bytes.chunks_mut(if complex { size / 2 } else { size }).for_each(<[u8]>::reverse);
            }
            bytes
        };
        let builder = builder.in_shard(self.shard);
        let Some(cuts) = &self.cuts else {
            return match self.dtype {
                dtype::STRING => builder.strings(name, &self.dims(), &self.elements),
                _ => builder.tensor(name, self.dtype, &self.dims(), bytes(&self.elements)),
            };
        };
        let mut whole = ckpt_synth::Entry::new(self.dtype, &self.dims());
        let mut builder = builder;
        for (n, extents) in self.boxes(cuts).into_iter().enumerate() {
            let axes: Vec<Axis> = extents.iter().map(|&(start, count)| Axis { start, step: 1, count }).collect();
            let inside: Vec<Vec<u8>> =
                flat_indexes(&self.shape, &axes).into_iter().map(|at| self.elements[at].clone()).collect();
            let dims: Vec<i64> = extents.iter().map(|(_, length)| i64::try_from(*length).unwrap()).collect();
            let slice: Vec<Extent> = extents.iter().zip(&self.shape).map(|(e, dim)| self.extent(*e, *dim)).collect();
            let key = slice_key(name, &slice);
            whole.slices.push(slice);
            builder = builder.in_shard((self.shard + n) % 3);
            builder = match self.dtype {
                dtype::STRING => builder.strings(key, &dims, &inside),
                _ => builder.tensor(key, self.dtype, &dims, bytes(&inside)),
            };
        }
        builder.entry(name, whole)
    }

    fn extent(&self, (start, length): (u64, u64), dim: u64) -> Extent {
        if length == dim && !self.explicit {
            return Extent::Full;
        }
        Extent::range(i64::try_from(start).unwrap(), i64::try_from(length).unwrap())
    }
}

/// How a table is written.
#[derive(Clone, Debug)]
struct Form {
    block_size: usize,
    restart_interval: usize,
    compression: Compression,
    index_compression: Compression,
    shorten: bool,
    alignment: usize,
    big_endian: bool,
}

fn form() -> impl Strategy<Value = Form> {
    let compression =
        || proptest::sample::select(vec![Compression::None, Compression::Snappy, Compression::SnappyIfSmaller]);
    (
        prop_oneof![Just(1usize), 1usize..400, Just(256 << 10)],
        1usize..20,
        compression(),
        compression(),
        any::<bool>(),
        prop_oneof![Just(1usize), Just(64)],
        any::<bool>(),
    )
        .prop_map(
            |(block_size, restart_interval, compression, index_compression, shorten, alignment, big_endian)| Form {
                block_size,
                restart_interval,
                compression,
                index_compression,
                shorten,
                alignment,
                big_endian,
            },
        )
}

fn bundle(tensors: &std::collections::BTreeMap<String, Made>, form: &Form) -> Bundle {
    let mut builder = BundleBuilder::new().shards(3).alignment(form.alignment);
    if form.big_endian {
        builder = builder.big_endian();
    }
    for (name, made) in tensors {
        builder = made.add(builder, name, form.big_endian);
    }
    let form = form.clone();
    let table = builder.table(move |table| {
        table
            .block_size(form.block_size)
            .restart_interval(form.restart_interval)
            .compression(form.compression)
            .index_compression(form.index_compression)
            .shorten_index_keys(form.shorten)
    });
    table.finish()
}

#[test]
fn what_is_written_is_read_whole_and_in_parts() {
    let strategy = (btree_map("[a-z/]{0,9}[a-z]", made(), 0..8), form());
    law(256, &strategy, |(tensors, form)| {
        let dir = tempfile::tempdir().unwrap();
        let prefix = dir.path().join("m");
        bundle(&tensors, &form).write(&prefix).unwrap();
        let checkpoint = crate::support::open(&prefix).unwrap();
        prop_assert!(checkpoint.damage().is_empty(), "{:?}", checkpoint.damage());
        prop_assert!(checkpoint.notes().is_empty(), "{:?}", checkpoint.notes());
        let names: Vec<Vec<u8>> = checkpoint.tensors().iter().map(|tensor| tensor.name.clone()).collect();
        let want: Vec<Vec<u8>> = tensors.keys().map(|name| name.clone().into_bytes()).collect();
        prop_assert_eq!(names, want);
        for (tensor, made) in checkpoint.tensors().iter().zip(tensors.values()) {
            prop_assert_eq!(tensor.dtype.number(), made.dtype);
            prop_assert_eq!(tensor.dims().unwrap(), made.shape.clone());
            let (got, checked) = elements(&checkpoint, &tensor).unwrap();
            prop_assert_eq!(&got, &made.elements);
            prop_assert_eq!(checked, Checked::Verified);
            crate::support::check_regions(&checkpoint, &tensor, &got);
        }
        Ok(())
    });
}

#[test]
fn any_region_is_the_naive_slice() {
    // Of each dimension: its size, and from there a start, a step and a count that fit.
    let axis = (1u64..7)
        .prop_flat_map(|dim| (Just(dim), 0..dim, 1..dim + 2))
        .prop_flat_map(|(dim, start, step)| (Just(dim), Just(start), Just(step), 0..=(dim - start).div_ceil(step)));
    let shard = (vec(axis, 1..4), any::<bool>(), vec(vec(0u64..7, 0..3), 3..=3));
    law(512, &shard, |(axes, strings, cuts)| {
        let shape: Vec<u64> = axes.iter().map(|(dim, ..)| *dim).collect();
        let axes: Vec<Axis> = axes.iter().map(|&(_, start, step, count)| Axis { start, step, count }).collect();
        let count = shape.iter().product::<u64>();
        let (dtype, elements) = if strings {
            (dtype::STRING, (0..count).map(|n| n.to_string().into_bytes()).collect())
        } else {
            (dtype::INT64, (0..count).map(|n| n.to_le_bytes().to_vec()).collect::<Vec<_>>())
        };
        let made = Made { dtype, shape, elements, shard: 0, cuts: Some(cuts), explicit: true };
        let dir = tempfile::tempdir().unwrap();
        let prefix = dir.path().join("m");
        made.add(BundleBuilder::new().shards(3), "x", false).finish().write(&prefix).unwrap();
        let checkpoint = crate::support::open(&prefix).unwrap();
        let (got, _) = region(&checkpoint, &checkpoint.tensors().get(0).unwrap(), &axes).unwrap();
        let want: Vec<Vec<u8>> =
            flat_indexes(&made.shape, &axes).into_iter().map(|at| made.elements[at].clone()).collect();
        prop_assert_eq!(got, want);
        Ok(())
    });
}

#[test]
fn v1_values_are_read_as_written() {
    let values = prop_oneof![
        vec(any::<f32>(), 0..50).prop_map(Values::Float),
        vec(any::<i64>(), 0..50).prop_map(Values::Int64),
        vec(any::<i32>(), 0..50).prop_map(Values::Int),
        vec(any::<u16>(), 0..50).prop_map(Values::Half),
        vec(vec(any::<u8>(), 0..20), 0..50).prop_map(Values::Strings),
    ];
    law(128, &(values, 1usize..600, any::<bool>()), |(values, block_size, snappy)| {
        let (dtype, want): (i32, Vec<Vec<u8>>) = match &values {
            Values::Float(v) => (dtype::FLOAT, v.iter().map(|v| v.to_le_bytes().to_vec()).collect()),
            Values::Int64(v) => (dtype::INT64, v.iter().map(|v| v.to_le_bytes().to_vec()).collect()),
            Values::Int(v) => (dtype::INT32, v.iter().map(|v| v.to_le_bytes().to_vec()).collect()),
            Values::Half(v) => (dtype::HALF, v.iter().map(|v| v.to_le_bytes().to_vec()).collect()),
            Values::Strings(v) => (dtype::STRING, v.clone()),
            other => unreachable!("{other:?}"),
        };
        let dir = tempfile::tempdir().unwrap();
        let prefix = dir.path().join("m");
        let compression = if snappy { Compression::Snappy } else { Compression::None };
        let count = i64::try_from(want.len()).unwrap();
        let v1 = V1Builder::new()
            .table(move |table| table.block_size(block_size).compression(compression))
            .tensor("y", dtype::FLOAT, &[], Values::Float(vec![1.0]))
            .tensor("x", dtype, &[count], values);
        v1.finish().write(&prefix).unwrap();
        let checkpoint = crate::support::open(&prefix).unwrap();
        let tensor = checkpoint.tensor(b"x").unwrap();
        let (got, _) = elements(&checkpoint, &tensor).unwrap();
        prop_assert_eq!(&got, &want);
        crate::support::check_regions(&checkpoint, &tensor, &got);
        Ok(())
    });
}

#[test]
fn a_varint_is_read_back() {
    law(2000, &(any::<u64>(), 0u32..64, any::<u64>()), |(value, shift, offset)| {
        let value = value >> shift;
        let bytes = ckpt_synth::proto::varint(value);
        let offset = offset >> 1;
        let mut cursor = Cursor::new(&bytes, offset);
        prop_assert_eq!(cursor.varint64().unwrap(), value);
        prop_assert_eq!(cursor.offset(), offset + bytes.len() as u64);
        prop_assert!(Cursor::new(&bytes[..bytes.len() - 1], 0).varint64().is_err());
        let narrow = Cursor::new(&bytes, 0).varint32();
        prop_assert_eq!(narrow.ok(), u32::try_from(value).ok());
        Ok(())
    });
}

#[test]
fn ordered_code_is_the_other_writers() {
    law(2000, &(any::<i64>(), 0u32..64, any::<u64>(), vec(any::<u8>(), 0..20)), |(signed, shift, unsigned, text)| {
        let (signed, unsigned) = (signed >> shift, unsigned >> shift);
        let mut out = Vec::new();
        ordered_code::write_signed(&mut out, signed);
        prop_assert_eq!(&out, &ckpt_synth::ordered_code::signed(signed));
        out.clear();
        ordered_code::write_num(&mut out, unsigned);
        prop_assert_eq!(&out, &ckpt_synth::ordered_code::num(unsigned));
        out.clear();
        ordered_code::write_string(&mut out, &text);
        prop_assert_eq!(&out, &ckpt_synth::ordered_code::string(&text));
        Ok(())
    });
}

#[test]
fn slice_keys_are_the_other_writers() {
    let extents = vec(proptest::option::of((any::<i64>(), any::<i64>())), 0..5);
    law(500, &(vec(any::<u8>(), 0..20), extents), |(name, extents)| {
        let ours = |extent: &Option<(i64, i64)>| match *extent {
            None => ReadExtent { start: 0, length: None },
            Some((start, length)) => ReadExtent { start, length: Some(length) },
        };
        let theirs =
            |extent: &Option<(i64, i64)>| extent.map_or(Extent::Full, |(start, length)| Extent::range(start, length));
        let read = key_of_reader(&name, &TensorSlice(extents.iter().map(ours).collect()));
        let written = slice_key(&name, &extents.iter().map(theirs).collect::<Vec<_>>());
        prop_assert_eq!(read, written);
        Ok(())
    });
}
