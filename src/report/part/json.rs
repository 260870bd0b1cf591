//! `--format part`: what one process found out, for the one that merges.
//!
//! What was asked and of what stands in it in words; what units came to is bytes, which only the same version of ckpt
//! reads. The checksum at its end is that of everything before it, so that a file that was cut off or edited is known.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::analysis::parts::{Call, LookedAt, Mark, MarkedFile, PartReport, WrongSet};
use crate::read::wire::Crc32c;
use crate::report::kit::json::SCHEMA_VERSION;

/// The version of what units came to. Another one is not merged.
const RECORD_VERSION: u32 = 1;

/// Who wrote it: no other version of ckpt merges it, since it may cut units in other ways.
const CKPT: &str = env!("CARGO_PKG_VERSION");

/// What one of several processes found out.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Part {
    schema_version: u32,
    kind: String,
    /// the version of `record` in `calls`
    record_version: u32,
    /// the version of ckpt that wrote it: only the same merges it
    ckpt: String,
    /// `validate`, `stats` or `diff`
    command: String,
    /// what stood behind it on the command line, without what says how and where it runs (`--part`, `--format`, `--threads`,
    /// `--color`, `--quiet`); in hexadecimal behind `hex:` where an argument is no Unicode or begins so
    arguments: Vec<String>,
    /// which share, from 1
    number: u64,
    /// of how many
    of: u64,
    /// bytes of tensors in this share
    bytes: u64,
    /// bytes of tensors in all of them
    of_bytes: u64,
    /// the checkpoints that were looked at, as they were
    checkpoints: Vec<Checkpoint>,
    /// what came of the units of this share
    calls: Vec<Asked>,
    /// CRC-32C of this document without this field and without white space
    #[serde(default)]
    crc32c: String,
}

/// What a checkpoint was.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Checkpoint {
    /// the file that lists the tensors
    index: String,
    tensors: u64,
    /// CRC-32C of names, dtypes, shapes, places and checksums of all tensors
    crc32c: u32,
    /// how many files, `index` among them
    files: u64,
    /// CRC-32C of their names, lengths and times
    files_crc32c: u32,
    /// the first 64 of them
    first_files: Vec<File>,
}

/// What a file was.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct File {
    path: String,
    /// null if it was not there
    bytes: Option<u64>,
    /// when it was changed, in nanoseconds since 1970; null where the store does not say
    modified: Option<u64>,
}

/// One run through units.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Asked {
    /// what was asked of them
    what: String,
    /// how many there are in all
    units: u64,
    /// what they weigh together: bytes, and one for each
    weight: u64,
    /// the first of this share
    first: u64,
    /// the one behind its last
    end: u64,
    /// what they came to, in base64
    record: String,
}

/// What a part is of: the command and what stood behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartOf {
    /// `validate`, `stats` or `diff`.
    pub command: String,
    /// What stood behind it.
    pub arguments: Vec<OsString>,
}

