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

pub use answer::{Answer, Looked, Question, answer};
pub use diagnosis::Diagnosis;
pub use fill::Known;
pub use listing::{known_messages, messages_markdown};
pub use look::{OnDisk, Seen, TensorNow, look};
pub use misgiven::misgiven;
pub use pages::{Page, explain_code, pages_markdown};

/// Messages longer than this are cut; tracebacks are not.
const LONGEST: usize = 1 << 20;

/// Diagnoses a pasted message or traceback; `None` if nothing in it is known.
pub fn explain_error(text: &str) -> Option<Diagnosis> {
    let text = pasted::cut(text, LONGEST);
    root::find(text).map(|diagnosis| given::with_given(diagnosis, text))
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
