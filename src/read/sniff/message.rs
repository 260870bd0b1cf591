//! Protobuf messages told apart by their first fields, binary and text: whole files that are no checkpoints.
//!
//! TensorFlow: `graph.proto`, `meta_graph.proto`, `saved_model.proto`; ONNX: `onnx.proto`; Core ML: `Model.proto`,
//! `FeatureTypes.proto`; `MindSpore`: `checkpoint.proto`.
//! The binary form has no magic number, so a kind is told only where two fields in a row are what they must be.

use super::looks::{Foreign, Known, looks};

const GRAPH: &str = "it holds a graph and no variables of its own; ckpt inspect and ckpt ops read it";

/// The message that a file begins with.
pub(super) fn message(head: &[u8]) -> Option<Known> {
    let (first, behind) = field(head)?;
    match first {
        // SavedModel: schema version, then a MetaGraphDef. Core ML: version of the specification, then what the model
        // takes. ONNX: IR version, then the name of the producer.
        Field::Number(1) => match field(behind)?.0 {
            Field::Bytes(2, description) if takes_a_feature(description) => {
                Some(looks(Foreign::Other, "a Core ML model", "coremltools reads it; it is no checkpoint"))
            }
            Field::Bytes(2, inner) if inner.first() == Some(&0x0a) => Some(looks(
                Foreign::SavedModel,
                "the graph of a SavedModel",
                "give the directory that it lies in as saved_model.pb",
            )),
            Field::Bytes(2, name) if is_word(name) => {
                let advice = "convert it back with tf2onnx or onnx-tf, or ask onnx what is in it; it is no checkpoint";
                Some(looks(Foreign::Other, "an ONNX model", advice))
            }
            _ => None,
        },
        // Caffe, `caffe.proto`: the name of the net, and its layers (100; 2 in the first version, which few have).
        Field::Bytes(1, name) if is_word(name) && matches!(field(behind), Some((Field::Bytes(100, _), _))) => {
            let advice = "caffe or OpenCV's dnn module reads it; it is no TensorFlow checkpoint";
            Some(looks(Foreign::Other, "a Caffe model", advice))
        }
        Field::Bytes(1, inner) => {
            let Some((name, rest)) = field(inner) else {
                // An empty MetaInfoDef before a graph.
                return (inner.is_empty() && matches!(field(behind)?.0, Field::Bytes(2, _))).then_some(META_GRAPH);
            };
            match (name, field(rest).map(|(field, _)| field)) {
                // NodeDef: its name and its op, which begins with a capital letter.
                (Field::Bytes(1, name), Some(Field::Bytes(2, op))) if is_word(name) && is_op(op) => Some(GRAPH_DEF),
                // MindSpore: a name, and a tensor that begins with its dimensions or its type.
                (Field::Bytes(1, name), Some(Field::Bytes(2, [0x08 | 0x12, ..]))) if is_word(name) => {
                    Some(looks(Foreign::Other, "a MindSpore checkpoint", "mindspore.load_checkpoint reads it"))
                }
                // MetaInfoDef: the ops of the graph, maybe behind a version.
                (Field::Bytes(2, [0x0a, ..]), _) | (Field::Bytes(1, _), Some(Field::Bytes(2, [0x0a, ..]))) => {
                    Some(META_GRAPH)
                }
                // One without the ops begins with tags, or with the version of TensorFlow.
                (Field::Bytes(4..=6, text), _) if is_word(text) && is_part_of_meta_graph(behind) => Some(META_GRAPH),
                (Field::Number(7), _) if is_part_of_meta_graph(behind) => Some(META_GRAPH),
                _ => None,
            }
        }
        // A graph without a MetaInfoDef before it; a GraphDef that holds nothing but functions begins so too.
        Field::Bytes(2, graph) => {
            let (Field::Bytes(1, node), _) = field(graph)? else { return None };
            let (Field::Bytes(1, name), rest) = field(node)? else { return None };
            match field(rest).map(|(field, _)| field) {
                Some(Field::Bytes(2, op)) if is_word(name) && is_op(op) => Some(META_GRAPH),
                _ if matches!(field(name), Some((Field::Bytes(1, name), _)) if is_word(name)) => Some(GRAPH_DEF),
                _ => None,
            }
        }
        _ => None,
    }
}

