//! Text that comes from files, made harmless in a page: in HTML, and in the JSON that lies in it.

use std::borrow::Cow;
use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

/// What templates do with text: as HTML wants it, and without what XML cannot hold.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::report) struct Markup;

impl Escaper for Markup {
    fn write_escaped_str<W: Write>(&self, dest: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(dest, &allowed(text))
    }
}

/// Text without characters that no XML document may hold, escaped or not: they are shown as such.
fn allowed(text: &str) -> Cow<'_, str> {
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..) && c != '\u{7f}';
    if text.chars().all(is_allowed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_allowed(c) {
            out.push(c);
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        }
    }
    Cow::Owned(out)
}

/// A string of JSON within a page: nothing in it ends the element around it, or is markup to a parser of XML.
pub(super) fn push_json(out: &mut String, text: &str) {
    out.push('"');
    for c in allowed(text).chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_script_that_it_stands_in() {
        let text = "</script><!-- \u{2028}\"\\ & ]]> \u{1}\u{fffe} λ";
        let mut json = String::new();
        push_json(&mut json, text);
        assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{fffe}']), "{json}");
        let back: String = serde_json::from_str(&json).unwrap();
        assert_eq!(back, "</script><!-- \u{2028}\"\\ & ]]> \\u{1}\\u{fffe} λ");
    }

    #[test]
    fn what_xml_cannot_hold_is_named() {
        let mut out = String::new();
        Markup.write_escaped_str(&mut out, "<b a='1'>\u{0}\u{ffff}&\n").unwrap();
        assert_eq!(out, "&#60;b a=&#39;1&#39;&#62;\\u{0}\\u{ffff}&#38;\n");
    }
}
