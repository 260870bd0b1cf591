//! Whether a whole file went through a transfer that takes it for text.

use std::path::Path;

use super::holes::each_window;
use crate::analysis::finding::{Code, Finding};
use crate::analysis::forensics::{LineEnds, Mangled, looks_mangled_by_text_mode};
use crate::analysis::validate::shard_files::file_name;
use crate::read::storage::Source;

/// The finding, if it did.
pub(super) fn finding(source: &Source, path: &Path, needed: u64) -> Option<Finding> {
    let (certain, likely) = text_mode(source, needed)?;
    let message = format!("{} went through a text-mode transfer", file_name(path));
    let finding = Finding::new(Code::TextModeMangled, message).in_file(path).because(certain, Some(likely));
    Some(finding.with_help("transfer it again in binary mode"))
}

/// What proves it, and what does such things.
fn text_mode(source: &Source, needed: u64) -> Option<(String, String)> {
    let len = source.len();
    // An equal length rules it out, and so does a difference that no such transfer makes of weights.
    if len == needed || len > needed.saturating_mul(4) || len < needed / 2 {
        return None;
    }
    let mut ends = LineEnds::default();
    each_window(source, 0, len, |_, bytes| ends.count(bytes)).ok()?;
    let line_ends = "FTP in ASCII mode, or version control that converts line ends";
    let (certain, likely) = match looks_mangled_by_text_mode(&ends, needed)? {
        Mangled::LfToCrLf(n) => (
            format!("each of its {n} line feeds has a carriage return before it, and it is {n} bytes too long"),
            line_ends,
        ),
        Mangled::CrLfToLf(n) => (
            format!(
                "none of its {} line feeds has a carriage return before it, and it is {n} bytes too short",
                ends.lone_lf
            ),
            line_ends,
        ),
        Mangled::Replaced(n) => (
            format!("it has the UTF-8 replacement character {n} times"),
            "it was read as text and written again; the bytes are lost",
        ),
    };
    Some((certain, likely.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_that_were_changed_are_recognised() {
        let source = |bytes: &[u8]| Source::memory(Path::new("x"), bytes.to_vec());
        let mangled = b"ab\r\ncdefghij".repeat(20);
        let needed = mangled.len() as u64 - 20;
        assert!(text_mode(&source(&mangled), needed).is_some());
        assert!(text_mode(&source(&mangled), needed + 20).is_none());
        assert!(text_mode(&source(&b"ab\ncd\r\nef".repeat(20)), needed).is_none());
    }
}
