//! Protobuf wire format, written by hand.
//!
//! [`Msg`] appends fields in call order and never looks at a schema, so a test can write what a generated type would
//! refuse to: fields of the wrong wire type, fields twice, groups, and bytes that are no message at all.

/// Appends `value` as a base-128 varint, least significant group first.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The varint of `value`.
pub fn varint(value: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(10);
    put_varint(&mut out, value);
    out
}

/// A message under construction. Methods take and return the builder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Msg {
    bytes: Vec<u8>,
}

impl Msg {
    /// An empty message.
    pub fn new() -> Self {
        Self::default()
    }

    fn tag(&mut self, field: u32, wire_type: u8) {
        put_varint(&mut self.bytes, (u64::from(field) << 3) | u64::from(wire_type));
    }

    /// A varint field: unsigned integers, enums.
    pub fn varint(mut self, field: u32, value: u64) -> Self {
        self.tag(field, 0);
        put_varint(&mut self.bytes, value);
        self
    }

    /// An `int32` or `int64` field; negative numbers take ten bytes.
    pub fn int(self, field: u32, value: i64) -> Self {
        self.varint(field, value as u64)
    }

    /// As [`Msg::int`], but absent when zero, as proto3 writers do.
    pub fn int_unless_zero(self, field: u32, value: i64) -> Self {
        if value == 0 { self } else { self.int(field, value) }
    }

    /// A `bool` field, also written when false.
    pub fn bool(self, field: u32, value: bool) -> Self {
        self.varint(field, u64::from(value))
    }

    /// A `fixed32` field.
    pub fn fixed32(mut self, field: u32, value: u32) -> Self {
        self.tag(field, 5);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// A `fixed64` field.
    pub fn fixed64(mut self, field: u32, value: u64) -> Self {
        self.tag(field, 1);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// A `float` field.
    pub fn float(self, field: u32, value: f32) -> Self {
        self.fixed32(field, value.to_bits())
    }

    /// A `double` field.
    pub fn double(self, field: u32, value: f64) -> Self {
        self.fixed64(field, value.to_bits())
    }

    /// A `bytes` field.
    pub fn bytes(mut self, field: u32, value: impl AsRef<[u8]>) -> Self {
        self.tag(field, 2);
        put_varint(&mut self.bytes, value.as_ref().len() as u64);
        self.bytes.extend_from_slice(value.as_ref());
        self
    }

    /// A `string` field.
    pub fn string(self, field: u32, value: &str) -> Self {
        self.bytes(field, value)
    }

    /// A message field, also written when empty.
    pub fn msg(self, field: u32, value: Self) -> Self {
        self.bytes(field, value.bytes)
    }

    /// A group (wire types 3 and 4), which TensorFlow never writes.
    pub fn group(mut self, field: u32, value: Self) -> Self {
        self.tag(field, 3);
        self.bytes.extend(value.bytes);
        self.tag(field, 4);
        self
    }

    /// A packed repeated varint field.
    pub fn packed_varints(self, field: u32, values: impl IntoIterator<Item = u64>) -> Self {
        let mut packed = Vec::new();
        for value in values {
            put_varint(&mut packed, value);
        }
        self.bytes(field, packed)
    }

    /// A packed repeated `float` field.
    pub fn packed_floats(self, field: u32, values: &[f32]) -> Self {
        let packed: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.bytes(field, packed)
    }

    /// A packed repeated `double` field.
    pub fn packed_doubles(self, field: u32, values: &[f64]) -> Self {
        let packed: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.bytes(field, packed)
    }

    /// A length-delimited field that claims `length` bytes and then holds `value`, whatever its size.
    pub fn lying_bytes(mut self, field: u32, length: u64, value: impl AsRef<[u8]>) -> Self {
        self.tag(field, 2);
        put_varint(&mut self.bytes, length);
        self.raw(value)
    }

    /// Bytes as they are.
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.bytes.extend_from_slice(bytes.as_ref());
        self
    }

    /// The encoded message.
    pub fn build(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_of_known_length() {
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(127), [0x7f]);
        assert_eq!(varint(300), [0xac, 0x02]);
        assert_eq!(varint(u64::MAX).len(), 10);
    }

    #[test]
    fn fields_carry_their_wire_type() {
        let msg = Msg::new().varint(1, 150).fixed32(2, 1).fixed64(3, 1).string(4, "ab").packed_varints(5, [3, 270]);
        assert_eq!(
            msg.build(),
            [8, 150, 1, 0x15, 1, 0, 0, 0, 0x19, 1, 0, 0, 0, 0, 0, 0, 0, 0x22, 2, b'a', b'b', 0x2a, 3, 3, 0x8e, 2]
        );
    }

    #[test]
    fn a_negative_int_takes_ten_bytes() {
        assert_eq!(Msg::new().int(1, -1).build().len(), 11);
    }
}
