//! `DataType` numbers, and how many bytes an element of each takes in a bundle.

/// `DT_INVALID`.
pub const INVALID: i32 = 0;
/// `DT_FLOAT`.
pub const FLOAT: i32 = 1;
/// `DT_DOUBLE`.
pub const DOUBLE: i32 = 2;
/// `DT_INT32`.
pub const INT32: i32 = 3;
/// `DT_UINT8`.
pub const UINT8: i32 = 4;
/// `DT_INT16`.
pub const INT16: i32 = 5;
/// `DT_INT8`.
pub const INT8: i32 = 6;
/// `DT_STRING`.
pub const STRING: i32 = 7;
/// `DT_COMPLEX64`.
pub const COMPLEX64: i32 = 8;
/// `DT_INT64`.
pub const INT64: i32 = 9;
/// `DT_BOOL`.
pub const BOOL: i32 = 10;
/// `DT_QINT8`.
pub const QINT8: i32 = 11;
/// `DT_QUINT8`.
pub const QUINT8: i32 = 12;
/// `DT_QINT32`.
pub const QINT32: i32 = 13;
/// `DT_BFLOAT16`.
pub const BFLOAT16: i32 = 14;
/// `DT_QINT16`.
pub const QINT16: i32 = 15;
/// `DT_QUINT16`.
pub const QUINT16: i32 = 16;
/// `DT_UINT16`.
pub const UINT16: i32 = 17;
/// `DT_COMPLEX128`.
pub const COMPLEX128: i32 = 18;
/// `DT_HALF`.
pub const HALF: i32 = 19;
/// `DT_RESOURCE`, which no checkpoint may hold.
pub const RESOURCE: i32 = 20;
/// `DT_VARIANT`.
pub const VARIANT: i32 = 21;
/// `DT_UINT32`.
pub const UINT32: i32 = 22;
/// `DT_UINT64`.
pub const UINT64: i32 = 23;
/// `DT_FLOAT8_E5M2`.
pub const FLOAT8_E5M2: i32 = 24;
/// `DT_FLOAT8_E4M3FN`.
pub const FLOAT8_E4M3FN: i32 = 25;
/// `DT_FLOAT8_E4M3FNUZ`.
pub const FLOAT8_E4M3FNUZ: i32 = 26;
/// `DT_FLOAT8_E4M3B11FNUZ`.
pub const FLOAT8_E4M3B11FNUZ: i32 = 27;
/// `DT_FLOAT8_E5M2FNUZ`.
pub const FLOAT8_E5M2FNUZ: i32 = 28;
/// `DT_INT4`, a byte each.
pub const INT4: i32 = 29;
/// `DT_UINT4`, a byte each.
pub const UINT4: i32 = 30;
/// `DT_INT2`, a byte each.
pub const INT2: i32 = 31;
/// `DT_UINT2`, a byte each.
pub const UINT2: i32 = 32;
/// `DT_FLOAT4_E2M1FN`, a byte each.
pub const FLOAT4_E2M1FN: i32 = 33;

/// Bytes an element takes in a data file; none for strings, variants and what cannot be stored.
pub fn size(dtype: i32) -> Option<usize> {
    Some(match dtype {
        UINT8 | INT8 | BOOL | QINT8 | QUINT8 | FLOAT8_E5M2..=FLOAT4_E2M1FN => 1,
        INT16 | BFLOAT16 | QINT16 | QUINT16 | UINT16 | HALF => 2,
        FLOAT | INT32 | QINT32 | UINT32 => 4,
        DOUBLE | COMPLEX64 | INT64 | UINT64 => 8,
        COMPLEX128 => 16,
        _ => return None,
    })
}
