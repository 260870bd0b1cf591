//! Checkpoints of a right form with the fuzzer's content, written by `ckpt-synth`, whose answers are known beforehand.

use std::collections::BTreeMap;

use ckpt::read::checkpoint::Checkpoint;
use ckpt::read::tensor::DType;
use ckpt_synth::{BundleBuilder, Compression, Extent, crc, dtype, payload};

use super::bundles::{extent, flat, open, read, region, whole};
use super::input::{Input, answer, said, scratch};

fn opened<T>(builder: BundleBuilder, then: impl FnOnce(&Checkpoint) -> T) -> T {
    let dir = scratch();
    let prefix = dir.path().join("model.ckpt");
    builder.finish().write(&prefix).unwrap();
    then(&open(&prefix).unwrap_or_else(|error| panic!("{}", said(&error))))
}

/// A string or variant tensor whose stored bytes are changed, cut or lengthened after they were summed.
///
/// Promises: unchanged it is read as written; changed, either it is refused or the change was none; a part of it never
/// has other elements; reading twice gives the same.
pub fn strings(data: &[u8]) {
    let mut input = Input(data);
    let (flags, mut edits) = (input.u8(), Input(input.take(24)));
    // TensorFlow does not define variants in a big-endian bundle, and the reader refuses them.
    let (variant, big_endian) = (flags & 1 != 0, flags & 3 == 2);
    let mut elements: Vec<&[u8]> = Vec::new();
    while !input.is_empty() && elements.len() < 300 {
        elements.push(input.short());
    }
    let count = elements.len() as i64;
    let stored =
        if variant { payload::variants(&elements, big_endian) } else { payload::strings(&elements, big_endian) };
    let mut bytes = stored.bytes.clone();
    let claimed = if flags & 4 != 0 { edits.i64() } else { count };
    for _ in 0..flags >> 5 {
        let at = edits.u8() as usize;
        match edits.below(4) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at.min(bytes.len()), edits.u8()),
            2 => bytes.extend([edits.u8(); 3]),
            _ => {
                let value = edits.u8();
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
        }
    }
    let intact = bytes == stored.bytes && claimed == count;
    let sum = crc::mask(stored.crc);
    let dtype = if variant { dtype::VARIANT } else { dtype::STRING };
    let mut builder = BundleBuilder::new();
    if big_endian {
        builder = builder.big_endian();
    }
    let builder = builder.tensor("s", dtype, &[claimed], &bytes).entry_patch("s", move |entry| entry.crc = sum);
    opened(builder, |checkpoint| {
        let tensor = checkpoint.tensor(b"s").unwrap();
        let Ok(dims) = tensor.dims() else { return };
        let all = read(checkpoint, &tensor, &whole(&dims));
        assert_eq!(all, read(checkpoint, &tensor, &whole(&dims)), "reading twice differs");
        if intact {
            assert!(all.end.is_ok(), "{:?}", all.end);
        }
        if all.end.is_ok() && !all.cut {
            // Bytes that a reader skips (a longer form of a varint) may have changed; elements must not have.
            assert!(claimed != count || all.elements == elements, "elements changed, and the checksum agrees");
            let axes = region(&dims, &mut edits);
            let part = read(checkpoint, &tensor, &axes);
            assert!(part.end.is_ok(), "{axes:?}: {:?}", part.end);
            let want: Vec<&Vec<u8>> = flat(&dims, &axes).into_iter().map(|at| &all.elements[at]).collect();
            assert!(part.elements.iter().eq(want), "{axes:?} differs from the whole");
        }
        assert!(all.elements.len() <= bytes.len(), "more elements than bytes");
    });
}

