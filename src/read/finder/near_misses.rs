//! A path at which there is nothing: what was lost there, or what may have been meant instead.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{directory, lost_index};
use crate::base::error::{Error, ErrorKind};
use crate::base::escape::{Escaped, shell_word};
use crate::base::limits::Limits;
use crate::read::bundle::{Prefix, part_numbers};
use crate::read::formats;
use crate::read::sniff;
use crate::read::sniff::Foreign;
use crate::read::storage::{self, Folder};

/// The error for a path at which there is nothing.
pub(super) fn not_found(path: &Path, limits: &Limits) -> Error {
    let dir = directory::containing(path);
    let prefix = Prefix::new(path.as_os_str());
    let fail = |what: &str| Error::new(ErrorKind::NotACheckpoint(what.to_owned()));
    if !storage::is_folder(dir) {
        let missing = path.ancestors().skip(1).take_while(|p| !p.as_os_str().is_empty() && !storage::exists(p)).last();
        let missing = Escaped(missing.unwrap_or(dir).as_os_str().as_encoded_bytes()).to_string();
        return fail("no such file or checkpoint").in_file(path).with_help(format!("there is no directory {missing}"));
    }
    let Some(base) = path.file_name().and_then(|name| name.to_str()) else {
        return fail("no such file or checkpoint").in_file(path);
    };
    let folder = match storage::list(dir) {
        Ok(folder) => folder,
        Err(error) => return error,
    };
    let of_member = Prefix::of_member(path).and_then(|prefix| Some(prefix.base_name().to_str()?.to_owned()));
    if let Some(help) = std::iter::once(base).chain(of_member.as_deref()).find_map(|base| moved_away(dir, base)) {
        return fail("this checkpoint was being replaced").in_file(path).with_help(help);
    }
    if folder.beginning_with(&format!("{base}.data-")).next().is_some() {
        return index_missing(&prefix, limits);
    }
    let error = fail("no such file or checkpoint").in_file(path);
    let temporary = format!("{base}_temp");
    if let Some(part) = folder.beginning_with(&temporary).find_map(|(name, _)| part_in(&dir.join(name))) {
        return error.with_help(unfinished(&part));
    }
    let near = near_misses(base, &folder);
    if near.is_empty() {
        error.with_help("give the prefix of a checkpoint: the path of its .index file without `.index`")
    } else {
        error.with_help(format!("did you mean {}?", near.join(" or ")))
    }
}

/// How files of this name come back that a run of ours had moved away when it was ended. Only where a file system has no
/// links they are moved before others take their place.
fn moved_away(dir: &Path, base: &str) -> Option<String> {
    let unplaced = storage::unplaced(dir, base)?;
    let (folder, _) = unplaced.moved_away?;
    let (from, to) = (shell_word(&folder), shell_word(&dir.join("")));
    Some(if unplaced.is_running {
        format!("a run of ckpt that replaces it is at work; its old files lie in {from} meanwhile")
    } else {
        format!(
            "its old files are whole: mv -n {from}/* {to} puts them back, and so does the next run that writes here"
        )
    })
}

/// Checkpoints, model directories and files of other formats here whose names are close to `base`: its own steps first.
fn near_misses(base: &str, folder: &Folder) -> Vec<String> {
    let dir = folder.path();
    let mut candidates: Vec<(usize, u64, &str)> = Vec::new();
    for (name, stat) in folder.named() {
        let candidate = match name.strip_suffix(".index") {
            Some(prefix) if stat.is_regular() => prefix,
            _ => name,
        };
        let distance = if candidate.starts_with(base) || base.starts_with(candidate) {
            0
        } else {
            crate::base::nearest::distance(base.as_bytes(), candidate.as_bytes())
        };
        // Files are looked into only where their names are close.
        let is_one = || candidate.len() < name.len() || stat.is_folder() || formats::of_file(&dir.join(name)).is_some();
        if distance <= base.len() / 3 + 1 && is_one() {
            let step = Prefix::new(candidate).step().unwrap_or(0);
            candidates.push((distance, u64::MAX - step, candidate));
        }
    }
    candidates.sort_unstable();
    let shown = |candidate: &str| {
        let path: OsString = dir.join(candidate).into();
        let text = Escaped(path.as_encoded_bytes()).to_string();
        text.strip_prefix("./").map_or(text.clone(), str::to_owned)
    };
    candidates.iter().take(3).map(|(_, _, candidate)| shown(candidate)).collect()
}

