//! Primitive values to bytes: varints and protobuf fields, as TensorFlow serializes them.

/// Appends a varint.
pub fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

/// Appends a field that is a number. proto3 leaves out what is zero: so does this.
pub fn write_number(out: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        write_number_even_zero(out, field, value);
    }
}

/// Appends a field that is a number and has presence, as one of a `oneof` has.
pub fn write_number_even_zero(out: &mut Vec<u8>, field: u32, value: u64) {
    write_varint(out, u64::from(field) << 3);
    write_varint(out, value);
}

/// Appends a field of four bytes, unless it is zero.
pub fn write_fixed32(out: &mut Vec<u8>, field: u32, value: u32) {
    if value != 0 {
        write_varint(out, u64::from(field) << 3 | 5);
        out.extend(value.to_le_bytes());
    }
}

/// Appends a field that is a string, bytes or a message, an empty one too.
pub fn write_bytes(out: &mut Vec<u8>, field: u32, value: &[u8]) {
    write_varint(out, u64::from(field) << 3 | 2);
    write_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}
