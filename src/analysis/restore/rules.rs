//! What TensorFlow lets into what, and the words it has for things in its messages: the same whether a restore goes by
//! names or by objects.

use super::stored::Stored;
use crate::base::escape::escaped;
use crate::read::checkpoint::{Parts, Tensor};
use crate::read::graphs::restores::Part;
use crate::read::tensor::{DType, Shape};

/// Why TensorFlow cannot cut a part out of a tensor, or put it together from slices.
pub(super) fn unsupported(name: &[u8], tensor: &Tensor, part: Option<&Part>) -> Option<String> {
    let dims = tensor.shape.dims()?;
    let whole: Vec<(u64, u64)> = dims.iter().map(|dim| (0, dim.unsigned_abs())).collect();
    let wanted = match part {
        Some(part) => part.slice.resolve(dims)?,
        None => whole.clone(),
    };
    let copies = match &tensor.parts {
        Parts::Whole(_) => wanted != whole,
        Parts::Slices(slices) => {
            let stored: Vec<Vec<(u64, u64)>> = slices.iter().filter_map(|slice| slice.slice.resolve(dims)).collect();
            let covered: u64 = stored.iter().map(|slice| common(slice, &wanted)).fold(0, u64::saturating_add);
            let size = wanted.iter().map(|(_, len)| *len).fold(1, u64::saturating_mul);
            if covered != size {
                let spec = part.map_or_else(|| vec!["-"; dims.len()].join(":"), |part| part.slice.to_string());
                let name = escaped(name);
                return Some(format!(
                    "Does not have sufficient slices for partitioned tensor {name} to restore in slice_spec: {spec}"
                ));
            }
            !stored.contains(&wanted)
        }
    };
    // `HANDLE_COPY` in `core/util/tensor_bundle/tensor_bundle.cc`.
    let copied = |dtype| {
        use DType::{
            BFloat16, Bool, Complex64, Complex128, Float32, Float64, Int4, Int8, Int16, Int32, Int64, QInt8, QInt32,
            QUInt8, UInt4, UInt8,
        };
        matches!(
            dtype,
            Float32
                | Float64
                | Int32
                | UInt8
                | Int16
                | Int8
                | Complex64
                | Complex128
                | Int64
                | Bool
                | QInt32
                | QUInt8
                | QInt8
                | BFloat16
                | Int4
                | UInt4
        )
    };
    (copies && !copied(tensor.dtype)).then(|| format!("Dtype {} not supported.", cpp_name(tensor.dtype)))
}

/// How many elements two boxes have in common.
fn common(a: &[(u64, u64)], b: &[(u64, u64)]) -> u64 {
    let overlap = |(&(a, an), &(b, bn)): (&(u64, u64), &(u64, u64))| {
        let end = a.saturating_add(an).min(b.saturating_add(bn));
        end.saturating_sub(a.max(b))
    };
    a.iter().zip(b).map(overlap).fold(1, u64::saturating_mul)
}

/// Whether a variable of one shape holds a value of another; what is not known holds anything.
pub(super) fn compatible(variable: &Shape, value: &Shape) -> bool {
    match (variable.dims(), value.dims()) {
        (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| *a < 0 || a == b),
        _ => true,
    }
}

/// The file that holds a tensor, or the first of its slices that is lost.
pub(super) fn shard_of(stored: &Stored, tensor: &Tensor) -> String {
    let shard = match &tensor.parts {
        Parts::Whole(place) => place.shard,
        Parts::Slices(slices) => slices.places().flatten().next().map_or(0, |place| place.shard),
    };
    format!("{}.data-{shard:05}-of-{:05}", stored.prefix, stored.num_shards)
}

/// A dtype as TensorFlow's C++ code calls it.
pub(super) fn cpp_name(dtype: DType) -> String {
    match dtype {
        DType::Float32 => "float".to_owned(),
        DType::Float64 => "double".to_owned(),
        DType::Float16 => "half".to_owned(),
        other => other.to_string(),
    }
}

/// A shape as Python prints a tuple.
pub(super) fn python_shape(shape: &Shape) -> String {
    let Some(dims) = shape.dims() else { return "<unknown>".to_owned() };
    let dims: Vec<String> = dims.iter().map(|dim| if *dim < 0 { "None".to_owned() } else { dim.to_string() }).collect();
    match dims.as_slice() {
        [only] => format!("({only},)"),
        many => format!("({})", many.join(", ")),
    }
}
