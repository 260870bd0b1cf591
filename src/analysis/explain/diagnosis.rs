//! What an error message means: its cause, how certain that is, and what to do.

use std::path::Path;

use crate::analysis::Code;
use crate::escape::shell_word;

/// What a message of TensorFlow means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
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
    /// The tensor that the message names.
    pub tensor: Option<String>,
    /// The stored checksum that the message names.
    pub stored: Option<u32>,
}

impl Diagnosis {
    pub(super) fn new(headline: impl Into<String>) -> Self {
        Self { headline: headline.into(), ..Self::default() }
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
}

impl Diagnosis {
    /// Puts what is known into the commands that stand for it: the path, and the name.
    #[must_use]
    pub fn filled(mut self, path: Option<&Path>) -> Self {
        let name = self.tensor.clone();
        for line in self.next.iter_mut().chain(&mut self.certainty) {
            let (command, what) = match line.split_once("   ") {
                Some((command, what)) => (command.to_owned(), Some(what.to_owned())),
                None => (line.clone(), None),
            };
            let mut words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            for word in &mut words {
                match word.as_str() {
                    "PREFIX" | "DIR" | "PATH" => {
                        if let Some(path) = path {
                            *word = shell_word(path);
                        }
                    }
                    "NAME" => {
                        if let Some(name) = &name {
                            *word = shell_word(Path::new(name));
                        }
                    }
                    "'**/*LASTPART*'" => {
                        if let Some(last) = name.as_deref().and_then(|name| name.rsplit('/').next()) {
                            *word = shell_word(Path::new(&format!("**/*{last}*")));
                        }
                    }
                    _ => {}
                }
            }
            *line = match what {
                Some(what) => format!("{}   {what}", words.join(" ")),
                None => words.join(" "),
            };
        }
        self
    }
}
