//! The text file called `checkpoint`: which checkpoints a directory has, and which one is the latest.
//!
//! TensorFlow reads it with Python's `google.protobuf.text_format` (`get_checkpoint_state` in
//! `python/checkpoint/checkpoint_management.py`), and so does this file, by hand: that parser is laxer than the
//! grammar that the library `prost-reflect` implements. It keeps an unknown escape as it is (`"C:\models\ckpt"`, which
//! people write), lets the last of several values of a singular field win, and reads `inff`, `+1` and `1_000`; the
//! library refuses all of these and does not say where. `testdata/state` holds TensorFlow's own answers.

mod literal;

use std::path::Path;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::storage::{Source, Window};
use crate::read::wire::Position;
use literal::{parse_double, unescape};

const WHAT: &str = "checkpoint state";

/// TensorFlow's `CheckpointState`, paths as stored: not yet joined to the directory of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckpointState {
    /// The latest checkpoint.
    pub model_checkpoint_path: String,
    /// The checkpoints that are kept, oldest first; the last one should be the latest.
    pub all_model_checkpoint_paths: Vec<String>,
    /// When each of them was written, in seconds since 1970. Only `CheckpointManager` writes this.
    pub all_model_checkpoint_timestamps: Vec<f64>,
    /// When the last checkpoint was written that is kept for good. Only `CheckpointManager` writes this.
    pub last_preserved_timestamp: f64,
}

/// What TensorFlow makes of a state file.
#[derive(Debug)]
pub enum Outcome {
    /// It uses the file.
    Loaded(CheckpointState),
    /// It raises `ValueError: Invalid checkpoint state loaded from …`: `model_checkpoint_path` is empty or absent.
    NoPath(CheckpointState),
    /// It logs `Checkpoint ignored` and goes on as if there were no file: a syntax error or an unknown field.
    Ignored(Error),
    /// It raises `UnicodeDecodeError`: the file is not UTF-8.
    NotUtf8(Error),
}

impl Outcome {
    /// What TensorFlow makes of `text`.
    pub fn of(text: &[u8]) -> Self {
        let text = match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(error) => {
                let offset = error.valid_up_to();
                let why = format!("not UTF-8 at {}", Position::of(text, offset));
                return Self::NotUtf8(Error::malformed(WHAT, why).at_offset(offset as u64));
            }
        };
        match parse_message(text) {
            Ok(state) if state.model_checkpoint_path.is_empty() => Self::NoPath(state),
            Ok(state) => Self::Loaded(state),
            Err(error) => Self::Ignored(error),
        }
    }

    /// Reads the state file at `path`.
    ///
    /// # Errors
    /// If it cannot be read or is larger than [`Limits::text`]. What is wrong in it is an outcome.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self> {
        let source = Source::open(path)?;
        if source.len() > limits.text {
            let kind = ErrorKind::LimitExceeded { what: WHAT, got: source.len(), limit: limits.text };
            return Err(Error::new(kind).in_file(path));
        }
        let mut bytes = Window::default();
        Ok(match Self::of(source.slice(0..source.len(), &mut bytes)?) {
            Self::Ignored(error) => Self::Ignored(error.in_file(path)),
            Self::NotUtf8(error) => Self::NotUtf8(error.in_file(path)),
            outcome => outcome,
        })
    }
}

impl CheckpointState {
    /// Parses the text of a state file. That `model_checkpoint_path` is there is not checked; see [`Outcome`].
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] with the line, column and offset of what TensorFlow would refuse.
    pub fn parse(text: &[u8]) -> Result<Self> {
        match Outcome::of(text) {
            Outcome::Loaded(state) | Outcome::NoPath(state) => Ok(state),
            Outcome::Ignored(error) | Outcome::NotUtf8(error) => Err(error),
        }
    }
}

