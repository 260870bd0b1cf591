//! Names that are not there, with those that were probably meant.

use crate::base::error::Error;
use crate::base::escape::escaped;
use crate::base::nearest::nearest;

use super::value::request;

/// Most names of a list.
const MOST: usize = 8;

/// There is no input 'imgae'; did you mean image? Or, if nothing is near, what there is.
pub(super) fn no_such(what: &str, wanted: &str, names: &[&str]) -> Error {
    let wanted_shown = escaped(wanted.as_bytes());
    if names.is_empty() {
        return request(format!("there is no {what} '{wanted_shown}': there is none at all"));
    }
    let near = nearest(wanted.as_bytes(), names.iter().map(|name| name.as_bytes()), 3);
    let error = request(format!("there is no {what} '{wanted_shown}'"));
    if near.is_empty() {
        return error.with_help(format!("there {} {}", if names.len() == 1 { "is" } else { "are" }, listed(names)));
    }
    let near: Vec<_> = near.iter().map(|name| escaped(name).into_owned()).collect();
    error.with_help(format!("did you mean {}?", near.join(" or ")))
}

/// Names in a row, not too many.
pub(super) fn listed(names: &[&str]) -> String {
    let mut shown: Vec<String> = names.iter().take(MOST).map(|name| escaped(name.as_bytes()).into_owned()).collect();
    if names.len() > MOST {
        shown.push(format!("{} more", names.len().saturating_sub(MOST)));
    }
    match shown.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => shown.concat(),
    }
}
