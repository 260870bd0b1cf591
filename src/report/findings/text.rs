//! Findings for people: what, where, what happened, what to do.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::ruled::{allowed_words, changed_words, write_allowed};
use crate::analysis::{Code, Finding, Gate, GroupVerdict, PolicyUse, Restore, Served, Severity, Validation};
use crate::base::escape::escaped;
use crate::report::Look;
use crate::report::kit::arguments::words;
use crate::report::kit::json::shown;
use crate::report::kit::units::{count, counted, size};
pub(in crate::report) use crate::report::kit::wrap::{folded, joined};
use crate::report::restore::text::{restore_text, verdict as restore_verdict};

/// Writes one finding: a line, and its cause below it. On a terminal the line is broken between words; the cause and what
/// to do always are.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn write_finding(finding: &Finding, look: Look, out: &mut dyn Write) -> io::Result<()> {
    write_behind(finding, 0, look, out)
}

/// As [`write_finding`], on a line of which `used` columns are taken.
pub(in crate::report) fn write_behind(
    finding: &Finding,
    used: usize,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (style, sign) = match finding.severity {
        Severity::Error => (look.bad(), "✗"),
        Severity::Warning => (look.doubtful(), "!"),
        Severity::Note => (look.dim(), "·"),
    };
    writeln!(out, "{style}{sign}{style:#} {}", folded(&finding.message, used + 2, 4, look))?;
    let dim = look.dim();
    let page = look.of_a_page();
    let mut row = |label: &str, text: &str| writeln!(out, "    {dim}{label:<7}{dim:#} {text}");
    if let Some(cause) = &finding.cause {
        row("certain", &folded(&cause.certain, 12, 12, page))?;
        if let Some(likely) = &cause.likely {
            row("likely", &folded(likely, 12, 12, page))?;
        }
    }
    if let Some(help) = &finding.help {
        row("do", &continued(help, page))?;
    }
    match changed_words(finding) {
        Some(changed) => row("level", &folded(&changed, 12, 12, page)),
        None => Ok(()),
    }
}

/// What to do, where it ends in a command that is too long for a line: the command in lines that a shell takes for one.
fn continued(help: &str, look: Look) -> String {
    const INDENT: usize = 12;
    const COMMANDS: [&str; 8] = [": mkdir ", ": mv ", ": ckpt ", ": gcloud ", ": aws ", ": ln ", ": hdfs ", ": curl "];
    let width = look.width.unwrap_or(80);
    let at = COMMANDS.iter().filter_map(|command| help.find(command)).min();
    let command = at.and_then(|at| help.split_at_checked(at + 1)).filter(|_| INDENT + help.width() > width);
    let Some((what, command)) = command else { return folded(help, INDENT, INDENT, look) };
    let mut out = format!("{}\n{}", folded(what, INDENT, INDENT, look), " ".repeat(INDENT));
    let mut column = INDENT;
    for (n, word) in words(command.trim_start()).into_iter().enumerate() {
        if n > 0 && column + 1 + word.width() + 2 > width {
            out.push_str(" \\\n");
            out.extend(std::iter::repeat_n(' ', INDENT));
            column = INDENT;
        } else if n > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.width();
    }
    out
}

/// How many findings of one code are shown; json has them all.
const MOST: usize = 25;

/// `validate --format text`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn validate_text(
    validation: &Validation,
    quick: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut shown_of: std::collections::BTreeMap<_, usize> = std::collections::BTreeMap::new();
    let of_checkpoint = || validation.findings.iter().filter(|finding| !finding.code.is_restore());
    for finding in of_checkpoint() {
        let n = shown_of.entry(finding.code).or_default();
        *n += 1;
        if *n > MOST {
            continue;
        }
        let dim = look.dim();
        write!(out, "{dim}{}{dim:#} ", finding.code.name())?;
        write_behind(finding, finding.code.name().len() + 1, look, out)?;
    }
    for (code, n) in shown_of.into_iter().filter(|(_, n)| *n > MOST) {
        writeln!(out, "… and {} more {}; --format json lists them all", count((n - MOST) as u64), code.name())?;
    }
    if of_checkpoint().next().is_some() {
        writeln!(out)?;
    }
    for restore in &validation.restores {
        restore_text(restore, look, out)?;
    }
    write_allowed(&validation.allowed, look, out)?;
    verdict(validation, quick, look, out)
}

