//! Messages from bytes and from text format, with errors that say where.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};

use crate::base::error::{Error, ErrorKind, Result};
use crate::read::wire::Position;

/// Deepest nesting of messages in text. The library recurses for every level, and what is nested deeper than this
/// could not be read from bytes either: prost, like TensorFlow's protobuf, stops at 100.
const MAX_DEPTH: usize = 100;

/// Stack for that: measured 256 KiB optimized and 4 MiB not, while the main thread of Windows has 1 MiB.
const STACK: usize = 16 << 20;

static POOL: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(include_bytes!("descriptor.bin").as_slice()).ok());

/// Decodes one message, which begins at `offset` in its file and is called `what` in errors.
///
/// # Errors
/// [`ErrorKind::Malformed`] if the bytes are no such message.
pub(crate) fn decode<T: Message + Default>(what: &'static str, bytes: &[u8], offset: u64) -> Result<T> {
    T::decode(bytes).map_err(|error| Error::malformed(what, error.to_string()).at_offset(offset))
}

/// Turns the text form of `message` (`tensorflow.GraphDef`) into its bytes.
///
/// # Errors
/// [`ErrorKind::Malformed`] with the line, column and offset if the text does not follow the format or names a field
/// that `proto/` does not have, or if messages nest too deeply.
pub(crate) fn from_text(message: &str, what: &'static str, text: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let offset = error.valid_up_to();
        Error::malformed(what, format!("not UTF-8 at {}", Position::of(text, offset))).at_offset(offset as u64)
    })?;
    check_depth(what, text.as_bytes())?;
    std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().stack_size(STACK);
        let thread = parser.spawn_scoped(scope, || parse(message, what, text));
        let thread = thread.map_err(|error| Error::new(ErrorKind::Io(error)))?;
        thread.join().unwrap_or_else(|_| Err(Error::malformed(what, "the parser of text format panicked")))
    })
}

fn parse(message: &str, what: &'static str, text: &str) -> Result<Vec<u8>> {
    let descriptor = POOL
        .as_ref()
        .and_then(|pool| pool.get_message_by_name(message))
        .ok_or_else(|| Error::malformed(what, format!("no descriptor for {message}")))?;
    let parsed = DynamicMessage::parse_text_format(descriptor, text).map_err(|error| {
        // The library keeps the place to itself, except in its Debug form.
        let place = offset_in(&format!("{error:?}")).map(|offset| offset.min(text.len()));
        let offset = place.unwrap_or(text.len());
        let why = format!("{error} at {}", Position::of(text.as_bytes(), offset));
        Error::malformed(what, why).at_offset(offset as u64)
    })?;
    Ok(parsed.encode_to_vec())
}

/// The first number of `span: 17..20`.
fn offset_in(debug: &str) -> Option<usize> {
    let (_, span) = debug.rsplit_once("span: ")?;
    span.split_once("..")?.0.parse().ok()
}

/// Refuses text whose messages nest deeper than [`MAX_DEPTH`], without recursion.
fn check_depth(what: &'static str, text: &[u8]) -> Result<()> {
    let mut depth = 0usize;
    let mut bytes = text.iter().enumerate();
    while let Some((offset, byte)) = bytes.next() {
        match byte {
            b'{' | b'<' => {
                depth = depth.saturating_add(1);
                if depth > MAX_DEPTH {
                    let at = Position::of(text, offset);
                    let why = format!(
                        "messages are nested more than {MAX_DEPTH} deep at {at}, where protobuf stops reading too"
                    );
                    // No graph that TensorFlow writes is nested a quarter as deep.
                    let help = "braces that are not closed make what follows look nested: look for a missing } above, or write it again";
                    return Err(Error::malformed(what, why).at_offset(offset as u64).with_help(help));
                }
            }
            b'}' | b'>' => depth = depth.saturating_sub(1),
            b'#' => {
                bytes.find(|(_, b)| **b == b'\n');
            }
            b'"' | b'\'' => {
                while let Some((_, b)) = bytes.next()
                    && b != byte
                {
                    if *b == b'\\' {
                        bytes.next();
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::pb;

    #[test]
    fn text_becomes_the_message_it_says() {
        let text = br#"node { name: "a" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } } versions { producer: 9 }"#;
        let graph: pb::GraphDef =
            decode("graph", &from_text("tensorflow.GraphDef", "graph", text).unwrap(), 0).unwrap();
        assert_eq!(graph.node[0].name, "a");
        assert_eq!(graph.versions.unwrap().producer, 9);
        let dtype = graph.node[0].attr["dtype"].value.clone();
        assert_eq!(dtype, Some(pb::attr_value::Value::Type(1)));
    }

    #[test]
    fn an_unknown_field_is_an_error_with_its_place() {
        let error = from_text("tensorflow.GraphDef", "graph", "# é\nnode {\n  naem: \"a\"\n}".as_bytes()).unwrap_err();
        assert_eq!(error.location().offset, Some(14));
        assert!(error.to_string().contains("'naem'"), "{error}");
        assert!(error.to_string().contains("line 3, column 3"), "{error}");
    }

    #[test]
    fn deep_nesting_is_refused_before_the_library_recurses() {
        for open in ["args {", "[x.y/tensorflow.FullTypeDef] {"] {
            let error = from_text("tensorflow.FullTypeDef", "type", open.repeat(100_000).as_bytes()).unwrap_err();
            assert!(error.to_string().contains("nested more than 100 deep at line 1"), "{error}");
            assert!(error.help().is_some());
        }
        let braces = format!("s: \"{}\\\"{}\" # {{{{ '\n", "{".repeat(200), "<".repeat(200));
        assert!(from_text("tensorflow.FullTypeDef", "type", braces.as_bytes()).is_ok());
        let deepest = format!("{}{}", "args {".repeat(99), "}".repeat(99));
        let bytes = from_text("tensorflow.FullTypeDef", "type", deepest.as_bytes()).unwrap();
        assert!(decode::<pb::FullTypeDef>("type", &bytes, 0).is_ok());
    }

    #[test]
    fn the_number_of_an_enum_without_a_name_is_kept() {
        let bytes = from_text("tensorflow.AttrValue", "attr", b"type: 999").unwrap();
        let attr: pb::AttrValue = decode("attr", &bytes, 0).unwrap();
        assert_eq!(attr.value, Some(pb::attr_value::Value::Type(999)));
    }
}
