//! What is loaded to be run: a graph of a SavedModel, or a graph alone with what gives its variables values.

use std::path::{Path, PathBuf};

use super::names::{listed, no_such};
use super::value::request;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::bundle::Prefix;
use crate::read::checkpoint::{Choice, Origin};
use crate::read::graphs::graph::Part;
use crate::read::storage;

/// What is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunModel {
    /// A SavedModel, which says itself how it is loaded.
    Saved {
        /// Its directory.
        directory: PathBuf,
        /// The tags of the graph that is meant.
        tags: Vec<String>,
        /// Whether the graph restores variables that are not there. TensorFlow's C++ then runs it without them.
        lacks_variables: bool,
    },
    /// A graph.
    Graph {
        /// The file that it is in.
        file: PathBuf,
        /// The `GraphDef`.
        graph: Vec<u8>,
        /// What gives its variables values.
        restoring: Option<Restoring>,
        /// The ops that then fill its tables.
        table_initializers: Vec<String>,
    },
}

/// A saver of a graph, with the checkpoint that it is to restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restoring {
    /// The op that restores.
    pub op: String,
    /// The tensor that takes the prefix.
    pub filename: String,
    /// The prefix.
    pub prefix: PathBuf,
}

/// The graph of a SavedModel that has these tags, or else the one that is meant without any: the only one, or the one
/// that serves.
pub(super) fn choose<'p, 'a>(parts: &'p [Part<'a>], tags: Option<&[String]>) -> Result<&'p Part<'a>> {
    let sets: Vec<String> = parts.iter().map(|part| part.meta.tags.join(",")).collect();
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    if let Some(tags) = tags {
        let wanted = tags.join(",");
        return parts
            .iter()
            .find(|part| part.meta.has_tags(tags))
            .ok_or_else(|| no_such("graph tagged", &wanted, &sets));
    }
    if let [only] = parts {
        return Ok(only);
    }
    let serves = |part: &&Part<'_>| part.meta.tags.iter().any(|tag| tag == "serve");
    let exact = parts.iter().find(|part| part.meta.has_tags(&["serve"]));
    let mut serving = parts.iter().filter(serves);
    match (exact, serving.next(), serving.next()) {
        (Some(part), ..) | (None, Some(part), None) => Ok(part),
        _ if parts.is_empty() => Err(request("there is no graph in this model".to_owned())),
        _ => {
            let why = format!("there are {} graphs in this model, tagged {}", sets.len(), sets.join("; "));
            Err(request(why).with_help("choose one with --tags"))
        }
    }
}

/// What restores the variables of a graph that is no SavedModel: its saver, and the checkpoint that is given or has the
/// name of the file.
pub(super) fn restoring(
    part: &Part<'_>,
    file: &Path,
    checkpoint: Option<&Path>,
    has_variables: bool,
    limits: &Limits,
) -> Result<Option<Restoring>> {
    let saver = match &part.meta.saver {
        Some(saver) if !saver.restore_op_name.is_empty() && !saver.filename_tensor_name.is_empty() => {
            Some((saver.restore_op_name.clone(), saver.filename_tensor_name.clone()))
        }
        // A graph alone does not say what its saver is; savers have these names unless somebody chose others.
        _ if part.is_bare() => {
            let (mut op, mut filename) = (false, false);
            part.each_node(|node| {
                op |= node.name == b"save/restore_all";
                filename |= node.name == b"save/Const";
                Ok(())
            })?;
            (op && filename).then(|| ("save/restore_all".to_owned(), "save/Const:0".to_owned()))
        }
        _ => None,
    };
    let own = file.to_str().and_then(|name| name.strip_suffix(".meta")).map(PathBuf::from);
    let prefix = match checkpoint {
        Some(path) => {
            let origin = Origin::locate(path, Choice::default(), limits)?;
            match (&origin.file, origin.v1_files.as_slice()) {
                (Some(_), _) => {
                    let why = format!("--checkpoint: a saver restores no {}", origin.kind.name());
                    return Err(request(why).with_help("ckpt convert makes a TensorFlow checkpoint of it"));
                }
                (None, _) => Some(origin.prefix.as_path().to_path_buf()),
            }
        }
        None => own.filter(|own| {
            let prefix = Prefix::new(own.clone().into_os_string());
            storage::is_file(&prefix.index()) || storage::is_file(own)
        }),
    };
    match (saver, prefix) {
        (Some((op, filename)), Some(prefix)) => Ok(Some(Restoring { op, filename, prefix })),
        (None, Some(_)) if checkpoint.is_some() => {
            Err(request("--checkpoint: the graph has no saver that could restore it".to_owned()).in_file(file))
        }
        _ if has_variables => Err(no_values(file)),
        _ => Ok(None),
    }
}

fn no_values(file: &Path) -> Error {
    let why = "the graph has variables, and nothing gives them values".to_owned();
    let error = Error::new(ErrorKind::Request(why)).in_file(file);
    error.with_help(
        "name the checkpoint that belongs to it with --checkpoint; it needs a saver too, as .meta files have",
    )
}

/// `serve`, `serve, gpu`.
pub(super) fn tags_text(tags: &[String]) -> String {
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    listed(&tags)
}
