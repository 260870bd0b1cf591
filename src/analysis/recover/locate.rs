//! From the path that a user wrote to the checkpoint that was meant, though it is broken: its index may be lost, or all of
//! it may lie under temporary names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::bundle::{Prefix, ShardName, is_unfinished, part_numbers, prefix_of_part};
use crate::read::checkpoint::{Choice, Origin, SourceKind, WrittenPath};
use crate::read::storage;
use crate::read::storage::layout::saved_model_file;

/// What is to be recovered.
#[derive(Debug)]
pub(super) struct Located {
    /// The prefix that it has, or was to get.
    pub(super) prefix: Prefix,
    /// The directory of its parts, if the path names that.
    pub(super) parts: Option<PathBuf>,
    /// What the user should know about the choice.
    pub(super) notes: Vec<String>,
}

/// Finds what `path` means.
pub(super) fn locate(path: &Path, limits: &Limits) -> Result<Located> {
    // A path at which there is nothing may still be a prefix of something: what is wrong with it, is told at the end.
    let written = WrittenPath::of(path).map_or_else(|_| path.to_path_buf(), |written| written.path);
    let path = written.as_path();
    if storage::is_folder(path) && !storage::is_file(&Prefix::new(path.as_os_str()).index()) {
        return in_folder(path, limits);
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let dir = Prefix::new(path.as_os_str()).directory();
    if part_numbers(name).is_some() {
        return Ok(of_parts(&dir));
    }
    if let Some(prefix) = prefix_of(name).filter(|_| storage::exists(path)) {
        return Ok(of_prefix(Prefix::new(dir.join(prefix))));
    }
    // A prefix as it is written: something of it must be there.
    let own = Prefix::new(path.as_os_str());
    let base = own.base_name().to_str().unwrap_or_default().to_owned();
    let is_own = |file: &String| {
        file.strip_prefix(&base).is_some_and(|rest| {
            rest == ".index" || rest.starts_with(".index.") || rest.starts_with(".data-") || rest.starts_with("_temp")
        }) || prefix_of_part(file).is_some_and(|of| of == base)
    };
    let something = !base.is_empty() && storage::names(&dir).unwrap_or_default().iter().any(is_own);
    if something || (!storage::exists(path) && storage::is_file(&own.meta())) {
        return Ok(of_prefix(own));
    }
    of_origin(Origin::locate(path, Choice::default(), limits)?)
}

fn of_prefix(prefix: Prefix) -> Located {
    Located { prefix, parts: None, notes: Vec::new() }
}

/// The parts in a directory: what it was to become is in its name, `<prefix>_temp`.
fn of_parts(dir: &Path) -> Located {
    let name = storage::canonical(dir).unwrap_or_else(|| dir.to_path_buf());
    let name = name.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let base = name.rfind("_temp").and_then(|at| name.get(..at)).filter(|base| !base.is_empty());
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    let prefix = match base {
        Some(base) => parent.map_or_else(|| dir.join("..").join(base), |parent| parent.join(base)),
        None => dir.join("checkpoint"),
    };
    Located { prefix: Prefix::new(prefix), parts: Some(dir.to_path_buf()), notes: Vec::new() }
}

fn of_origin(origin: Origin) -> Result<Located> {
    let is_bundle = origin.v1_files.is_empty() && origin.file.is_none();
    if !is_bundle {
        let what = match origin.kind {
            SourceKind::File(format) => format!("a file of another format, {}", format.title),
            _ => "a V1 checkpoint of TensorFlow".to_owned(),
        };
        let why = format!("this is {what}; recover mends TensorFlow checkpoints of the V2 format");
        let error = Error::new(ErrorKind::Request(why)).in_file(&origin.path);
        return Err(
            error.with_help("ckpt validate says what is wrong with it; what is lost in it, only another copy has")
        );
    }
    Ok(Located { prefix: origin.prefix, parts: None, notes: origin.notes })
}

/// The prefix that a file belongs to, by its name.
fn prefix_of(name: &str) -> Option<String> {
    let whole = name.rfind(".tempstate").filter(|at| name.get(*at..).is_some_and(is_unfinished));
    let name = whole.and_then(|at| name.get(..at)).unwrap_or(name);
    if let Some(prefix) = name.strip_suffix(".index").or_else(|| name.strip_suffix(".meta")) {
        return Some(prefix.to_owned());
    }
    let at = name.rfind(".data-")?;
    ShardName::parse(name.get(at..)?)?;
    name.get(..at).map(str::to_owned)
}

/// A directory: of parts, of a SavedModel, of checkpoints.
fn in_folder(path: &Path, limits: &Limits) -> Result<Located> {
    let names = storage::names(path).unwrap_or_default();
    if names.iter().any(|name| part_numbers(name).is_some()) {
        return Ok(of_parts(path));
    }
    let variables = path.join("variables");
    if saved_model_file(path).is_some() && storage::is_folder(&variables) {
        return Ok(of_prefix(Prefix::new(variables.join("variables"))));
    }
    let located = Origin::locate(path, Choice::default(), limits);
    // What lies here and has no index: data, files that were being written, parts.
    let mut bases: BTreeSet<String> = {
        let data = names.iter().filter(|name| name.strip_suffix(".meta").is_none());
        data.filter_map(|name| prefix_of(name)).collect()
    };
    bases.extend(names.iter().filter_map(|name| prefix_of_part(name)).map(str::to_owned));
    for name in names.iter().filter(|name| name.contains("_temp")) {
        let inside = storage::names(&path.join(name)).unwrap_or_default();
        let base = name.rfind("_temp").and_then(|at| name.get(..at)).filter(|base| !base.is_empty());
        if let Some(base) = base.filter(|_| inside.iter().any(|name| part_numbers(name).is_some())) {
            bases.insert(base.to_owned());
        }
    }
    bases.retain(|base| !storage::is_file(&Prefix::new(path.join(base)).index()));
    match located {
        Ok(origin) => {
            let mut found = of_origin(origin)?;
            if let Some(base) = bases.last() {
                let base = escaped(base.as_bytes());
                found
                    .notes
                    .push(format!("pieces of {base} lie here too, without an index: give its prefix to recover it"));
            }
            Ok(found)
        }
        Err(error) => {
            let all: Vec<String> = bases.into_iter().collect();
            match all.as_slice() {
                [] => Err(error),
                [only] => Ok(of_prefix(Prefix::new(path.join(only)))),
                several => {
                    let shown: Vec<String> =
                        several.iter().take(5).map(|base| escaped(base.as_bytes()).into_owned()).collect();
                    let why = format!("pieces of {} checkpoints lie here: {}", several.len(), shown.join(", "));
                    let error = Error::new(ErrorKind::Request(why)).in_file(path);
                    Err(error.with_help("give the prefix of one of them"))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_the_prefix_in_their_names() {
        assert_eq!(prefix_of("m.ckpt-2.data-00000-of-00002").as_deref(), Some("m.ckpt-2"));
        assert_eq!(prefix_of("m.index.tempstate123").as_deref(), Some("m"));
        assert_eq!(prefix_of("m.data-00000-of-00001.tempstate9").as_deref(), Some("m"));
        assert_eq!(prefix_of("m.meta").as_deref(), Some("m"));
        assert_eq!(prefix_of("m.data-0-of-1"), None);
        assert_eq!(prefix_of("checkpoint"), None);
    }
}