/// The last line; where checkpoints of several names were checked, a line of each name before it.
pub(in crate::report) fn verdict(
    validation: &Validation,
    quick: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let checkpoints = |n: u64| if n == 1 { "1 checkpoint".to_owned() } else { format!("{} checkpoints", count(n)) };
    for group in &validation.groups {
        let what = format!("{}, {}", escaped(group.name.as_bytes()), checkpoints(group.checked.checkpoints));
        verdict_line(validation, Some(group), &what, quick, look, out)?;
    }
    let n = validation.checked.checkpoints;
    let what = match (validation.targets.as_slice(), validation.groups.len()) {
        ([only], _) => shown(only),
        (_, 0) => checkpoints(n),
        (_, names) => format!("{} of {names} names, perhaps of different models", checkpoints(n)),
    };
    verdict_line(validation, None, &what, quick, look, out)
}

fn verdict_line(
    validation: &Validation,
    group: Option<&GroupVerdict>,
    what: &str,
    quick: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let checked = group.map_or(validation.checked, |group| group.checked);
    let of = |severity: Severity| validation.count_of(severity, group.map(|group| group.name.as_str()));
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let bold = look.bold();
    let is_error = |finding: &&Finding| {
        finding.severity == Severity::Error && group.is_none_or(|group| finding.group.as_ref() == Some(&group.name))
    };
    // What is not read need not be damaged.
    let is_unread = validation.findings.iter().filter(is_error).all(|finding| finding.code == Code::Unreadable);
    // Whether the files are intact is one question; what is in them, who serves and who restores it are others.
    let errors_of_files = validation.errors_of_files(group.map(|group| group.name.as_str()));
    let word = match (errors_of_files, quick) {
        (0, _) if checked.unsummed == checked.tensors && checked.tensors > 0 => "whole",
        (0, false) if checked.unsummed > 0 => "what has checksums is intact",
        (0, false) if checked.skipped == 0 => "intact",
        (0, false) => "what was read is intact",
        (0, true) if checked.vouched == checked.tensors && checked.tensors > 0 => {
            "intact, by the store's own checksums"
        }
        (0, true) if checked.vouched > 0 => "index sound, what the store has checksums of is intact",
        (0, true) => "index sound, no data read",
        _ if errors == 0 => "NOT intact, which is allowed",
        _ if is_unread => "could not be read whole",
        _ => "NOT intact",
    };
    let mut facts = Vec::new();
    if let (Some(gate), Some((served, others))) = (&validation.gate, validation.served()) {
        facts.push(format!("{bold}{}: {}{bold:#}", shown(&gate.path), served_words(gate, served, others)));
        // Of what is no model nothing was read.
        if checked.files > 0 && (checked.tensors > 0 || errors_of_files > 0) {
            facts.push(of_files(word));
        }
    } else if let Some(does) = restores(&validation.restores).filter(|_| group.is_none()) {
        facts.push(format!("{bold}{what}: {does}{bold:#}"));
        facts.push(of_files(word));
    } else {
        let sick = validation.sick_tensors(group.map(|group| group.name.as_str()));
        let sick = (sick > 0).then(|| format!("NaN or infinity in {}", counted(sick as u64, "tensor")));
        match sick {
            Some(sick) if errors_of_files == 0 => {
                facts.extend([format!("{bold}{what}: {sick}{bold:#}"), of_files(word)]);
            }
            sick => {
                facts.push(format!("{bold}{what}: {word}{bold:#}"));
                facts.extend(sick);
            }
        }
    }
    let policy = validation.policy.as_ref().filter(|policy| policy.checked > 0 && group.is_none());
    facts.extend(policy.map(|policy| expected_words(policy, look)));
    let mut read = match checked.unsummed {
        0 => format!("{} of {} tensors verified", count(checked.verified), count(checked.tensors)),
        n if checked.verified == 0 => {
            let all = format!("{} of {} tensors have their bytes", count(n), count(checked.tensors));
            format!("{all}, and no checksums to verify them by")
        }
        n => {
            let verified = format!("{} of {} tensors verified", count(checked.verified), count(checked.tensors));
            format!("{verified}, {} have their bytes and no checksums", count(n))
        }
    };
    if checked.vouched > 0 {
        read = format!("{} of {} tensors vouched for", count(checked.vouched), count(checked.tensors));
    }
    if checked.skipped > 0 {
        read = format!("{read}, {} not read", count(checked.skipped));
    }
    let files = if checked.files == 1 { "file" } else { "files" };
    if checked.files > 0 || validation.gate.is_none() {
        let files = format!("{} {files}", count(checked.files));
        // Where nothing was compared with a checksum, that was said.
        let compared = if checked.bytes > 0 { format!("{} in {files}", size(checked.bytes)) } else { files };
        facts.extend([read, compared]);
    }
    for (n, what) in [(errors, "error"), (warnings, "warning")] {
        match n {
            0 => {}
            1 => facts.push(format!("1 {what}")),
            n => facts.push(format!("{} {what}s", count(n as u64))),
        }
    }
    facts.extend(allowed_words(&validation.allowed).filter(|_| group.is_none()));
    writeln!(out, "{}", joined(&facts, 0, 2, look))
}

