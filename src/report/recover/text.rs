//! `ckpt recover` for people: what was mended, what is lost and why, and whether the copy can be trusted.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use crate::analysis::convert::{Converted, Recipe, Target};
use crate::analysis::recover::{Did, Recovery, Undo};
use crate::analysis::short_name;
use crate::base::escape::{Escaped, escaped};
use crate::report::kit::look::Look;
use crate::report::kit::units::{counted, size, tensors_text};
use crate::report::kit::wrap::folded;

/// Names of what is lost for one reason that are shown.
const SHOWN: usize = 5;

/// Bits that are told one by one.
const BITS: usize = 10;

/// Odds worse than these are told.
const TOLD_ODDS: f64 = 0.001;

/// What was mended, and what was written; `None` if nothing was. The last line can be quoted.
///
/// # Errors
/// What `out` says.
pub(super) fn recover_text(
    recovery: &Recovery,
    recipe: &Recipe,
    target: &Target,
    converted: Option<&Converted>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut line = |what: &str, text: &str| writeln!(out, "  {what:<10} {}", folded(text, 13, 13, look));
    let mut bits = 0;
    for did in &recovery.did {
        if let Did::Bit { .. } = did {
            bits += 1;
            if bits > BITS {
                continue;
            }
        }
        let (what, text) = told(did);
        line(what, &text)?;
    }
    if bits > BITS {
        line("bit", &format!("{} more", bits - BITS))?;
    }
    if recovery.is_sound() {
        line("nothing", "was wrong with it")?;
    }
    let mut by_reason: BTreeMap<&str, Vec<Option<&[u8]>>> = BTreeMap::new();
    for lost in &recovery.lost {
        by_reason.entry(&lost.why).or_default().push(lost.name.as_deref());
    }
    for (why, names) in by_reason {
        let known: Vec<&[u8]> = names.iter().copied().flatten().collect();
        if known.is_empty() {
            line("LOST", why)?;
            continue;
        }
        line("LOST", &format!("{}: {why}", tensors_text(known.len())))?;
        let shown: Vec<String> = known.iter().take(SHOWN).map(|name| escaped(short_name(name)).into_owned()).collect();
        let more = if known.len() > SHOWN { format!(" and {} more", known.len() - SHOWN) } else { String::new() };
        line("", &format!("{}{more}", shown.join(", ")))?;
    }
    if recovery.unverified > 0 {
        let tensors = tensors_text(recovery.unverified);
        let text =
            format!("{tensors}: no checksum survives, so nothing can say that the values are those that were saved");
        line("unverified", &text)?;
    }
    for note in recovery.notes.iter().chain(&recipe.notes) {
        line("note", note)?;
    }
    let (bold, shown) = (look.bold(), escaped(target.path.as_os_str().as_encoded_bytes()));
    let tensors = tensors_text(recipe.outputs.len());
    let verdict = match converted {
        None => format!("nothing written: {tensors} would be in {shown}"),
        Some(converted) => {
            let bytes = converted.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
            let files = counted(converted.files.len() as u64, "file");
            let checked = match recovery.unverified {
                0 => "each compared with its checksum",
                n if n == recipe.outputs.len() => "values unverified",
                _ => "the others compared with their checksums",
            };
            let lost = if recovery.lost.is_empty() { "" } else { ", NOT WHOLE" };
            format!("{bold}wrote {shown}{bold:#}: {tensors} in {files} ({}){lost}, {checked}, read back", size(bytes))
        }
    };
    writeln!(out, "{}", folded(&verdict, 0, 2, look))
}

/// One thing that was done.
fn told(did: &Did) -> (&'static str, String) {
    match did {
        Did::Bit { file, byte, bit, tensor, odds } => {
            let of = tensor.as_ref().map_or_else(
                || "by the checksums of its blocks".to_owned(),
                |name| format!("by the checksum of {}", escaped(short_name(name))),
            );
            let odds = if *odds > TOLD_ODDS {
                let n = (1.0 / odds).round();
                format!("; in so many bytes other damage looks like one bit once in {n}")
            } else {
                String::new()
            };
            ("bit", format!("bit {bit} of byte {byte} of {} flipped back, {of}{odds}", name(file)))
        }
        Did::Index { by, tensors, .. } => {
            ("index", format!("{} entered anew, as {} says", tensors_text(*tensors), name(by)))
        }
        Did::Merged { file, tensors } => ("merged", format!("{}, {}", of_folder(file), tensors_text(*tensors))),
        Did::Renamed { file, to } => ("renamed", format!("{} is {}", of_folder(file), name(to))),
        Did::Undone { file, to, how } => {
            let what = match how {
                Undo::Gzip => "unpacked (gzip)",
                Undo::LineEnds => "without the carriage returns that its line feeds had got",
                Undo::Latin1 => "with the bytes that had been taken for Latin-1 and written as UTF-8",
            };
            let of = if file == to { String::new() } else { format!("{} is ", of_folder(file)) };
            ("undone", format!("{of}{}, {what}", name(to)))
        }
        Did::Copied { file, to, tensors } => {
            ("copied", format!("{} of {} from {}", tensors_text(*tensors), name(to), of_folder(file)))
        }
    }
}

fn name(path: &Path) -> String {
    Escaped(path.file_name().unwrap_or_default().as_encoded_bytes()).to_string()
}

/// A file with the directory that it lies in.
fn of_folder(path: &Path) -> String {
    match path.parent().and_then(Path::file_name) {
        Some(dir) => format!("{}/{}", Escaped(dir.as_encoded_bytes()), name(path)),
        None => name(path),
    }
}