fn parse_message(text: &str) -> Result<CheckpointState> {
    let mut state = CheckpointState::default();
    let mut tokens = Tokens::new(text);
    while let Some(field) = tokens.next() {
        match field {
            "model_checkpoint_path" => state.model_checkpoint_path = tokens.colon()?.string()?,
            "all_model_checkpoint_paths" => {
                tokens.colon()?.values(&mut state.all_model_checkpoint_paths, Tokens::string)?;
            }
            "all_model_checkpoint_timestamps" => {
                tokens.colon()?.values(&mut state.all_model_checkpoint_timestamps, Tokens::double)?;
            }
            "last_preserved_timestamp" => state.last_preserved_timestamp = tokens.colon()?.double()?,
            other => return Err(tokens.error(&format!("CheckpointState has no field named {}", quoted(other)))),
        }
        if !tokens.skip(",") {
            tokens.skip(";");
        }
    }
    Ok(state)
}

/// The tokens of Python's `text_format.Tokenizer`, with one in view.
struct Tokens<'a> {
    text: &'a str,
    /// Where the token in view begins, and where it ends. Both are the length of the text behind the last one.
    start: usize,
    end: usize,
    /// Where the token before it begins, which is the one that errors are about.
    previous: usize,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        let mut tokens = Self { text, start: 0, end: 0, previous: 0 };
        tokens.advance();
        tokens
    }

    fn view(&self) -> &'a str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    fn next(&mut self) -> Option<&'a str> {
        let token = self.view();
        self.advance();
        (!token.is_empty()).then_some(token)
    }

    fn skip(&mut self, token: &str) -> bool {
        let found = self.view() == token;
        if found {
            self.advance();
        }
        found
    }

    /// Brings the next token into view, past white space and comments.
    fn advance(&mut self) {
        self.previous = self.start;
        let mut rest = self.text.get(self.end..).unwrap_or_default();
        loop {
            // What `\s` of Python's `re` matches and Rust's `is_whitespace` does not: the four separators.
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\x1c'..='\x1f'));
            let Some(comment) = rest.strip_prefix('#') else { break };
            rest = comment.find('\n').and_then(|newline| comment.get(newline..)).unwrap_or_default();
        }
        self.start = self.text.len().saturating_sub(rest.len());
        self.end = self.start.saturating_add(token_len(rest));
    }

    /// An error about the token that was taken last.
    fn error(&self, why: &str) -> Error {
        let why = format!("{why} at {}", Position::of(self.text.as_bytes(), self.previous));
        Error::malformed(WHAT, why).at_offset(self.previous as u64)
    }

    fn expected(&self, what: &str, found: Option<&str>) -> Error {
        let found = found.map_or_else(|| "the end of the file".to_owned(), quoted);
        self.error(&format!("expected {what}, found {found}"))
    }

    fn colon(&mut self) -> Result<&mut Self> {
        match self.next() {
            Some(":") => Ok(self),
            found => Err(self.expected("`:` behind the field name", found)),
        }
    }

    /// One value, or a list of them in brackets, as repeated fields may have.
    fn values<T>(&mut self, to: &mut Vec<T>, one: fn(&mut Self) -> Result<T>) -> Result<()> {
        if !self.skip("[") {
            to.push(one(self)?);
            return Ok(());
        }
        if self.skip("]") {
            return Ok(());
        }
        loop {
            to.push(one(self)?);
            match self.next() {
                Some("]") => return Ok(()),
                Some(",") => {}
                found => return Err(self.expected("`,` or `]`", found)),
            }
        }
    }

    /// One or more string literals side by side.
    fn string(&mut self) -> Result<String> {
        let mut bytes = Vec::new();
        loop {
            let token = self.next();
            let Some((token, quote @ ('"' | '\''))) = token.and_then(|t| Some((t, t.chars().next()?))) else {
                return Err(self.expected("a string in quotes", token));
            };
            let Some(literal) = token.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)) else {
                return Err(self.error("string without its closing quote"));
            };
            unescape(literal, &mut bytes).map_err(|why| self.error(why))?;
            if !self.view().starts_with(['"', '\'']) {
                break;
            }
        }
        String::from_utf8(bytes).map_err(|_| self.error("string that is not UTF-8"))
    }

    fn double(&mut self) -> Result<f64> {
        let token = self.next();
        token.and_then(parse_double).ok_or_else(|| self.expected("a number", token))
    }
}

/// A token in an error message; it may be as long as the file.
fn quoted(token: &str) -> String {
    let short: String = token.chars().take(40).collect();
    let dots = if short.len() < token.len() { "…" } else { "" };
    format!("`{}{dots}`", crate::base::escape::escaped(short.as_bytes()))
}

