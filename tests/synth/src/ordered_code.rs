//! TensorFlow's OrderedCode and the keys under which slices of tensors are stored.
//!
//! The encodings sort bytewise as the values sort; slice keys begin with a zero byte, so they sort before ordinary names.

use crate::proto::Msg;

/// One dimension of a slice. `Full` and a `Range` over the whole dimension mean the same but have different keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The whole dimension, written `-`.
    Full,
    /// `length` elements from `start`.
    Range {
        /// First element.
        start: i64,
        /// Number of elements.
        length: i64,
    },
}

impl Extent {
    /// `start` and `length` as a [`Extent::Range`].
    pub fn range(start: i64, length: i64) -> Self {
        Self::Range { start, length }
    }

    /// How many elements the extent has in a dimension of `dim`.
    pub fn len_in(self, dim: i64) -> i64 {
        match self {
            Self::Full => dim,
            Self::Range { length, .. } => length,
        }
    }
}

/// The `TensorSliceProto` of some extents.
pub fn slice_proto(extents: &[Extent]) -> Msg {
    extents.iter().fold(Msg::new(), |slice, extent| {
        slice.msg(
            1,
            match *extent {
                Extent::Full => Msg::new(),
                // The length sits in a oneof: written even when zero.
                Extent::Range { start, length } => Msg::new().int_unless_zero(1, start).int(2, length),
            },
        )
    })
}

/// An unsigned number: its count of significant bytes, then those bytes, big end first.
pub fn num(value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let skip = value.leading_zeros() as usize / 8;
    let mut out = vec![(8 - skip) as u8];
    out.extend_from_slice(&bytes[skip..]);
    out
}

/// A string: 00 and ff escaped, ended by 00 01.
pub fn string(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 2);
    for &byte in value {
        out.push(byte);
        match byte {
            0x00 => out.push(0xff),
            0xff => out.push(0x00),
            _ => {}
        }
    }
    out.extend_from_slice(&[0x00, 0x01]);
    out
}

/// A signed number: the sign and the length in the leading bits, then two's complement.
pub fn signed(value: i64) -> Vec<u8> {
    let magnitude = if value < 0 { !value } else { value } as u128;
    let n = (1..=10).find(|n| magnitude < 1 << (7 * n - 1)).expect("63 bits fit ten bytes");
    let mut out = i128::from(value).to_be_bytes()[16 - n..].to_vec();
    // n leading ones, over as many bytes as they need.
    let header = (0xffffu32 << (16 - n)) as u16;
    out[0] ^= (header >> 8) as u8;
    if n > 8 {
        out[1] ^= header as u8;
    }
    out
}

/// The key of the slice `extents` of tensor `name`.
pub fn slice_key(name: impl AsRef<[u8]>, extents: &[Extent]) -> Vec<u8> {
    let mut key = num(0);
    key.extend(string(name.as_ref()));
    key.extend(num(extents.len() as u64));
    for extent in extents {
        let (start, length) = match *extent {
            Extent::Full => (0, -1),
            Extent::Range { start, length } => (start, length),
        };
        key.extend(signed(start));
        key.extend(signed(length));
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn numbers_and_strings() {
        assert_eq!(num(0), [0]);
        assert_eq!(num(1), [1, 1]);
        assert_eq!(num(256), [2, 1, 0]);
        assert_eq!(num(u64::MAX).len(), 9);
        assert_eq!(string(b"a\0\xffb"), [b'a', 0, 0xff, 0xff, 0, b'b', 0, 1]);
    }

    #[test]
    fn signed_numbers_as_tensorflow_wrote_them() {
        let known: [(i64, &str); 18] = [
            (0, "80"),
            (1, "81"),
            (63, "bf"),
            (-1, "7f"),
            (-64, "40"),
            (-65, "3fbf"),
            (64, "c040"),
            (392, "c188"),
            (8191, "dfff"),
            (8192, "e02000"),
            (1 << 20, "f0100000"),
            (1 << 27, "f808000000"),
            (1 << 34, "fc0400000000"),
            (1 << 41, "fe020000000000"),
            (1 << 48, "ff01000000000000"),
            (1 << 54, "ff40000000000000"),
            (1 << 55, "ff8080000000000000"),
            ((1 << 62) - 1, "ffbfffffffffffffff"),
        ];
        for (value, want) in known {
            assert_eq!(hex(&signed(value)), want, "{value}");
        }
    }

    #[test]
    fn signed_numbers_sort_as_they_count() {
        let mut values = vec![i64::MIN, i64::MIN + 1, i64::MAX];
        for shift in 0..63 {
            let power = 1i64 << shift;
            values.extend([power - 1, power, -power, -power - 1]);
        }
        values.sort_unstable();
        values.dedup();
        let keys: Vec<_> = values.iter().map(|v| signed(*v)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn slice_keys_tell_full_from_explicit() {
        let three = Extent::range(0, 3);
        assert_eq!(hex(&slice_key("w", &[three, three])), "007700010102".to_owned() + "80838083");
        let two = Extent::range(0, 2);
        assert_eq!(hex(&slice_key("f", &[two, Extent::Full])), "0066000101028082807f");
        assert_eq!(hex(&slice_key("x", &[])), "0078000100");
    }
}