/// Writes what a share came to.
///
/// # Errors
/// What `out` says.
pub fn write_part(of: &PartOf, report: &PartReport, looked_at: LookedAt, out: &mut dyn Write) -> io::Result<()> {
    let document = Part {
        schema_version: SCHEMA_VERSION,
        kind: "part".to_owned(),
        record_version: RECORD_VERSION,
        ckpt: CKPT.to_owned(),
        command: of.command.clone(),
        arguments: of.arguments.iter().map(|argument| text_of(argument)).collect(),
        number: report.number,
        of: report.of,
        bytes: looked_at.bytes,
        of_bytes: looked_at.of_bytes,
        checkpoints: report.marks.iter().map(Checkpoint::of).collect(),
        calls: report.calls.iter().map(Asked::of).collect(),
        crc32c: String::new(),
    };
    let mut document = serde_json::to_value(document)?;
    let sum = sum_of(&mut document)?;
    if let Some(fields) = document.as_object_mut() {
        fields.insert("crc32c".to_owned(), sum.into());
    }
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

/// What the bytes of a file say that is called so.
///
/// # Errors
/// If they are no part, or one of another version.
pub fn read_part(name: &str, bytes: &[u8]) -> Result<(PartOf, PartReport), WrongSet> {
    let bad = |why: &str| WrongSet::NoPart { file: name.to_owned(), why: why.to_owned() };
    let parsed: Result<Value, _> = serde_json::from_slice(bytes);
    let mut document = match parsed {
        Ok(document) => document,
        Err(_) if bytes.iter().all(u8::is_ascii_whitespace) => {
            return Err(bad("it is empty: whoever wrote it did not finish"));
        }
        Err(error) if error.is_eof() => return Err(bad("it is cut off: whoever wrote it did not finish")),
        Err(_) => {
            return Err(bad("it is no JSON; ckpt validate, stats and diff write parts with --part K/N --format part"));
        }
    };
    match document.get("kind").and_then(Value::as_str) {
        Some("part") => {}
        Some(kind) => {
            return Err(bad(&format!("it is a document of the kind {kind:?}; --format part writes parts")));
        }
        None => return Err(bad("it is JSON of something else")),
    }
    let says = |field: &str| document.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (version, writer) = (document.get("record_version").and_then(Value::as_u64), says("ckpt"));
    if version != Some(u64::from(RECORD_VERSION)) || writer != CKPT {
        let (format, own) = (version.unwrap_or(0), RECORD_VERSION);
        return Err(bad(&format!(
            "it was written by ckpt {writer} (parts of version {format}), and this is ckpt {CKPT} (version {own}): \
             all parts and the merge take one version"
        )));
    }
    let known = says("crc32c");
    let sum = sum_of(&mut document).map_err(|_| bad("it is damaged"))?;
    if known != sum {
        return Err(bad("it is damaged: it does not match its own checksum"));
    }
    let part: Part = serde_json::from_value(document).map_err(|error| bad(&format!("it lacks something: {error}")))?;
    let report = part.report(name).ok_or_else(|| bad("it says what cannot be"))?;
    let arguments = part.arguments.iter().map(|text| argument_of(text)).collect::<Option<Vec<OsString>>>();
    let arguments = arguments.ok_or_else(|| bad("it says what cannot be"))?;
    Ok((PartOf { command: part.command, arguments }, report))
}

/// The checksum of a document without the one that it says, which is taken out.
fn sum_of(document: &mut Value) -> serde_json::Result<String> {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("crc32c");
    }
    Ok(format!("{:#010x}", Crc32c::of(&serde_json::to_vec(document)?).0))
}

impl Part {
    fn report(&self, name: &str) -> Option<PartReport> {
        Some(PartReport {
            of_file: name.to_owned(),
            number: self.number,
            of: self.of,
            marks: self.checkpoints.iter().map(Checkpoint::mark).collect::<Option<_>>()?,
            calls: self.calls.iter().map(Asked::call).collect::<Option<_>>()?,
        })
    }
}

impl Checkpoint {
    fn of(mark: &Mark) -> Self {
        let file = |file: &MarkedFile| File {
            path: text_of(file.path.as_os_str()),
            bytes: file.bytes,
            modified: file.modified,
        };
        Self {
            index: text_of(mark.index.as_os_str()),
            tensors: mark.tensors,
            crc32c: mark.sum.0,
            files: mark.files,
            files_crc32c: mark.files_sum.0,
            first_files: mark.first_files.iter().map(file).collect(),
        }
    }

    fn mark(&self) -> Option<Mark> {
        let file = |file: &File| {
            let path = PathBuf::from(argument_of(&file.path)?);
            Some(MarkedFile { path, bytes: file.bytes, modified: file.modified })
        };
        Some(Mark {
            index: PathBuf::from(argument_of(&self.index)?),
            tensors: self.tensors,
            sum: Crc32c(self.crc32c),
            files: self.files,
            files_sum: Crc32c(self.files_crc32c),
            first_files: self.first_files.iter().map(file).collect::<Option<_>>()?,
        })
    }
}

