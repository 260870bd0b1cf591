//! Serialized variants: what they say they are. Their content is the type's own affair.

use crate::base::escape::escaped;
use crate::read::wire::{Fields, Value};
use crate::report::kit::units::size;

/// What a serialized `VariantTensorDataProto` says it is, and its size.
pub(super) fn variant_text(bytes: &[u8]) -> String {
    format!("<{}, {}>", escaped(variant_type(bytes)), size(bytes.len() as u64))
}

/// The `type_name` of a `VariantTensorDataProto` (`tensorflow/core/framework/tensor.proto`).
pub(super) fn variant_type(bytes: &[u8]) -> &[u8] {
    let mut fields = Fields::new(bytes, 0);
    while let Ok(Some(field)) = fields.next_field() {
        if let (1, Value::Bytes(name)) = (field.number, field.value) {
            return name;
        }
    }
    b"variant"
}