/// A partitioned tensor whose slices are the fuzzer's; every stored byte tells which element of which slice it is.
///
/// Promises: where the slices cover every element exactly once, it is read, and with the bytes that the slices have
/// there; where they do not, it is refused; a region that is read has those bytes too.
pub fn slices(data: &[u8]) {
    let mut input = Input(data);
    let rank = input.below(4);
    let dims: Vec<u64> = (0..rank).map(|_| u64::from(input.below(7))).collect();
    let shape: Vec<i64> = dims.iter().map(|&dim| dim.cast_signed()).collect();
    let shards = usize::from(input.below(3)) + 1;
    let mut choices = Input(input.take(12));
    let elements: u64 = dims.iter().product();
    let mut cover = vec![Vec::new(); elements as usize];
    let (mut slices, mut fit) = (Vec::new(), true);
    for n in 0..usize::from(input.below(12)) + 1 {
        let extents: Vec<Extent> = if input.below(8) == 0 {
            (0..input.below(5)).map(|_| extent(&mut input)).collect()
        } else {
            dims.iter().map(|&dim| small_extent(dim, &mut input)).collect()
        };
        let ranges = ranges(&extents, &dims);
        let bytes = match &ranges {
            None => {
                fit = false;
                input.short().to_vec()
            }
            Some(ranges) => {
                let axes: Vec<_> =
                    ranges.iter().map(|&(start, count)| ckpt::read::tensor::Axis { start, step: 1, count }).collect();
                let inside = flat(&dims, &axes);
                let mut bytes = Vec::new();
                for (at, element) in inside.into_iter().enumerate() {
                    let value = [n as u8, at as u8];
                    cover[element].push(value.to_vec());
                    bytes.extend(value);
                }
                bytes
            }
        };
        slices.push((extents, usize::from(input.u8()) % shards, bytes));
    }
    // The same slice twice is one key with two entries, an index out of order.
    let mut keys: Vec<_> = slices.iter().map(|(extents, ..)| ckpt_synth::slice_key("w", extents)).collect();
    keys.sort();
    keys.dedup();
    let twice = keys.len() < slices.len();
    let once = fit && cover.iter().all(|values| values.len() == 1);
    let builder = BundleBuilder::new().shards(shards).partitioned("w", dtype::INT16, &shape, slices);
    opened(builder, |checkpoint| {
        assert_eq!(checkpoint.tensors().len(), 1, "slices are no tensors");
        let tensor = &checkpoint.tensors().get(0).unwrap();
        let all = read(checkpoint, tensor, &whole(&dims));
        if once {
            assert!(all.end.is_ok(), "{:?}", all.end);
        } else if elements > 0 {
            assert!(all.end.is_err(), "not covered exactly once, but read");
        }
        if all.end.is_ok() {
            assert!(all.elements.iter().eq(cover.iter().flatten()), "not what the slices hold");
        }
        let axes = region(&dims, &mut choices);
        let part = read(checkpoint, tensor, &axes);
        let want: Vec<_> = flat(&dims, &axes).into_iter().map(|at| &cover[at]).collect();
        let clear = want.iter().all(|values| values.len() == 1);
        if part.end.is_ok() && !twice {
            assert!(clear, "{axes:?} is not covered exactly once, but read");
            assert!(part.elements.iter().eq(want.into_iter().flatten()), "{axes:?}: not what the slices hold");
        } else if once && part.end.is_err() {
            panic!("all of it can be read, but not {axes:?}: {:?}", part.end);
        }
    });
}

fn small_extent(dim: u64, input: &mut Input<'_>) -> Extent {
    if input.below(3) == 0 || dim == 0 {
        return Extent::Full;
    }
    let start = u64::from(input.u8()) % dim;
    let length = u64::from(input.u8()) % (dim - start) + 1;
    Extent::range(start.cast_signed(), length.cast_signed())
}

/// Start and length in every dimension, if the slice lies in the tensor: TensorFlow's rules, written down again.
fn ranges(extents: &[Extent], dims: &[u64]) -> Option<Vec<(u64, u64)>> {
    if extents.len() != dims.len() {
        return None;
    }
    let one = |(extent, &dim): (&Extent, &u64)| match *extent {
        Extent::Full => Some((0, dim)),
        Extent::Range { start, length } => {
            let (start, length) = (u64::try_from(start).ok()?, u64::try_from(length).ok()?);
            (length > 0 && start.checked_add(length)? <= dim).then_some((start, length))
        }
    };
    extents.iter().zip(dims).map(one).collect()
}

/// A tensor that was described: number of its dtype, shape, elements.
pub(crate) type Described = (i32, Vec<i64>, Want);

