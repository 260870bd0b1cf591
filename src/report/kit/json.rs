//! What JSON documents have in common; the contract is in `docs/json.md`.
//!
//! Every document is a struct that serde writes: the fields, in their order, with comments that are also the text of
//! `docs/json.md` and of the schemas in `docs/schema` (`schema.rs` makes both). Rows that may be millions are written
//! by hand, and tests hold them to their structs.

use std::io::{self, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::analysis::Totals;
use crate::base::escape::Escaped;
use crate::read::checkpoint::{Origin, SourceKind};
use crate::read::tensor::{DType, Shape};

/// The version of every JSON document of this release.
pub(in crate::report) const SCHEMA_VERSION: u32 = 1;

/// The first two fields of every document.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Head {
    schema_version: u32,
    kind: &'static str,
}

impl Head {
    /// Those of a document of this kind.
    pub(in crate::report) fn of(kind: &'static str) -> Self {
        Self { schema_version: SCHEMA_VERSION, kind }
    }
}

/// Writes a document for programs and for people who look at it.
pub(in crate::report) fn write_document(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}

/// Writes the fields of a document of which the rest is written in another way, without the braces around them.
pub(in crate::report) fn write_fields(fields: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let object = serde_json::to_vec(fields)?;
    let inner = object.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
    out.write_all(inner.unwrap_or(&object))
}

/// Bytes as a JSON string if they are UTF-8, else as `{"base64": "…"}`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn string_element(bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    Ok(serde_json::to_writer(out, &Utf8OrBase64(bytes))?)
}

/// A name or a string of a file.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Utf8OrBase64<'a>(pub(in crate::report) &'a [u8]);

impl Serialize for Utf8OrBase64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Base64 {
            base64: String,
        }
        match std::str::from_utf8(self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Base64 { base64: STANDARD.encode(self.0) }.serialize(serializer),
        }
    }
}

/// A name that a document holds itself.
#[derive(Clone, Debug)]
pub(in crate::report) struct OwnedName(pub(in crate::report) Vec<u8>);

impl Serialize for OwnedName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Utf8OrBase64(&self.0).serialize(serializer)
    }
}

#[cfg(test)]
impl JsonSchema for OwnedName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Utf8OrBase64::schema_name()
    }

    fn inline_schema() -> bool {
        Utf8OrBase64::inline_schema()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Utf8OrBase64::json_schema(generator)
    }
}

/// A path as the system shows it.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct PathText<'a>(pub(in crate::report) &'a Path);

impl Serialize for PathText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string_lossy())
    }
}

/// A path as text.
pub(in crate::report) fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A dtype by TensorFlow's name.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct DTypeName(pub(in crate::report) DType);

impl Serialize for DTypeName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A plain CRC-32C, as `"0x1a2b3c4d"`.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Checksum(pub(in crate::report) u32);

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#010x}", self.0))
    }
}

/// A shape as an array; an unknown rank is null.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Dims<'a>(pub(in crate::report) &'a Shape);

impl Serialize for Dims<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.dims().serialize(serializer)
    }
}

/// A float, or the word that stands for what JSON has no number for.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Float(pub(in crate::report) f64);

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_finite() => serializer.serialize_f64(value),
            value if value.is_nan() => serializer.serialize_str("NaN"),
            value => serializer.serialize_str(if value > 0.0 { "Infinity" } else { "-Infinity" }),
        }
    }
}

/// One of several words, of which a later version may have more.
pub(in crate::report) trait Words {
    /// The word for this one.
    fn word(&self) -> &'static str;

    /// All of them.
    #[cfg(test)]
    fn all() -> Vec<&'static str>;
}

/// Something that is written as a word.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Word<W>(pub(in crate::report) W);

impl<W: Words> Serialize for Word<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

/// What was opened.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Source<'a> {
    /// as given
    path: PathText<'a>,
    /// what it is
    kind: Word<SourceKind>,
    /// the checkpoint that was chosen
    prefix: PathText<'a>,
}

impl<'a> Source<'a> {
    /// What was given and what it turned out to be.
    pub(in crate::report) fn of(origin: &'a Origin) -> Self {
        let label = origin.label.as_deref().map(Path::new);
        let path = PathText(label.unwrap_or(&origin.path));
        Self { path, kind: Word(origin.kind), prefix: PathText(origin.shown()) }
    }
}

/// Sums over tensors.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Sums {
    /// how many
    tensors: usize,
    /// elements of numeric tensors
    parameters: u64,
    /// stored bytes
    bytes: u64,
}

impl From<&Totals> for Sums {
    fn from(totals: &Totals) -> Self {
        Self { tensors: totals.tensors, parameters: totals.parameters, bytes: totals.bytes }
    }
}

/// Seconds since 1970.
pub(in crate::report) fn unix(time: SystemTime) -> Option<u64> {
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// A path for people.
pub(in crate::report) fn shown(path: &Path) -> String {
    Escaped(path.as_os_str().as_encoded_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_utf8_are_base64() {
        let mut out = Vec::new();
        string_element(b"\xff\x00", &mut out).unwrap();
        assert_eq!(out, br#"{"base64":"/wA="}"#);
    }

    #[test]
    fn what_is_no_number_is_a_word() {
        let all = [0.5, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(Float);
        assert_eq!(serde_json::to_string(&all).unwrap(), r#"[0.5,-0.0,"NaN","Infinity","-Infinity"]"#);
    }
}