const GRAPH_DEF: Known = looks(Foreign::GraphDef, "a GraphDef (a frozen or a plain graph)", GRAPH);

const META_GRAPH: Known = looks(
    Foreign::MetaGraphDef,
    "a MetaGraphDef (a .meta file)",
    "it holds a graph without values; give the prefix of a checkpoint",
);

/// Whether what follows a `MetaInfoDef` is a graph, or nothing.
fn is_part_of_meta_graph(behind: &[u8]) -> bool {
    behind.is_empty() || matches!(field(behind), Some((Field::Bytes(2..=7, _), _)))
}

/// Whether a message begins with a feature of Core ML: a name, maybe a description, and a type. A `MetaInfoDef`, which
/// stands there in a SavedModel, has a list of ops behind its version.
fn takes_a_feature(description: &[u8]) -> bool {
    let Some((Field::Bytes(1, feature), _)) = field(description) else { return false };
    let Some((Field::Bytes(1, name), rest)) = field(feature) else { return false };
    let typed = match field(rest) {
        Some((Field::Bytes(2, text), rest)) if is_word(text) => field(rest).map(|(field, _)| field),
        found => found.map(|(field, _)| field),
    };
    // One type of all that `FeatureType` has, numbered from 1 (`int64Type`) to 8 (`stateType`), or 1000 (`isOptional`).
    let is_type = |kind: &[u8]| match field(kind) {
        Some((Field::Bytes(1..=8, _), _)) => true,
        Some((Field::Number(number), _)) => number == 1000,
        _ => false,
    };
    is_word(name) && matches!(typed, Some(Field::Bytes(3, kind)) if is_type(kind))
}

/// The message that a file in text form holds.
pub(super) fn text_message(text: &[u8]) -> Option<Known> {
    let text = std::str::from_utf8(text.get(..text.len().min(512))?)
        .or_else(|e| std::str::from_utf8(text.get(..e.valid_up_to()).unwrap_or_default()));
    let mut lines = text.ok()?.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.next()?;
    let second = lines.next().unwrap_or_default();
    let word = first.split([' ', ':', '{', '<']).next()?;
    let looks = |kind, what, advice| Some(looks(kind, what, advice));
    match word {
        "node" | "versions" | "library" => looks(Foreign::GraphDef, "a GraphDef in text form", GRAPH),
        "meta_info_def" | "graph_def" => looks(
            Foreign::MetaGraphDef,
            "a MetaGraphDef in text form",
            "it holds a graph without values; give the prefix of a checkpoint",
        ),
        "saved_model_schema_version" | "meta_graphs" => looks(
            Foreign::SavedModel,
            "the graph of a SavedModel in text form",
            "give the directory that it lies in as saved_model.pbtxt",
        ),
        "item"
            if second.starts_with("id")
                || second.starts_with("name")
                || first.contains("id")
                || first.contains("name") =>
        {
            looks(
                Foreign::Other,
                "a label map (StringIntLabelMap in text form)",
                "it names classes for object detection; the model is another file",
            )
        }
        "model" | "train_config" | "train_input_reader" | "eval_config" if first.contains(['{', '<']) => looks(
            Foreign::Other,
            "a pipeline configuration in text form",
            "it configures object detection; the model is another file",
        ),
        "model_checkpoint_path" | "all_model_checkpoint_paths" => looks(
            Foreign::StateFile,
            "a checkpoint state file",
            "it names checkpoints; give the directory that it lies in",
        ),
        _ => None,
    }
}

