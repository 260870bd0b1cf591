//! Values that a SavedModel keeps of Python: what functions were called with, as TensorFlow decodes them.
//!
//! TensorFlow: `StructuredValue` in `core/protobuf/struct.proto`, `nested_structure_coder.py`.

use std::fmt::Write as _;

use crate::read::pb;
use crate::read::tensor::{DType, Shape};

use pb::structured_value::Kind;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum PythonValue {
    /// `None`.
    None,
    /// `True`, `False`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Text(String),
    /// A dtype.
    DType(DType),
    /// A `TensorShape`.
    Shape(Shape),
    /// A `TensorSpec`: its name, dtype and shape. An empty name is none.
    Spec(String, DType, Shape),
    /// A list.
    List(Vec<Self>),
    /// A tuple.
    Tuple(Vec<Self>),
    /// A dictionary, by key.
    Dict(Vec<(String, Self)>),
    /// A named tuple: what it is called, and its fields.
    Named(String, Vec<(String, Self)>),
    /// A specification of another kind (ragged, sparse, …): its class, and what it consists of.
    OtherSpec(String, Option<Box<Self>>),
    /// A tensor or an array, whose values are not decoded.
    Tensor,
}

impl PythonValue {
    /// Decodes one. Recurses no deeper than the message was decoded: 100.
    pub(super) fn of(value: pb::StructuredValue) -> Self {
        let all = |values: Vec<pb::StructuredValue>| values.into_iter().map(Self::of).collect::<Vec<_>>();
        match value.kind {
            None | Some(Kind::NoneValue(_)) => Self::None,
            Some(Kind::BoolValue(value)) => Self::Bool(value),
            Some(Kind::Int64Value(value)) => Self::Int(value),
            Some(Kind::Float64Value(value)) => Self::Float(value),
            Some(Kind::StringValue(value)) => Self::Text(value),
            Some(Kind::TensorDtypeValue(number)) => Self::DType(DType::from_number(number)),
            Some(Kind::TensorShapeValue(value)) => Self::Shape(shape(Some(value))),
            Some(Kind::TensorSpecValue(spec)) => {
                Self::Spec(spec.name, DType::from_number(spec.dtype), shape(spec.shape))
            }
            Some(Kind::BoundedTensorSpecValue(spec)) => {
                Self::Spec(spec.name, DType::from_number(spec.dtype), shape(spec.shape))
            }
            Some(Kind::ListValue(list)) => Self::List(all(list.values)),
            Some(Kind::TupleValue(tuple)) => Self::Tuple(all(tuple.values)),
            Some(Kind::DictValue(dict)) => {
                let mut fields: Vec<_> = dict.fields.into_iter().map(|(key, value)| (key, Self::of(value))).collect();
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                Self::Dict(fields)
            }
            Some(Kind::NamedTupleValue(tuple)) => {
                let field = |pair: pb::PairValue| (pair.key, pair.value.map_or(Self::None, Self::of));
                Self::Named(tuple.name, tuple.values.into_iter().map(field).collect())
            }
            Some(Kind::TypeSpecValue(spec)) => {
                let state = spec.type_state.map(|state| Box::new(Self::of(*state)));
                Self::OtherSpec(spec.type_spec_class_name, state)
            }
            Some(Kind::TensorValue(_) | Kind::NumpyValue(_)) => Self::Tensor,
        }
    }

