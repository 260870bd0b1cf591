//! `ckpt.toml` read: its rules and its expectations.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::fields::{Fields, Text, Value, Word};
use super::model::{Check, Expect, Policy, Rule};
use super::paths::{Paths, absolute};
use crate::analysis::finding::{Code, Date, Level};
use crate::analysis::naming::select::{Selector, alternatives, parse_size};
use crate::base::error::{Error, Result};
use crate::read::tensor::DType;

/// Frozen and changed tensors that one table may expect: as many expectations as a comparison takes.
const MOST_COMPARED: usize = 64;

impl Policy {
    /// Reads the text of a policy that is shown as `file`. Its paths begin at `folder`, those that commands are given at
    /// `here`; `today` decides what has expired.
    ///
    /// # Errors
    /// Text that is no TOML, keys, codes, dtypes and selectors that are not known, values of other types, rules that lack
    /// what they need: the first of these, with its line and its column.
    pub fn parse(text: &str, file: &Path, folder: &Path, here: &Path, today: Date) -> Result<Self> {
        let source = Text { file, text };
        let mut fields = source.table()?;
        let root = absolute(folder, here);
        let mut policy =
            Self { file: file.to_path_buf(), here: here.to_path_buf(), today, rules: Vec::new(), expects: Vec::new() };
        for fields in tables(&mut fields, "rule", "a rule")? {
            policy.rules.push(rule(fields, &root)?);
        }
        for fields in tables(&mut fields, "expect", "an expectation")? {
            policy.expects.push(expect(fields, folder, &root)?);
        }
        fields.done()?;
        Ok(policy)
    }
}

/// The tables of a name: `[name]`, or several `[[name]]`.
fn tables<'t>(fields: &mut Fields<'t>, name: &'static str, what: &'static str) -> Result<Vec<Fields<'t>>> {
    let Some((at, value)) = fields.take(name) else { return Ok(Vec::new()) };
    let one = |value: Value<'t>| {
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => {
                let at = first_of(&table).map_or(span.start, |first| first.min(span.start));
                Ok(Fields::of(fields.text, what, at, table))
            }
            other => Err(fields.wrong(name, "a table", &span, &other)),
        }
    };
    match value.as_ref() {
        DeValue::Array(_) => {
            let DeValue::Array(all) = value.into_inner() else { return Ok(Vec::new()) };
            all.into_iter().map(one).collect()
        }
        DeValue::Table(_) => Ok(vec![one(value)?]),
        other => Err(fields.wrong(name, "a table", &(at..at), other)),
    }
}

/// Where the first key of a table stands, of one that is written with dots.
fn first_of(table: &DeTable<'_>) -> Option<usize> {
    table.iter().map(|(key, _)| key.span().start).min()
}

fn rule(mut fields: Fields<'_>, root: &Path) -> Result<Rule> {
    let (text, at) = (fields.text, fields.at);
    let mut levels = Vec::new();
    for level in [Level::Allow, Level::Warn, Level::Deny] {
        if let Some((at, words)) = fields.words(level.name())? {
            levels.push((level, at, words));
        }
    }
    let (tensors, selector) = selector(&mut fields)?;
    let paths = paths(&mut fields, root)?;
    let reason = fields.word("reason")?;
    let until = until(&mut fields)?;
    fields.done()?;
    let (level, codes) = match levels.as_slice() {
        [] => return Err(text.error(at, "a rule says `allow`, `warn` or `deny`, and which code")),
        [(level, _, words)] => (*level, words.iter().map(|word| code(text, word)).collect::<Result<Vec<_>>>()?),
        [.., (_, at, _)] => {
            return Err(text.error(*at, "a rule says one of `allow`, `warn` and `deny`; write two rules"));
        }
    };
    if level == Level::Allow && reason.as_ref().is_none_or(|reason| reason.text.trim().is_empty()) {
        let at = reason.map_or(at, |reason| reason.at);
        return Err(text.error(at, "a rule that allows something says why: `reason = \"…\"`"));
    }
    let (reason, line) = (reason.map(|reason| reason.text), Some(text.line(at)));
    Ok(Rule { level, codes, tensors, selector, paths, reason, until, line })
}

fn code(text: Text<'_>, word: &Word) -> Result<Code> {
    let unknown = || text.unknown(word.at, "code", &word.text, Code::ALL.iter().map(|code| code.name()));
    Code::from_name(&word.text).ok_or_else(unknown)
}

/// An error of the library's at a word.
fn at_word(text: Text<'_>, word: &Word, error: &Error) -> Error {
    let help = error.help().map_or_else(String::new, |help| format!("; {help}"));
    text.error(word.at, format!("{error}{help}"))
}

