//! String and variant tensors whose lengths, checksums or contents are not what they should be.

use super::Case;
use crate::bundle::BundleBuilder;
use crate::proto::{Msg, put_varint};
use crate::{crc, dtype, payload};

/// String bytes with these claimed lengths, a true checksum of the lengths, and `tail`.
fn claiming(lengths: &[u64], tail: &[u8]) -> (Vec<u8>, u32) {
    let mut bytes = Vec::new();
    let mut sum = 0;
    for &length in lengths {
        put_varint(&mut bytes, length);
        sum = match u32::try_from(length) {
            Ok(length) => crc::extend(sum, &length.to_le_bytes()),
            Err(_) => crc::extend(sum, &length.to_le_bytes()),
        };
    }
    let stored = crc::mask(sum).to_le_bytes();
    bytes.extend_from_slice(&stored);
    bytes.extend_from_slice(tail);
    (bytes, crc::extend(crc::extend(sum, &stored), tail))
}

/// A bundle with one string tensor made of the given bytes and (unmasked) checksum.
fn strings(shape: &[i64], (bytes, sum): (Vec<u8>, u32)) -> BundleBuilder {
    let bundle = BundleBuilder::new().tensor("s", dtype::STRING, shape, bytes);
    bundle.entry_patch("s", move |entry| entry.crc = crc::mask(sum))
}

fn variants(bytes: Vec<u8>, sum: u32) -> BundleBuilder {
    let bundle = BundleBuilder::new().tensor("v", dtype::VARIANT, &[], bytes);
    bundle.entry_patch("v", move |entry| entry.crc = crc::mask(sum))
}

/// A variant within a variant, `depth` times: the one recursive message of a checkpoint's data.
pub(super) fn nested_variant(depth: usize) -> Vec<u8> {
    let mut inner = Msg::new().string(1, "innermost").build();
    for _ in 0..depth {
        let tensor = Msg::new().int(1, dtype::VARIANT.into()).bytes(15, &inner);
        inner = Msg::new().string(1, "outer").msg(3, tensor).build();
    }
    inner
}

pub(super) fn cases() -> Vec<Case> {
    let c = Case::damaged;
    let good = || payload::strings(&["a", "", "xyz"], false);
    let plain = || {
        let payload::Payload { bytes, crc } = good();
        (bytes, crc)
    };
    let flipped = |at: usize| {
        let (mut bytes, sum) = plain();
        bytes[at] ^= 0x20;
        (bytes, sum)
    };
    let endless = [vec![0xff; 11], vec![0; 4]].concat();
    let variant = payload::variants(&[Msg::new().string(1, "t").build()], false);
    let mut huge_variant = Vec::new();
    put_varint(&mut huge_variant, 1 << 60);
    huge_variant.extend_from_slice(&[0; 8]);
    let garbage = payload::variants(&[[0xff; 20]], false);
    let nested = payload::variants(&[nested_variant(1000)], false);
    vec![
        c("string-length-2-60", "a string that claims 2^60 bytes").built(strings(&[1], claiming(&[1 << 60], b"x"))),
        c("string-length-4-gib", "a string that claims 4 GiB and has one byte")
            .built(strings(&[1], claiming(&[1 << 32], b"x"))),
        c("string-lengths-overflow", "two lengths whose sum does not fit 64 bits")
            .built(strings(&[2], claiming(&[1 << 63, 1 << 63], b"x"))),
        c("string-lengths-wrap-to-fit", "lengths whose sum wraps to the true number of bytes")
            .built(strings(&[2], claiming(&[u64::MAX, 2], b"x"))),
        c("string-lengths-too-long", "lengths that claim one byte more than there is")
            .built(strings(&[2], claiming(&[2, 2], b"xyz"))),
        c("string-bytes-left-over", "lengths that leave two bytes of the entry unclaimed")
            .built(strings(&[2], claiming(&[1, 1], b"wxyz"))),
        c("string-endless-varint", "a length of eleven bytes").built(strings(&[1], (endless, 0))),
        c("string-lengths-checksum", "the checksum of the lengths is wrong").built(strings(&[3], flipped(4))),
        c("string-flipped-byte", "a byte of a string is wrong").built(strings(&[3], flipped(8))),
        c("string-plain-checksum", "the entry stores the checksum of the file's bytes, a likely mistake of a writer")
            .built({
                let (bytes, _) = plain();
                let sum = crc::crc32c(&bytes);
                strings(&[3], (bytes, sum))
            }),
        c("string-size-below-count", "fewer bytes than strings")
            .built(strings(&[3], plain()).entry_patch("s", |e| e.size = 2)),
        c("string-size-cuts-bytes", "a size that ends within the last string")
            .built(strings(&[3], plain()).entry_patch("s", |e| e.size -= 1)),
        c("string-2-40-elements", "2^40 strings in eleven bytes").built(strings(&[1 << 40], plain())),
        c("string-2-62-elements-huge-size", "2^62 strings, and a size that could hold them")
            .built(strings(&[1 << 31, 1 << 31], plain()).entry_patch("s", |e| e.size = i64::MAX)),
        c("string-million-elements-all-empty-claim", "a million strings, lengths for three")
            .built(strings(&[1_000_000], plain()).entry_patch("s", |e| e.size = 1_000_004)),
        c("variant-length-huge", "a variant that claims 2^60 bytes").built(variants(huge_variant, 0)),
        c("variant-checksum", "the checksum inside a variant is wrong").built({
            let mut bytes = variant.bytes.clone();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            variants(bytes, variant.crc)
        }),
        c("variant-cut", "a variant without its checksum").built({
            let bytes = variant.bytes[..variant.bytes.len() - 4].to_vec();
            variants(bytes, variant.crc)
        }),
        Case::arguable("variant-garbage", "a variant whose checksums are true and whose bytes are no message")
            .built(variants(garbage.bytes, garbage.crc)),
        Case::arguable("variant-nested-1000", "a thousand variants in each other")
            .built(variants(nested.bytes, nested.crc)),
        Case::legal("string-empty-without-bytes", "no strings, and no bytes either")
            .built(strings(&[0], (Vec::new(), 0))),
        Case::legal("string-big-endian", "strings in a big-endian bundle")
            .built(BundleBuilder::new().big_endian().strings("s", &[3], &["a", "", "xyz"])),
        Case::legal("string-binary", "strings of every byte").built(BundleBuilder::new().strings(
            "s",
            &[2],
            &[(0..=255).collect::<Vec<u8>>(), vec![0; 3]],
        )),
        Case::arguable("variant-big-endian", "a variant in a big-endian bundle, which TensorFlow does not read")
            .built(BundleBuilder::new().big_endian().variants("v", &[], &[Msg::new().string(1, "t").build()])),
    ]
}