    /// The name of its class in Python.
    pub fn class(&self) -> &str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "str",
            Self::DType(_) => "DType",
            Self::Shape(_) => "TensorShape",
            Self::Spec(..) => "TensorSpec",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::Named(name, _) | Self::OtherSpec(name, _) => name,
            Self::Tensor => "EagerTensor",
        }
    }

    /// What `repr` shows.
    pub fn repr(&self) -> String {
        let join = |values: &[Self]| values.iter().map(Self::repr).collect::<Vec<_>>().join(", ");
        match self {
            Self::None => "None".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => python_float(*value),
            Self::Text(text) => python_text(text),
            Self::DType(dtype) => format!("tf.{dtype}"),
            Self::Shape(shape) => match shape.dims() {
                None => "TensorShape(None)".to_owned(),
                Some(dims) => format!("TensorShape([{}])", dimensions(dims)),
            },
            Self::Spec(name, dtype, shape) => {
                let name = if name.is_empty() { "None".to_owned() } else { python_text(name) };
                format!("TensorSpec(shape={}, dtype=tf.{dtype}, name={name})", python_shape(shape))
            }
            Self::List(values) => format!("[{}]", join(values)),
            Self::Tuple(values) if values.len() == 1 => format!("({},)", join(values)),
            Self::Tuple(values) => format!("({})", join(values)),
            Self::Dict(fields) => {
                let all: Vec<_> =
                    fields.iter().map(|(key, value)| format!("{}: {}", python_text(key), value.repr())).collect();
                format!("{{{}}}", all.join(", "))
            }
            Self::Named(name, fields) => {
                let all: Vec<_> = fields.iter().map(|(key, value)| format!("{key}={}", value.repr())).collect();
                format!("{name}({})", all.join(", "))
            }
            Self::OtherSpec(name, state) => {
                format!("{name}{}", state.as_deref().map_or_else(|| "()".to_owned(), Self::repr))
            }
            Self::Tensor => "a tensor".to_owned(),
        }
    }

    /// What `str` shows.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::DType(dtype) => format!("<dtype: '{dtype}'>"),
            Self::Shape(shape) => python_shape(shape),
            value => value.repr(),
        }
    }
}

/// A float as Python shows it: the shortest digits, with an exponent where it is large or small.
fn python_float(value: f64) -> String {
    if !value.is_finite() {
        return match value {
            f64::INFINITY => "inf",
            f64::NEG_INFINITY => "-inf",
            _ => "nan",
        }
        .to_owned();
    }
    if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

fn dimensions(dims: &[i64]) -> String {
    let dims: Vec<String> = dims.iter().map(|dim| if *dim < 0 { "None".to_owned() } else { dim.to_string() }).collect();
    dims.join(", ")
}

/// A shape as `str` shows it: a tuple.
fn python_shape(shape: &Shape) -> String {
    match shape.dims() {
        None => "<unknown>".to_owned(),
        Some([dim]) => format!("({},)", dimensions(&[*dim])),
        Some(dims) => format!("({})", dimensions(dims)),
    }
}

fn shape(shape: Option<pb::TensorShapeProto>) -> Shape {
    match shape {
        Some(shape) if shape.unknown_rank => Shape::unknown_rank(),
        Some(shape) => Shape::new(shape.dim.iter().map(|dim| dim.size).collect::<Vec<i64>>()),
        None => Shape::scalar(),
    }
}

/// Text as `repr` shows it: in quotes of the kind that it has not, with everything escaped that is not printed.
pub fn python_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            c if (c as u32) < 0x20 || (0x7f..0xa0).contains(&(c as u32)) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// Bytes as `repr` shows them.
pub fn python_bytes(bytes: &[u8]) -> String {
    let has = |wanted: u8| bytes.contains(&wanted);
    let quote = if has(b'\'') && !has(b'"') { b'"' } else { b'\'' };
    let mut out = String::with_capacity(bytes.len() + 3);
    out.push('b');
    out.push(char::from(quote));
    for &byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            byte if byte == quote => out.extend(['\\', char::from(byte)]),
            0x20..=0x7e => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(char::from(quote));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_shows_them() {
        let spec = PythonValue::Spec("x".to_owned(), DType::Float32, Shape::new(vec![-1, 3]));
        assert_eq!(spec.repr(), "TensorSpec(shape=(None, 3), dtype=tf.float32, name='x')");
        let unknown = PythonValue::Spec(String::new(), DType::String, Shape::unknown_rank());
        assert_eq!(unknown.repr(), "TensorSpec(shape=<unknown>, dtype=tf.string, name=None)");
        let one = PythonValue::Tuple(vec![PythonValue::Float(1.0)]);
        assert_eq!((one.repr().as_str(), one.class()), ("(1.0,)", "tuple"));
        let dict = PythonValue::Dict(vec![("a".to_owned(), PythonValue::Text("it's".to_owned()))]);
        assert_eq!(dict.repr(), "{'a': \"it's\"}");
        assert_eq!(python_bytes(b"it's \"x\"\n\xff\x00"), r#"b'it\'s "x"\n\xff\x00'"#);
        assert_eq!(python_bytes(b"it's"), "b\"it's\"");
        assert_eq!(python_text("a\u{e9}\u{7f}"), "'a\u{e9}\\x7f'");
    }
}
