//! TensorFlow's `OrderedCode`: numbers and strings whose encodings sort like themselves.
//!
//! Source: `tensorflow/core/lib/strings/ordered_code.cc`. A stored slice of a partitioned tensor lies under a key of
//! these primitives (`EncodeTensorNameSlice` in `core/util/saved_tensor_slice_util.cc`). Only encoding is needed: the
//! keys are computed from the slices that an entry lists, never guessed from the keys found.

/// Appends an unsigned number: its count of significant bytes, then those bytes, most significant first.
pub fn write_num(out: &mut Vec<u8>, value: u64) {
    let bytes = value.to_be_bytes();
    let significant = bytes.iter().skip_while(|b| **b == 0);
    out.push(u8::try_from(significant.clone().count()).unwrap_or(8));
    out.extend(significant);
}

/// Appends a string with 00 and ff escaped, and its terminator.
pub fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            0x00 => out.extend([0x00, 0xff]),
            0xff => out.extend([0xff, 0x00]),
            other => out.push(other),
        }
    }
    out.extend([0x00, 0x01]);
}

/// Appends a signed number: two's complement in as few bytes as its magnitude needs, the length in the leading bits.
pub fn write_signed(out: &mut Vec<u8>, value: i64) {
    let magnitude = if value < 0 { !value } else { value }.cast_unsigned();
    // n bytes carry 7n − 1 bits besides the header.
    let bits = 64u32.saturating_sub(magnitude.leading_zeros());
    let len = usize::try_from(bits.div_euclid(7).saturating_add(1)).unwrap_or(10);
    let fill = if value < 0 { 0xff } else { 0x00 };
    let mut bytes = [fill; 10];
    if let Some(low) = bytes.last_chunk_mut::<8>() {
        *low = value.to_be_bytes();
    }
    let start = bytes.len().saturating_sub(len);
    let start_of = out.len();
    out.extend(bytes.iter().skip(start));
    let header: u16 = match len {
        1..=8 => 0xff00u16 << (8usize.saturating_sub(len)) & 0xff00,
        9 => 0xff80,
        _ => 0xffc0,
    };
    for (byte, mask) in out.iter_mut().skip(start_of).zip(header.to_be_bytes()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        write_signed(&mut out, value);
        out
    }

    // Every row was read from keys that TensorFlow 2.21 wrote.
    #[test]
    fn signed_numbers_as_tensorflow_writes_them() {
        let rows: [(i64, &[u8]); 18] = [
            (0, &[0x80]),
            (1, &[0x81]),
            (63, &[0xbf]),
            (-1, &[0x7f]),
            (64, &[0xc0, 0x40]),
            (392, &[0xc1, 0x88]),
            (8191, &[0xdf, 0xff]),
            (-64, &[0x40]),
            (-65, &[0x3f, 0xbf]),
            (8192, &[0xe0, 0x20, 0x00]),
            (1 << 20, &[0xf0, 0x10, 0x00, 0x00]),
            (1 << 27, &[0xf8, 0x08, 0, 0, 0]),
            (1 << 34, &[0xfc, 0x04, 0, 0, 0, 0]),
            (1 << 41, &[0xfe, 0x02, 0, 0, 0, 0, 0]),
            (1 << 48, &[0xff, 0x01, 0, 0, 0, 0, 0, 0]),
            (1 << 54, &[0xff, 0x40, 0, 0, 0, 0, 0, 0]),
            (1 << 55, &[0xff, 0x80, 0x80, 0, 0, 0, 0, 0, 0]),
            ((1 << 62) - 1, &[0xff, 0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ];
        for (value, bytes) in rows {
            assert_eq!(signed(value), bytes, "{value}");
        }
        assert_eq!(signed(i64::MAX).len(), 10);
        assert_eq!(signed(i64::MIN).len(), 10);
    }

    #[test]
    fn unsigned_numbers_and_strings() {
        let mut out = Vec::new();
        for value in [0, 1, 2, 256] {
            write_num(&mut out, value);
        }
        write_string(&mut out, b"a\x00\xff");
        assert_eq!(out, [0, 1, 1, 1, 2, 2, 1, 0, b'a', 0, 0xff, 0xff, 0, 0, 1]);
    }
}
