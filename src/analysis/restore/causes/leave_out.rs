//! What is left out for fine-tuning: some tensors of the model are new, or have another size, and the rest fits.
//!
//! Nothing is at fault then. What is wanted are the options that leave exactly these out, and the lines of Python that
//! restore exactly the others.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Hint, Restore};
use crate::analysis::naming::roles::{Role, short_name};
use crate::base::escape::escaped;

/// More options than this nobody types.
const MOST: usize = 8;

/// A tensor of the model that gets no value.
struct Left<'r> {
    name: &'r [u8],
    variable: String,
    is_missing: bool,
    role: Role,
}

fn left(restore: &Restore) -> Vec<Left<'_>> {
    let variable = |variable: &Option<String>, name: &[u8]| match variable {
        Some(variable) if !variable.is_empty() => variable.clone(),
        _ => String::from_utf8_lossy(name).into_owned(),
    };
    let missing = restore.missing.iter().filter(|missing| !super::super::is_save_counter(&missing.name));
    let missing = missing.map(|tensor| Left {
        name: &tensor.name,
        variable: variable(&tensor.variable, &tensor.name),
        is_missing: true,
        role: tensor.role,
    });
    let differing = restore.mismatched.iter().map(|tensor| Left {
        name: &tensor.name,
        variable: variable(&tensor.variable, &tensor.name),
        is_missing: false,
        role: tensor.role,
    });
    missing.chain(differing).collect()
}

/// The hint, for what is left once `maps` were applied; `solid` is how many of those that fit are no state of training,
/// `explained` whether the cause is told already, and `tried` says whether the options do it.
pub(super) fn find(
    restore: &Restore,
    maps: &[String],
    solid: usize,
    explained: bool,
    tried: impl Fn(&[String]) -> bool,
) -> Option<Hint> {
    let left = left(restore);
    let fit = restore.matched.len();
    // Where most does not fit it is another model, and leaving it out leaves nothing. State of an optimizer has a hint of
    // its own.
    let weights = left.iter().filter(|left| matches!(left.role, Role::Weight | Role::Table | Role::Average)).count();
    let is_state = |left: &Left<'_>| matches!(left.role, Role::Slot | Role::Optimizer | Role::Counter);
    if left.iter().all(is_state) || solid < weights || fit == 0 {
        return None;
    }
    let ignore = terms(&left, restore)?;
    if !tried(&ignore) {
        return None;
    }
    let text = if explained { all_the_same(left.len(), fit) } else { text(&left, restore, fit) };
    let mut hint = Hint { text, restores: Some(fit), ..Hint::default() };
    hint.options = maps.iter().map(|rule| ("--map", rule.clone())).collect();
    hint.options.extend(ignore.into_iter().map(|term| ("--ignore", term)));
    if maps.is_empty() {
        hint.code = code(restore);
    }
    Some(hint)
}

/// The lines that restore all but what is missing or differs.
pub(super) fn code(restore: &Restore) -> Vec<String> {
    if restore.call.contains("Saver") { saver(&left(restore), restore) } else { Vec::new() }
}

fn text(left: &[Left<'_>], restore: &Restore, fit: usize) -> String {
    let new: Vec<&Left<'_>> = left.iter().filter(|left| left.is_missing).collect();
    let differing = left.len().saturating_sub(new.len());
    let rest = if fit == 1 { "the other 1 fits".to_owned() } else { format!("the other {fit} fit") };
    if new.is_empty() {
        let them = if left.len() == 1 { "it" } else { "them" };
        return format!(
            "to go on from this checkpoint with a new size, leave {them} out and train {them} anew: {rest}"
        );
    }
    let tensors = |n: usize| if n == 1 { "1 tensor".to_owned() } else { format!("{n} tensors") };
    let are = if new.len() == 1 { "is" } else { "are" };
    let mut text = format!("{} of the model {are} new: {}", tensors(new.len()), few(new.iter().map(|left| left.name)));
    if differing > 0 {
        let have = if differing == 1 { "has" } else { "have" };
        text.extend([format!(", {differing} {have} another size")]);
    }
    let instead = restore.unexpected.iter().filter(|tensor| matches!(tensor.role, Role::Weight | Role::Table));
    let instead: Vec<&[u8]> = instead.map(|tensor| tensor.name.as_slice()).collect();
    if !instead.is_empty() && instead.len() <= left.len().saturating_mul(4) {
        text.extend([format!(" (the checkpoint has {} instead)", few(instead.iter().copied()))]);
    }
    let them = if left.len() == 1 { "it" } else { "them" };
    format!("{text}; {rest}. To go on from this checkpoint, leave {them} out and train {them} anew")
}

/// Where the cause is told already.
fn all_the_same(left: usize, fit: usize) -> String {
    let them = if left == 1 { "it" } else { "them" };
    let fits = if fit == 1 { "the other 1 fits".to_owned() } else { format!("the other {fit} fit") };
    format!("to go on from this checkpoint all the same, leave {them} out: {fits}")
}

/// The first few names, and how many there are.
pub(super) fn few<'n>(names: impl Iterator<Item = &'n [u8]>) -> String {
    let names: Vec<String> = names.map(|name| escaped(short_name(name)).into_owned()).collect();
    super::super::crossing::first_few(&names)
}