/// The error for data whose index is not there. A `.meta` says which variables it holds, though not where.
pub(super) fn index_missing(prefix: &Prefix, limits: &Limits) -> Error {
    let meta = prefix.meta();
    let folder = storage::list(&prefix.directory()).unwrap_or_default();
    let base = prefix.base_name().to_str().unwrap_or_default();
    let help = if let Some(help) = moved_away(&prefix.directory(), base) {
        help
    } else if let Some(found) = lost_index::find(prefix, &folder, limits) {
        lies_there(prefix, &found)
    } else if storage::is_file(&meta) {
        format!(
            "the data is there, and its .meta says which variables it holds, though not where: ckpt inspect {} shows them; \
             copy the .index beside the data",
            shell_word(&meta)
        )
    } else {
        "the data is there, but not the .index file, which says what it holds; copy it beside the data".to_owned()
    };
    let kind = ErrorKind::NotACheckpoint("the index of this checkpoint is missing".to_owned());
    Error::new(kind).in_file(&prefix.index()).with_help(help)
}

/// What to do where the index of some data lies under another name.
fn lies_there(prefix: &Prefix, found: &Path) -> String {
    let (from, index, path) = (shell_word(found), shell_word(&prefix.index()), shell_word(prefix.as_path()));
    format!(
        "{from} is an index that wants data of just these lengths: mv {from} {index}, and then \
         ckpt validate {path} says whether they belong together"
    )
}

/// The graph that lies where a checkpoint was looked for: that of the prefix, or the newest of a directory.
pub fn graph_beside(path: &Path) -> Option<PathBuf> {
    if !storage::is_folder(path) {
        let own = Prefix::new(path.as_os_str()).meta();
        let of_member = || Prefix::of_member(path).map(|prefix| prefix.meta());
        return Some(own)
            .filter(|meta| storage::is_file(meta))
            .or_else(|| of_member().filter(|meta| storage::is_file(meta)));
    }
    let folder = storage::list(path).ok()?;
    let meta = folder.names().filter_map(|name| Some((Prefix::new(name.strip_suffix(".meta")?).step(), name))).max();
    meta.map(|(_, name)| name).or_else(|| folder.names().find(|name| is_graph(path, name))).map(|name| path.join(name))
}

/// Whether a file in `dir` holds a graph, by its name and its first bytes.
fn is_graph(dir: &Path, name: &str) -> bool {
    let may_be = [".meta", ".pb", ".pbtxt"].iter().any(|end| name.ends_with(end));
    let kinds = [Foreign::GraphDef, Foreign::MetaGraphDef];
    may_be && sniff::look(&dir.join(name)).is_some_and(|found| kinds.contains(&found.kind))
}

/// The error for a directory that holds parts of checkpoints and no whole one: data without its index, or graphs alone.
pub(super) fn only_parts(folder: &Folder, limits: &Limits) -> Option<Error> {
    let dir = folder.path();
    let listed = |all: &[&str]| {
        let shown: Vec<String> = all.iter().take(3).map(|name| Escaped(name.as_bytes()).to_string()).collect();
        let more = if all.len() > 3 { format!(" and {} more", all.len().saturating_sub(3)) } else { String::new() };
        format!("{}{more}", shown.join(", "))
    };
    let error =
        |what: String, help: String| Some(Error::new(ErrorKind::NotACheckpoint(what)).in_file(dir).with_help(help));
    let mut lost: Vec<&str> = folder.names().filter_map(|name| Some(name.split_once(".data-")?.0)).collect();
    lost.dedup();
    lost.retain(|base| folder.get(&format!("{base}.index")).is_none());
    if let Some(first) = lost.first() {
        let prefix = Prefix::new(dir.join(first).into_os_string());
        let there = lost_index::find(&prefix, folder, limits).map(|found| lies_there(&prefix, &found));
        let shows = graph_beside(dir).map_or_else(String::new, |graph| {
            format!("ckpt inspect {} shows which variables they hold, though not where; ", shell_word(&graph))
        });
        let what = format!("no checkpoint in this directory: there is data without its .index, of {}", listed(&lost));
        return error(what, there.unwrap_or_else(|| format!("{shows}copy the .index files beside the data")));
    }
    let graphs: Vec<&str> = folder.names().filter(|name| is_graph(dir, name)).collect();
    if graphs.is_empty() {
        return None;
    }
    let graph = graph_beside(dir)?;
    let what = format!("no checkpoint in this directory, which holds graphs and no variables: {}", listed(&graphs));
    error(
        what,
        format!(
            "ckpt inspect {} shows what is in it; variables lie in the .index and .data files of a checkpoint",
            shell_word(&graph)
        ),
    )
}

