//! Names that are legal for TensorFlow and trouble for terminals, spreadsheets, web pages and file systems.

use super::Case;
use crate::bundle::BundleBuilder;

fn named(names: &[&[u8]]) -> BundleBuilder {
    names.iter().fold(BundleBuilder::new(), |bundle, name| bundle.floats(name, &[2], &[1.0, 2.0]))
}

pub(super) fn cases() -> Vec<Case> {
    let c = |name, what, key: &[u8]| Case::legal(name, what).built(named(&[key]));
    let deep = vec!["a"; 10_000].join("/");
    let colliding: [&[u8]; 5] = [b"a/b", b"a_b", b"a b", b"A/b", b"a//b"];
    let devices: [&[u8]; 4] = [b"CON", b"nul.txt", b"a:b", b"trailing. "];
    let pieces: [&[u8]; 4] = [b"scope", b"scope/", b"scope/x", b"/scope"];
    vec![
        c("name-of-1-mib", "a name of a mebibyte", &vec![b'n'; 1 << 20]),
        c("name-of-10000-scopes", "a name of ten thousand levels", deep.as_bytes()),
        c(
            "name-escape-sequence",
            "a name that would colour and clear a terminal",
            b"\x1b[31mred\x1b[2J\x1b]0;title\x07",
        ),
        c("name-carriage-return", "a name that would overwrite its line", b"safe\rEVIL"),
        c("name-newline", "a name of two lines", b"one\ntensor: two (float32) [9]"),
        c("name-tab-and-backspace", "a name with tabs, backspaces and a delete", b"a\tb\x08\x08c\x7f"),
        c("name-c1-controls", "control characters above 0x7f, valid UTF-8", "a\u{9b}31mb\u{85}c".as_bytes()),
        c("name-invalid-utf8", "a name that is not UTF-8", b"caf\xe9/\xff\xfe/\xed\xa0\x80"),
        c("name-overlong-utf8", "an overlong encoding of a slash", b"a\xc0\xafb"),
        c("name-right-to-left", "a name that shows backwards", "safe\u{202e}txet desrever\u{2066}".as_bytes()),
        c("name-zero-width", "a name with characters that show nothing", "ker\u{200b}nel\u{feff}\u{00ad}".as_bytes()),
        c("name-combining", "one letter under a thousand accents", format!("a{}", "\u{301}".repeat(1000)).as_bytes()),
        c("name-wide", "full-width letters and emoji", "層/🧠👩‍👩‍👧/ｗｉｄｅ".as_bytes()),
        c("name-only-spaces", "a name of three spaces", b"   "),
        c("name-nul-first", "a name that begins with NUL but is no slice key", b"\0weird"),
        c("name-nul-inside", "a NUL in the middle of a name", b"we\0ird"),
        c("name-like-slice-key", "a key that begins as slice keys do and ends too soon", b"\0w\0\x01\x01\x02\x80"),
        c("name-html", "a name that is a script", b"<script>alert(1)</script>&amp;\"'"),
        c("name-markdown", "a name that would break a table of Markdown", b"a|b`c`*d*[e](javascript:f)"),
        c("name-csv-formula", "a name that a spreadsheet would run", b"=cmd|'/c calc'!A1,\"x\""),
        c("name-workflow-command", "a name that a build service would obey", b"::error file=x::gotcha%0A"),
        c("name-parent-directory", "a name that leads out of a directory", b"../../../../tmp/ckpt-escaped"),
        c("name-absolute", "a name that is an absolute path", b"/tmp/ckpt-escaped"),
        c("name-dot-dot", "a name of two dots", b".."),
        c("name-backslashes", "a name that leads out of a directory on Windows", b"..\\..\\ckpt-escaped"),
        c("name-option", "a name that looks like an option", b"--help"),
        c("name-glob", "a name that is a pattern", b"*[!a]{b,c}?"),
        c("name-regex", "a name that is a hard regular expression", b"(a+)+$"),
        Case::legal("name-colliding-files", "names that may become the same file").built(named(&colliding)),
        Case::legal("name-devices", "names that Windows keeps for itself").built(named(&devices)),
        Case::legal("name-scope-and-tensor", "a name that is also the scope of another").built(named(&pieces)),
    ]
}
