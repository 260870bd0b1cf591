//! A SavedModel directory: its meta graphs, told from `saved_model.pb` or its text form.
//!
//! TensorFlow: `core/protobuf/saved_model.proto`; which file is read: `ReadSavedModel` in `cc/saved_model/reader.cc`
//! and `parse_saved_model` in `python/saved_model/loader_impl.py`.

use std::path::{Path, PathBuf};

use super::message_file::read_as;
use super::meta_graph::MetaGraph;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::finder::Origin;
use crate::read::storage;
use crate::read::storage::layout::SAVED_MODEL_FILES;
use crate::read::wire::Walker;

const WALK: Walker = Walker { what: "SavedModel" };

/// TensorFlow's `SavedModel`.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedModel {
    /// The file that was read.
    pub file: PathBuf,
    /// The version of the format: 1.
    pub schema_version: i64,
    /// The graphs, all of which share one set of variables.
    pub meta_graphs: Vec<MetaGraph>,
}

impl SavedModel {
    /// Reads a SavedModel directory, or its `saved_model.pb` or `.pbtxt`.
    ///
    /// # Errors
    /// If there is no such file, it is the chunked form, it cannot be read, or it is no `SavedModel`.
    pub fn read(dir_or_file: &Path, limits: &Limits) -> Result<Self> {
        let file =
            if storage::is_folder(dir_or_file) { Self::file_in(dir_or_file)? } else { dir_or_file.to_path_buf() };
        if file.extension().is_some_and(|extension| extension == "cpb") {
            let why = "a chunked SavedModel (saved_model.cpb), and open-source TensorFlow cannot read it either";
            return Err(Error::new(ErrorKind::NotACheckpoint(why.to_owned())).in_file(&file));
        }
        read_as(&file, "tensorflow.SavedModel", WALK.what, limits, |bytes| Self::parse(&file, bytes)).map_err(explain)
    }

    /// The file in `dir` that TensorFlow would read: the binary form before the text form.
    ///
    /// # Errors
    /// [`ErrorKind::NotACheckpoint`] if there is neither, nor the chunked form.
    pub fn file_in(dir: &Path) -> Result<PathBuf> {
        let candidates = SAVED_MODEL_FILES.map(|name| dir.join(name));
        candidates.into_iter().find(|file| storage::exists(file)).ok_or_else(|| {
            if !storage::exists(dir) {
                let help = "give the directory that saved_model.pb lies in";
                let why = ErrorKind::NotACheckpoint("no such directory".to_owned());
                return Error::new(why).in_file(dir).with_help(help);
            }
            let why = "not a SavedModel: no saved_model.pb or saved_model.pbtxt".to_owned();
            Error::new(ErrorKind::NotACheckpoint(why)).in_file(dir)
        })
    }