/// What is expected of one tensor.
pub(crate) enum Want {
    Fixed(usize, Vec<u8>),
    Each(Vec<Vec<u8>>),
}

/// A true bundle as the fuzzer's bytes describe it, of so many tensors at most, and what is in it.
pub(crate) fn described(input: &mut Input<'_>, most: usize) -> (BundleBuilder, BTreeMap<Vec<u8>, Described>) {
    let flags = input.u8();
    let (big_endian, shards) = (flags & 1 != 0, usize::from(flags >> 1 & 3) + 1);
    let (block, interval) = (usize::from(input.u8()) * 4 + 1, usize::from(input.u8()) % 20 + 1);
    let compressions = [Compression::None, Compression::Snappy, Compression::SnappyIfSmaller];
    let compression = compressions[usize::from(input.below(3))];
    let mut builder =
        BundleBuilder::new().shards(shards).alignment(usize::from(input.below(16)) + 1).table(move |table| {
            table
                .block_size(block)
                .restart_interval(interval)
                .compression(compression)
                .shorten_index_keys(flags & 8 != 0)
        });
    if big_endian {
        builder = builder.big_endian();
    }
    let mut wanted: BTreeMap<Vec<u8>, Described> = BTreeMap::new();
    while !input.is_empty() && wanted.len() < most {
        let name = input.short().to_vec();
        let number = i32::from(input.below(34));
        let shape: Vec<i64> = (0..input.below(4)).map(|_| i64::from(input.below(6))).collect();
        let count = shape.iter().product::<i64>() as usize;
        let shard = usize::from(input.u8()) % shards;
        if name.is_empty() || wanted.contains_key(&name) {
            continue;
        }
        builder = builder.in_shard(shard);
        if number == dtype::VARIANT && big_endian {
            continue;
        }
        let want = if number == dtype::STRING || number == dtype::VARIANT {
            let elements: Vec<Vec<u8>> = (0..count).map(|_| input.short().to_vec()).collect();
            builder = if number == dtype::STRING {
                builder.strings(&name, &shape, &elements)
            } else {
                builder.variants(&name, &shape, &elements)
            };
            Want::Each(elements)
        } else {
            let Some(size) = dtype::size(number) else { continue };
            let mut bytes = input.take(count * size).to_vec();
            bytes.resize(count * size, 0xa5);
            builder = builder.tensor(&name, number, &shape, &bytes);
            if big_endian {
                // The halves of complex numbers are turned around one by one.
                let unit = if matches!(number, dtype::COMPLEX64 | dtype::COMPLEX128) { size / 2 } else { size };
                bytes.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
            }
            Want::Fixed(size, bytes)
        };
        wanted.insert(name, (number, shape, want));
    }
    (builder, wanted)
}

/// A true bundle of the fuzzer's names, types, shapes, values, shards, block sizes and compression.
///
/// Promises: exactly the tensors written are listed and read back, verified, in either byte order; nothing is
/// complained of.
pub fn synth_roundtrip(data: &[u8]) {
    let (builder, wanted) = described(&mut Input(data), 200);
    opened(builder, |checkpoint| {
        assert!(checkpoint.damage().is_empty() && checkpoint.notes().is_empty(), "{checkpoint:?}");
        assert_eq!(checkpoint.tensors().len(), wanted.len());
        for (tensor, (name, (number, shape, want))) in checkpoint.tensors().iter().zip(&wanted) {
            assert_eq!(
                (&*tensor.name, tensor.dtype, tensor.shape.dims()),
                (&**name, DType::from_number(*number), Some(&**shape))
            );
            let mut got: Vec<Vec<u8>> = Vec::new();
            let end = checkpoint.read_all(&tensor, &mut |bytes| {
                got.push(bytes.to_vec());
                Ok(())
            });
            assert_eq!(answer(&end), "Verified", "{tensor:?}");
            match want {
                Want::Each(elements) => assert_eq!(&got, elements),
                Want::Fixed(size, bytes) => {
                    assert!(got.iter().all(|run| run.len() % size == 0));
                    assert_eq!(&got.concat(), bytes);
                }
            }
        }
    });
}
