//! A list of tensors without their values: what a spec file says, or what a model wants.
//!
//! A spec file is the output of `ckpt list --format json`, so that a repository can keep what it expects under review.
//! Of each tensor name, dtype and shape count; slices are kept, everything else may be left out.

use std::path::Path;

use base64::Engine;
use serde_json::Value;

use crate::base::error::{Error, Result};
use crate::read::container::{Parts, Place, StoredSlice, Tensor};
use crate::read::storage::{Source, Window};
use crate::read::tensor::{DType, Extent, Shape, TensorSlice};

impl Tensor {
    /// A tensor of which nothing but name, dtype and shape is known.
    pub fn without_values(name: &[u8], dtype: DType, shape: Shape) -> Self {
        let parts = Parts::Whole(Place { shard: 0, range: None, crc32c: None });
        Self { name: name.into(), dtype, shape, parts }
    }
}

/// Reads a spec file.
///
/// # Errors
/// If it cannot be read, or is no output of `ckpt list --format json`.
pub(super) fn read_spec(path: &Path) -> Result<Vec<Tensor>> {
    let source = Source::contiguous(path)?;
    let mut scratch = Window::default();
    let bytes = source.slice(0..source.len(), &mut scratch)?;
    parse(bytes).map_err(|error| {
        error.in_file(path).with_help("a spec is what ckpt list --format json or ckpt validate --emit spec writes")
    })
}

fn parse(bytes: &[u8]) -> Result<Vec<Tensor>> {
    let bad = |why: String| Error::malformed("spec", why);
    let value: Value = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
    let kind = value.get("kind").and_then(Value::as_str);
    if kind.is_some_and(|kind| kind != "list") {
        return Err(bad(format!("a document of kind {}, not list", kind.unwrap_or_default())));
    }
    if value.get("complete").and_then(Value::as_bool) == Some(false) {
        return Err(bad("the list is not complete: the index that it was made of is damaged".to_owned()));
    }
    let tensors = value.get("tensors").and_then(Value::as_array).ok_or_else(|| bad("no array `tensors`".to_owned()))?;
    tensors.iter().enumerate().map(|(n, entry)| tensor(entry).ok_or(n)).collect::<Result<_, _>>().map_err(|n| {
        let shown = tensors.get(n).map(ToString::to_string).unwrap_or_default();
        let shown: String = shown.chars().take(80).collect();
        bad(format!("tensor {n} lacks a name, a dtype or a shape that can be understood: {shown}"))
    })
}

fn tensor(entry: &Value) -> Option<Tensor> {
    let name = match entry.get("name")? {
        Value::String(name) => name.clone().into_bytes(),
        other => base64::engine::general_purpose::STANDARD.decode(other.get("base64")?.as_str()?).ok()?,
    };
    let dtype = dtype(entry.get("dtype")?.as_str()?)?;
    let shape = match entry.get("shape")? {
        Value::Null => Shape::unknown_rank(),
        other => Shape::new(integers(other)?),
    };
    let mut tensor = Tensor::without_values(&name, dtype, shape);
    if let Some(slices) = entry.get("slices").and_then(Value::as_array) {
        let slice = |slice: &Value| {
            let (start, length) = (integers(slice.get("start")?)?, integers(slice.get("shape")?)?);
            let extents = start.into_iter().zip(length).map(|(start, length)| Extent { start, length: Some(length) });
            let place = Some(Place { shard: 0, range: None, crc32c: None });
            Some(StoredSlice { slice: TensorSlice(extents.collect()), place })
        };
        tensor.parts = Parts::Slices(slices.iter().map(slice).collect::<Option<_>>()?);
    }
    Some(tensor)
}

/// A dtype by its name, or `unknown(N)`.
fn dtype(name: &str) -> Option<DType> {
    DType::from_name(name).or_else(|| {
        let number = name.strip_prefix("unknown(")?.strip_suffix(')')?;
        Some(DType::from_number(number.parse().ok()?))
    })
}

fn integers(value: &Value) -> Option<Vec<i64>> {
    value.as_array()?.iter().map(Value::as_i64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_dtypes_shapes_and_slices() {
        let text = br#"{"schema_version":1,"kind":"list","tensors":[
            {"name":"w","dtype":"float32","shape":[2,3],"bytes":24},
            {"name":{"base64":"/wA="},"dtype":"unknown(99)","shape":null},
            {"name":"p","dtype":"int64","shape":[4],"slices":[{"slice":"0,4","start":[0],"shape":[4]}]}]}"#;
        let tensors = parse(text).unwrap();
        assert_eq!((tensors[0].dtype, tensors[0].shape.to_string()), (DType::Float32, "[2,3]".to_owned()));
        assert_eq!((tensors[1].name.as_ref(), tensors[1].dtype), (&b"\xff\x00"[..], DType::Unknown(99)));
        assert_eq!(tensors[2].slices().len(), 1);
    }

    #[test]
    fn what_is_no_spec_is_refused_with_the_reason() {
        for (text, why) in [
            ("{", "EOF"),
            (r#"{"kind":"diff"}"#, "kind diff"),
            (r#"{"kind":"list"}"#, "no array"),
            (r#"{"kind":"list","complete":false,"tensors":[]}"#, "not complete"),
            (r#"{"tensors":[{"name":"a","dtype":"float32"}]}"#, "tensor 0 lacks"),
            (r#"{"tensors":[{"name":"a","dtype":"floot","shape":[]}]}"#, "tensor 0 lacks"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }
}
