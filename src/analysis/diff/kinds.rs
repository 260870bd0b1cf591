//! The element types that are compared in lanes: how the bytes of each become a value, and how far two lie apart.
//!
//! Types of one form are written once, by a macro, because no trait of the standard library is over numbers and their
//! bytes. None of this has a branch: it is what the loops of `kernel` are made of.
#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the wide instructions")]
#![expect(clippy::float_cmp, reason = "whether two elements are equal is the question")]

use super::kernel::Kind;
use crate::read::tensor::{from_bfloat16, from_float16};

/// Integers, which have no steps between them that would not be their difference.
macro_rules! integers {
    ($($name:ident = $type:ty, $size:literal;)*) => {$(
        pub(super) struct $name;

        impl Kind<$size> for $name {
            type Ulps = u8;

            #[inline(always)]
            fn wide(bytes: [u8; $size]) -> f64 {
                f64::from(<$type>::from_le_bytes(bytes))
            }

            #[inline(always)]
            fn ulps(_: [u8; $size], _: [u8; $size]) -> u8 {
                0
            }

            #[inline(always)]
            fn differ(a: [u8; $size], b: [u8; $size]) -> bool {
                a != b
            }
        }
    )*};
}

/// Floats: how their bits, of the unsigned type, become a value and differ; steps are counted in the signed type.
macro_rules! floats {
    ($($name:ident = $bits:ty, $signed:ty, $size:literal, $value:expr, $differ:expr;)*) => {$(
        pub(super) struct $name;

        impl Kind<$size> for $name {
            type Ulps = $bits;

            #[inline(always)]
            fn wide(bytes: [u8; $size]) -> f64 {
                f64::from($value(<$bits>::from_le_bytes(bytes)))
            }

            #[inline(always)]
            fn ulps(a: [u8; $size], b: [u8; $size]) -> $bits {
                // Two's complement of the magnitude where the sign is set: both zeros are 0.
                let place = |bytes| {
                    let bits = <$signed>::from_le_bytes(bytes);
                    if bits < 0 { <$signed>::MIN.wrapping_sub(bits) } else { bits }
                };
                place(a).abs_diff(place(b))
            }

            #[inline(always)]
            fn differ(a: [u8; $size], b: [u8; $size]) -> bool {
                $differ(<$bits>::from_le_bytes(a), <$bits>::from_le_bytes(b))
            }
        }
    )*};
}

integers! {
    I8 = i8, 1;
    U8 = u8, 1;
    I16 = i16, 2;
    U16 = u16, 2;
    I32 = i32, 4;
    U32 = u32, 4;
}

floats! {
    F32 = u32, i32, 4, f32::from_bits, |a, b| f32::from_bits(a) != f32::from_bits(b);
    F64 = u64, i64, 8, f64::from_bits, |a, b| f64::from_bits(a) != f64::from_bits(b);
    F16 = u16, i16, 2, from_float16, short_differ;
    BF16 = u16, i16, 2, from_bfloat16, short_differ;
}

/// Floats of 16 bits: other bits are another value, unless both are zeros.
#[inline(always)]
fn short_differ(a: u16, b: u16) -> bool {
    a != b && (a | b) & 0x7fff != 0
}
