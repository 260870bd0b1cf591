//! The dtypes of safetensors by their names.
//!
//! Source: `enum Dtype` in `tensor.rs` of the safetensors library (0.8).

use crate::read::tensor::DType;

/// The dtype of the same elements; `None` for those that nothing else here has.
pub(super) fn dtype(name: &str) -> Option<DType> {
    Some(match name {
        "BOOL" => DType::Bool,
        "U8" => DType::UInt8,
        "I8" => DType::Int8,
        "U16" => DType::UInt16,
        "I16" => DType::Int16,
        "U32" => DType::UInt32,
        "I32" => DType::Int32,
        "U64" => DType::UInt64,
        "I64" => DType::Int64,
        "F16" => DType::Float16,
        "BF16" => DType::BFloat16,
        "F32" => DType::Float32,
        "F64" => DType::Float64,
        "C64" => DType::Complex64,
        "F8_E4M3" => DType::Float8E4M3FN,
        "F8_E4M3FNUZ" => DType::Float8E4M3FNUZ,
        "F8_E5M2" => DType::Float8E5M2,
        "F8_E5M2FNUZ" => DType::Float8E5M2FNUZ,
        _ => return None,
    })
}

/// The name of a dtype, with its place in the order in which the library lays tensors out; `None` for those that it does
/// not have. Only what every version of the library reads: of the small floats the two that it had first.
pub(super) fn name(dtype: DType) -> Option<(u8, &'static str)> {
    Some(match dtype {
        DType::Bool => (0, "BOOL"),
        DType::UInt8 => (4, "U8"),
        DType::Int8 => (5, "I8"),
        DType::Float8E5M2 => (6, "F8_E5M2"),
        DType::Float8E4M3FN => (7, "F8_E4M3"),
        DType::Int16 => (9, "I16"),
        DType::UInt16 => (10, "U16"),
        DType::Float16 => (11, "F16"),
        DType::BFloat16 => (12, "BF16"),
        DType::Int32 => (13, "I32"),
        DType::UInt32 => (14, "U32"),
        DType::Float32 => (15, "F32"),
        DType::Complex64 => (16, "C64"),
        DType::Float64 => (17, "F64"),
        DType::Int64 => (18, "I64"),
        DType::UInt64 => (19, "U64"),
        _ => return None,
    })
}

/// Bits of an element of the dtypes that are not decoded: their entries can still be checked.
pub(super) fn undecoded_bits(name: &str) -> Option<u64> {
    Some(match name {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "F8_E8M0" => 8,
        _ => return None,
    })
}
