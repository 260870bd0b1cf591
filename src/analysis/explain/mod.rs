//! Explanations: a page for each code of this tool, and a diagnosis for a pasted error message of TensorFlow.
//!
//! A message is read without any file. Much is in it: the two checksums of "Checksum does not match" tell a Git LFS
//! pointer from a hole in a download, and the shapes of a failed assignment tell a changed head from a changed size.
//! `clean` takes off what terminals and loggers put around a message, `root` finds the one that is the cause of the
//! others, `messages` knows what each means, `given` which checkpoint it is about, `pages` what to do about a code, and `fill` puts what is known into commands.

mod answer;
mod checksum;
mod clean;
mod diagnosis;
mod fill;
mod form;
mod given;
mod listing;
mod look;
mod messages;
mod misgiven;
mod pages;
mod pasted;
mod renamed;
mod root;
mod settled;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wordings;
#[cfg(test)]
mod wordings_of_loading;

use std::borrow::Cow;

pub use answer::{Answer, Looked, Question, answer};
pub use diagnosis::Diagnosis;
pub use fill::Known;
pub use listing::{known_messages, messages_markdown};
pub use look::{OnDisk, Seen, TensorNow, look};
pub use misgiven::misgiven;
pub use pages::{Page, explain_code, pages_markdown};

/// Bytes of a text that are looked at, at its beginning and at its end: more than any traceback.
pub const LOOKED_AT: usize = 1 << 20;

/// Diagnoses a pasted message, traceback or log; `None` if nothing in it is known.
///
/// Of what is longer than twice [`LOOKED_AT`] only its beginning and its end are looked at: a log ends with what ended the
/// program.
pub fn explain_error(text: &str) -> Option<Diagnosis> {
    let text = ends(text);
    root::find(&text).map(|diagnosis| given::with_given(diagnosis, &text))
}

/// A text without what lies between its beginning and its end, if it is a long one.
fn ends(text: &str) -> Cow<'_, str> {
    if text.len() <= 2 * LOOKED_AT + 1 {
        return Cow::Borrowed(text);
    }
    Cow::Owned([pasted::cut(text, LOOKED_AT), pasted::end(text, LOOKED_AT)].join("\n"))
}

/// The paths that a message names, in its order, each once.
pub fn paths_in(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for path in pasted::paths(&ends(text)) {
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
