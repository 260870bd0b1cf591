//! Names and text from files, made harmless for a terminal.
//!
//! A tensor name is bytes. People see it as UTF-8 with everything escaped that could move a cursor, change a colour,
//! break a line or reorder the text around it.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::path::Path;

/// Displays bytes as text: printable UTF-8 as it is, everything else as `\n`, `\x1b` or `\u{202e}`.
///
/// A backslash stays a single one: names of people's tensors are shown, not source code.
#[derive(Clone, Copy)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if is_harmless(c) { f.write_char(c)? } else { escape_char(c, f)? }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// The text of [`Escaped`], borrowed when nothing needs escaping.
pub fn escaped(bytes: &[u8]) -> Cow<'_, str> {
    if is_plain(bytes)
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Cow::Borrowed(text);
    }
    Cow::Owned(Escaped(bytes).to_string())
}

/// Whether bytes are printable ASCII, so that they show as they are, one column each.
pub fn is_plain(bytes: &[u8]) -> bool {
    // Without an early end the compiler compares many at once.
    bytes.iter().fold(true, |plain, b| plain & matches!(b, 0x20..=0x7e))
}

/// A path as one word of a shell command, quoted where it must be. What cannot be shown is escaped, and then the command
/// is for reading only.
pub fn shell_word(path: &Path) -> String {
    let text = escaped(path.as_os_str().as_encoded_bytes());
    let is_safe = |c: char| c.is_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(is_safe) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn escape_char(c: char, f: &mut impl Write) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\0' => f.write_str("\\0"),
        c if (c as u32) < 0x100 => write!(f, "\\x{:02x}", c as u32),
        c => write!(f, "\\u{{{:x}}}", c as u32),
    }
}

/// Neither a control character nor one that is invisible or turns the direction of the text around it.
fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_text_is_unchanged_and_borrowed() {
        assert!(matches!(escaped(b"dense/kernel"), Cow::Borrowed("dense/kernel")));
        assert_eq!(escaped("größe/λ".as_bytes()), "größe/λ");
    }

    #[test]
    fn words_of_a_shell_are_quoted_where_they_must_be() {
        let word = |path: &str| shell_word(Path::new(path));
        assert_eq!(word("run/model.ckpt-5.index"), "run/model.ckpt-5.index");
        assert_eq!(word("model.ckpt (1).index"), "'model.ckpt (1).index'");
        assert_eq!(word("it's"), "'it'\\''s'");
        assert_eq!(word("$(rm -rf x)"), "'$(rm -rf x)'");
        assert_eq!(word(""), "''");
    }

    #[test]
    fn controls_invalid_bytes_and_direction_marks_are_escaped() {
        assert_eq!(escaped(b"a\x1b[2J\n\0\xff"), "a\\x1b[2J\\n\\0\\xff");
        assert_eq!(escaped("a\u{202e}b\u{9b}".as_bytes()), "a\\u{202e}b\\x9b");
    }
}
