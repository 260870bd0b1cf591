//! Files that hold graphs, opened as a list of parts: a SavedModel, a `.meta`, a bare `GraphDef`; binary or text.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Library, Node, Slice, WALK};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::graphs::message_file::read_as;
use crate::read::graphs::meta_graph::MetaGraph;
use crate::read::pb;
use crate::read::sniff::{Foreign, looks_like};
use crate::read::storage::Source;
use crate::read::wire::{Field, Fields, Value};

/// Which message a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `SavedModel`: `saved_model.pb`, `saved_model.pbtxt`.
    SavedModel,
    /// `MetaGraphDef`: `<prefix>.meta`.
    MetaGraph,
    /// `GraphDef`: `graph.pbtxt`, a frozen graph.
    Graph,
}

/// A file while it is looked at.
#[derive(Debug)]
pub struct GraphFile<'a> {
    /// The graphs in it; one, unless it is a SavedModel.
    pub parts: Vec<Part<'a>>,
}

/// One graph with what a `MetaGraphDef` says around it; a bare `GraphDef` says nothing.
#[derive(Debug, Default)]
pub struct Part<'a> {
    /// Tags, signatures, saver, counts.
    pub meta: MetaGraph,
    /// The `GraphDef` messages: one, unless the file is odd, for protobuf merges several.
    pub graphs: Vec<Slice<'a>>,
    /// The `SavedObjectGraph` messages, likewise.
    pub objects: Vec<Slice<'a>>,
    /// The `MetaInfoDef` messages, likewise.
    pub(super) infos: Vec<Slice<'a>>,
    /// Collections of names of nodes.
    pub node_lists: BTreeMap<String, Vec<String>>,
    /// Of every variable in the collections its name and the op that initializes it.
    pub initializers: Vec<(String, String)>,
    /// Assets: the tensor that is fed with the path, and the file below `assets/`.
    pub assets: Vec<(String, String)>,
}

/// Whether a file is called what files of graphs are called.
pub fn has_end_of_a_graph(path: &Path) -> bool {
    let end = path.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    matches!(end.as_deref(), Some("pb" | "pbtxt" | "pbtext" | "prototxt" | "graphdef" | "txt"))
}

impl Form {
    /// The message of the file at `path`, by its name, else by its first bytes.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of(path: &Path) -> Result<Option<Self>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(match &*name {
            "saved_model.pb" | "saved_model.pbtxt" => Some(Self::SavedModel),
            "graph.pbtxt" => Some(Self::Graph),
            "keras_metadata.pb" | "fingerprint.pb" | "saved_model_debug_info.pb" => None,
            _ if path.extension().is_some_and(|end| end == "meta") => Some(Self::MetaGraph),
            _ if has_end_of_a_graph(path) => {
                let source = Source::open(path)?;
                let head = source.head(1 << 16)?;
                // Messages of other programs begin like TensorFlow's, and are called `model.pb` too.
                let is_other = looks_like(&head).is_some_and(|looks| looks.kind == Foreign::Other);
                if is_other { None } else { Self::of_head(&head, source.len()) }
            }
            _ => None,
        })
    }

    /// What a file of `len` bytes that begins with `head` holds.
    fn of_head(head: &[u8], len: u64) -> Option<Self> {
        if let Some(word) = first_word(head) {
            return match word {
                b"saved_model_schema_version" | b"meta_graphs" => Some(Self::SavedModel),
                b"meta_info_def" | b"graph_def" | b"saver_def" | b"collection_def" | b"signature_def" => {
                    Some(Self::MetaGraph)
                }
                b"node" | b"library" | b"versions" | b"version" => Some(Self::Graph),
                _ => None,
            };
        }
        // The tag and the length of the first field are enough, and what is in it where that has arrived.
        let (tag, rest) = head.split_first()?;
        match tag {
            // `saved_model_schema_version`, a varint, and nothing else has one there.
            0x08 => Some(Self::SavedModel),
            0x0a => {
                let (size, used) = varint(rest)?;
                if size > len {
                    return None;
                }
                let body = rest.get(used..)?;
                let body = body.get(..usize::try_from(size).ok()?).unwrap_or(body);
                Some(Self::of_first_message(Fields::new(body, 0)))
            }
            0x12 => Some(Self::MetaGraph),
            0x22 => Some(Self::Graph),
            _ => None,
        }
    }

    /// The first field of a graph is a node, with a name and the name of an op; of a `MetaGraphDef` it is a
    /// `MetaInfoDef`, whose second field is a list of ops and whose fourth and fifth are tags and versions.
    fn of_first_message(mut fields: Fields<'_>) -> Self {
        while let Ok(Some(field)) = fields.next_field() {
            match (field.number, field.value) {
                (2, Value::Bytes(op)) => {
                    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'>' | b'.' | b'-');
                    return if op.iter().all(is_name) { Self::Graph } else { Self::MetaGraph };
                }
                (5, Value::Bytes(text)) if text.iter().all(u8::is_ascii_graphic) => return Self::MetaGraph,
                _ => {}
            }
        }
        Self::MetaGraph
    }

    fn message(self) -> (&'static str, &'static str) {
        match self {
            Self::SavedModel => ("tensorflow.SavedModel", "SavedModel"),
            Self::MetaGraph => ("tensorflow.MetaGraphDef", "meta graph"),
            Self::Graph => ("tensorflow.GraphDef", "graph"),
        }
    }
}

