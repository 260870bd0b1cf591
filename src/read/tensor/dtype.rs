//! The element types of TensorFlow 2.21.
//!
//! Source: `tensorflow/core/framework/types.proto`. A number that is not in this table is kept, not refused: a newer
//! TensorFlow may have written it, and its name, shape and size are still worth knowing.

use std::fmt;

macro_rules! dtypes {
    ($($variant:ident = $number:literal, $name:literal, $size:expr, $swap:literal;)*) => {
        /// A TensorFlow `DataType`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the variants are TensorFlow's own names")]
        pub enum DType {
            $($variant,)*
            /// A reference to a value of the type with this number less 100; never legal in a checkpoint.
            Ref(i32),
            /// A number that TensorFlow 2.21 does not define.
            Unknown(i32),
        }

        impl DType {
            /// Every type that this release defines, by number.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The type with TensorFlow's number.
            pub fn from_number(number: i32) -> Self {
                match number {
                    $($number => Self::$variant,)*
                    101..=133 => Self::Ref(number),
                    other => Self::Unknown(other),
                }
            }

            /// TensorFlow's number.
            pub fn number(self) -> i32 {
                match self {
                    $(Self::$variant => $number,)*
                    Self::Ref(number) | Self::Unknown(number) => number,
                }
            }

            /// TensorFlow's Python name, `None` for a number that it does not define.
            pub fn known_name(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some($name),)*
                    Self::Ref(_) | Self::Unknown(_) => None,
                }
            }

            /// Bytes of one element on disk; `None` where elements have no fixed size.
            pub fn element_size(self) -> Option<u64> {
                match self {
                    $(Self::$variant => $size,)*
                    Self::Ref(_) | Self::Unknown(_) => None,
                }
            }

            /// Bytes that a big-endian bundle stores in reverse order; 1 where there is nothing to reverse.
            ///
            /// Source: `core/util/tensor_bundle/byte_swap_tensor.cc`; a complex number swaps its halves separately.
            pub fn swap_unit(self) -> usize {
                match self {
                    $(Self::$variant => $swap,)*
                    Self::Ref(_) | Self::Unknown(_) => 1,
                }
            }
        }
    };
}

dtypes! {
    Invalid = 0, "invalid", None, 1;
    Float32 = 1, "float32", Some(4), 4;
    Float64 = 2, "float64", Some(8), 8;
    Int32 = 3, "int32", Some(4), 4;
    UInt8 = 4, "uint8", Some(1), 1;
    Int16 = 5, "int16", Some(2), 2;
    Int8 = 6, "int8", Some(1), 1;
    String = 7, "string", None, 1;
    Complex64 = 8, "complex64", Some(8), 4;
    Int64 = 9, "int64", Some(8), 8;
    Bool = 10, "bool", Some(1), 1;
    QInt8 = 11, "qint8", Some(1), 1;
    QUInt8 = 12, "quint8", Some(1), 1;
    QInt32 = 13, "qint32", Some(4), 4;
    BFloat16 = 14, "bfloat16", Some(2), 2;
    QInt16 = 15, "qint16", Some(2), 2;
    QUInt16 = 16, "quint16", Some(2), 2;
    UInt16 = 17, "uint16", Some(2), 2;
    Complex128 = 18, "complex128", Some(16), 8;
    Float16 = 19, "float16", Some(2), 2;
    Resource = 20, "resource", None, 1;
    Variant = 21, "variant", None, 1;
    UInt32 = 22, "uint32", Some(4), 4;
    UInt64 = 23, "uint64", Some(8), 8;
    Float8E5M2 = 24, "float8_e5m2", Some(1), 1;
    Float8E4M3FN = 25, "float8_e4m3fn", Some(1), 1;
    Float8E4M3FNUZ = 26, "float8_e4m3fnuz", Some(1), 1;
    Float8E4M3B11FNUZ = 27, "float8_e4m3b11fnuz", Some(1), 1;
    Float8E5M2FNUZ = 28, "float8_e5m2fnuz", Some(1), 1;
    Int4 = 29, "int4", Some(1), 1;
    UInt4 = 30, "uint4", Some(1), 1;
    Int2 = 31, "int2", Some(1), 1;
    UInt2 = 32, "uint2", Some(1), 1;
    Float4E2M1FN = 33, "float4_e2m1fn", Some(1), 1;
}

impl DType {
    /// The type with TensorFlow's Python name, or one of the short names that people write (`bf16`, `f32`, `half`).
    pub fn from_name(name: &str) -> Option<Self> {
        let long = match name {
            "float" | "f32" => "float32",
            "double" | "f64" => "float64",
            "half" | "f16" => "float16",
            "bf16" => "bfloat16",
            "i64" => "int64",
            "i32" => "int32",
            "i16" => "int16",
            "i8" => "int8",
            "u64" => "uint64",
            "u32" => "uint32",
            "u16" => "uint16",
            "u8" => "uint8",
            "str" => "string",
            other => other,
        };
        Self::ALL.iter().copied().find(|dtype| dtype.known_name() == Some(long) && *dtype != Self::Invalid)
    }

    /// Whether elements are byte strings or variants, whose sizes differ.
    pub fn is_variable_length(self) -> bool {
        matches!(self, Self::String | Self::Variant)
    }

    /// Whether elements are floats that programs compute with, of 16 bits and more.
    pub fn is_float(self) -> bool {
        matches!(self, Self::Float16 | Self::BFloat16 | Self::Float32 | Self::Float64)
    }

    /// Whether elements are whole numbers, of any width, quantized ones included; `bool` is none.
    pub fn is_integer(self) -> bool {
        let plain = matches!(self, Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64 | Self::Int4 | Self::Int2);
        let unsigned =
            matches!(self, Self::UInt8 | Self::UInt16 | Self::UInt32 | Self::UInt64 | Self::UInt4 | Self::UInt2);
        plain || unsigned || matches!(self, Self::QInt8 | Self::QInt16 | Self::QInt32 | Self::QUInt8 | Self::QUInt16)
    }

    /// Whether TensorFlow can have written it into a checkpoint.
    pub fn is_storable(self) -> bool {
        !matches!(self, Self::Invalid | Self::Resource | Self::Ref(_) | Self::Unknown(_))
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.known_name()) {
            (_, Some(name)) => f.pad(name),
            (Self::Ref(number), None) => match Self::from_number(number.saturating_sub(100)).known_name() {
                Some(name) => f.pad(&format!("{name}_ref")),
                None => f.pad(&format!("unknown({number})")),
            },
            (_, None) => f.pad(&format!("unknown({})", self.number())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_go_both_ways() {
        for &dtype in DType::ALL {
            assert_eq!(DType::from_number(dtype.number()), dtype);
            if dtype != DType::Invalid {
                assert_eq!(DType::from_name(dtype.known_name().unwrap()), Some(dtype));
            }
        }
        assert_eq!(DType::ALL.len(), 34);
    }

    #[test]
    fn foreign_numbers_are_kept_and_named() {
        assert_eq!(DType::from_number(9999).to_string(), "unknown(9999)");
        assert_eq!(DType::from_number(-1).number(), -1);
        assert_eq!(DType::from_number(101).to_string(), "float32_ref");
        assert!(!DType::from_number(101).is_storable());
    }
}
