//! A file that holds one message of TensorFlow's, in binary or as text.

use std::path::Path;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::pb;
use crate::read::sniff::{self, Foreign};
use crate::read::storage::{Source, Window};

/// Reads a file that holds the message `name`, binary or text, and hands its bytes to `parse`.
pub(super) fn read_as<T>(
    path: &Path,
    name: &str,
    what: &'static str,
    limits: &Limits,
    parse: impl FnOnce(&[u8]) -> Result<T>,
) -> Result<T> {
    let source = Source::contiguous(path)?;
    let mut scratch = Window::default();
    let bytes = source.slice(0..source.len(), &mut scratch)?;
    let parsed = if is_text(bytes) {
        let limit = limits.message;
        if source.len() > limit {
            let kind = ErrorKind::LimitExceeded { what, got: source.len(), limit };
            return Err(Error::new(kind).in_file(path));
        }
        pb::from_text(name, what, bytes).and_then(|bytes| parse(&bytes))
    } else {
        parse(bytes)
    };
    parsed.map_err(|error| explain(error.in_file(path), path, name, what))
}

/// Replaces what a parser says of a file that is another kind of message, or none.
fn explain(error: Error, path: &Path, name: &str, what: &str) -> Error {
    let own = match name {
        "tensorflow.SavedModel" => Foreign::SavedModel,
        "tensorflow.MetaGraphDef" => Foreign::MetaGraphDef,
        _ => Foreign::GraphDef,
    };
    // A file that is one by its first fields, or text of no other kind, is damaged further on.
    let may_be_text = path.extension().is_some_and(|end| end != "pb" && end != "meta");
    match sniff::look(path).filter(|found| found.kind != own && !(may_be_text && found.kind == Foreign::Text)) {
        Some(found) => found.instead_of(&format!("not a {what}"), path),
        None => error,
    }
}

/// Whether a file holds text format. A binary message has control characters in its first tags and lengths.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let head = bytes.get(..1024).unwrap_or(bytes);
    let is_control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r') || *byte == 0x7f;
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'#') && !head.iter().any(is_control)
}
