//! What was said of findings: who denied one, and what was allowed, why and until when. What is allowed never vanishes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::analysis::{Finding, Ruling};
use crate::base::escape::{Escaped, escaped};
use crate::report::Look;
use crate::report::kit::units::counted;
use crate::report::kit::wrap::folded;

/// Who says it, until when and why: `ckpt.toml:12 until 2027-01-31: the exporter of 2019`.
pub(in crate::report) fn ruling_words(ruling: &Ruling) -> String {
    let until = ruling.until.map_or_else(String::new, |until| format!(" until {until}"));
    let why = ruling.reason.as_ref().map_or_else(String::new, |why| format!(": {}", escaped(why.as_bytes())));
    format!("{}{until}{why}", ruling.by())
}

/// What a ruling made of a finding that is told: `an error by ckpt.toml:3: no leftovers in releases`.
pub(in crate::report) fn changed_words(finding: &Finding) -> Option<String> {
    let ruling = finding.ruling.as_ref()?;
    ruling.was.filter(|was| *was != finding.severity)?;
    Some(format!("{} by {}", finding.severity.name(), ruling_words(ruling)))
}

/// Writes a line for each rule that allowed something.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn write_allowed(allowed: &[Finding], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let dim = look.dim();
    for line in allowed_lines(allowed) {
        writeln!(out, "{dim}{}{dim:#}", folded(&line, 0, 4, look))?;
    }
    Ok(())
}

/// `allowed: 2 × graph-orphan by ckpt.toml:8: …`, for each rule and code.
pub(in crate::report) fn allowed_lines(allowed: &[Finding]) -> Vec<String> {
    let mut by: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for finding in allowed {
        let Some(ruling) = &finding.ruling else { continue };
        *by.entry((ruling_words(ruling), finding.code.name())).or_default() += 1;
    }
    by.into_iter().map(|((by, code), n)| format!("allowed: {n} × {code} by {by}")).collect()
}

/// `2 findings allowed by ckpt.toml`, if any is.
pub(in crate::report) fn allowed_words(allowed: &[Finding]) -> Option<String> {
    let mut by: Vec<String> = Vec::new();
    for ruling in allowed.iter().filter_map(|finding| finding.ruling.as_ref()) {
        let who = match &ruling.place {
            Some((file, _)) => Escaped(file.as_os_str().as_encoded_bytes()).to_string(),
            None => "--allow".to_owned(),
        };
        if !by.contains(&who) {
            by.push(who);
        }
    }
    (!allowed.is_empty())
        .then(|| format!("{} allowed by {}", counted(allowed.len() as u64, "finding"), by.join(" and ")))
}
