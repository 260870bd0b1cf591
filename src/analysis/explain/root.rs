//! Of several errors in one text, the one that is the cause of the others.
//!
//! A traceback prints what was raised first first; a log the same. Some messages only pass another one on ("Restoring from
//! checkpoint failed … Original error:"), and some only follow from what went wrong before ("Attempting to use
//! uninitialized value"): both are the answer only if nothing else is known.

use super::clean::Cleaned;
use super::diagnosis::Diagnosis;
use super::messages::{self, Rank};

/// As many known messages of a text are looked at; a log with more says the same again.
const MOST: usize = 4000;

/// As many other errors are named.
const NAMED: usize = 4;

/// The diagnosis of a text.
pub(super) fn find(text: &str) -> Option<Diagnosis> {
    let cleaned = Cleaned::of(text);
    let said = cleaned.messages();
    let whole = cleaned.text();
    // Terminals and mail programs break long lines, also within words. What looks like source code may be the message.
    of_messages(&said, &whole).or_else(|| of_messages(std::slice::from_ref(&whole), &whole)).or_else(|| {
        let lines: Vec<&str> = whole.lines().map(str::trim).collect();
        let joined = [lines.join(" "), lines.concat(), text.to_owned()];
        joined.iter().find_map(|text| of_messages(std::slice::from_ref(text), text))
    })
}

fn of_messages(said: &[String], whole: &str) -> Option<Diagnosis> {
    let hits: Vec<(usize, messages::Hit)> = said
        .iter()
        .enumerate()
        .filter_map(|(at, text)| Some((at, messages::find(text, at == 0)?)))
        .take(MOST)
        .collect();
    let (_, root) = hits.iter().min_by_key(|(at, hit)| (hit.rank, *at))?;
    // What one message says several times, of several tensors, is read together.
    let together: Vec<&str> = hits
        .iter()
        .filter(|(_, hit)| hit.rule == root.rule)
        .filter_map(|(at, _)| said.get(*at).map(String::as_str))
        .collect();
    let of_all = if together.len() > 1 { messages::read(root.rule, &together.join("\n"), whole) } else { None };
    let mut diagnosis = of_all.unwrap_or_else(|| root.diagnosis.clone());
    for (_, hit) in &hits {
        let other = &hit.diagnosis;
        let is_told = other.cause == root.diagnosis.cause || diagnosis.also.contains(&other.headline);
        if hit.rank != Rank::Wrapper && !is_told && diagnosis.also.len() < NAMED {
            diagnosis.also.push(other.headline.clone());
        }
    }
    Some(diagnosis)
}
