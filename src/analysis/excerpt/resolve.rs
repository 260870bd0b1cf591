//! From what a user wrote to tensors and regions.

use super::Excerpt;
use crate::analysis::naming::roles::short_name;
use crate::analysis::naming::select::Selector;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::read::tensor::{Region, split_selector};

/// Whether `text` is the name of one tensor, with or without a slice: then no other one is meant, whatever else of the
/// checkpoint cannot be read.
pub fn is_name(text: &str, checkpoint: &Checkpoint) -> bool {
    let (name, _) = split_selector(text);
    let is =
        |name| exact(name, checkpoint).is_some() || by_own_name(name, checkpoint).is_ok_and(|found| found.is_some());
    is(text) || is(name)
}

/// The tensors that `text` means: a name as it is stored or as the file or a graph has it, the end of a name, a scope, a
/// glob (with `regex`, a regular expression), each with or without a slice in NumPy's syntax. The whole text is tried as
/// a name first: a name may end in brackets.
///
/// # Errors
/// A slice that does not fit, a selector that cannot be read, or an ending that several tensors have.
pub fn resolve(text: &str, regex: bool, checkpoint: &Checkpoint) -> Result<Vec<Excerpt>> {
    if let Some(tensor) = exact(text, checkpoint) {
        return Ok(vec![Excerpt::part(tensor, None)?]);
    }
    let (name, slice) = split_selector(text);
    if let Some(tensor) = exact(name, checkpoint) {
        return Ok(vec![Excerpt::part(tensor, slice)?]);
    }
    for (name, slice) in [(text, None), (name, slice)] {
        if let Some(tensor) = by_own_name(name, checkpoint)? {
            return Ok(vec![Excerpt::part(tensor, slice)?]);
        }
    }
    if !regex && !name.contains(['*', '?', '[', '{']) && !name.contains(':') {
        return by_ending(name, checkpoint)?.into_iter().map(|tensor| Excerpt::part(tensor, slice)).collect();
    }
    let chosen = |text: &str| -> Result<Vec<Tensor>> {
        let selection = Selector::parse(&[text], regex)?.select(checkpoint);
        Ok(selection.iter().filter_map(|at| checkpoint.tensors().get(at)).collect())
    };
    // `layer_[0-3]` is a glob, `layer_*[0]` a glob with a slice: the whole is tried first, as with names.
    let whole = chosen(text);
    if let Ok(found) = &whole
        && (!found.is_empty() || slice.is_none())
    {
        return found.iter().map(|tensor| Excerpt::part(tensor.clone(), None)).collect();
    }
    if slice.is_none() {
        return whole.map(|_| Vec::new());
    }
    chosen(name)?.into_iter().map(|tensor| Excerpt::part(tensor, slice)).collect()
}

/// The tensor with this key, this key less what all variables end in, this name as a graph has it (`w:0`), or this name
/// as it is shown.
fn exact(name: &str, checkpoint: &Checkpoint) -> Option<Tensor> {
    let tensor = |name: &str| checkpoint.tensor(name.as_bytes());
    let name_alone = name.strip_suffix(":0").unwrap_or(name);
    tensor(name)
        .or_else(|| tensor(&format!("{name}/.ATTRIBUTES/VARIABLE_VALUE")))
        .or_else(|| tensor(name_alone))
        .or_else(|| as_shown(name, checkpoint))
}

/// The tensor whose name is shown like this: bytes that no terminal should get cannot be typed either.
fn as_shown(name: &str, checkpoint: &Checkpoint) -> Option<Tensor> {
    let is_it = |tensor: &Tensor| [&tensor.name, short_name(&tensor.name)].iter().any(|bytes| escaped(bytes) == name);
    name.contains('\\').then(|| checkpoint.tensors().iter().find(is_it))?
}

/// The one tensor that is the variable of this name, as the file itself says it.
fn by_own_name(name: &str, checkpoint: &Checkpoint) -> Result<Option<Tensor>> {
    fn plain(name: &str) -> &str {
        name.strip_suffix(":0").unwrap_or(name)
    }
    let is_it = |tensor: &Tensor| {
        let told = checkpoint.told(&tensor.name).filter(|told| told.is_named);
        told.and_then(|told| told.name).is_some_and(|own| plain(&own) == plain(name))
    };
    let mut found: Vec<Tensor> = checkpoint.tensors().iter().filter(is_it).collect();
    if found.len() > 1 {
        return Err(several(&found, &format!("are called '{}'", escaped(name.as_bytes())), "give the path of one"));
    }
    Ok(found.pop())
}

/// That several tensors are meant.
fn several(found: &[Tensor], are: &str, help: &str) -> Error {
    let names: Vec<_> = found.iter().take(4).map(|t| escaped(short_name(&t.name))).collect();
    let more = if found.len() > 4 { format!(" and {} more", found.len() - 4) } else { String::new() };
    let why = format!("{} tensors {are}: {}{more}", found.len(), names.join(", "));
    Error::new(ErrorKind::Request(why)).with_help(help.to_owned())
}

/// The one tensor whose last components are these, or all tensors of a scope.
fn by_ending(name: &str, checkpoint: &Checkpoint) -> Result<Vec<Tensor>> {
    let name = name.trim_end_matches('/').as_bytes();
    let all = checkpoint.tensors();
    let in_scope =
        |tensor: &Tensor| tensor.name.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"/")) && !name.is_empty();
    let scope: Vec<Tensor> = all.iter().filter(in_scope).collect();
    if !scope.is_empty() {
        return Ok(scope);
    }
    let ends = |tensor: &Tensor| {
        let head = short_name(&tensor.name).strip_suffix(name);
        head.is_some_and(|head| head.ends_with(b"/")) && !name.is_empty()
    };
    let found: Vec<Tensor> = all.iter().filter(ends).collect();
    if found.len() > 1 {
        let help = "give more of the name, or a glob to print them all";
        return Err(several(&found, &format!("end in '{}'", escaped(name)), help));
    }
    Ok(found)
}

impl Excerpt {
    /// A tensor, or a part of it by a slice in NumPy's syntax without its brackets.
    ///
    /// # Errors
    /// A shape that is none, or a slice that cannot be read or does not fit it.
    pub fn part(tensor: Tensor, slice: Option<&str>) -> Result<Self> {
        let named = |e: Error| e.for_key(&tensor.name);
        let dims = tensor.dims().map_err(named)?;
        let region = match slice {
            Some(slice) => Region::parse(slice, &dims).map_err(named)?,
            None => Region::full(&dims),
        };
        Ok(Self { tensor, region, slice: slice.map(str::to_owned) })
    }
}
