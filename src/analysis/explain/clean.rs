//! A pasted text as the program said it: without what terminals, log collectors, notebooks, test runners and mail programs
//! put around it, and without the lines of source code that a traceback quotes.
//!
//! Source code is the trap: notebooks show the lines around the one that failed, and the libraries' own `raise` statements
//! for other errors stand among them.

use std::borrow::Cow;

use super::pasted::cut;

/// A pasted text, line by line.
#[derive(Debug, Default)]
pub(super) struct Cleaned {
    /// The lines, without what stood in front of them.
    pub(super) lines: Vec<Line>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// What the program said in it.
    pub(super) text: String,
    /// Whether another message begins here: an exception's name, the head of a log line.
    pub(super) begins: bool,
}

impl Cleaned {
    /// Of a text as it was pasted.
    pub(super) fn of(text: &str) -> Self {
        let text = without_styles(text);
        let text = without_entities(&text);
        // A lone carriage return is what a progress bar writes.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let raw: Vec<&str> = text.lines().collect();
        let is_test = raw.iter().any(|line| pytest(line).is_some());
        let is_notebook = raw.iter().any(|line| is_arrow(line));
        let mut lines = Vec::with_capacity(raw.len());
        let mut is_code = false;
        for line in raw {
            let (line, is_logged) = unprefixed(line);
            if std::mem::take(&mut is_code) && line.starts_with("    ") && !is_frame(line) {
                continue;
            }
            if is_frame(line) {
                is_code = true;
                continue;
            }
            if (is_notebook && is_numbered(line)) || is_marker(line) {
                continue;
            }
            let (line, of_test) = match pytest(line) {
                Some(error) => (error, true),
                None => (line, false),
            };
            // What a test runner shows without its mark is the source of the test and of the library.
            if is_test && !of_test && (line.starts_with("    ") || line.starts_with("> ") || line.starts_with(">  ")) {
                continue;
            }
            let begins = is_logged || begins(line);
            lines.push(Line { text: line.to_owned(), begins });
        }
        Self { lines }
    }

    /// The whole text again.
    pub(super) fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.text.as_str()).collect();
        lines.join("\n")
    }

    /// The messages in it: a line that begins one, and those behind it. The first may have lost its beginning.
    pub(super) fn messages(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for line in &self.lines {
            match found.last_mut() {
                Some(last) if !line.begins => {
                    last.push('\n');
                    last.push_str(&line.text);
                }
                _ => found.push(line.text.clone()),
            }
        }
        found
    }
}