/// An error for a directory in which nothing was found, with what is in it instead.
pub(super) fn nothing_in(path: &Path, limits: &Limits) -> Error {
    let folder = storage::list(path).unwrap_or_default();
    if let Some(error) = only_parts(&folder, limits) {
        return error;
    }
    let mut help = "give the prefix of a checkpoint (model.ckpt-200), or a directory that holds one".to_owned();
    let holds = |name: &str| {
        let names = storage::names(&path.join(name)).unwrap_or_default();
        let is_version = |n: &String| n.parse::<i64>().is_ok();
        let marks = |n: &String| {
            n == "checkpoint"
                || part_numbers(n).is_some()
                || n.strip_suffix(".index").is_some()
                || n.starts_with("saved_model.")
        };
        names.iter().any(|n| marks(n) || is_version(n))
    };
    let deeper: Vec<&str> = folder
        .named()
        .filter(|(name, stat)| stat.is_folder() && !name.starts_with('.'))
        .map(|(name, _)| name)
        .take(64)
        .filter(|name| holds(name))
        .take(3)
        .collect();
    if let Some(part) = deeper.iter().find_map(|name| part_in(&path.join(name))) {
        help = unfinished(&part);
    } else if !deeper.is_empty() {
        let paths: Vec<String> =
            deeper.iter().map(|name| Escaped(path.join(name).as_os_str().as_encoded_bytes()).to_string()).collect();
        help = format!("checkpoints lie one level deeper: {}", paths.join(", "));
    } else if let Some(file) = folder.names().find(|name| formats::by_name(Path::new(name)).is_some()) {
        help = format!("give one of the files itself: {}", Escaped(path.join(file).as_os_str().as_encoded_bytes()));
    }
    let what = match folder.entries().count() {
        0 => "no checkpoint in this directory, which is empty".to_owned(),
        n => {
            let first: Vec<String> = folder.names().take(3).map(|name| described(path, name)).collect();
            let more = if n > 3 { format!(" and {} more", n.saturating_sub(3)) } else { String::new() };
            format!("no checkpoint or SavedModel in this directory, which holds {}{more}", first.join(", "))
        }
    };
    Error::new(ErrorKind::NotACheckpoint(what)).in_file(path).with_help(help)
}

/// The first part of a save in `<prefix>_temp`, where there is no checkpoint of that name; one with an index, if there is
/// one.
fn part_in(dir: &Path) -> Option<PathBuf> {
    let name = dir.file_name()?.to_str()?;
    let names = name.contains("_temp").then(|| storage::names(dir).unwrap_or_default())?;
    let parts = || names.iter().filter(|name| part_numbers(name).is_some());
    let indexed = parts().filter_map(|name| name.strip_suffix(".index")).min();
    let part = indexed.or_else(|| parts().filter_map(|name| Some(name.split_once('.')?.0)).min())?;
    Some(dir.join(part))
}

/// What to do with a save that has never got its name.
fn unfinished(part: &Path) -> String {
    if !storage::is_file(&Prefix::new(part.as_os_str()).index()) {
        return format!(
            "a save was interrupted there: {} has data of it and no index, which would say what the data is; keep it, and take an \
             earlier checkpoint",
            shell_word(part.parent().unwrap_or(part))
        );
    }
    let shown = shell_word(part);
    let dir = part.parent().unwrap_or(part);
    let name = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let base = name.rsplit_once("_temp").map_or(name, |(base, _)| base);
    let prefix = Prefix::new(dir.with_file_name(base).into_os_string());
    let put = |end: &str, to: &Path| {
        let mut from = part.as_os_str().to_owned();
        from.push(end);
        format!("mv {} {}", shell_word(Path::new(&from)), shell_word(to))
    };
    let is_only = part.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with("-of-00001"));
    if is_only {
        let data = put(".data-00000-of-00001", &prefix.shard(0, 1));
        let index = put(".index", &prefix.index());
        return format!(
            "a save lies there that never got its name: ckpt validate {shown} says whether it is whole; if it is: {data} && {index}"
        );
    }
    format!(
        "parts of a save lie there that were never put together; keep them: ckpt validate {shown} says whether the first is \
         whole, and tf.raw_ops.MergeV2Checkpoints makes a checkpoint of all of them"
    )
}

/// A name in `dir`, with what the file is where that is no plain text.
fn described(dir: &Path, name: &str) -> String {
    let shown = Escaped(name.as_bytes()).to_string();
    let path = dir.join(name);
    let found = storage::is_file(&path).then(|| sniff::look(&path)).flatten();
    match found.filter(|found| found.kind != Foreign::Text) {
        Some(found) => format!("{shown} ({})", found.what),
        None => shown,
    }
}
