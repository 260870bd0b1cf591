//! Explanations: a page for each code of this tool, and a diagnosis for a pasted error message of TensorFlow.
//!
//! A message is read without any file. Much is in it: the two checksums of "Checksum does not match" tell a Git LFS
//! pointer from a hole in a download, and the shapes of a failed assignment tell a changed head from a changed size.
//! `clean` takes off what terminals and loggers put around a message, `root` finds the one that is the cause of the
//! others, `messages` knows what each means, `pages` what to do about a code, and `fill` puts what is known into commands.

mod checksum;
mod clean;
mod fill;
mod form;
mod listing;
mod look;
mod messages;
mod misgiven;
mod pages;
mod pasted;
mod renamed;
mod root;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wordings;

pub use fill::Known;
pub use listing::{known_messages, messages_markdown};
pub use look::{OnDisk, TensorNow, look};
pub use misgiven::misgiven;
pub use pages::{Page, explain_code, pages_markdown};

use super::Code;

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
}

impl Diagnosis {
    fn new(cause: &'static str, headline: impl Into<String>) -> Self {
        Self { cause, headline: headline.into(), ..Self::default() }
    }

    /// A diagnosis whose causes and next steps are those of the page of a code, behind what the message itself adds.
    fn of_code(code: Code, headline: impl Into<String>) -> Self {
        Self::new(code.name(), headline).code(code)
    }

    fn means(mut self, line: impl Into<String>) -> Self {
        self.meaning.push(line.into());
        self
    }

    fn likely(mut self, line: impl Into<String>) -> Self {
        self.likely.push(line.into());
        self
    }

    fn next(mut self, line: impl Into<String>) -> Self {
        self.next.push(line.into());
        self
    }

    fn certain(mut self, line: impl Into<String>) -> Self {
        self.certainty.push(line.into());
        self
    }

    fn code(mut self, code: Code) -> Self {
        self.codes.push(code);
        self
    }

    fn of_tensor(mut self, name: Option<&str>) -> Self {
        self.tensor = name.map(str::to_owned);
        self
    }

    fn of_path(mut self, path: Option<&str>) -> Self {
        self.path = path.map(str::to_owned);
        self
    }

    fn of_dir(mut self, dir: Option<&str>) -> Self {
        self.dir = dir.map(str::to_owned);
        self
    }

    /// With the causes and the next steps of the page of `code`, which are written once.
    fn with_page(self, code: Code) -> Self {
        self.with_lines(code, |_| true)
    }

    /// With those lines of a page that are about what is certain here.
    fn with_lines(mut self, code: Code, about: impl Fn(&str) -> bool) -> Self {
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

/// Messages longer than this are cut; tracebacks are not.
const LONGEST: usize = 1 << 20;

/// Diagnoses a pasted message or traceback; `None` if nothing in it is known.
pub fn explain_error(text: &str) -> Option<Diagnosis> {
    root::find(pasted::cut(text, LONGEST))
}

/// The paths that a message names, in its order, each once.
pub fn paths_in(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for path in pasted::paths(pasted::cut(text, LONGEST)) {
        if !found.contains(&path) && found.len() < 16 {
            found.push(path);
        }
    }
    found
}

/// Diagnoses the two checksums of a tensor, and its length where that is known: for who has read the bytes.
pub fn explain_checksums(stored: u32, computed: u32, len: Option<u64>) -> Diagnosis {
    checksum::explain_checksums(stored, computed, len)
}
