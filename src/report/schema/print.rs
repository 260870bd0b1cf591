//! `print --format json` as a struct: its values are streamed by the command, and only the schema is wanted of it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::report::kit::json::{DTypeName, Utf8OrBase64};
use crate::report::print::json::PrintHead;

/// The values of tensors.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "only its schema is wanted")]
pub(super) struct Print<'a> {
    #[serde(flatten)]
    head: PrintHead<'a>,
    /// in the order asked for
    tensors: Vec<PrintTensor<'a>>,
}

/// A tensor with its values.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct PrintTensor<'a> {
    /// as in `list`
    name: Utf8OrBase64<'a>,
    /// as in `list`
    dtype: DTypeName,
    /// of the values here: of the part, if a part was asked for
    shape: Vec<u64>,
    /// the slice as written, without its brackets
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    slice: Option<&'a str>,
    /// complete, whatever the size, and nested as the shape is; a scalar is the bare value; null if nothing could be read
    values: Option<Values>,
    /// `ok`, `not_checked` (a part of a tensor above 16 MiB, or a format without checksums), `mismatch`
    checksum: ValuesAre,
    /// why the values are not what was saved, or not all of them; absent if all is well
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    error: Option<&'a str>,
}

/// Whether values are those that were saved.
#[derive(Debug, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is wanted")]
enum ValuesAre {
    Ok,
    NotChecked,
    Mismatch,
}

/// Values, nested as their shape is.
#[derive(Debug)]
pub(super) struct Values;

impl JsonSchema for Values {
    fn schema_name() -> Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "an array of values, or one of them: a number or the word for one, a boolean, a complex number as [re, im], a string (as names are written), or what is known of a variant",
            "anyOf": [
                {"type": "array", "items": {"$ref": "#/$defs/Values"}},
                {"type": ["number", "boolean", "string"]},
                {
                    "type": "object",
                    "properties": {"base64": {"type": "string", "contentEncoding": "base64"}},
                    "required": ["base64"],
                },
                {
                    "type": "object",
                    "properties": {"variant": {"type": "string"}, "bytes": {"type": "integer"}},
                    "required": ["variant", "bytes"],
                },
            ],
        })
    }
}
