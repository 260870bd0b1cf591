//! What an error message means: its cause, how certain that is, and what to do.

use super::pages::explain_code;
use crate::analysis::Code;

/// What a message of TensorFlow means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// The name of the cause: that of a code where one stands for it.
    pub cause: &'static str,
    /// One sentence.
    pub headline: String,
    /// What the message says, in other words and with its values.
    pub meaning: Vec<String>,
    /// What most often leads to it, the most frequent first.
    pub likely: Vec<String>,
    /// What to do, the quickest first.
    pub next: Vec<String>,
    /// What is certain here and what is not.
    pub certainty: Vec<String>,
    /// The codes under which `ckpt validate` reports it.
    pub codes: Vec<Code>,
    /// What else the text says: errors that follow from this one, or stand beside it.
    pub also: Vec<String>,
    /// The tensor that the message names.
    pub tensor: Option<String>,
    /// All tensors that the text says are missing.
    pub missing: Vec<String>,
    /// The path that the message names.
    pub path: Option<String>,
    /// The directory that the message names.
    pub dir: Option<String>,
    /// The stored checksum that the message names.
    pub stored: Option<u32>,
    /// The shape that the checkpoint has for the tensor, by the message; a scalar has no numbers.
    pub stored_shape: Option<Vec<u64>>,
}

impl Diagnosis {
    pub(super) fn new(cause: &'static str, headline: impl Into<String>) -> Self {
        Self { cause, headline: headline.into(), ..Self::default() }
    }

    /// A diagnosis whose causes and next steps are those of the page of a code, behind what the message itself adds.
    pub(super) fn of_code(code: Code, headline: impl Into<String>) -> Self {
        Self::new(code.name(), headline).code(code)
    }

    pub(super) fn means(mut self, line: impl Into<String>) -> Self {
        self.meaning.push(line.into());
        self
    }

    pub(super) fn likely(mut self, line: impl Into<String>) -> Self {
        self.likely.push(line.into());
        self
    }

    pub(super) fn next(mut self, line: impl Into<String>) -> Self {
        self.next.push(line.into());
        self
    }

    pub(super) fn certain(mut self, line: impl Into<String>) -> Self {
        self.certainty.push(line.into());
        self
    }

    pub(super) fn code(mut self, code: Code) -> Self {
        self.codes.push(code);
        self
    }

    pub(super) fn of_tensor(mut self, name: Option<&str>) -> Self {
        self.tensor = name.map(str::to_owned);
        self
    }

    pub(super) fn of_path(mut self, path: Option<&str>) -> Self {
        self.path = path.map(str::to_owned);
        self
    }

    pub(super) fn of_dir(mut self, dir: Option<&str>) -> Self {
        self.dir = dir.map(str::to_owned);
        self
    }

    /// With the causes and the next steps of the page of `code`, which are written once.
    pub(super) fn with_page(self, code: Code) -> Self {
        self.with_lines(code, |_| true)
    }

    /// With those lines of a page that are about what is certain here.
    pub(super) fn with_lines(mut self, code: Code, about: impl Fn(&str) -> bool) -> Self {
        let page = explain_code(code);
        let lines = |lines: &[&'static str]| -> Vec<String> {
            lines.iter().filter(|line| about(line)).map(|line| (*line).to_owned()).collect()
        };
        self.likely.extend(lines(page.causes));
        self.next.extend(lines(page.next));
        if !self.codes.contains(&code) {
            self.codes.insert(0, code);
        }
        self
    }
}