impl Asked {
    fn of(call: &Call) -> Self {
        Self {
            what: call.what.clone(),
            units: call.units as u64,
            weight: call.weight,
            first: call.own.start as u64,
            end: call.own.end as u64,
            record: STANDARD.encode(&call.record),
        }
    }

    fn call(&self) -> Option<Call> {
        let number = |number: u64| usize::try_from(number).ok();
        let own = number(self.first)?..number(self.end)?;
        if own.start > own.end || self.end > self.units {
            return None;
        }
        let record = STANDARD.decode(&self.record).ok()?;
        Some(Call { what: self.what.clone(), units: number(self.units)?, weight: self.weight, own, record })
    }
}

const HEX: &str = "hex:";

/// An argument or a path as text from which it can be had again.
fn text_of(argument: &std::ffi::OsStr) -> String {
    match argument.to_str() {
        Some(text) if !text.starts_with(HEX) => text.to_owned(),
        _ => {
            let digits = argument.as_encoded_bytes().iter().map(|byte| format!("{byte:02x}"));
            digits.fold(HEX.to_owned(), |text, two| text + &two)
        }
    }
}

fn argument_of(text: &str) -> Option<OsString> {
    let Some(digits) = text.strip_prefix(HEX) else { return Some(text.into()) };
    let two = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes = digits.as_bytes().chunks(2).map(two).collect::<Option<Vec<u8>>>()?;
    Some(os_string(bytes))
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// How a part is called in errors.
pub fn part_name(path: &Path) -> String {
    crate::base::escape::Escaped(path.as_os_str().as_encoded_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> (PartOf, PartReport, Vec<u8>) {
        let of = PartOf { command: "stats".to_owned(), arguments: vec!["a b".into(), "hex:41".into()] };
        let file = MarkedFile { path: "m.index".into(), bytes: Some(7), modified: None };
        let mark = Mark {
            index: "m.index".into(),
            tensors: 3,
            sum: Crc32c(1),
            files: 1,
            files_sum: Crc32c(2),
            first_files: vec![file],
        };
        let call = Call { what: "figures".to_owned(), units: 9, weight: u64::MAX, own: 2..5, record: vec![0, 255, 7] };
        let report = PartReport { of_file: "x".to_owned(), number: 2, of: 3, marks: vec![mark], calls: vec![call] };
        let mut out = Vec::new();
        write_part(&of, &report, LookedAt { bytes: 1, of_bytes: 2 }, &mut out).unwrap();
        (of, report, out)
    }

    #[test]
    fn what_was_written_is_read() {
        let (of, report, bytes) = written();
        assert_eq!(read_part("x", &bytes), Ok((of, report)));
    }

    #[test]
    fn what_is_no_part_or_a_damaged_one_says_so() {
        let (.., bytes) = written();
        let says = |bytes: &[u8]| read_part("x", bytes).unwrap_err().to_string();
        for cut in 1..bytes.len() - 2 {
            assert!(says(&bytes[..cut]).contains("is cut off"), "{}", says(&bytes[..cut]));
        }
        let text = String::from_utf8(bytes).unwrap();
        assert!(says(b"").contains("empty") && says(b"hello").contains("no JSON") && says(b"[]").contains("else"));
        assert!(says(b"{\"kind\":\"list\"}").contains("\"list\""));
        assert!(says(text.replace("\"of\":3", "\"of\":4").as_bytes()).contains("checksum"));
        assert!(says(text.replace("\"record_version\":1", "\"record_version\":2").as_bytes()).contains("version 2"));
        assert!(says(text.replace(CKPT, "0.0.9").as_bytes()).contains("ckpt 0.0.9"));
    }
}
