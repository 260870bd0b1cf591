//! Signatures: what a SavedModel can be called with, and what it answers.
//!
//! TensorFlow: `SignatureDef` and `TensorInfo` in `core/protobuf/meta_graph.proto`.

use std::collections::BTreeMap;

use crate::base::error::Result;
use crate::read::pb;
use crate::read::tensor::{DType, Shape};
use crate::read::wire::{Field, Walker};

const WALK: Walker = Walker { what: "signature" };

/// TensorFlow's `SignatureDef`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature {
    /// Arguments by name.
    pub inputs: BTreeMap<String, TensorInfo>,
    /// Results by name.
    pub outputs: BTreeMap<String, TensorInfo>,
    /// `tensorflow/serving/predict`, `…/classify`, `…/regress`; empty for TensorFlow's own.
    pub method_name: String,
}

/// TensorFlow's `TensorInfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// The element type.
    pub dtype: DType,
    /// The shape, possibly of unknown dimensions or rank.
    pub shape: Shape,
    /// The tensor `x:0` in the graph; an op's name, without `:0`, for TensorFlow's own signatures.
    ///
    /// A `SparseTensor` or another composite has several tensors, and this is a description:
    /// `sparse(values v:0, indices i:0, shape s:0)`, `RAGGED_TENSOR_SPEC(a:0, b:0)`.
    pub name: String,
}

impl Signature {
    /// Reads a `SignatureDef`, without its default values, which may be large.
    pub(super) fn parse(field: Field<'_>) -> Result<Self> {
        let mut signature = Self::default();
        WALK.each_in(field, |field| {
            match field.number {
                1 => insert(&mut signature.inputs, field)?,
                2 => insert(&mut signature.outputs, field)?,
                3 => signature.method_name = WALK.string(field)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(signature)
    }
}

fn insert(to: &mut BTreeMap<String, TensorInfo>, entry: Field<'_>) -> Result<()> {
    let (name, info) = WALK.entry(entry)?;
    let info: pb::TensorInfo = match info {
        Some(info) => pb::decode("tensor info", WALK.bytes(info)?, info.offset)?,
        None => pb::TensorInfo::default(),
    };
    to.insert(name, info.into());
    Ok(())
}

/// Recurses into components, which prost decoded: no deeper than its own limit of 100.
impl From<pb::TensorInfo> for TensorInfo {
    fn from(info: pb::TensorInfo) -> Self {
        use pb::tensor_info::Encoding as Pb;
        let name = match info.encoding {
            None => String::new(),
            Some(Pb::Name(name)) => name,
            Some(Pb::CooSparse(sparse)) => format!(
                "sparse(values {}, indices {}, shape {})",
                sparse.values_tensor_name, sparse.indices_tensor_name, sparse.dense_shape_tensor_name
            ),
            Some(Pb::CompositeTensor(composite)) => {
                let class = composite.type_spec.map(class_name).unwrap_or_default();
                let parts: Vec<String> = composite.components.into_iter().map(|info| Self::from(info).name).collect();
                format!("{class}({})", parts.join(", "))
            }
        };
        // An absent shape is a default one, which has no dimensions.
        let shape = match info.tensor_shape {
            Some(shape) if shape.unknown_rank => Shape::unknown_rank(),
            Some(shape) => Shape::new(shape.dim.iter().map(|dim| dim.size).collect::<Vec<i64>>()),
            None => Shape::scalar(),
        };
        Self { dtype: DType::from_number(info.dtype), shape, name }
    }
}

fn class_name(spec: pb::TypeSpecProto) -> String {
    if !spec.type_spec_class_name.is_empty() {
        return spec.type_spec_class_name;
    }
    match pb::type_spec_proto::TypeSpecClass::try_from(spec.type_spec_class) {
        Ok(class) => class.as_str_name().to_owned(),
        Err(_) => format!("unknown({})", spec.type_spec_class),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    fn info(text: &str) -> TensorInfo {
        let bytes = pb::from_text("tensorflow.TensorInfo", "info", text.as_bytes()).unwrap();
        pb::TensorInfo::decode(bytes.as_slice()).unwrap().into()
    }

    #[test]
    fn dense_sparse_and_composite_values() {
        let dense = info("name: 'x:0' dtype: DT_FLOAT tensor_shape { dim { size: -1 } dim { size: 3 } }");
        assert_eq!((dense.dtype, dense.shape.to_string()), (DType::Float32, "[?,3]".to_owned()));
        assert_eq!(dense.name, "x:0");
        let sparse = info("coo_sparse { values_tensor_name: 'v:0' indices_tensor_name: 'i:0' } dtype: 999");
        assert_eq!(sparse.name, "sparse(values v:0, indices i:0, shape )");
        assert_eq!(sparse.dtype, DType::Unknown(999));
        let ragged = info(
            "composite_tensor { type_spec { type_spec_class: RAGGED_TENSOR_SPEC } \
             components { name: 'a:0' } components { name: 'b\\033:0' } } tensor_shape { unknown_rank: true }",
        );
        assert_eq!(ragged.name, "RAGGED_TENSOR_SPEC(a:0, b\u{1b}:0)");
        assert_eq!(ragged.shape, Shape::unknown_rank());
    }
}
