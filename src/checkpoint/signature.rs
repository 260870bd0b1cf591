//! Signatures: what a SavedModel can be called with, and what it answers.
//!
//! TensorFlow: `SignatureDef` and `TensorInfo` in `core/protobuf/meta_graph.proto`.

use std::collections::BTreeMap;
use std::fmt;

use super::fields::Walker;
use crate::error::Result;
use crate::escape::Escaped;
use crate::pb;
use crate::tensor::{DType, Shape};
use crate::wire::Field;

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
    /// Where in the graph it is.
    pub encoding: Encoding,
}

/// How a value is made of tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoding {
    /// One tensor, by its name. An op's name, without `:0`, for the init op.
    Dense(String),
    /// A `SparseTensor` of three tensors.
    Sparse {
        /// The values that are not zero.
        values: String,
        /// Where they stand.
        indices: String,
        /// The shape of the whole.
        dense_shape: String,
    },
    /// A `RaggedTensor` or another class of Python's.
    Composite {
        /// The class: `RAGGED_TENSOR_SPEC`, or the name of a registered one.
        class: String,
        /// Its tensors.
        components: Vec<TensorInfo>,
    },
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
        let encoding = match info.encoding {
            None => Encoding::Dense(String::new()),
            Some(Pb::Name(name)) => Encoding::Dense(name),
            Some(Pb::CooSparse(sparse)) => Encoding::Sparse {
                values: sparse.values_tensor_name,
                indices: sparse.indices_tensor_name,
                dense_shape: sparse.dense_shape_tensor_name,
            },
            Some(Pb::CompositeTensor(composite)) => Encoding::Composite {
                class: composite.type_spec.map(class_name).unwrap_or_default(),
                components: composite.components.into_iter().map(Self::from).collect(),
            },
        };
        // An absent shape is a default one, which has no dimensions.
        let shape = match info.tensor_shape {
            Some(shape) if shape.unknown_rank => Shape::unknown_rank(),
            Some(shape) => Shape::new(shape.dim.iter().map(|dim| dim.size).collect::<Vec<i64>>()),
            None => Shape::scalar(),
        };
        Self { dtype: DType::from_number(info.dtype), shape, encoding }
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

/// The names of the tensors; a composite's in parentheses behind its class.
impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense(name) => write!(f, "{}", Escaped(name.as_bytes())),
            Self::Sparse { values, indices, dense_shape } => {
                let [values, indices, shape] = [values, indices, dense_shape].map(|name| Escaped(name.as_bytes()));
                write!(f, "sparse(values {values}, indices {indices}, shape {shape})")
            }
            Self::Composite { class, components } => {
                write!(f, "{}(", Escaped(class.as_bytes()))?;
                for (index, component) in components.iter().enumerate() {
                    write!(f, "{}{}", if index == 0 { "" } else { ", " }, component.encoding)?;
                }
                f.write_str(")")
            }
        }
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
        assert_eq!(dense.encoding.to_string(), "x:0");
        let sparse = info("coo_sparse { values_tensor_name: 'v:0' indices_tensor_name: 'i:0' } dtype: 999");
        assert_eq!(sparse.encoding.to_string(), "sparse(values v:0, indices i:0, shape )");
        assert_eq!(sparse.dtype, DType::Unknown(999));
        let ragged = info(
            "composite_tensor { type_spec { type_spec_class: RAGGED_TENSOR_SPEC } \
             components { name: 'a:0' } components { name: 'b\\033:0' } } tensor_shape { unknown_rank: true }",
        );
        assert_eq!(ragged.encoding.to_string(), "RAGGED_TENSOR_SPEC(a:0, b\\x1b:0)");
        assert_eq!(ragged.shape, Shape::unknown_rank());
    }
}
