//! `--show-config` for people: every rule and every expectation with its line, and what holds no more.

use std::io::{self, Write};

use crate::analysis::policy::{Check, Expect, Policy, Rule};
use crate::base::escape::escaped;
use crate::report::Look;
use crate::report::kit::json::shown;
use crate::report::kit::units::{count, counted, size};
use crate::report::kit::wrap::folded;

/// Where the text of a row begins.
const INDENT: usize = 17;

/// Writes it.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn policy_text(policy: Option<&Policy>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let Some(policy) = policy else {
        return writeln!(out, "no ckpt.toml here or above: every finding has the severity of its code");
    };
    let bold = look.bold();
    let expired = policy.rules.iter().filter(|rule| rule.is_expired(policy.today)).count() as u64;
    let expected: u64 = policy.expects.iter().map(|expect| expect.checks.len() as u64).sum();
    let mut facts = vec![counted(policy.rules.len() as u64, "rule"), counted(expected, "expectation")];
    if expired > 0 {
        facts.insert(1, format!("{} of them expired", count(expired)));
    }
    writeln!(out, "{bold}{}{bold:#}: {}", shown(&policy.file), facts.join(", "))?;
    if !policy.rules.is_empty() {
        writeln!(out, "\n  what becomes of findings; of several rules for one the last holds")?;
    }
    for rule in &policy.rules {
        let codes: Vec<&str> = rule.codes.iter().map(|code| code.name()).collect();
        let expired = rule.is_expired(policy.today);
        row(rule.line, rule.level.name(), &format!("{}{}", codes.join(", "), where_of(rule)), look, out)?;
        let until = rule
            .until
            .map(|until| if expired { format!("EXPIRED, held until {until}") } else { format!("until {until}") });
        let why = rule.reason.as_ref().map(|why| escaped(why.as_bytes()).into_owned());
        let style = if expired { look.bad() } else { look.dim() };
        for line in until.into_iter().chain(why) {
            writeln!(out, "{:INDENT$}{style}{}{style:#}", "", folded(&line, INDENT, INDENT, look))?;
        }
    }
    if !policy.expects.is_empty() {
        writeln!(out, "\n  what is expected")?;
    }
    for expect in &policy.expects {
        for (check, line) in &expect.checks {
            row(Some(*line), check.name(), &expected_of(expect, check), look, out)?;
        }
        if let Some(why) = &expect.reason {
            let dim = look.dim();
            let why = escaped(why.as_bytes());
            writeln!(out, "{:INDENT$}{dim}{}{dim:#}", "", folded(&why, INDENT, INDENT, look))?;
        }
    }
    Ok(())
}

fn row(line: Option<usize>, what: &str, text: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let line = line.map_or_else(String::new, |line| line.to_string());
    // The longest word is `max-parameters`; what follows it may begin further right.
    let head = format!("  {line:>5}  {what:<7} ");
    writeln!(out, "{head}{}", folded(text, head.len(), INDENT, look))
}

fn quoted(terms: &[String]) -> String {
    let quoted: Vec<String> = terms.iter().map(|term| format!("'{}'", escaped(term.as_bytes()))).collect();
    quoted.join(" ")
}

fn where_of(rule: &Rule) -> String {
    let tensors =
        if rule.tensors.is_empty() { String::new() } else { format!(" of tensors {}", quoted(&rule.tensors)) };
    let paths = if rule.paths.texts.is_empty() { String::new() } else { format!(" in {}", quoted(&rule.paths.texts)) };
    format!("{tensors}{paths}")
}

fn expected_of(expect: &Expect, check: &Check) -> String {
    let of_tensors = || match expect.tensors.as_slice() {
        [] => String::new(),
        terms => format!(" of tensors {}", quoted(terms)),
    };
    let what = match check {
        Check::Present(text, _) | Check::Absent(text, _) => format!("'{}'", escaped(text.as_bytes())),
        Check::Frozen(text, _) | Check::Changed(text, _) => {
            let base = match &expect.base {
                Some(base) => format!("against {}", shown(base)),
                None => "without a base: told by ckpt diff, or validate --base".to_owned(),
            };
            format!("'{}' {base}", escaped(text.as_bytes()))
        }
        Check::MaxBytes(most) => format!("{} ({}){}", count(*most), size(*most), of_tensors()),
        Check::MaxParameters(most) => format!("{}{}", count(*most), of_tensors()),
        Check::DTypes(dtypes) => {
            let names: Vec<String> = dtypes.iter().map(ToString::to_string).collect();
            format!("{}{}", names.join(", "), of_tensors())
        }
    };
    let paths =
        if expect.paths.texts.is_empty() { String::new() } else { format!(" in {}", quoted(&expect.paths.texts)) };
    format!("{what}{paths}")
}