/// `tensors`, as written and understood.
fn selector(fields: &mut Fields<'_>) -> Result<(Vec<String>, Selector)> {
    let text = fields.text;
    let Some((_, words)) = fields.words("tensors")? else { return Ok((Vec::new(), Selector::default())) };
    for word in &words {
        Selector::parse(&[&word.text], false).map_err(|error| at_word(text, word, &error))?;
    }
    let terms: Vec<String> = words.into_iter().map(|word| word.text).collect();
    let selector = Selector::parse(&terms, false)?;
    Ok((terms, selector))
}

fn paths(fields: &mut Fields<'_>, root: &Path) -> Result<Paths> {
    let (text, mut paths) = (fields.text, Paths::default());
    for word in fields.words("paths")?.into_iter().flat_map(|(_, words)| words) {
        let bad = |error: globset::Error| text.error(word.at, format!("not a glob of paths: {}", error.kind()));
        paths.add(&word.text, root).map_err(bad)?;
    }
    Ok(paths)
}

fn until(fields: &mut Fields<'_>) -> Result<Option<Date>> {
    const WANTS: &str = "a date without quotes, such as 2027-01-31";
    let Some((_, value)) = fields.take("until") else { return Ok(None) };
    let span = value.span();
    match value.into_inner() {
        DeValue::Datetime(when) => match (when.date, when.time) {
            (Some(date), None) => Ok(Some(Date { year: date.year, month: date.month, day: date.day })),
            _ => Err(fields.text.error(span.start, format!("`until` is {WANTS}, and no time"))),
        },
        other => Err(fields.wrong("until", WANTS, &span, &other)),
    }
}

/// What makes a check of a selector, as written and understood.
type MakeCheck = fn(String, Selector) -> Check;

fn expect(mut fields: Fields<'_>, folder: &Path, root: &Path) -> Result<Expect> {
    let (text, at) = (fields.text, fields.at);
    let mut checks = Vec::new();
    let make: [(&'static str, MakeCheck); 4] = [
        ("present", Check::Present),
        ("absent", Check::Absent),
        ("frozen", Check::Frozen),
        ("changed", Check::Changed),
    ];
    let mut compared = 0;
    for (name, make) in make {
        let Some((at, words)) = fields.words(name)? else { continue };
        for word in &words {
            Selector::parse(&[&word.text], false).map_err(|error| at_word(text, word, &error))?;
        }
        let terms: Vec<String> = words.into_iter().map(|word| word.text).collect();
        for terms in alternatives(&terms) {
            let check = make(terms.join(" "), Selector::parse(&terms, false)?);
            compared += usize::from(check.needs_base());
            checks.push((check, text.line(at)));
        }
        if compared > MOST_COMPARED {
            let what = format!("more than {MOST_COMPARED} expectations of frozen and changed tensors in one table");
            return Err(text.error(at, what));
        }
    }
    for name in ["max-bytes", "max-parameters"] {
        if let Some((at, most)) = number(&mut fields, name)? {
            let check = if name == "max-bytes" { Check::MaxBytes(most) } else { Check::MaxParameters(most) };
            checks.push((check, text.line(at)));
        }
    }
    if let Some((at, words)) = fields.words("dtypes")? {
        let known: Vec<String> = DType::ALL.iter().map(ToString::to_string).collect();
        let unknown = |word: &Word| text.unknown(word.at, "dtype", &word.text, known.iter().map(String::as_str));
        let one = |word: &Word| DType::from_name(&word.text).ok_or_else(|| unknown(word));
        let dtypes = words.iter().map(one).collect::<Result<Vec<_>>>()?;
        checks.push((Check::DTypes(dtypes), text.line(at)));
    }
    let (tensors, selector) = selector(&mut fields)?;
    let paths = paths(&mut fields, root)?;
    let base: Option<PathBuf> = fields.word("base")?.map(|base| folder.join(base.text));
    let reason = fields.word("reason")?.map(|reason| reason.text);
    fields.done()?;
    if checks.is_empty() {
        return Err(text.error(at, "an expectation says what is expected: `present`, `max-bytes` and so on"));
    }
    Ok(Expect { paths, tensors, selector, base, reason, checks, line: text.line(at) })
}

/// A number that is 0 or more; of bytes also as a size, `"1.5 GiB"`.
fn number(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<(usize, u64)>> {
    let Some((at, value)) = fields.take(name) else { return Ok(None) };
    let (span, is_size) = (value.span(), name == "max-bytes");
    let wants = if is_size { "a number of bytes or a size such as \"1.5 GiB\"" } else { "a number" };
    match value.into_inner() {
        DeValue::Integer(n) => match u64::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => Ok(Some((at, n))),
            Err(_) => Err(fields.text.error(span.start, format!("`{name}` is {wants}, 0 or more"))),
        },
        DeValue::String(size) if is_size => match parse_size(&size.replace(' ', "")) {
            Some(size) => Ok(Some((at, size))),
            None => Err(fields.text.error(span.start, format!("`{name}` is {wants}"))),
        },
        other => Err(fields.wrong(name, wants, &span, &other)),
    }
}
