//! What only a V1 checkpoint can have wrong: keys out of order, entries that say they are another's, dtypes that the
//! format has no place for.
//!
//! This tool finds the values all the same, because it looks at every key; TensorFlow does not.

use super::Validation;
use crate::analysis::finding::{Code, Finding, Severity};
use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;
use crate::read::formats::saver_v1::SaverV1;
use crate::read::tensor::DType;

/// Checks the entries of a V1 checkpoint; with `quick` only what its metadata says.
pub(super) fn check(checkpoint: &Checkpoint, quick: bool, result: &mut Validation) {
    if checkpoint.origin().v1_files.is_empty() {
        return;
    }
    let mut tensors = checkpoint.tensors().cursor();
    while let Some((_, tensor)) = tensors.advance() {
        if !has_field(tensor.dtype) {
            let message = format!(
                "{}: the V1 format has no place for {}: TensorFlow neither writes nor reads it",
                escaped(&tensor.name),
                tensor.dtype
            );
            result.push(warning(Finding::new(Code::BadDType, message).for_tensor(&tensor.name)));
        }
    }
    let Some(scan) =
        (!quick).then(|| checkpoint.of_format::<SaverV1>().map(|v1| v1.scan(checkpoint.limits()))).flatten()
    else {
        return;
    };
    for error in &scan.disorder {
        result.push(Finding::of(error));
    }
    for error in &scan.misnamed {
        let finding = Finding { code: Code::SliceDisagrees, ..Finding::of(error) };
        result.push(warning(finding).with_help("TensorFlow goes by the key; the file was edited by another program"));
    }
}

fn warning(finding: Finding) -> Finding {
    Finding { severity: Severity::Warning, ..finding }
}

/// Whether `SaveTypeTraits` of `core/util/saved_tensor_slice_util.h` names a field for the values.
fn has_field(dtype: DType) -> bool {
    use DType::{
        Bool, Complex64, Complex128, Float16, Float32, Float64, Int8, Int16, Int32, Int64, QInt8, QInt16, QInt32,
        QUInt8, QUInt16, String, UInt8, UInt16, UInt32, UInt64,
    };
    matches!(
        dtype,
        Float32
            | Float64
            | Int32
            | Int16
            | Int8
            | UInt8
            | UInt16
            | QInt8
            | QUInt8
            | QInt16
            | QUInt16
            | QInt32
            | Int64
            | UInt32
            | UInt64
            | Bool
            | Complex64
            | Complex128
            | Float16
            | String
    )
}
