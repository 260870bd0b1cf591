//! What all differences of a restore have in common: the cause, and the options and lines of Python that repair it.
//!
//! `renamed` (with `segments` and `changes`) and `numbered` are about names, `kinds` about kinds of tensors, `objects` about what an object-based
//! restore calls its objects; `leave_out` says what remains, for whoever wants to go on from the rest. Options are tried
//! on the prediction itself (`sides`): what does not restore is not proposed.

mod adapter;
mod changes;
mod kinds;
mod leave_out;
mod numbered;
pub(super) mod objects;
mod order;
mod pairing;
mod renamed;
mod segments;
mod sides;

pub(in crate::analysis) use renamed::candidates;
pub(in crate::analysis) use segments::Named;
pub(super) use sides::Trial;

use super::stored::Stored;
use super::{Hint, Restore, hints};
use crate::base::escape::escaped;
use sides::Sides;

/// How many kinds of changes are looked for in one set of names: a scope and a suffix and a number.
const ROUNDS: usize = 4;

/// Fills in what probably happened.
pub(super) fn find(restore: &mut Restore, stored: &Stored, trial: &Trial<'_>) {
    for mismatch in &mut restore.mismatched {
        mismatch.hint = hints::of_one(mismatch);
    }
    let mut found = std::mem::take(&mut restore.hints);
    let names = if found.is_empty() { names(restore, stored, trial) } else { Names::default() };
    // What differs throughout is not left out.
    let path = trial.checkpoint.origin().prefix.as_path();
    let throughout = [kinds::one_dtype(restore, path), kinds::layout(&restore.mismatched)];
    let is_whole = throughout.iter().any(Option::is_some);
    let kinds: Vec<Hint> = kinds::find(restore).into_iter().map(|hint| tried(hint, restore, trial)).collect();
    let has_kind = !kinds.is_empty();
    found.extend(names.hint);
    // A number that differs because layers were taken for others says nothing.
    let is_shift = names.is_shift || found.iter().any(|hint| hint.text.contains(numbered::COUNTED));
    if !is_shift {
        found.extend(hints::dimension(&restore.mismatched).map(Hint::from));
    }
    found.extend(hints::silent(&restore.mismatched).map(Hint::from));
    found.extend(throughout.into_iter().flatten());
    found.extend(kinds);
    let explained = !found.is_empty();
    let told = found.iter().any(|hint| !hint.code.is_empty());
    if told && stored.is_object_based() {
        // The call says it all.
    } else if let Some(hint) = kinds::optimizer(restore) {
        let ignore: Vec<String> = hint.options.iter().map(|(_, value)| value.clone()).collect();
        // An object-based restore may raise for what is there, whatever is left out.
        let holds = trial.with(&[], &ignore).is_none_or(|(tried, _)| tried.ok);
        let hint = if holds { hint } else { Hint::from(hint.text) };
        found.push(Hint { code: leave_out::code(restore), restores: Some(restore.matched.len()), ..hint });
    } else if !is_whole {
        let rest = names.restore.as_ref().unwrap_or(restore);
        let fits = |ignore: &[String]| trial.with(&names.maps, ignore).is_some_and(|(tried, _)| is_complete(&tried));
        let solid = names.solid.unwrap_or_else(|| Sides::of(restore, stored).solid());
        let hint = leave_out::find(rest, &names.maps, solid, has_kind, fits);
        let doubt = names.doubt.filter(|_| names.maps.is_empty() && !has_kind);
        found.extend(hint.map(|hint| Hint { text: hint.text.clone() + &doubt.unwrap_or_default(), ..hint }));
    }
    let solid = Sides::of(restore, stored).solid();
    found.extend(hints::kinds(restore, explained, solid).into_iter().map(Hint::from));
    restore.hints = found;
}

/// What is said of names that something else would explain as well.
fn likely(why: Option<&str>) -> String {
    let shown =
        |why| format!(". That is likely and not certain: {why}; compare an output of the model before and after");
    why.map(shown).unwrap_or_default()
}

fn is_complete(restore: &Restore) -> bool {
    restore.missing.iter().all(|missing| super::is_save_counter(&missing.name))
        && restore.mismatched.is_empty()
        && !restore.matched.is_empty()
}

