//! A path at which there is nothing: what was lost there, or what may have been meant instead.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::Metadata;
use std::path::Path;

use super::directory;
use crate::bundle::Prefix;
use crate::error::{Error, ErrorKind};
use crate::escape::Escaped;

/// The error for a path at which there is nothing.
pub(super) fn not_found(path: &Path) -> Error {
    let dir = directory::containing(path);
    let prefix = Prefix::new(path.as_os_str());
    let fail = |what: &str| Error::new(ErrorKind::NotACheckpoint(what.to_owned()));
    if !dir.is_dir() {
        let missing = path.ancestors().skip(1).take_while(|p| !p.as_os_str().is_empty() && !p.exists()).last();
        let missing = Escaped(missing.unwrap_or(dir).as_os_str().as_encoded_bytes()).to_string();
        return fail("no such file or checkpoint").in_file(path).with_help(format!("there is no directory {missing}"));
    }
    let Some(base) = path.file_name().and_then(|name| name.to_str()) else {
        return fail("no such file or checkpoint").in_file(path);
    };
    let names = match directory::list(dir) {
        Ok(names) => names,
        Err(error) => return error,
    };
    let data = format!("{base}.data-");
    if names.range(data.clone()..).next().is_some_and(|(name, _)| name.starts_with(&data)) {
        let help = "the data is there, but without the .index file nothing says what it holds; copy it beside the data";
        return fail("the index of this checkpoint is missing").in_file(&prefix.index()).with_help(help);
    }
    let error = fail("no such file or checkpoint").in_file(path);
    let near = near_misses(base, &names, dir);
    if near.is_empty() {
        error.with_help("give the prefix of a checkpoint: the path of its .index file without `.index`")
    } else {
        error.with_help(format!("did you mean {}?", near.join(" or ")))
    }
}

/// Checkpoints and model directories here whose names are close to `base`: its own steps first.
fn near_misses(base: &str, names: &BTreeMap<String, Metadata>, dir: &Path) -> Vec<String> {
    let mut candidates: Vec<(usize, u64, &str)> = Vec::new();
    for (name, metadata) in names {
        let candidate = match name.strip_suffix(".index") {
            Some(prefix) => prefix,
            None if metadata.is_dir() => name,
            None => continue,
        };
        let distance = if candidate.starts_with(base) || base.starts_with(candidate) {
            0
        } else {
            crate::nearest::distance(base.as_bytes(), candidate.as_bytes())
        };
        if distance <= base.len() / 3 + 1 {
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
