//! One cause in several shards is one finding: shards that belong to one other index, shards under each other's names.

use std::path::{Path, PathBuf};

use super::file_name;
use crate::analysis::finding::{Cause, Code, Finding, OtherSave};
use crate::base::escape::{escaped, shell_word};
use crate::read::bundle::Prefix;

/// What the causes of this many shards say is written out.
const TOLD: usize = 3;

/// Joins findings of one cause, each into the first of its kind. `counters` are the files in which nothing but scalars
/// could differ, and does.
pub(super) fn join(findings: &mut Vec<Finding>, counters: &[PathBuf]) {
    swapped(findings);
    rotated(findings);
    let mut at = 0;
    while let Some(first) = findings.get(at) {
        if let Some(saves) = saves(first).cloned() {
            // Findings of the other checkpoints of a directory stand here too.
            let own = first.file.as_deref().and_then(prefix_of);
            let rest = findings.split_off(at.saturating_add(1));
            let same = |other: &Finding| {
                self::saves(other) == Some(&saves) && other.file.as_deref().and_then(prefix_of) == own
            };
            let (others, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(same);
            if let Some(first) = findings.get_mut(at) {
                alike(first, others);
            }
            findings.extend(rest);
        }
        at = at.saturating_add(1);
    }
    follow(findings, counters);
}

/// The checkpoint whose shard this is.
fn prefix_of(file: &Path) -> Option<PathBuf> {
    Prefix::of_member(file).map(|prefix| prefix.as_path().to_path_buf())
}

/// Steps of another save, where shards are of another save: alone they would be damaged scalars.
fn follow(findings: &mut Vec<Finding>, counters: &[PathBuf]) {
    // Findings of the other checkpoints of a directory stand here too.
    let own = counters.first().and_then(|file| prefix_of(file));
    let is_own = |finding: &Finding| own.is_some() && finding.file.as_deref().and_then(prefix_of) == own;
    let Some(at) = findings.iter().position(|finding| saves(finding).is_some() && is_own(finding)) else { return };
    let is_counter = |finding: &Finding| {
        matches!(finding.code, Code::SingleBitFlip | Code::TensorChecksumMismatch)
            && finding.file.as_ref().is_some_and(|file| counters.contains(file))
    };
    let at = at.saturating_sub(findings.iter().take(at).filter(|finding| is_counter(finding)).count());
    let told: Vec<Finding> = findings.extract_if(.., |finding| is_counter(finding)).collect();
    let Some(first) = findings.get_mut(at).filter(|_| !told.is_empty()) else { return };
    let names: Vec<String> =
        told.iter().filter_map(|one| one.tensor.as_deref()).map(|name| escaped(name).into_owned()).collect();
    let shown = match names.get(..TOLD) {
        Some(some) if names.len() > TOLD => format!("{}, …", some.join(", ")),
        _ => names.join(", "),
    };
    let differ = if names.len() == 1 { "differs" } else { "differ" };
    first.message = format!("{}; {shown}, alone in another shard, {differ} too", first.message);
    first.explains.extend(told.into_iter().flat_map(|one| one.explains.into_iter().chain(one.tensor)));
    first.explains.sort_unstable();
    first.explains.dedup();
}

/// The other saves that have what belongs to a shard; none of it where nothing nearby has.
fn saves(finding: &Finding) -> Option<&Vec<OtherSave>> {
    finding.cause.as_ref().filter(|_| finding.code == Code::MispairedData).map(|cause| &cause.other_saves)
}

/// A text with the number of a shard left open: `m.data-?????-of-00002`.
fn any_shard(text: &str) -> String {
    let mut parts = text.split(".data-");
    let mut open = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        open.push_str(".data-");
        match part.get(digits..).filter(|rest| digits > 0 && rest.starts_with("-of-")) {
            Some(rest) => open.extend(["?".repeat(digits).as_str(), rest]),
            None => open.push_str(part),
        }
    }
    open
}

