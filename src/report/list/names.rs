//! `list --names` for people: what each key is called in the program, and which slot belongs to what.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::text::footer;
use crate::analysis::{Listing, Name, Names, short_name};
use crate::base::escape::escaped;
use crate::report::Look;
use crate::report::kit::units::shape_text;

/// How many other paths are shown; JSON has more.
const ALIASES: usize = 3;

/// One line a tensor: key, name, shape and role; other paths to it below. Where that is too wide for the terminal, the
/// key stands below the name.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn names_text(
    listing: &Listing<'_>,
    names: &Names,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let called = |at: usize| names.get(at).map(called).unwrap_or_default();
    let [mut key, mut name, mut shape] = ["key".len(), "name".len(), "shape".len()];
    let mut either = "name".len();
    let mut role = "role".len();
    let role_text = |at: usize| match (listing.roles.role(at).name(), listing.roles.optimizer(at)) {
        (role, Some(optimizer)) => format!("{role} {optimizer}"),
        (role, None) => role.to_owned(),
    };
    let mut rows = listing.cursor();
    while let Some((at, tensor)) = rows.advance() {
        let called = called(at).width();
        let label = escaped(short_name(&tensor.name)).width();
        (key, name) = (key.max(label), name.max(called));
        either = either.max(if called == 0 { label } else { called });
        shape = shape.max(shape_text(&tensor.shape).width());
        role = role.max(role_text(at).len());
    }
    let stacked = look.width.is_some_and(|width| key + name + shape + role + 6 > width);
    let (bold, dim) = (look.bold(), look.dim());
    if stacked {
        let width = look.width.unwrap_or_default().saturating_sub(shape + role + 4);
        (key, name) = (0, either.min(width.max(24)));
        writeln!(out, "{bold}{:name$}  {:shape$}  role{bold:#}", "name", "shape")?;
    } else if !listing.rows.is_empty() {
        writeln!(out, "{bold}{:key$}  {:name$}  {:shape$}  role{bold:#}", "key", "name", "shape")?;
    }
    let mut shortened = false;
    let mut rows = listing.cursor();
    while let Some((at, tensor)) = rows.advance() {
        let label = escaped(short_name(&tensor.name));
        shortened |= short_name(&tensor.name).len() != tensor.name.len();
        let called = called(at);
        let role = role_text(at);
        let dims = shape_text(&tensor.shape);
        let behind = format!("  {dims}{}  {role}", " ".repeat(shape.saturating_sub(dims.width())));
        let pad = |text: &str, width: usize| match text.width() {
            wide if stacked && wide > width => format!("\n{:width$}", ""),
            wide => " ".repeat(width.saturating_sub(wide)),
        };
        match (stacked, called.is_empty()) {
            (false, _) => writeln!(out, "{label}{}  {called}{}{behind}", pad(&label, key), pad(&called, name))?,
            (true, true) => writeln!(out, "{label}{}{behind}", pad(&label, name))?,
            (true, false) => {
                writeln!(out, "{called}{}{behind}", pad(&called, name))?;
                writeln!(out, "{dim}  {label}{dim:#}")?;
            }
        }
        // The lists of an optimizer say of a slot what its name says.
        let Some(Name { aliases, more_aliases, slot: None, .. }) = names.get(at) else { continue };
        for alias in told(&tensor.name, aliases).iter().take(ALIASES) {
            writeln!(out, "{dim}  = {}{dim:#}", escaped(alias.as_bytes()))?;
        }
        match told(&tensor.name, aliases).len().saturating_sub(ALIASES) {
            0 => {}
            _ if *more_aliases => writeln!(out, "{dim}  = and many more{dim:#}")?,
            more => writeln!(out, "{dim}  = and {more} more{dim:#}")?,
        }
    }
    footer(listing, shortened, look, out)
}

/// The paths that are not another one, or the key, reached by way of an object above it.
fn told<'n>(key: &[u8], aliases: &'n [String]) -> Vec<&'n String> {
    let key = String::from_utf8_lossy(short_name(key));
    let ends = |path: &str, other: &str| path.strip_suffix(other).is_some_and(|rest| rest.ends_with('/'));
    let above = |path: &str| ends(path, &key) || aliases.iter().any(|other| ends(path, other));
    aliases.iter().filter(|path| !above(path)).collect()
}

/// The name, or of a slot what it belongs to.
pub(in crate::report) fn called(name: &Name) -> String {
    match (&name.slot, &name.full_name) {
        (Some(slot), _) => format!("{} of {}", escaped(slot.slot.as_bytes()), escaped(slot.variable_name.as_bytes())),
        (None, Some(name)) => escaped(name.as_bytes()).into_owned(),
        (None, None) => String::new(),
    }
}