/// Without what changes colours: as bytes, as an escape in a string, or with its first byte lost.
fn without_styles(text: &str) -> String {
    let mut text = Cow::Borrowed(text);
    for spelt in ["\\u001b[", "\\u001B[", "\\x1b[", "\\x1B[", "\\033[", "\\e[", "\u{9b}"] {
        if text.contains(spelt) {
            text = Cow::Owned(text.replace(spelt, "\x1b["));
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find(['\x1b', '[']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = if from.starts_with('\x1b') { Some(escape_len(from)) } else { bare_style(from) };
        if end.is_none() {
            out.push('[');
        }
        rest = from.get(end.unwrap_or(1)..).unwrap_or_default();
    }
    out.push_str(rest);
    out.retain(|c| !matches!(c, '\u{feff}' | '\u{200b}' | '\u{2060}' | '\x08'));
    out
}

/// Escape sequences longer than this are none.
const LONGEST: usize = 2048;

/// How long an escape sequence is: CSI ends with a letter, OSC with BEL or ST.
fn escape_len(text: &str) -> usize {
    let body = text.get(1..).unwrap_or_default();
    let len = if let Some(parameters) = body.strip_prefix('[') {
        let parameters = cut(parameters, LONGEST);
        let end = parameters.find(|c: char| c.is_ascii_alphabetic() || c == '\x1b').unwrap_or(parameters.len());
        1 + end + usize::from(!parameters.get(end..).unwrap_or_default().starts_with('\x1b'))
    } else if body.starts_with(']') {
        let body = cut(body, LONGEST);
        let end = body.find(['\x07', '\n', '\x1b']).unwrap_or(body.len());
        match body.get(end..).unwrap_or_default() {
            "" => 1,
            rest if rest.starts_with("\x1b\\") => end + 2,
            // Another sequence begins: this one has no end.
            rest if rest.starts_with('\x1b') => 1,
            _ => end + 1,
        }
    } else {
        0
    };
    1 + len.min(body.len())
}

/// `[0;31m` whose ESC was lost in a copy.
fn bare_style(text: &str) -> Option<usize> {
    let body = text.strip_prefix('[')?;
    let end = body.bytes().take(13).position(|byte| byte == b'm')?;
    let parameters = body.get(..end)?;
    let is_style = !parameters.is_empty()
        && parameters.len() <= 12
        && parameters.split(';').all(|n| n.len() <= 3 && n.bytes().all(|b| b.is_ascii_digit()));
    is_style.then_some(end + 2)
}

fn without_entities(text: &str) -> String {
    let mut out = text.to_owned();
    for (from, to) in [
        ("\u{2018}", "'"),
        ("\u{2019}", "'"),
        ("\u{201c}", "\""),
        ("\u{201d}", "\""),
        ("\u{a0}", " "),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&apos;", "'"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
        // The quotes of JSON within JSON.
        ("\\\"", "\""),
    ] {
        if out.contains(from) {
            out = out.replace(from, to);
        }
    }
    out
}

/// A line without what log collectors and loggers put in front of it, and whether that was a logger's.
fn unprefixed(line: &str) -> (&str, bool) {
    let mut rest = line;
    let mut is_logged = false;
    for _ in 0..6 {
        // A collector puts a time in front of every line; only a logger says that a message begins.
        let next = if let Some(behind) = timestamp(rest) {
            behind
        } else if let Some(behind) = logger(rest) {
            is_logged = true;
            behind
        } else if let Some(behind) = collector(rest) {
            behind
        } else {
            break;
        };
        rest = next;
    }
    (rest, is_logged)
}

/// `2024-01-01 00:00:00.123456: `, `2024-01-01T00:00:00.000000000Z `, in brackets too.
fn timestamp(line: &str) -> Option<&str> {
    let text = line.strip_prefix('[').unwrap_or(line);
    let date = text.get(..10)?;
    let is_date = date.bytes().enumerate().all(|(n, b)| match n {
        4 | 7 => matches!(b, b'-' | b'/'),
        _ => b.is_ascii_digit(),
    });
    let time = text.get(11..19)?;
    let is_time =
        time.bytes().enumerate().all(|(n, b)| if matches!(n, 2 | 5) { b == b':' } else { b.is_ascii_digit() });
    if !is_date || !is_time || !matches!(text.as_bytes().get(10), Some(b' ' | b'T')) {
        return None;
    }
    let rest = text.get(19..)?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
    let rest = rest.strip_prefix('Z').unwrap_or_else(|| {
        let zone =
            rest.strip_prefix(['+', '-']).map(|zone| zone.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':'));
        zone.unwrap_or(rest)
    });
    Some(rest.trim_start_matches([']', ':', ' ']))
}

/// `W tensorflow/core/framework/op_kernel.cc:1767] `, `E0000 00:00:1700000000.123456    4242 session.cc:100] `.
fn logger(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['I', 'W', 'E', 'F'])?;
    let is_head =
        rest.starts_with(' ') || rest.as_bytes().get(..4).is_some_and(|day| day.iter().all(u8::is_ascii_digit));
    let (head, behind) = rest.split_once("] ")?;
    let names_line = head.rsplit_once(':').is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    (is_head && names_line && head.len() < 200).then_some(behind)
}

/// `stderr F `, `trainer_1  | `, `[1,0]<stderr>:`, `(Worker pid=42) `, `[rank0]: `, `> ` of a mail.
fn collector(line: &str) -> Option<&str> {
    for stream in ["stderr F ", "stdout F ", "stderr P ", "stdout P ", "##[error]", "[stderr] ", "[stdout] "] {
        if let Some(behind) = line.strip_prefix(stream) {
            return Some(behind);
        }
    }
    if let Some((head, behind)) = line.split_once("| ") {
        let name = head.trim_end();
        let is_name = !name.is_empty() && name.len() <= 40 && head.len() > name.len();
        if is_name && name.chars().all(|c| c.is_alphanumeric() || "._-/".contains(c)) {
            return Some(behind);
        }
    }
    let in_brackets = |open: char, close: char| {
        let (head, behind) = line.strip_prefix(open)?.split_once(close)?;
        (head.len() <= 60).then_some((head, behind))
    };
    if let Some((head, behind)) = in_brackets('[', ']') {
        if let Some(behind) = behind.strip_prefix("<stderr>:").or_else(|| behind.strip_prefix("<stdout>:")) {
            return Some(behind);
        }
        if let Some(behind) = behind.strip_prefix(": ").filter(|_| head.starts_with("rank")) {
            return Some(behind);
        }
    }
    if let Some((_, behind)) = in_brackets('(', ')').filter(|(head, _)| head.contains("pid=")) {
        return behind.strip_prefix(' ');
    }
    None
}

/// The error behind pytest's `E   `.
fn pytest(line: &str) -> Option<&str> {
    line.strip_prefix("E   ").map(|rest| rest.strip_prefix("    ").unwrap_or(rest))
}

/// `  File "x.py", line 3, in f`, and the same of a notebook.
fn is_frame(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t', '>']);
    (line.starts_with("File \"") && line.contains(", line "))
        || (line.starts_with("File ") && line.contains(", in ") && line.contains(".py:"))
}

