//! `explain --format json`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::Severity;
use crate::analysis::explain::{self, OnDisk, TensorNow};
use crate::report::findings::json::{Finding, findings};
use crate::report::kit::json::{Checksum, Head, PathText, Utf8OrBase64, Word, write_document};
use crate::report::restore::json::Restore;

/// What a code or a message means.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Explain<'a> {
    #[serde(flatten)]
    head: Head,
    /// whether the code or the message is known
    explained: bool,
    /// of a code: its page
    page: Option<Page<'a>>,
    /// of a message: what it means
    diagnosis: Option<Diagnosis<'a>>,
    /// with `--path`, or of a path in the message that leads to a checkpoint here: what the files say
    files: Option<Files<'a>>,
}

/// The page of a code.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Page<'a> {
    code: &'a str,
    severity: Word<Severity>,
    meaning: &'a str,
    /// how it is found
    found: &'a str,
    /// what TensorFlow does with it
    tensorflow: &'a str,
    causes: &'a [&'a str],
    /// what to do
    next: &'a [&'a str],
}

/// What a message means.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Diagnosis<'a> {
    /// a name of [messages.md](messages.md): that of a code where one stands for it
    cause: &'a str,
    headline: &'a str,
    meaning: &'a [String],
    likely: &'a [String],
    /// what to do
    next: &'a [String],
    /// what is certain and what is not
    certainty: &'a [String],
    /// those of [checks.md](checks.md) that report it
    codes: Vec<&'a str>,
    /// headlines of other errors in the text
    also: &'a [String],
    /// as far as the message has it
    path: Option<&'a str>,
    /// as far as the message has it
    tensor: Option<&'a str>,
    /// as far as the message has it
    stored_crc32c: Option<Checksum>,
}

/// What the files say now.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Files<'a> {
    prefix: PathText<'a>,
    complete: bool,
    /// those of `validate --quick`; notes only where they are about the tensor
    findings: Vec<Finding<'a>>,
    /// the one that the message is about
    tensor: Option<Tensor<'a>>,
    /// with `--against`: what a restore would do, for each graph of the model
    restores: Vec<Restore<'a>>,
}

/// The tensor that the message is about.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Tensor<'a> {
    name: Utf8OrBase64<'a>,
    /// `matches`, `unchecked`, `slot_of_one_part` (it has the slices of one part of a partitioned variable, which is normal), `differs` (`why` is a diagnosis), `unreadable` (`why` is a finding), `missing` (`why` is an array of names that are close)
    state: State,
    /// null where `state` says all
    why: Why<'a>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
enum State {
    Matches,
    Unchecked,
    SlotOfOnePart,
    Differs,
    Unreadable,
    Missing,
}

/// What there is to say of the state of a tensor.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged)]
enum Why<'a> {
    Nothing,
    Diagnosis(Box<Diagnosis<'a>>),
    Finding(Box<Finding<'a>>),
    Near(Vec<Utf8OrBase64<'a>>),
}

/// Writes everything as one JSON object. What was not explained has neither `page` nor `diagnosis`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn explain_json(
    page: Option<&explain::Page>,
    diagnosis: Option<&explain::Diagnosis>,
    disk: Option<&OnDisk>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let document = Explain {
        head: Head::of("explain"),
        explained: page.is_some() || diagnosis.is_some(),
        page: page.map(Page::from),
        diagnosis: diagnosis.map(Diagnosis::from),
        files: disk.map(Files::from),
    };
    write_document(&document, out)
}

impl<'a> From<&'a explain::Page> for Page<'a> {
    fn from(page: &'a explain::Page) -> Self {
        Self {
            code: page.code.name(),
            severity: Word(page.code.severity()),
            meaning: page.means(),
            found: page.found,
            tensorflow: page.tensorflow,
            causes: page.causes,
            next: page.next,
        }
    }
}

impl<'a> From<&'a explain::Diagnosis> for Diagnosis<'a> {
    fn from(diagnosis: &'a explain::Diagnosis) -> Self {
        Self {
            cause: diagnosis.cause,
            headline: &diagnosis.headline,
            meaning: &diagnosis.meaning,
            likely: &diagnosis.likely,
            next: &diagnosis.next,
            certainty: &diagnosis.certainty,
            codes: diagnosis.codes.iter().map(|code| code.name()).collect(),
            also: &diagnosis.also,
            path: diagnosis.path.as_deref().or(diagnosis.dir.as_deref()),
            tensor: diagnosis.tensor.as_deref(),
            stored_crc32c: diagnosis.stored.map(Checksum),
        }
    }
}

impl<'a> From<&'a OnDisk> for Files<'a> {
    fn from(disk: &'a OnDisk) -> Self {
        Self {
            prefix: PathText(&disk.prefix),
            complete: disk.complete,
            findings: findings(&disk.findings),
            tensor: disk.tensor.as_ref().map(|(name, now)| Tensor::of(name, now)),
            restores: disk.restores.iter().map(Restore::from).collect(),
        }
    }
}

impl<'a> Tensor<'a> {
    fn of(name: &'a [u8], now: &'a TensorNow) -> Self {
        let (state, why) = match now {
            TensorNow::Matches => (State::Matches, Why::Nothing),
            TensorNow::Unchecked => (State::Unchecked, Why::Nothing),
            TensorNow::OnePart => (State::SlotOfOnePart, Why::Nothing),
            TensorNow::Differs(diagnosis) => (State::Differs, Why::Diagnosis(Box::new((&**diagnosis).into()))),
            TensorNow::Unreadable(error) => (State::Unreadable, Why::Finding(Box::new((&**error).into()))),
            TensorNow::Missing(near) => {
                (State::Missing, Why::Near(near.iter().map(|near| Utf8OrBase64(near)).collect()))
            }
        };
        Self { name: Utf8OrBase64(name), state, why }
    }
}
