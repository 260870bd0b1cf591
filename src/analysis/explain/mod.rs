//! Explanations: a page for each code of this tool, and a diagnosis for a pasted error message of TensorFlow.
//!
//! A message is read without any file. Much is in it: the two checksums of "Checksum does not match" tell a Git LFS
//! pointer from a hole in a download, and the shapes of a failed assignment tell a changed head from a changed size.

mod checksum;
mod diagnosis;
mod look;
mod messages;
mod pages;
mod pasted;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wordings;

pub use diagnosis::Diagnosis;
pub use look::{OnDisk, TensorNow};
pub use pages::{Page, explain_code, pages_markdown};

use super::Code;

/// Messages longer than this are cut; tracebacks are not.
const LONGEST: usize = 1 << 20;

/// Diagnoses a pasted message or traceback; `None` if nothing in it is known.
pub fn explain_error(text: &str) -> Option<Diagnosis> {
    let text = pasted::cleaned(pasted::cut(text, LONGEST));
    let look = |text: &str| checksum::diagnose(text).or_else(|| messages::diagnose(text));
    // Terminals and mail programs break long lines, also within words.
    look(&text).or_else(|| {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        look(&lines.join(" ")).or_else(|| look(&lines.concat()))
    })
}

/// The paths that a message names, in its order, each once.
pub fn paths_in(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for path in pasted::paths(pasted::cut(text, LONGEST)) {
        if !found.iter().any(|known| known == path) && found.len() < 16 {
            found.push(path.to_owned());
        }
    }
    found
}

/// What a path is that TensorFlow was given where it wants a prefix: one of the files, another kind of file, a pattern.
pub fn misgiven(path: &str) -> Option<Diagnosis> {
    let (stem, file) = pasted::member(path)?;
    let shown = pasted::quoted(stem);
    let headline = format!("{} was given where TensorFlow wants the prefix: give {shown}.", pasted::quoted(path));
    Some(
        Diagnosis::new(headline)
            .means(format!("The path ends in {file}. TensorFlow does not say so: an index is read as an empty checkpoint of the old format, in which every name is missing."))
            .next(format!("restore from {shown}: no file has this name, and that is right"))
            .certain("Certain: with this path no variable is found, whatever is in the files."),
    )
}

/// Diagnoses the two checksums of a tensor, and its length where that is known: for who has read the bytes.
pub fn explain_checksums(stored: u32, computed: u32, len: Option<u64>) -> Diagnosis {
    checksum::explain_checksums(stored, computed, len)
}

/// What [`explain_error`] knows, for a message that it does not.
pub fn known_messages() -> Vec<&'static str> {
    std::iter::once("Checksum does not match").chain(messages::titles()).collect()
}