/// The name of the first field of text format; `None` if it is no text.
fn first_word(head: &[u8]) -> Option<&[u8]> {
    let mut rest = head.trim_ascii_start();
    while rest.first() == Some(&b'#') {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        rest = rest.get(end..)?.trim_ascii_start();
    }
    let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')?;
    let behind = rest.get(end..)?.trim_ascii_start().first()?;
    let word = rest.get(..end)?;
    (word.len() > 3 && matches!(behind, b':' | b'{' | b'<')).then_some(word)
}

fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (n, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(n).ok()?.checked_mul(7)?)?;
        if byte & 0x80 == 0 {
            return Some((value, n.checked_add(1)?));
        }
    }
    None
}

/// Opens the file at `path` as `form` and hands its graphs to `look`.
///
/// # Errors
/// If it cannot be read or is no such message, or what `look` says.
pub fn with_graphs<T>(
    path: &Path,
    form: Form,
    look: impl FnOnce(&GraphFile<'_>) -> Result<T>,
    limits: &Limits,
) -> Result<T> {
    if path.extension().is_some_and(|extension| extension == "cpb") {
        let why = "a chunked SavedModel (saved_model.cpb), and open-source TensorFlow cannot read it either";
        return Err(Error::new(ErrorKind::NotACheckpoint(why.to_owned())).in_file(path));
    }
    let (name, what) = form.message();
    read_as(path, name, what, limits, |bytes| look(&GraphFile::parse(form, bytes)?))
}

impl<'a> GraphFile<'a> {
    pub(super) fn parse(form: Form, bytes: &'a [u8]) -> Result<Self> {
        let whole = Slice { bytes, offset: 0 };
        let mut parts = Vec::new();
        match form {
            Form::SavedModel => whole.each(|field| {
                if field.number == 2 {
                    parts.push(Part::of_meta_graph(Slice::of(field)?)?);
                }
                Ok(())
            })?,
            Form::MetaGraph => parts.push(Part::of_meta_graph(whole)?),
            Form::Graph => parts.push(Part { graphs: vec![whole], ..Part::default() }),
        }
        Ok(Self { parts })
    }
}

impl<'a> Part<'a> {
    fn of_meta_graph(message: Slice<'a>) -> Result<Self> {
        let mut part = Self { meta: MetaGraph::parse(message.bytes, message.offset)?, ..Self::default() };
        let mut assets = Vec::new();
        message.each(|field| {
            match field.number {
                1 => part.infos.push(Slice::of(field)?),
                2 => part.graphs.push(Slice::of(field)?),
                4 => part.collection(field, &mut assets)?,
                6 => part.assets.push(asset(pb::decode("asset", WALK.bytes(field)?, field.offset)?)),
                7 => part.objects.push(Slice::of(field)?),
                _ => {}
            }
            Ok(())
        })?;
        if part.assets.is_empty() {
            part.assets = assets;
        }
        Ok(part)
    }

    /// Keeps what matters of a collection: names of nodes, initializers of variables, assets of old models.
    fn collection(&mut self, entry: Field<'a>, assets: &mut Vec<(String, String)>) -> Result<()> {
        let (key, Some(collection)) = WALK.entry(entry)? else { return Ok(()) };
        WALK.each_in(collection, |list| {
            let kind = list.number;
            WALK.each_in(list, |value| {
                match (kind, value.number) {
                    (1, 1) => {
                        let name = String::from_utf8_lossy(WALK.bytes(value)?).into_owned();
                        self.node_lists.entry(key.clone()).or_default().push(name);
                    }
                    // What is no VariableDef here is another kind of bytes.
                    (2, 1) => {
                        if let Ok(variable) =
                            pb::decode::<pb::VariableDef>("variable", WALK.bytes(value)?, value.offset)
                            && !variable.initializer_name.is_empty()
                        {
                            self.initializers.push((variable.variable_name, variable.initializer_name));
                        }
                    }
                    (5, 1) if key == "saved_model_assets" => {
                        let any: pb::Any = pb::decode("collection", WALK.bytes(value)?, value.offset)?;
                        assets.push(asset(pb::decode("asset", &any.value, value.offset)?));
                    }
                    _ => {}
                }
                Ok(())
            })
        })
    }

    /// Whether nothing stands around the graph, so that nobody has counted it yet.
    pub fn is_bare(&self) -> bool {
        self.meta == MetaGraph::default()
    }

    /// Hands the nodes of the graph itself, not of its functions, to `take`.
    ///
    /// # Errors
    /// If the message is damaged, or what `take` says.
    pub fn each_node(&self, mut take: impl FnMut(Node<'a>) -> Result<()>) -> Result<()> {
        for graph in &self.graphs {
            graph.each(|field| if field.number == 1 { take(Node::parse(field)?) } else { Ok(()) })?;
        }
        Ok(())
    }

    /// Its functions.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn library(&self) -> Result<Library<'a>> {
        Library::read(&self.graphs)
    }

    /// The op that a loader runs after restoring: it initializes tables, and whatever else its author put there.
    ///
    /// TensorFlow: `GetInitOp` in `cc/saved_model/loader_util.cc`; the signature first, then `saved_model_main_op`,
    /// then `legacy_init_op`. All three are given here: another loader may take another one.
    pub fn init_ops(&self) -> Vec<(&str, &str)> {
        let signature = self.meta.signatures.get("__saved_model_init_op");
        let signature = signature.into_iter().flat_map(|signature| signature.outputs.values());
        let mut found: Vec<(&str, &str)> =
            signature.map(|info| ("__saved_model_init_op", info.name.as_str())).collect();
        for key in ["saved_model_main_op", "legacy_init_op"] {
            found.extend(self.node_lists.get(key).into_iter().flatten().map(|name| (key, name.as_str())));
        }
        found
    }
}

/// The tensor, and the file.
fn asset(asset: pb::AssetFileDef) -> (String, String) {
    let name = match asset.tensor_info.and_then(|info| info.encoding) {
        Some(pb::tensor_info::Encoding::Name(name)) => name,
        _ => String::new(),
    };
    (name, asset.filename)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Option<Form> {
        Form::of_head(text.as_bytes(), text.len() as u64)
    }

    fn binary(message: &str, text: &str) -> Option<Form> {
        let bytes = pb::from_text(message, "test", text.as_bytes()).unwrap();
        Form::of_head(&bytes, bytes.len() as u64)
    }

    #[test]
    fn messages_are_told_apart_in_text_and_in_binary() {
        assert_eq!(form("# a comment\nnode {\n"), Some(Form::Graph));
        assert_eq!(form("meta_graphs {"), Some(Form::SavedModel));
        assert_eq!(form("graph_def { }"), Some(Form::MetaGraph));
        assert_eq!(form("model_checkpoint_path: \"x\""), None);
        assert_eq!(form("{\"node\": 1}"), None);
        let model = "saved_model_schema_version: 1 meta_graphs { }";
        assert_eq!(binary("tensorflow.SavedModel", model), Some(Form::SavedModel));
        let meta = "meta_info_def { stripped_op_list { op { name: 'Add' } } tensorflow_version: '2.21.0' }";
        assert_eq!(binary("tensorflow.MetaGraphDef", meta), Some(Form::MetaGraph));
        assert_eq!(binary("tensorflow.MetaGraphDef", "meta_info_def { tags: 'serve' }"), Some(Form::MetaGraph));
        assert_eq!(binary("tensorflow.GraphDef", "node { name: 'x' op: 'Add' }"), Some(Form::Graph));
        assert_eq!(Form::of_head(b"", 0), None);
    }

    #[test]
    fn every_cut_of_a_file_is_a_graph_or_an_error() {
        let text = "meta_info_def { tags: 't' } graph_def { node { name: 'x' op: 'Add' input: 'y' } library { function { \
                    signature { name: 'f' } node_def { name: 'n' op: 'g' } } } } collection_def { key: \
                    'saved_model_main_op' value { node_list { value: 'x' } } }";
        let bytes = pb::from_text("tensorflow.MetaGraphDef", "test", text.as_bytes()).unwrap();
        for end in 0..=bytes.len() {
            let look = |bytes: &[u8]| -> Result<usize> {
                let file = GraphFile::parse(Form::MetaGraph, bytes)?;
                let [part] = &file.parts[..] else { panic!("one part") };
                let mut nodes = 0;
                part.each_node(|node| node.each_input(|_| ()).map(|()| nodes += 1))?;
                for function in part.library()?.functions {
                    function.each_node(|_| {
                        nodes += 1;
                        Ok(())
                    })?;
                }
                Ok(nodes + part.init_ops().len())
            };
            let found = look(&bytes[..end]);
            if end == bytes.len() {
                assert_eq!(found.unwrap(), 3);
            }
        }
    }
}
