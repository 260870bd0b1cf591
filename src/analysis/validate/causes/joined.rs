//! One cause in several shards is one finding: shards that belong to one other index, shards under each other's names.

use std::path::{Path, PathBuf};

use super::file_name;
use crate::analysis::finding::{Cause, Code, Finding, OtherSave};
use crate::base::escape::shell_word;

/// What the causes of this many shards say is written out.
const TOLD: usize = 3;

/// Joins findings of one cause, each into the first of its kind.
pub(super) fn join(findings: &mut Vec<Finding>) {
    swapped(findings);
    let mut at = 0;
    while let Some(first) = findings.get(at) {
        if let Some(saves) = saves(first).cloned() {
            let rest = findings.split_off(at.saturating_add(1));
            let same = |other: &Finding| self::saves(other) == Some(&saves);
            let (others, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(same);
            if let Some(first) = findings.get_mut(at) {
                alike(first, others);
            }
            findings.extend(rest);
        }
        at = at.saturating_add(1);
    }
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