/// The same was found of other shards.
fn alike(first: &mut Finding, others: Vec<Finding>) {
    let Some(last) = others.last().and_then(|other| other.file.clone()) else { return };
    let n = others.len();
    let names: Vec<String> = others.iter().filter_map(|other| other.file.as_deref()).map(file_name).collect();
    let shown = match names.get(..TOLD) {
        Some(some) if n > TOLD => format!("{} … {} ({n} shards)", some.join(", "), file_name(&last)),
        _ => names.join(", "),
    };
    first.message = format!("{}; the same of {shown}", first.message);
    first.help = first.help.take().map(|help| any_shard(&help));
    if let Some(cause) = &mut first.cause {
        let told = others.iter().zip(&names).take(TOLD.saturating_sub(1));
        for (other, name) in told {
            if let Some(Cause { certain, .. }) = &other.cause {
                cause.certain = format!("{}; in {name} {certain}", cause.certain);
            }
        }
    }
    first.explains.extend(others.into_iter().flat_map(|other| other.explains.into_iter().chain(other.tensor)));
    first.explains.sort_unstable();
    first.explains.dedup();
}

/// Two shards that have each other's data.
fn swapped(findings: &mut Vec<Finding>) {
    let holds = |finding: &Finding| -> Option<(PathBuf, PathBuf)> {
        let own = finding.cause.as_ref().and_then(|cause| cause.holder.clone())?;
        let file = finding.file.clone().filter(|_| finding.code == Code::SwappedShards)?;
        Some((file, own))
    };
    let mut at = 0;
    while let Some(first) = findings.get(at) {
        let partner = holds(first).and_then(|(file, own)| {
            let is_partner = |other: &Finding| holds(other).is_some_and(|(path, back)| path == own && back == file);
            findings.iter().skip(at.saturating_add(1)).position(is_partner)
        });
        if let Some(n) = partner {
            let other = findings.remove(at.saturating_add(1).saturating_add(n));
            if let Some(first) = findings.get_mut(at) {
                exchanged(first, other);
            }
        }
        at = at.saturating_add(1);
    }
}

/// More than two shards that have the data of one another.
fn rotated(findings: &mut Vec<Finding>) {
    let holder = |finding: &Finding| finding.cause.as_ref().and_then(|cause| cause.holder.clone());
    let is_one = |finding: &Finding| {
        finding.code == Code::SwappedShards
            && holder(finding).is_some()
            && !finding.message.ends_with("each other's data")
    };
    let of = |finding: &Finding| finding.file.as_deref().and_then(prefix_of);
    let own = findings.iter().rfind(|finding| is_one(finding)).and_then(of);
    let is_one = |finding: &Finding| is_one(finding) && of(finding) == own;
    let Some(at) = findings.iter().position(is_one) else { return };
    let rest = findings.split_off(at.saturating_add(1));
    let (others, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(is_one);
    if let Some(first) = findings.get_mut(at).filter(|_| !others.is_empty()) {
        let all = others.len().saturating_add(1);
        let pairs = std::iter::once(&*first).chain(&others).take(TOLD);
        let pairs = pairs.filter_map(|one| Some((file_name(one.file.as_deref()?), file_name(&holder(one)?))));
        let mut pairs: Vec<String> = pairs.map(|(file, own)| format!("that of {file} is in {own}")).collect();
        if all > TOLD {
            pairs.push("…".to_owned());
        }
        first.message = format!("{all} shards hold the data of one another: {}", pairs.join(", "));
        if let Some(cause) = &mut first.cause {
            for Cause { certain, .. } in
                others.iter().filter_map(|other| other.cause.as_ref()).take(TOLD.saturating_sub(1))
            {
                cause.certain = format!("{}; {certain}", cause.certain);
            }
        }
        first.explains.extend(others.into_iter().flat_map(|other| other.explains.into_iter().chain(other.tensor)));
        first.explains.sort_unstable();
        first.explains.dedup();
        findings.extend(rest);
    } else {
        findings.extend(others.into_iter().chain(rest));
    }
}

fn exchanged(first: &mut Finding, other: Finding) {
    let (Some(a), Some(b)) = (first.file.clone(), other.file.clone()) else { return };
    first.message = format!("{} and {} hold each other's data", file_name(&a), file_name(&b));
    if let (Some(cause), Some(back)) = (&mut first.cause, &other.cause) {
        cause.certain = format!("{}; and so the other way round: {}", cause.certain, back.certain);
    }
    let mut aside = a.as_os_str().to_owned();
    aside.push(".aside");
    let [a, b, aside] = [a.as_path(), b.as_path(), Path::new(&aside)].map(shell_word);
    first.help = Some(format!("give them each other's names: mv {a} {aside} && mv {b} {a} && mv {aside} {b}"));
    first.explains.extend(other.explains.into_iter().chain(other.tensor));
    first.explains.sort_unstable();
    first.explains.dedup();
}