/// `---> 12     code` of a notebook.
fn is_arrow(line: &str) -> bool {
    let rest = line.trim_start().trim_start_matches('-');
    let is_arrow = line.trim_start().starts_with('-');
    let number = rest.strip_prefix("> ").map(str::trim_start);
    is_arrow && number.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// A line of source code as a notebook shows it: its number first.
fn is_numbered(line: &str) -> bool {
    if is_arrow(line) {
        return true;
    }
    let rest = line.trim_start();
    let digits = rest.chars().take_while(char::is_ascii_digit).count();
    rest.len() < line.len()
        && digits > 0
        && rest.get(digits..).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// `    ~~~~~^^^^^`
fn is_marker(line: &str) -> bool {
    let line = line.trim();
    line.len() > 2 && line.chars().all(|c| matches!(c, '^' | '~' | ' '))
}

/// Whether a line begins another message than the lines before it.
fn begins(line: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "Traceback (most recent call last)",
        "During handling of the above exception",
        "The above exception was the direct cause",
        "Original error:",
        "Caused by",
        "WARNING:",
        "ERROR:",
        "INFO:",
        "WARNING ",
        "ERROR ",
        "  (0) ",
        "  (1) ",
        "  (2) ",
    ];
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning)) || exception(line)
}

/// `package.module.NotFoundError: …`, and warnings, which Python prints behind a file and a line.
fn exception(line: &str) -> bool {
    let (name, rest) = line.split_once(':').unwrap_or((line.trim_end(), ""));
    let is_name = |name: &str| {
        !name.is_empty()
            && name.len() < 120
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_'))
            && ["Error", "Exception", "Warning", "Exit", "Interrupt", "BadZipFile"]
                .iter()
                .any(|end| name.ends_with(end))
    };
    // A path with a line number, and behind it the class of the warning.
    is_name(name.trim())
        || rest.split(": ").take(3).any(|part| is_name(part.trim()) && part.trim().ends_with("Warning"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pasted: &str) -> String {
        Cleaned::of(pasted).text()
    }

    #[test]
    fn what_stands_in_front_of_a_line_is_taken_off() {
        for pasted in [
            "Key a/b not found in checkpoint",
            "2024-01-01 00:00:00.123456: W tensorflow/core/framework/op_kernel.cc:1767] Key a/b not found in checkpoint",
            "E0000 00:00:1700000000.123456    4242 direct_session.cc:1000] Key a/b not found in checkpoint",
            "W1128 03:04:05.678901 140 load.py:123] Key a/b not found in checkpoint",
            "2024-01-01T00:00:00.000000000Z stderr F Key a/b not found in checkpoint",
            "trainer_1  | Key a/b not found in checkpoint",
            "[1,0]<stderr>:Key a/b not found in checkpoint",
            "(Trainer pid=77) Key a/b not found in checkpoint",
            "[rank0]: Key a/b not found in checkpoint",
            "[2024-01-01 00:00:00,123: Key a/b not found in checkpoint",
            "E       Key a/b not found in checkpoint",
            "\u{1b}[0;31mKey a/b\u{1b}[0m not found in checkpoint",
            "\\u001b[0;31mKey a/b\\u001b[0m not found in checkpoint",
            "[0;31mKey a/b[0m not found in checkpoint",
            "\u{1b}]8;;file:///x\u{7}Key a/b\u{1b}]8;;\u{7} not found in checkpoint",
            "\u{feff}Key a/b not found in checkpoint\r\n",
        ] {
            assert_eq!(text(pasted), "Key a/b not found in checkpoint", "{pasted:?}");
        }
    }

    #[test]
    fn what_belongs_to_a_message_stays() {
        for kept in [
            "lhs shape= [2,3] rhs shape= [10]",
            "at: x/{saved_model.pbtxt|saved_model.pb}",
            "[5m is a name",
            "E a",
            "  (0) Not found: x",
        ] {
            let kept = if kept.starts_with("[5m") { "[m is a name" } else { kept };
            assert_eq!(text(kept), kept);
        }
    }

    #[test]
    fn source_code_is_no_message() {
        let python = "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    raise ValueError(\"Can't load save_path when it is None.\")\n    ~~~~^^^^\nValueError: x";
        assert_eq!(text(python), "Traceback (most recent call last):\nValueError: x");
        let notebook = "ValueError   Traceback (most recent call last)\nFile ~/a.py:12, in f(x)\n     10 if x:\n     11   raise ValueError(\"Can't load save_path when it is None.\")\n---> 12 g(x)\n\nValueError: x";
        assert!(!text(notebook).contains("None"), "{}", text(notebook));
        let test = "    def test():\n        raise ValueError(\"Can't load save_path when it is None.\")\n>       f()\nE       ValueError: x\nE         y\n\na.py:3: ValueError";
        assert!(!text(test).contains("None"), "{}", text(test));
    }

    #[test]
    fn messages_are_told_apart() {
        let chain = "a.b.NotFoundError: one\n\t [[{{node x}}]]\n\nDuring handling of the above exception, another exception occurred:\n\nValueError: two\nWARNING:tensorflow:three\nx/y.py:3: UserWarning: four";
        assert_eq!(Cleaned::of(chain).messages().len(), 5, "{:?}", Cleaned::of(chain).messages());
    }
}