/// Options that let no more tensors fit are not proposed.
fn tried(mut hint: Hint, restore: &Restore, trial: &Trial<'_>) -> Hint {
    if hint.options.is_empty() {
        return hint;
    }
    let of = |option: &str| -> Vec<String> {
        hint.options.iter().filter(|(name, _)| *name == option).map(|(_, value)| value.clone()).collect()
    };
    match trial.with(&of("--map"), &of("--ignore")) {
        Some((told, _)) if told.matched.len() > restore.matched.len() => {
            hint.restores = Some(told.matched.len());
            hint.code = leave_out::by_map(&told);
        }
        _ => hint.options.clear(),
    }
    hint
}

/// Whether rules for names say more than numbers of layers: they find more, or as much in fewer words, where nothing
/// would be taken for another layer.
fn says_more(named: &renamed::Rules, counted: &numbered::Shift) -> bool {
    let (n, all) = (named.list.len(), counted.rules.list.len());
    let fewer = (n < all || n == 1) && counted.misplaced == 0;
    named.gain > counted.rules.gain || (named.gain == counted.rules.gain && fewer)
}

/// What came of the names.
#[derive(Default)]
struct Names {
    hint: Option<Hint>,
    maps: Vec<String>,
    /// Whether layers are counted otherwise.
    is_shift: bool,
    /// The restore with all maps, and how many of those that fit are no state of training.
    restore: Option<Restore>,
    solid: Option<usize>,
    /// What is to be said of a layer that is new.
    doubt: Option<String>,
    /// Why the maps are likely and not certain, if they are not.
    likely: Option<String>,
}

/// Names that changed: one kind of change after the other, as long as more fits.
fn names(restore: &Restore, stored: &Stored, trial: &Trial<'_>) -> Names {
    let mut found = Names::default();
    if stored.is_object_based() || restore.call.starts_with("tf.train") {
        return found;
    }
    let all = restore.missing.len().saturating_add(restore.mismatched.len());
    let mut sides = Sides::of(restore, stored);
    let before = sides.fitting();
    let mut shift = None;
    for _ in 0..ROUNDS {
        let now = found.restore.as_ref().unwrap_or(restore);
        let counted = numbered::find(&sides);
        let named = renamed::best(now, &sides);
        let rules = match (&counted, named) {
            (Some(counted), Some(named)) if says_more(&named, counted) => named,
            (Some(counted), _) => {
                shift = Some(counted.clone());
                counted.rules.clone()
            }
            (None, Some(named)) => named,
            (None, None) => break,
        };
        found.likely = found.likely.or(rules.doubt);
        found.maps.extend(rules.list);
        let Some((next, stored)) = trial.with(&found.maps, &[]) else {
            // Too much to be tried; the names were compared all the same.
            break;
        };
        sides = Sides::of(&next, &stored);
        found.restore = Some(next);
    }
    found.doubt = numbered::doubt(&sides);
    if found.maps.is_empty() {
        return found;
    }
    found.solid = Some(sides.solid());
    let gain = sides.fitting().max(before).saturating_sub(before);
    found.is_shift = shift.is_some();
    let text = match shift {
        Some(shift) if shift.rules.list == found.maps => shift.text(all),
        _ => {
            let known = found.maps.iter().any(|rule| renamed::is_of_tensorflow(rule));
            let why = if known { " (TensorFlow 1.0 and 1.2 renamed the variables of cells and layers so)" } else { "" };
            let of = if restore.mismatched.is_empty() { "missing" } else { "that are missing or differ" };
            format!(
                "names were changed{why}; leading them back finds {gain} of the {all} {of}{}",
                likely(found.likely.as_deref())
            )
        }
    };
    let options = found.maps.iter().map(|rule| ("--map", escaped(rule.as_bytes()).into_owned())).collect();
    let restores = found.restore.as_ref().map(|restore| restore.matched.len());
    let code = leave_out::by_map(found.restore.as_ref().unwrap_or(restore));
    found.hint = Some(Hint { text, options, code, restores });
    found
}
