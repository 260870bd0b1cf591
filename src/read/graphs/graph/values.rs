//! Attributes and constants as values: decoded, since whoever asks wants all of one.
//!
//! TensorFlow: `core/framework/{attr_value,tensor,tensor_shape}.proto`.

use super::Node;
use crate::base::error::Result;
use crate::read::pb;
use crate::read::tensor::{DType, Shape};

impl Node<'_> {
    /// One of its attributes; absent ones have the op's default.
    pub(in crate::read::graphs) fn value(&self, key: &[u8]) -> Result<Option<pb::attr_value::Value>> {
        let Some(value) = self.attr(key)? else { return Ok(None) };
        let attr: pb::AttrValue = pb::decode("attribute", value.bytes, value.offset)?;
        Ok(attr.value)
    }

    /// A boolean attribute.
    pub(in crate::read::graphs) fn flag(&self, key: &[u8], default: bool) -> Result<bool> {
        Ok(match self.value(key)? {
            Some(pb::attr_value::Value::B(value)) => value,
            _ => default,
        })
    }

    /// An attribute that is a dtype.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn dtype(&self, key: &[u8]) -> Result<Option<DType>> {
        Ok(match self.value(key)? {
            Some(pb::attr_value::Value::Type(number)) => Some(DType::from_number(number)),
            _ => None,
        })
    }

    /// An attribute that is a list of dtypes.
    pub(in crate::read::graphs) fn dtypes(&self, key: &[u8]) -> Result<Vec<DType>> {
        Ok(match self.value(key)? {
            Some(pb::attr_value::Value::List(list)) => list.r#type.into_iter().map(DType::from_number).collect(),
            _ => Vec::new(),
        })
    }

    /// An attribute that is a shape; of unknown rank if there is none.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn shape(&self, key: &[u8]) -> Result<Shape> {
        Ok(match self.value(key)? {
            Some(pb::attr_value::Value::Shape(shape)) => shape_of(&shape),
            _ => Shape::unknown_rank(),
        })
    }
}

/// A `TensorShapeProto` as a shape.
pub(in crate::read::graphs) fn shape_of(shape: &pb::TensorShapeProto) -> Shape {
    if shape.unknown_rank {
        return Shape::unknown_rank();
    }
    Shape::new(shape.dim.iter().map(|dim| dim.size).collect::<Vec<i64>>())
}

/// The first `n` elements of a constant of strings. Where fewer are stored, the last one fills the rest
/// (`core/framework/tensor.cc`); where none is, all are empty.
pub(in crate::read::graphs) fn strings(tensor: &pb::TensorProto, n: usize) -> Vec<Vec<u8>> {
    const MOST: usize = 64 << 20;
    let stored = &tensor.string_val;
    // A long name that stands for a million others must not become a million long names.
    let filled = n.saturating_sub(stored.len()).saturating_mul(stored.last().map_or(0, Vec::len));
    let n = if filled > MOST { n.min(stored.len()) } else { n };
    (0..n).map(|at| stored.get(at).or(stored.last()).cloned().unwrap_or_default()).collect()
}

/// The elements of a constant of int32 or int64, which is how shapes are given. At most 255: no tensor has more
/// dimensions.
pub(in crate::read::graphs) fn integers(tensor: &pb::TensorProto) -> Vec<i64> {
    let content = &tensor.tensor_content;
    let wide = tensor.dtype == DType::Int64.number();
    if !content.is_empty() {
        let size = if wide { 8 } else { 4 };
        return content.chunks_exact(size).take(255).map(little_endian).collect();
    }
    let n = tensor.tensor_shape.as_ref().and_then(|shape| shape_of(shape).elements()).unwrap_or(1).min(255);
    let stored: Vec<i64> =
        if wide { tensor.int64_val.clone() } else { tensor.int_val.iter().map(|value| i64::from(*value)).collect() };
    let n = usize::try_from(n).unwrap_or(0);
    (0..n).map(|at| stored.get(at).or(stored.last()).copied().unwrap_or(0)).collect()
}

/// Four or eight bytes as a signed number.
fn little_endian(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
    let start = if negative { -1i64 } else { 0 };
    bytes.iter().rev().fold(start, |number, byte| (number << 8) | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_repeat_their_last_value() {
        let tensor = |text: &str| {
            let bytes = pb::from_text("tensorflow.TensorProto", "tensor", text.as_bytes()).unwrap();
            pb::decode::<pb::TensorProto>("tensor", &bytes, 0).unwrap()
        };
        assert_eq!(strings(&tensor("string_val: 'a' string_val: 'b'"), 3), [b"a", b"b", b"b"]);
        assert_eq!(strings(&tensor(""), 1), [b""]);
        assert_eq!(integers(&tensor("dtype: DT_INT32 tensor_shape { dim { size: 2 } } int_val: 7")), [7, 7]);
        let content = r"dtype: DT_INT32 tensor_content: '\377\377\377\377\002\000\000\000'";
        assert_eq!(integers(&tensor(content)), [-1, 2]);
        assert_eq!(integers(&tensor(r"dtype: DT_INT64 tensor_content: '\001\000\000\000\000\000\000\000'")), [1]);
    }
}
