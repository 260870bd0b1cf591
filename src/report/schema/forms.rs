//! The schemas of forms that are written by hand: names, paths, numbers that JSON has not, words.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::analysis::stats;
use crate::report::diff::change_json::{ElementValue, Figure};
use crate::report::kit::json::{Checksum, DTypeName, Dims, Float, PathText, Utf8OrBase64, Word, Words};

/// The schema of a form, under the name that `docs/json.md` has for it.
macro_rules! form {
    ($($of:ty, $name:literal, $schema:tt;)+) => {$(
        impl JsonSchema for $of {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

form! {
    Utf8OrBase64<'_>, "Name", {
        "description": "text, or bytes that are not UTF-8",
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {"base64": {"type": "string", "contentEncoding": "base64"}},
                "required": ["base64"],
            },
        ],
    };
    PathText<'_>, "Path", {"description": "a path as the system shows it", "type": "string"};
    DTypeName, "DType", {
        "description": "TensorFlow's Python name; an unknown one is unknown(N) with its number",
        "type": "string",
    };
    Dims<'_>, "Shape", {
        "description": "the dimensions, -1 for an unknown one; null for an unknown rank",
        "type": ["array", "null"],
        "items": {"type": "integer"},
    };
    Checksum, "Checksum", {
        "description": "a plain (unmasked) CRC-32C",
        "type": "string",
        "pattern": "^0x[0-9a-f]{8}$",
    };
    Float, "Float", {
        "description": "a number, or the word for what JSON has no number for",
        "anyOf": [{"type": "number"}, {"const": "NaN"}, {"const": "Infinity"}, {"const": "-Infinity"}],
    };
    Figure, "Number", {
        "description": "an integer with all its digits, or a float",
        "anyOf": [{"type": "number"}, {"const": "NaN"}, {"const": "Infinity"}, {"const": "-Infinity"}],
    };
    stats::Number, "Number", {
        "description": "an integer with all its digits, or a float",
        "anyOf": [{"type": "number"}, {"const": "NaN"}, {"const": "Infinity"}, {"const": "-Infinity"}],
    };
    ElementValue, "Element", {
        "description": "one element: a number or the word for one, a boolean, or a complex number as two of them",
        "anyOf": [
            {"type": ["number", "boolean", "string"]},
            {"type": "array", "items": {"type": ["number", "string"]}, "minItems": 2, "maxItems": 2},
        ],
    };
}

impl<W: Words> JsonSchema for Word<W> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Word".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": W::all()})
    }
}