    fn parse(file: &Path, bytes: &[u8]) -> Result<Self> {
        let mut model = Self { file: file.to_path_buf(), schema_version: 0, meta_graphs: Vec::new() };
        WALK.each(bytes, 0, |field| {
            match field.number {
                1 => model.schema_version = WALK.varint(field)?.cast_signed(),
                2 => model.meta_graphs.push(MetaGraph::parse(WALK.bytes(field)?, field.offset)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(model)
    }

    /// Where the asset `file` of a meta graph is; `None` if its name leads out of `assets/`, which only an attacker
    /// writes. Both kinds of slashes separate, whichever the system's own is.
    pub fn asset_path(&self, file: &str) -> Option<PathBuf> {
        is_inside(file).then(|| self.file.with_file_name("assets").join(file))
    }

    /// Whether loading it restores variables: `RunRestore` of `cc/saved_model/loader.cc` runs the saver's operation. A
    /// model of TensorFlow 2 always has a saver, and a `variables.index` even without any variable.
    pub fn restores_variables(&self) -> bool {
        let mut savers = self.meta_graphs.iter().filter_map(|graph| graph.saver.as_ref());
        savers.any(|saver| !saver.restore_op_name.is_empty())
    }

    /// The meta graph whose tags are `tags` as a set, which is how TensorFlow chooses.
    pub fn meta_graph<S: AsRef<str>>(&self, tags: &[S]) -> Option<&MetaGraph> {
        self.meta_graphs.iter().find(|meta_graph| meta_graph.has_tags(tags))
    }
}

/// What a SavedModel lacks that has no `variables.index`. Nothing, if its graph restores none; of a graph that could not
/// be read, the shards alone tell.
pub fn lost_variables(origin: &Origin, model: Option<&SavedModel>) -> Option<Error> {
    if origin.has_variables || origin.saved_model.is_none() {
        return None;
    }
    let names = storage::names(&origin.prefix.directory()).unwrap_or_default();
    let shards = names.iter().any(|name| name.starts_with("variables.data-"));
    let why = if shards {
        "the shards of the variables are there, but variables.index, which says what they hold, is missing"
    } else if model.is_some_and(SavedModel::restores_variables) {
        "the graph restores variables, but there is no variables.index"
    } else {
        return None;
    };
    let error = Error::new(ErrorKind::IndexMissing(why.to_owned())).in_file(&origin.prefix.index());
    Some(error.with_help("copy the directory `variables` of the export again"))
}

/// The note of a SavedModel that has none and needs none.
pub const NO_VARIABLES: &str = "this SavedModel has no variables: there is no variables.index";

/// Why a SavedModel without variables should have some. That its graph cannot be read is damage too, because then nobody
/// knows.
pub(crate) fn damage_without_variables(origin: &mut Origin, limits: &Limits) -> Vec<Error> {
    let (model, unread) = match origin.saved_model.as_deref().map(|dir| SavedModel::read(dir, limits)) {
        Some(Err(error)) => (None, Some(error)),
        model => (model.and_then(Result::ok), None),
    };
    let damage: Vec<Error> = unread.into_iter().chain(lost_variables(origin, model.as_ref())).collect();
    if damage.is_empty() {
        origin.notes.push(NO_VARIABLES.to_owned());
    }
    damage
}

/// What to do about a file that is a SavedModel and cannot be read to its end.
fn explain(error: Error) -> Error {
    if error.help().is_some() { error } else { error.with_help("the file is cut or damaged; fetch it again") }
}

/// Whether the name of an asset stays in the directory that it is joined to.
pub fn is_inside(file: &str) -> bool {
    let stays = |part: &str| !matches!(part, "" | "." | "..") && !part.contains([':', '\0']);
    file.split(['/', '\\']).all(stays)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::storage::layout::{SAVED_MODEL_CPB, SAVED_MODEL_PB, SAVED_MODEL_PBTXT};

    #[test]
    fn the_binary_form_is_preferred_and_the_chunked_one_explained() {
        let dir = tempfile::tempdir().unwrap();
        let read = || SavedModel::read(dir.path(), &Limits::default());
        assert!(matches!(read().unwrap_err().kind(), ErrorKind::NotACheckpoint(_)));
        std::fs::write(dir.path().join(SAVED_MODEL_CPB), b"").unwrap();
        assert!(read().unwrap_err().to_string().contains("open-source TensorFlow cannot read it either"));
        std::fs::write(dir.path().join(SAVED_MODEL_PBTXT), "saved_model_schema_version: 2").unwrap();
        assert_eq!(read().unwrap().schema_version, 2);
        std::fs::write(dir.path().join(SAVED_MODEL_PB), [0x08, 0x01, 0x12, 0x05, 0x0a, 0x03, 0x22, 0x01, b't'])
            .unwrap();
        let model = read().unwrap();
        assert_eq!((model.schema_version, model.meta_graphs.len()), (1, 1));
        assert!(model.meta_graph(&["t"]).is_some() && model.meta_graph(&["u"]).is_none());
    }

    #[test]
    fn a_pointer_is_named_and_a_cut_file_has_help() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(SAVED_MODEL_PB);
        std::fs::write(&path, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n").unwrap();
        let error = SavedModel::read(dir.path(), &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("Git LFS pointer") && error.help().unwrap().contains("git lfs"), "{error}");
        std::fs::write(&path, [0x08, 0x01, 0x12, 0x7f, 0x0a]).unwrap();
        let error = SavedModel::read(dir.path(), &Limits::default()).unwrap_err();
        assert_eq!(error.help(), Some("the file is cut or damaged; fetch it again"), "{error}");
    }

    #[test]
    fn an_error_in_a_meta_graph_has_its_offset_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(SAVED_MODEL_PB);
        std::fs::write(&path, [0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x22, 0x07]).unwrap();
        let error = SavedModel::read(dir.path(), &Limits::default()).unwrap_err();
        assert_eq!((error.location().offset, error.location().file.as_deref()), (Some(8), Some(path.as_path())));
    }

    #[test]
    fn an_asset_outside_of_assets_has_no_path() {
        let model = SavedModel { file: Path::new("d/saved_model.pb").into(), schema_version: 1, meta_graphs: vec![] };
        assert_eq!(model.asset_path("a/vocab..txt").as_deref(), Some(Path::new("d/assets/a/vocab..txt")));
        for bad in ["", "..", "../x", "a/../../x", "/etc/passwd", "a\\..\\..\\x", "C:x", "a//b"] {
            assert_eq!(model.asset_path(bad), None, "{bad}");
        }
    }
}