/// Selectors that take exactly what is left: a scope where everything in it is left, else names.
fn terms(left: &[Left<'_>], restore: &Restore) -> Option<Vec<String>> {
    let fitting: BTreeSet<&[u8]> = restore.matched.iter().map(|found| short_name(&found.name)).collect();
    let left: Vec<&[u8]> = left.iter().map(|left| short_name(left.name)).collect();
    let below = |scope: &[u8]| {
        let scope = [scope, b"/"].concat();
        fitting.range(scope.as_slice()..).next().is_some_and(|name| name.starts_with(&scope))
    };
    let mut found: BTreeMap<Vec<u8>, Vec<&[u8]>> = BTreeMap::new();
    for name in &left {
        let ends = memchr::memchr_iter(b'/', name).chain(std::iter::once(name.len()));
        let mut scopes = ends.filter_map(|end| name.get(..end));
        let scope = scopes.find(|scope| !fitting.contains(scope) && !below(scope))?;
        found.entry(scope.to_vec()).or_default().push(name);
    }
    // A scope of one says less than the name.
    let found: BTreeSet<Vec<u8>> = found
        .into_iter()
        .map(|(scope, names)| match names.as_slice() {
            [only] if !below(only) => only.to_vec(),
            _ => scope,
        })
        .collect();
    let scopes = (found.len() <= MOST).then(|| found.into_iter().map(|scope| term(&scope)).collect::<Vec<_>>());
    // Scattered over many scopes, as adapters in every layer are: components that nothing else has say it in fewer.
    let globs = parts(&left, &fitting);
    match (scopes, globs) {
        (Some(scopes), Some(globs)) if globs.len().saturating_mul(2) <= scopes.len() => Some(globs),
        (None, globs) => globs,
        (scopes, _) => scopes,
    }
}

/// Globs of components that all of what is left has, and nothing else.
fn parts(left: &[&[u8]], fitting: &BTreeSet<&[u8]>) -> Option<Vec<String>> {
    let has = |name: &[u8], part: &[u8]| name.split(|b| *b == b'/').any(|other| other == part);
    let mut open: Vec<&[u8]> = left.to_vec();
    let mut parts: Vec<Vec<u8>> = Vec::new();
    while let Some(first) = open.first() {
        let alone = |part: &&[u8]| !part.is_empty() && !fitting.iter().any(|name| has(name, part));
        // Of several the one that most of the others have too.
        let alone: Vec<&[u8]> = first.split(|b| *b == b'/').filter(alone).collect();
        let part =
            alone.into_iter().rev().max_by_key(|part| open.iter().filter(|name| has(name, part)).count())?.to_vec();
        open.retain(|name| !has(name, &part));
        parts.push(part);
        if parts.len() > MOST {
            return None;
        }
    }
    // A component is a scope here and a last name there: two globs take both.
    let globs = parts.iter().flat_map(|part| {
        let last = left.iter().any(|name| name.ends_with(&[b"/", part.as_slice()].concat()) || name == part);
        let within = left.iter().any(|name| has(name, part) && !name.ends_with(&[b"/", part.as_slice()].concat()));
        let text = glob_literal(part);
        let ends = [within.then(|| format!("**/{text}/**")), last.then(|| format!("**/{text}"))];
        ends.into_iter().flatten()
    });
    Some(globs.collect())
}

/// A whole name or a scope, as a term of a selector.
fn term(scope: &[u8]) -> String {
    let text = escaped(scope);
    // What else begins a term would mean something else.
    let plain = !text.contains(['*', '?', '[', '{', '\\', ':', '!']);
    if plain { text.into_owned() } else { format!("{}{{,/**}}", glob_literal(scope)) }
}

fn glob_literal(text: &[u8]) -> String {
    let mut out = String::new();
    for c in String::from_utf8_lossy(text).chars() {
        if "*?[]{}\\!,".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A string of Python.
pub(super) fn python(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.extend([format!("\\u{:04x}", u32::from(c))]),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// A `Saver` of all variables but these.
fn saver(left: &[Left<'_>], restore: &Restore) -> Vec<String> {
    let variables: BTreeSet<String> = left.iter().map(|left| whole(&left.variable, left.name)).collect();
    let fitting: Vec<String> = restore
        .matched
        .iter()
        .map(|found| {
            let variable = found.variable.clone().filter(|name| !name.is_empty());
            variable.unwrap_or_else(|| String::from_utf8_lossy(&found.name).into_owned())
        })
        .collect();
    let is_parted = variables.iter().any(|name| name.ends_with("/part_"));
    let mut starts: BTreeSet<String> = BTreeSet::new();
    for name in &variables {
        let mut scopes = name.match_indices('/').map(|(at, _)| name.get(..=at).unwrap_or(name));
        let scope = scopes.find(|scope| !fitting.iter().any(|other| other.starts_with(scope)));
        starts.insert(scope.unwrap_or(name).to_owned());
    }
    let scopes = starts.len() < variables.len() || is_parted;
    let scopes = scopes && starts.iter().all(|start| !fitting.iter().any(|other| other.starts_with(start)));
    let initialize = "session.run(tf.compat.v1.global_variables_initializer())".to_owned();
    let restore_kept = format!("tf.compat.v1.train.Saver(kept).restore(session, {})", path(restore));
    let same_names = restore.matched.iter().zip(&fitting).all(|(found, variable)| found.name == variable.as_bytes());
    let by_dtype = restore.mismatched.iter().any(|other| other.expected.shape == other.found.shape);
    if variables.len() > MOST && !scopes && same_names && !by_dtype {
        // Too many to be listed: the checkpoint itself says what fits.
        return vec![
            initialize,
            format!("shapes = tf.train.load_checkpoint({}).get_variable_to_shape_map()", path(restore)),
            "kept = [v for v in tf.compat.v1.global_variables() if shapes.get(v.op.name) == v.shape.as_list()]"
                .to_owned(),
            restore_kept,
        ];
    }
    let list = |names: &BTreeSet<String>| names.iter().map(|name| python(name)).collect::<Vec<_>>().join(", ");
    let condition = if scopes {
        let starts = if starts.len() == 1 { list(&starts) } else { format!("({})", list(&starts)) };
        format!("not v.op.name.startswith({starts})")
    } else {
        format!("v.op.name not in {{{}}}", list(&variables))
    };
    let all = "tf.compat.v1.global_variables()";
    let tables = restore.matched.iter().any(|found| found.name.ends_with(b"-keys"));
    let tables = if tables { " + tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.SAVEABLE_OBJECTS)" } else { "" };
    vec![initialize, format!("kept = [v for v in {all} if {condition}]{tables}"), restore_kept]
}

/// The prefix as a string of Python.
pub(super) fn path(restore: &Restore) -> String {
    python(&restore.checkpoint.to_string_lossy())
}

/// How values get in by the map that `--emit assignment-map` writes. `restore` is the one with all options.
pub(super) fn by_map(restore: &Restore) -> Vec<String> {
    let initialize = "session.run(tf.compat.v1.global_variables_initializer())";
    let load = ["# map.json: this command with the options above and --emit assignment-map", "import json"];
    let is_parted = |found: &super::super::Match| found.variable.as_ref().is_some_and(|name| name.contains("/part_"));
    let lines = if restore.matched.iter().any(is_parted) {
        vec![
            format!("tf.compat.v1.train.init_from_checkpoint({}, json.load(open('map.json')))", path(restore)),
            initialize.to_owned(),
        ]
    } else {
        vec![
            "own = {v.op.name: v for v in tf.compat.v1.global_variables()}".to_owned(),
            "names = {stored: own[name] for stored, name in json.load(open('map.json')).items()}".to_owned(),
            initialize.to_owned(),
            format!("tf.compat.v1.train.Saver(names).restore(session, {})", path(restore)),
        ]
    };
    load.into_iter().map(str::to_owned).chain(lines).collect()
}

/// What the names of a partitioned variable's parts begin with; of another its name.
fn whole(variable: &str, tensor: &[u8]) -> String {
    let tensor = String::from_utf8_lossy(tensor);
    match variable.strip_prefix(tensor.as_ref()) {
        Some(rest) if rest.starts_with("/part_") => format!("{tensor}/part_"),
        _ => variable.to_owned(),
    }
}
