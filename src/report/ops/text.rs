//! `ckpt ops` for people: what the model can touch, when, and from where.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use crate::analysis::ops::{OpSite, OpsReport, is_registered};
use crate::analysis::{Code, Severity};
use crate::base::escape::escaped;
use crate::report::Look;
use crate::report::findings::ruled::{allowed_words, write_allowed};
use crate::report::findings::text::write_behind;
use crate::report::kit::json::shown;
use crate::report::kit::table::Columns;
use crate::report::kit::units::count;
use crate::report::kit::wrap::folded;

/// How many findings of one code are shown; json has them all.
const MOST: usize = 25;

/// `--format text`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn ops_text(given: &Path, report: &OpsReport, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut shown_of: BTreeMap<Code, usize> = BTreeMap::new();
    let (bold, dim) = (look.bold(), look.dim());
    for finding in report.findings.iter().chain(&report.unread) {
        let n = shown_of.entry(finding.code).or_default();
        *n += 1;
        if *n > MOST {
            continue;
        }
        write!(out, "{dim}{}{dim:#} ", finding.code.name())?;
        write_behind(finding, finding.code.name().len() + 1, look, out)?;
        let Some(site) = &finding.op else { continue };
        let mut row =
            |label: &str, text: &str| writeln!(out, "    {dim}{label:<7}{dim:#} {}", folded(text, 12, 12, look));
        row("where", &place(site))?;
        row("when", &when(site))?;
    }
    for (code, n) in shown_of.into_iter().filter(|(_, n)| *n > MOST) {
        writeln!(out, "… and {} more {}; --format json lists them all", count((n - MOST) as u64), code.name())?;
    }
    write_allowed(&report.allowed, look, out)?;
    if !report.findings.is_empty() || !report.unread.is_empty() || !report.allowed.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{bold}{}{bold:#}", folded(&verdict(given, report), 0, 2, look))?;
    let looked = report.looked;
    let mut facts = Vec::new();
    let mut fact = |n: u64, one: &str, many: &str| match n {
        0 => {}
        1 => facts.push(format!("1 {one}")),
        n => facts.push(format!("{} {many}", count(n))),
    };
    fact(looked.graphs, "graph", "graphs");
    fact(looked.functions, "function", "functions");
    fact(looked.nodes, "node", "nodes");
    fact(report.ops.len() as u64, "kind of op", "kinds of ops");
    fact(looked.keras_configs, "Keras configuration", "Keras configurations");
    if facts.is_empty() {
        facts.push("nothing".to_owned());
    }
    writeln!(out, "  {}", folded(&format!("looked at {}", facts.join(", ")), 2, 4, look))?;
    let own = [
        (looked.of_saver, "saves or restores", "save or restore", "where the saver is told"),
        (looked.of_assets, "reads", "read", "the model's own assets"),
    ];
    let text = |(n, one, many, what): &(u64, &str, &str, &str)| match n {
        1 => format!("1 op that {one} {what}"),
        n => format!("{} ops that {many} {what}", count(*n)),
    };
    let own: Vec<String> = own.iter().filter(|own| own.0 > 0).map(text).collect();
    if own.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {}", folded(&format!("no findings are {}", own.join(" and ")), 2, 4, look))
}

/// In one line: what there is, and whether all of it was seen.
pub(in crate::report) fn verdict(given: &Path, report: &OpsReport) -> String {
    let of = |severity: Severity| report.findings.iter().filter(|f| f.severity == severity).count();
    let mut parts = Vec::new();
    for (severity, what) in [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")] {
        match of(severity) {
            0 => {}
            1 => parts.push(format!("1 {what}")),
            n => parts.push(format!("{} {what}s", count(n as u64))),
        }
    }
    let nothing = if report.allowed.is_empty() { "nothing found" } else { "nothing found but what is allowed" };
    let found = if parts.is_empty() { nothing.to_owned() } else { parts.join(", ") };
    let path = shown(given);
    let told = match report.unread.len() {
        0 => format!("{path}: {found}"),
        _ if parts.is_empty() => format!("{path}: NOT everything could be looked at; {found} in the rest"),
        _ => format!("{path}: {found}, and NOT everything could be looked at"),
    };
    match allowed_words(&report.allowed) {
        Some(allowed) => format!("{told}; {allowed}"),
        None => told,
    }
}

pub(in crate::report) fn place(site: &OpSite) -> String {
    let of = match &site.function {
        Some(function) => format!("in function {}", escaped(function.as_bytes())),
        None => "of the graph".to_owned(),
    };
    let tags: Vec<_> = site.tags.iter().map(|tag| escaped(tag.as_bytes())).collect();
    let tagged = if tags.is_empty() { String::new() } else { format!(", tagged {}", tags.join(", ")) };
    format!("node {} {of}{tagged}", escaped(site.node.as_bytes()))
}

pub(in crate::report) fn when(site: &OpSite) -> String {
    const FROM: usize = 4;
    if site.when.is_empty() {
        return if site.reach_known {
            "never by itself: no signature, function or initialization reaches it".to_owned()
        } else {
            "unknown: this file does not say what of the graph is run".to_owned()
        };
    }
    let when: Vec<&str> = site.when.iter().map(|when| when.describe()).collect();
    let mut from: Vec<String> = site.from.iter().take(FROM).map(|from| escaped(from.as_bytes()).into_owned()).collect();
    if site.from.len() > FROM {
        from.push(format!("{} more", site.from.len() - FROM));
    }
    format!("{}, from {}", when.join(" and "), from.join(", "))
}

/// `--list`: every op, the most frequent first.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn ops_list(report: &OpsReport, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Columns::new("<><", &["op", "times", ""]);
    let mut ops: Vec<(&String, &u64)> = report.ops.iter().collect();
    ops.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    for (op, n) in ops {
        let mark = if is_registered(op.as_bytes()) { "" } else { "not TensorFlow's" };
        table.row([op.clone(), count(*n), mark.to_owned()]);
    }
    table.write(out, look.dim())
}
