//! The binary key under which a slice of a partitioned tensor lies.

use crate::read::tensor::TensorSlice;
use crate::read::wire::ordered_code;

/// `EncodeTensorNameSlice` in `tensorflow/core/util/saved_tensor_slice_util.cc`.
///
/// An extent over a whole dimension is (0, −1) when its length is absent, and (0, length) when it is spelled out: two
/// different keys.
pub fn slice_key(name: &[u8], slice: &TensorSlice) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len().saturating_add(16));
    write_slice_key(name, slice, &mut key);
    key
}

/// [`slice_key`] into memory that is used again.
pub fn write_slice_key(name: &[u8], slice: &TensorSlice, key: &mut Vec<u8>) {
    ordered_code::write_num(key, 0);
    ordered_code::write_string(key, name);
    ordered_code::write_num(key, slice.0.len() as u64);
    for extent in &slice.0 {
        ordered_code::write_signed(key, extent.start);
        ordered_code::write_signed(key, extent.length.unwrap_or(-1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::tensor::Extent;

    // Both keys were read from files that TensorFlow 2.21 wrote.
    #[test]
    fn keys_as_tensorflow_writes_them() {
        let explicit = Extent { start: 0, length: Some(3) };
        let full = Extent { start: 0, length: None };
        let key = slice_key(b"w", &TensorSlice(vec![explicit, explicit]));
        assert_eq!(key, [0, 0x77, 0, 1, 1, 2, 0x80, 0x83, 0x80, 0x83]);
        let key = slice_key(b"f", &TensorSlice(vec![Extent { start: 0, length: Some(2) }, full]));
        assert_eq!(key, [0, 0x66, 0, 1, 1, 2, 0x80, 0x82, 0x80, 0x7f]);
        assert_eq!(slice_key(b"x", &TensorSlice(vec![])), [0, 0x78, 0, 1, 0]);
    }
}