/// The first field of a message, as far as its bytes are there.
enum Field<'m> {
    Number(u32),
    Bytes(u32, &'m [u8]),
}

fn field(bytes: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let (tag, rest) = varint(bytes)?;
    let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
    let (value, rest) = varint(rest)?;
    match tag & 7 {
        0 => Some((Field::Number(number), rest)),
        2 => {
            let len = usize::try_from(value).ok()?;
            let (inner, behind) = rest.split_at(len.min(rest.len()));
            Some((Field::Bytes(number, inner), behind))
        }
        _ => None,
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (n, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(n).ok()?.saturating_mul(7))?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(n.saturating_add(1)..)?));
        }
    }
    None
}

fn is_word(bytes: &[u8]) -> bool {
    (1..=1024).contains(&bytes.len()) && bytes.iter().all(|b| matches!(b, 0x21..=0x7e | b' '))
}

fn is_op(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|b| b.is_ascii_uppercase() || *b == b'_')
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() {
        let kind = |bytes: &[u8]| message(bytes).map(|looks| looks.kind);
        assert_eq!(kind(b"\x0a\x0a\x0a\x01x\x12\x05Const"), Some(Foreign::GraphDef));
        assert_eq!(kind(b"\x08\x01\x12\x05\x0a\x03\x22\x01t"), Some(Foreign::SavedModel));
        assert_eq!(kind(b"\x08\x07\x12\x07pytorch\x1a\x031.9"), Some(Foreign::Other));
        for core_ml in [
            &b"\x08\x04\x12\x12\x0a\x0d\x0a\x05image\x1a\x04\x22\x02\x08\x01"[..],
            b"\x08\x01\x12\x10\x0a\x0e\x0a\x01x\x12\x03in.\x1a\x04\x2a\x02\x08\x01",
        ] {
            assert_eq!(message(core_ml).map(|looks| looks.what), Some("a Core ML model"), "{}", core_ml.escape_ascii());
        }
        assert_eq!(kind(b"\x0a\x08\x12\x06\x0a\x04\x0a\x02No"), Some(Foreign::MetaGraphDef));
        // Without the list of ops: tags, a version of TensorFlow, nothing at all; without a MetaInfoDef.
        let graph = b"\x12\x0c\x0a\x0a\x0a\x01x\x12\x05Const";
        for info in [&b"\x0a\x07\x22\x05serve"[..], b"\x0a\x06\x2a\x042.21", b"\x0a\x02\x38\x01", b"\x0a\x00", b""] {
            assert_eq!(kind(&[info, graph].concat()), Some(Foreign::MetaGraphDef), "{}", info.escape_ascii());
        }
        // A library of functions and nothing else.
        assert_eq!(kind(b"\x12\x07\x0a\x05\x0a\x03\x0a\x01f"), Some(Foreign::GraphDef));
        assert_eq!(kind(b"\x0a\x0b\x0a\x01w\x12\x06\x08\x03\x12\x02Fl"), Some(Foreign::Other));
        let caffe = b"\x0a\x05VGG16\xa2\x06\x08\x0a\x06input1";
        assert_eq!(message(caffe).map(|looks| looks.what), Some("a Caffe model"));
        for nothing in [&b""[..], b"\x0a", b"\xff\xff", b"\x00\x00", &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]] {
            assert_eq!(kind(nothing), None);
        }
    }

    #[test]
    fn text_messages_are_told_apart() {
        let what = |text: &str| text_message(text.as_bytes()).map(|looks| looks.what);
        assert_eq!(what("item {\n  id: 1\n  name: 'cat'\n}"), Some("a label map (StringIntLabelMap in text form)"));
        assert_eq!(what("# frozen\nnode {\n  name: \"x\""), Some("a GraphDef in text form"));
        assert_eq!(what("model_checkpoint_path: \"m\""), Some("a checkpoint state file"));
        assert_eq!(what("dear diary"), None);
        assert_eq!(what(""), None);
    }
}