/// Whether expectations hold.
fn expected_words(policy: &PolicyUse, look: Look) -> String {
    let (bold, file) = (look.bold(), shown(&policy.file));
    match policy.broken {
        0 => format!("as {file} expects ({})", count(policy.checked)),
        n => format!("{bold}NOT as {file} expects{bold:#} ({} of {})", count(n), count(policy.checked)),
    }
}

/// What is said of files beside another verdict.
fn of_files(word: &str) -> String {
    if word.starts_with("NOT intact") || word.starts_with("intact") || word == "whole" {
        format!("files {word}")
    } else {
        word.to_owned()
    }
}

/// What comes of the restores that were asked for, of several the worst.
fn restores(all: &[Restore]) -> Option<&'static str> {
    // Raises, then silent damage, then what could not be told; what is well comes last.
    let rank = |restore: &&Restore| match (restore.ok, restore.undetermined.is_some()) {
        (false, false) if !restore.raises.is_empty() => 0,
        (false, false) => 1,
        (false, true) => 2,
        (true, _) => 3,
    };
    all.iter().min_by_key(rank).map(restore_verdict)
}

/// What a server does with the path, and with which version.
fn served_words(gate: &Gate, served: Served, others: bool) -> String {
    let version =
        gate.version.as_ref().map_or_else(String::new, |name| format!("version {} ", escaped(name.as_bytes())));
    let does = match served {
        Served::Yes => "can be served",
        Served::Wrongly => "would be loaded, and NOT serve what it should",
        Served::No => "can NOT be served",
    };
    let others = if others { "; other versions can NOT" } else { "" };
    format!("{version}{does}{others}")
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::analysis::Code;

    #[test]
    fn what_was_found_is_broken_for_terminals_only() {
        let likely = "an interrupted download or copy of a file that was given its size beforehand, or a lost write";
        let name = "model/_functional/_operations/4/moving_variance/.ATTRIBUTES/VARIABLE_VALUE/and/much/further";
        let finding = Finding::new(Code::HoleOfZeros, format!("zeros, 2 tensors affected (a, {name}) and so on"));
        let finding = finding.because("they are zeros", Some(likely.to_owned())).with_help("fetch it again");
        let text = |width| {
            let mut out = Vec::new();
            write_behind(&finding, 14, Look { color: false, width }, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(None).lines().count(), 5, "{}", text(None));
        assert!(text(None).lines().next().unwrap().ends_with("and so on"));
        let narrow = text(Some(80));
        assert_eq!(narrow.lines().count(), 7, "{narrow}");
        assert!(narrow.lines().all(|line| line.width() <= 80 || line.contains(name)), "{narrow}");
        assert!(narrow.contains("\n            beforehand, or a lost write\n    do      fetch it again\n"), "{narrow}");
        assert_eq!(narrow.split_whitespace().collect::<Vec<_>>(), text(None).split_whitespace().collect::<Vec<_>>());
    }
}
