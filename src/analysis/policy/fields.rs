//! Fields of a TOML table, taken one by one: a field of another type, or one that nobody asked for, is an error with its
//! line and its column.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::{Escaped, escaped};
use crate::base::nearest::nearest;
use crate::read::wire::Position;

/// The file that is read.
#[derive(Clone, Copy)]
pub(super) struct Text<'t> {
    pub(super) file: &'t Path,
    pub(super) text: &'t str,
}

impl<'t> Text<'t> {
    /// The whole file as a table.
    pub(super) fn table(self) -> Result<Fields<'t>> {
        let bad =
            |error: toml::de::Error| self.error(error.span().map_or(0, |span| span.start), error.message().trim());
        let table = DeTable::parse(self.text).map_err(bad)?;
        Ok(Fields::of(self, "the file", 0, table.into_inner()))
    }

    /// An error at a byte of the file.
    pub(super) fn error(self, at: usize, what: impl std::fmt::Display) -> Error {
        let file = Escaped(self.file.as_os_str().as_encoded_bytes());
        let Position { line, column } = Position::of(self.text.as_bytes(), at);
        Error::new(ErrorKind::Request(format!("{file}:{line}:{column}: {what}")))
    }

    /// The line of a byte.
    pub(super) fn line(self, at: usize) -> usize {
        Position::of(self.text.as_bytes(), at).line
    }

    /// An error about a word that is none of `known`.
    pub(super) fn unknown<'k>(
        self,
        at: usize,
        what: &str,
        word: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> Error {
        let near = nearest(word.as_bytes(), known.clone().map(str::as_bytes), 1);
        let near = near.first().map(|near| String::from_utf8_lossy(near).into_owned());
        let all: Vec<&str> = known.collect();
        let help = match near {
            Some(near) => format!("did you mean {near}?"),
            None if all.len() <= 16 => format!("there are {}", all.join(", ")),
            None => "docs/checks.md lists them".to_owned(),
        };
        self.error(at, format!("unknown {what} {:?}; {help}", escaped(word.as_bytes())))
    }
}

/// A value with its place.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A text with the byte that it begins at.
pub(super) struct Word {
    pub(super) text: String,
    pub(super) at: usize,
}

/// The fields of a table that were not taken yet.
pub(super) struct Fields<'t> {
    pub(super) text: Text<'t>,
    /// What the table is, for errors.
    what: &'static str,
    pub(super) at: usize,
    /// By name, with the byte that the name begins at.
    left: BTreeMap<String, (usize, Value<'t>)>,
    /// Those that were asked for.
    known: Vec<&'static str>,
}

impl<'t> Fields<'t> {
    pub(super) fn of(text: Text<'t>, what: &'static str, at: usize, table: DeTable<'t>) -> Self {
        let left = table.into_iter().map(|(key, value)| {
            let at = key.span().start;
            (key.into_inner().into_owned(), (at, value))
        });
        Self { text, what, at, left: left.collect(), known: Vec::new() }
    }

    /// A field, with the byte that its name begins at.
    pub(super) fn take(&mut self, name: &'static str) -> Option<(usize, Value<'t>)> {
        self.known.push(name);
        self.left.remove(name)
    }

    /// A text.
    pub(super) fn word(&mut self, name: &'static str) -> Result<Option<Word>> {
        let Some((_, value)) = self.take(name) else { return Ok(None) };
        self.as_word(name, value).map(Some)
    }

    fn as_word(&self, name: &str, value: Value<'t>) -> Result<Word> {
        let span = value.span();
        match value.into_inner() {
            DeValue::String(text) => Ok(Word { text: text.into_owned(), at: span.start }),
            other => Err(self.wrong(name, "a string", &span, &other)),
        }
    }

    /// A text, or several in an array; the byte is that of the name.
    pub(super) fn words(&mut self, name: &'static str) -> Result<Option<(usize, Vec<Word>)>> {
        let Some((at, value)) = self.take(name) else { return Ok(None) };
        let span = value.span();
        let words: Vec<Word> = match value.into_inner() {
            DeValue::String(text) => vec![Word { text: text.into_owned(), at: span.start }],
            DeValue::Array(all) => all.into_iter().map(|one| self.as_word(name, one)).collect::<Result<_>>()?,
            other => return Err(self.wrong(name, "a string or an array of strings", &span, &other)),
        };
        if words.is_empty() {
            return Err(self.text.error(span.start, format!("`{name}` is empty; leave it out")));
        }
        Ok(Some((at, words)))
    }

    pub(super) fn wrong(&self, name: &str, wants: &str, at: &Range<usize>, found: &DeValue<'_>) -> Error {
        let found = match found {
            DeValue::Boolean(_) => "a boolean",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::String(_) => "a string",
            DeValue::Datetime(_) => "a date or a time",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.text.error(at.start, format!("`{name}` is {wants}, not {found}"))
    }

    /// Refuses what nobody asked for.
    pub(super) fn done(self) -> Result<()> {
        let first = self.left.iter().min_by_key(|(_, (at, _))| *at);
        match first {
            None => Ok(()),
            Some((name, (at, _))) => {
                Err(self.text.unknown(*at, &format!("key of {}", self.what), name, self.known.iter().copied()))
            }
        }
    }
}