/// Length of the token that `text` begins with: an identifier, a number, a string (which ends at its quote or with
/// the line), or else one character.
fn token_len(text: &str) -> usize {
    let mut chars = text.char_indices();
    let Some((_, first)) = chars.next() else { return 0 };
    let starts_number = matches!(first, '0'..='9' | '+' | '-')
        || first == '.' && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-');
    if first.is_ascii_alphabetic() || first == '_' {
        return chars.find(|(_, c)| !in_word(*c)).map_or(text.len(), |(end, _)| end);
    }
    if starts_number {
        return chars.find(|(_, c)| !in_word(*c) && *c != '.').map_or(text.len(), |(end, _)| end);
    }
    if !matches!(first, '"' | '\'') {
        return first.len_utf8();
    }
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' => return at,
            _ if c == first => return at.saturating_add(1),
            // A backslash takes the next character along, whatever it is, but not out of the line.
            '\\' if !chars.as_str().starts_with('\n') => drop(chars.next()),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> String {
        CheckpointState::parse(text.as_bytes()).unwrap().model_checkpoint_path
    }

    #[test]
    fn a_manager_s_file() {
        let text = b"model_checkpoint_path: \"ckpt-4\"\r\nall_model_checkpoint_paths: \"ckpt-3\"\r\n\
            all_model_checkpoint_paths: \"ckpt-4\"\r\nall_model_checkpoint_timestamps: [1, 1795195458.0211732]\r\n\
            last_preserved_timestamp: 1.5f\r\n";
        let state = CheckpointState::parse(text).unwrap();
        assert_eq!(state.model_checkpoint_path, "ckpt-4");
        assert_eq!(state.all_model_checkpoint_paths, ["ckpt-3", "ckpt-4"]);
        assert_eq!(state.all_model_checkpoint_timestamps, [1.0, 1_795_195_458.021_173_2]);
        assert!((state.last_preserved_timestamp - 1.5).abs() < f64::EPSILON);
    }

    #[test]
    fn a_windows_path_with_single_backslashes_is_kept_unless_it_means_something() {
        assert_eq!(path(r#"model_checkpoint_path: "C:\\models\\ckpt-1""#), r"C:\models\ckpt-1");
        assert_eq!(path(r#"model_checkpoint_path: "C:\models\ckpt-1""#), r"C:\models\ckpt-1");
        assert_eq!(path(r#"model_checkpoint_path: "C:\temp""#), "C:\temp");
        assert!(CheckpointState::parse(br#"model_checkpoint_path: "C:\Users""#).is_err());
        assert!(CheckpointState::parse(br#"model_checkpoint_path: "C:\New""#).is_err());
        assert!(CheckpointState::parse(br#"model_checkpoint_path: "C:\models\""#).is_err());
    }

    #[test]
    fn utf8_raw_and_in_escapes() {
        assert_eq!(path(r#"model_checkpoint_path: "gr\303\266\xc3\x9f\u0065/世界\U0001F30D""#), "größe/世界🌍");
    }

    #[test]
    fn an_error_names_line_column_and_offset() {
        let error = CheckpointState::parse(b"# x\nmodel_checkpoint_path: \"a\"\n  new_field: 3\n").unwrap_err();
        assert_eq!(error.location().offset, Some(33));
        assert_eq!(
            error.to_string(),
            "checkpoint state: CheckpointState has no field named `new_field` at line 3, column 3 (offset 33)"
        );
        let error = CheckpointState::parse(b"model_checkpoint_path: \"a").unwrap_err();
        assert_eq!(error.location().offset, Some(23));
        let error = CheckpointState::parse(b"model_checkpoint_path").unwrap_err();
        assert_eq!(error.location().offset, Some(21));
    }

    #[test]
    fn outcomes_differ_as_they_do_in_tensorflow() {
        assert!(matches!(Outcome::of(b"model_checkpoint_path: 'a'"), Outcome::Loaded(_)));
        assert!(matches!(Outcome::of(b""), Outcome::NoPath(_)));
        assert!(matches!(Outcome::of(b"{"), Outcome::Ignored(_)));
        assert!(matches!(Outcome::of(b"\xff"), Outcome::NotUtf8(_)));
    }
}
