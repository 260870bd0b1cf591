//! V1 checkpoints whose values, slices and metadata disagree.

use super::Case;
use super::strings::nested_variant;
use crate::dtype;
use crate::entry::{Versions, shape_proto};
use crate::ordered_code::{Extent, slice_key, slice_proto};
use crate::proto::Msg;
use crate::table::Compression;
use crate::v1::{V1Builder, Values};

fn one(shape: &[i64], values: Values) -> V1Builder {
    typed(dtype::FLOAT, shape, values)
}

fn typed(dtype: i32, shape: &[i64], values: Values) -> V1Builder {
    V1Builder::new().tensor("x", dtype, shape, values)
}

fn floats(count: usize) -> Values {
    Values::Float((0..count).map(|i| i as f32).collect())
}

fn parts(ranges: &[(i64, i64)]) -> V1Builder {
    let slice =
        |&(start, length): &(i64, i64)| (vec![Extent::range(start, length)], floats(length.clamp(0, 9) as usize));
    V1Builder::new().sliced("x", dtype::FLOAT, &[6], ranges.iter().map(slice).collect())
}

pub(super) fn cases() -> Vec<Case> {
    let c = |name, what, builder: V1Builder| Case::damaged(name, what).v1(builder.finish());
    let odd = |name, what, builder: V1Builder| Case::arguable(name, what).v1(builder.finish());
    let legal = |name, what, builder: V1Builder| Case::legal(name, what).v1(builder.finish());
    let versions =
        |min_consumer, bad: &[i32]| Versions { min_consumer, bad_consumers: bad.to_vec(), ..Versions::default() };
    let tensor = |name: &str| Msg::new().string(1, name).msg(2, shape_proto(&[])).int(3, 1).msg(4, Msg::new());
    let meta = |tensors: Vec<Msg>| {
        let meta = tensors.into_iter().fold(Msg::new(), |meta, tensor| meta.msg(1, tensor));
        Msg::new().msg(1, meta.msg(2, Versions::default().proto())).build()
    };
    let data = |name: &str, slice: &[Extent], values: Msg| {
        Msg::new().msg(2, Msg::new().string(1, name).msg(2, slice_proto(slice)).msg(3, values)).build()
    };
    let three = || Msg::new().packed_floats(5, &[3.0]);
    let unpacked = Msg::new().float(5, 1.0).float(5, 2.0).build();
    let half_shards =
        || V1Builder::new().tensor("x", 1, &[1], floats(1)).in_shard(1).tensor("y", 1, &[1], floats(1)).finish();
    let clash =
        V1Builder::new().tensor("x", 1, &[1], floats(1)).in_shard(1).tensor("x", 2, &[1], Values::Double(vec![1.0]));
    let without_first = {
        let mut table = crate::table::TableBuilder::new();
        table.add(slice_key("x", &[]), data("x", &[], three()));
        table.finish()
    };
    let glob = "model.ckpt-?????-of-00002";
    vec![
        c("v1-fewer-values", "two values for three elements", one(&[3], floats(2))),
        c("v1-more-values", "four values for three elements", one(&[3], floats(4))),
        c("v1-no-values", "no values for three elements", one(&[3], floats(0))),
        c("v1-huge-shape-no-data", "2^40 elements and no values", one(&[1 << 40], floats(0))),
        c("v1-shape-overflow", "2^32 by 2^32 elements", one(&[1 << 32, 1 << 32], floats(1))),
        c("v1-shape-negative", "a dimension of -3", one(&[-3], floats(3))),
        c("v1-wrong-field", "doubles in a tensor of floats", one(&[2], Values::Double(vec![1.0, 2.0]))),
        c(
            "v1-half-a-complex",
            "three parts for two complex numbers",
            typed(dtype::COMPLEX64, &[2], Values::Complex64(vec![1.0; 3])),
        ),
        c("v1-dtype-9999", "no such type", typed(9999, &[1], floats(1))),
        c("v1-dtype-ref", "a reference type", typed(101, &[1], floats(1))),
        c("v1-dtype-bfloat16", "a type that V1 cannot hold", typed(dtype::BFLOAT16, &[1], Values::Half(vec![0x3f80]))),
        c(
            "v1-content",
            "bytes in tensor_content, which V1 never reads",
            one(&[1], Values::Content(vec![0, 0, 0x80, 0x3f])),
        ),
        c("v1-proto-garbage", "values that are no message", one(&[1], Values::Raw(vec![0xff; 9]))),
        c("v1-packed-cut", "packed floats of five bytes", one(&[1], Values::Raw(Msg::new().bytes(5, [0; 5]).build()))),
        c("v1-overlap", "slices that share an element", parts(&[(0, 4), (3, 3)])),
        c("v1-gap", "an element in no slice", parts(&[(0, 3), (4, 2)])),
        c("v1-out-of-bounds", "a slice that ends beyond the tensor", parts(&[(0, 3), (3, 4)])),
        c("v1-length-zero", "a slice of no elements", parts(&[(0, 6), (6, 0)])),
        c("v1-rank-mismatch", "slices of a vector for a matrix", {
            V1Builder::new().sliced("x", 1, &[3, 1], vec![(vec![Extent::range(0, 3)], floats(3))])
        }),
        c("v1-slice-missing", "a tensor is announced and not stored", V1Builder::new().meta(meta(vec![tensor("x")]))),
        c("v1-data-unannounced", "a slice is stored and not announced", one(&[], floats(1)).meta(meta(vec![]))),
        c(
            "v1-announced-twice",
            "a tensor is announced twice",
            one(&[], floats(1)).meta(meta(vec![tensor("x"), tensor("x")])),
        ),
        c(
            "v1-other-name-inside",
            "a slice that says it is another tensor's",
            V1Builder::new().meta(meta(vec![tensor("x")])).raw_entry(slice_key("x", &[]), data("y", &[], three())),
        ),
        c("v1-meta-garbage", "metadata that is no message", one(&[], floats(1)).meta([0xff; 9])),
        c("v1-meta-is-data", "data where the metadata should be", one(&[], floats(1)).meta(data("x", &[], three()))),
        c(
            "v1-slice-garbage",
            "a slice that is no message",
            V1Builder::new().meta(meta(vec![tensor("x")])).raw_entry(slice_key("x", &[]), [0xff; 9]),
        ),
        c("v1-min-consumer-5", "only readers of version 5 may read it", one(&[], floats(1)).versions(versions(5, &[]))),
        c("v1-bad-consumer-1", "readers of version 1 may not read it", one(&[], floats(1)).versions(versions(0, &[1]))),
        c("v1-unsorted", "slices out of order", {
            V1Builder::new().unsorted().tensor("b", 1, &[], floats(1)).tensor("a", 1, &[], floats(1))
        }),
        c("v1-bad-checksum", "the block's checksum is wrong", one(&[], floats(1)).table(|t| t.corrupt_checksum(0))),
        Case::damaged("v1-without-meta", "no metadata").file("model.ckpt", without_first),
        Case {
            files: half_shards().files("model.ckpt").split_off(1),
            ..Case::damaged("v1-shard-missing", "one file of two").open(glob)
        },
        Case { open: glob.to_owned(), ..c("v1-shards-disagree", "two files give one tensor two types", clash) },
        odd(
            "v1-int8-of-300",
            "values that do not fit their type",
            typed(dtype::INT8, &[2], Values::Int(vec![300, -129])),
        ),
        odd(
            "v1-half-of-17-bits",
            "a half of more than sixteen bits",
            typed(dtype::HALF, &[1], Values::Raw(Msg::new().packed_varints(13, [0x1_3c00]).build())),
        ),
        odd(
            "v1-bool-of-2",
            "a truth value of 2",
            typed(dtype::BOOL, &[1], Values::Raw(Msg::new().packed_varints(11, [2]).build())),
        ),
        odd("v1-nested-variants", "a thousand variants in each other, beside the value", {
            let variant = Msg::new().packed_floats(5, &[1.0]).bytes(15, nested_variant(1000));
            one(&[], Values::Raw(variant.build()))
        }),
        Case {
            open: glob.to_owned(),
            ..Case::legal("v1-shards", "two files, opened by the pattern that TensorFlow records").v1(half_shards())
        },
        legal("v1-unpacked", "values that are not packed", one(&[2], Values::Raw(unpacked))),
        legal("v1-empty-tensor", "no elements, no values", one(&[0, 3], floats(0))),
        legal(
            "v1-snappy",
            "compressed blocks",
            one(&[64], Values::Float(vec![1.0; 64])).table(|t| t.compression(Compression::Snappy)),
        ),
        legal(
            "v1-name-of-1-mib",
            "a name of a mebibyte",
            V1Builder::new().tensor(&"n".repeat(1 << 20), 1, &[], floats(1)),
        ),
        legal("v1-sound-slices", "slices listed last to first", parts(&[(4, 2), (0, 4)])),
        legal("v1-every-type", "a tensor of every type that V1 writes", {
            let ints = [3, 4, 5, 6, 11, 12, 13, 16, 17];
            let b = ints
                .iter()
                .fold(V1Builder::new(), |b, &t| b.tensor(&format!("t{t}"), t, &[2], Values::Int(vec![1, 2])));
            b.tensor("t1", 1, &[2], floats(2))
                .tensor("t2", 2, &[2], Values::Double(vec![1.0, 2.0]))
                .tensor("t7", 7, &[2], Values::Strings(vec![b"a".to_vec(), Vec::new()]))
                .tensor("t8", 8, &[1], Values::Complex64(vec![1.0, 2.0]))
                .tensor("t9", 9, &[2], Values::Int64(vec![i64::MIN, i64::MAX]))
                .tensor("t10", 10, &[2], Values::Bool(vec![true, false]))
                .tensor("t18", 18, &[1], Values::Complex128(vec![1.0, 2.0]))
                .tensor("t19", 19, &[2], Values::Half(vec![0x3c00, 0xc000]))
                .tensor("t22", 22, &[2], Values::Uint32(vec![0, u32::MAX]))
                .tensor("t23", 23, &[2], Values::Uint64(vec![0, u64::MAX]))
        }),
    ]
}
