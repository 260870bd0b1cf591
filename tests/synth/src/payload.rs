//! What string and variant tensors look like in a data file, and the checksum their entries store.
//!
//! Neither checksum is that of the file's bytes: lengths enter as fixed-width integers, not as the varints written.

use crate::crc;
use crate::proto::put_varint;

/// Bytes of a data file, and the unmasked checksum that belongs to their entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The unmasked CRC-32C.
    pub crc: u32,
}

/// Elements of fixed width, in file order.
pub fn plain(bytes: Vec<u8>) -> Payload {
    Payload { crc: crc::crc32c(&bytes), bytes }
}

fn fixed32(value: u32, big_endian: bool) -> [u8; 4] {
    if big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
}

fn fixed64(value: u64, big_endian: bool) -> [u8; 8] {
    if big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
}

/// A string tensor: all lengths, their checksum, all bytes.
pub fn strings(elements: &[impl AsRef<[u8]>], big_endian: bool) -> Payload {
    let mut bytes = Vec::new();
    let mut sum = 0;
    for element in elements {
        let length = element.as_ref().len() as u64;
        put_varint(&mut bytes, length);
        sum = match u32::try_from(length) {
            Ok(length) => crc::extend(sum, &fixed32(length, big_endian)),
            Err(_) => crc::extend(sum, &fixed64(length, big_endian)),
        };
    }
    let stored = fixed32(crc::mask(sum), big_endian);
    bytes.extend_from_slice(&stored);
    sum = crc::extend(sum, &stored);
    for element in elements {
        bytes.extend_from_slice(element.as_ref());
        sum = crc::extend(sum, element.as_ref());
    }
    Payload { bytes, crc: sum }
}

/// A variant tensor: for each element (a serialized `VariantTensorDataProto`) its length, its bytes, a checksum so far.
pub fn variants(elements: &[impl AsRef<[u8]>], big_endian: bool) -> Payload {
    let mut bytes = Vec::new();
    let mut sum = 0;
    for element in elements {
        let element = element.as_ref();
        put_varint(&mut bytes, element.len() as u64);
        bytes.extend_from_slice(element);
        sum = crc::extend(sum, &fixed64(element.len() as u64, big_endian));
        sum = crc::extend(sum, element);
        let stored = fixed32(crc::mask(sum), big_endian);
        bytes.extend_from_slice(&stored);
        sum = crc::extend(sum, &stored);
    }
    Payload { bytes, crc: sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_string_has_a_two_byte_length() {
        assert_eq!(strings(&[[7; 300]], false).bytes[..2], [0xac, 0x02]);
    }

    #[test]
    fn no_elements_leave_a_checksum_of_nothing_or_nothing() {
        let none: [&[u8]; 0] = [];
        assert_eq!(strings(&none, false).bytes, [0xd8, 0xea, 0x82, 0xa2]);
        assert_eq!(variants(&none, false).bytes, []);
    }

    #[test]
    fn big_endian_changes_both_checksums() {
        let (little, big) = (strings(&["ab"], false), strings(&["ab"], true));
        assert_eq!(little.bytes.len(), big.bytes.len());
        assert_ne!(little.crc, big.crc);
        assert_ne!(little.bytes[1..5], big.bytes[1..5]);
    }
}
