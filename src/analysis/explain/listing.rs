//! All messages that are known, as a page: `docs/messages.md` is [`messages_markdown`], word for word.

use std::fmt::Write as _;

use super::messages::{self, Listed};

/// The words by which messages are recognised, and the cause that each names.
pub fn known_messages() -> Vec<(&'static str, &'static str)> {
    let first = |listed: Listed| Some((*listed.marks.first()?, listed.diagnosis.cause));
    messages::listed().filter_map(first).collect()
}

/// All messages as one Markdown document, by the programs that say them.
pub fn messages_markdown() -> String {
    let mut out = String::from(
        "# Messages\n\n\
         What `ckpt explain 'ERROR MESSAGE'` recognises: wordings of TensorFlow, Keras and their like, by the words that stay \
         the same, with the cause that each names. `…` stands for names, paths and numbers; an answer quotes those of the message.\n\n\
         A cause that is the name of a code has one text: what leads to it and what to do stand on its page in \
         [checks.md](checks.md), and answers take them from there.\n\n\
         This page is written by the program: change `src/analysis/explain/messages`, then run \
         `CKPT_UPDATE=1 cargo test --lib listing`.\n",
    );
    let all: Vec<Listed> = messages::listed().collect();
    let mut programs: Vec<&str> = Vec::new();
    for listed in &all {
        if !programs.contains(&listed.program) {
            programs.push(listed.program);
        }
    }
    // Writing to a string cannot fail.
    for program in programs {
        let _ = writeln!(out, "\n## {program}");
        for listed in all.iter().filter(|listed| listed.program == program) {
            let marks: Vec<String> = listed.marks.iter().map(|mark| format!("`` {mark} ``")).collect();
            let _ = write!(out, "\n{}\n\n", marks.join(" · "));
            one(listed, &mut out);
        }
    }
    out
}

fn one(listed: &Listed, out: &mut String) {
    let diagnosis = &listed.diagnosis;
    let code = diagnosis.codes.first().filter(|code| code.name() == diagnosis.cause);
    let cause = match code {
        Some(code) => format!("[`{0}`](checks.md#{0})", code.name()),
        None => format!("`{}`", diagnosis.cause),
    };
    let _ = writeln!(out, "* Cause: {cause}. {}", diagnosis.headline);
    let page = diagnosis.codes.iter().map(|code| super::explain_code(*code));
    let on_pages: Vec<&str> =
        page.flat_map(|page| page.causes.iter().chain(page.next).copied().collect::<Vec<_>>()).collect();
    let own = |lines: &[String]| -> Vec<String> {
        let own = lines.iter().filter(|line| !on_pages.contains(&line.as_str()));
        own.map(|line| marked(line)).collect()
    };
    for (title, lines) in [("Likely", own(&diagnosis.likely)), ("Next", own(&diagnosis.next))] {
        if !lines.is_empty() {
            let _ = writeln!(out, "* {title}: {}", lines.join(" — "));
        }
    }
}

/// A command and what it does, as Markdown.
fn marked(line: &str) -> String {
    match line.split_once("   ") {
        Some((command, what)) => format!("`{command}` {what}"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_messages_md_is_this_listing() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/messages.md");
        if std::env::var_os("CKPT_UPDATE").is_some() {
            std::fs::write(&path, messages_markdown()).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert!(text == messages_markdown(), "docs/messages.md is old: CKPT_UPDATE=1 cargo test --lib listing");
    }

    #[test]
    fn every_message_has_a_cause_an_answer_and_a_next_step() {
        for listed in messages::listed() {
            let (diagnosis, mark) = (&listed.diagnosis, listed.marks.first().copied().unwrap_or_default());
            assert!(!mark.is_empty() && !diagnosis.headline.is_empty(), "{mark}");
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(!diagnosis.cause.is_empty() && diagnosis.cause.chars().all(is_name), "{mark}: {}", diagnosis.cause);
            assert!(!diagnosis.next.is_empty(), "{mark}: nothing to do");
            assert!(diagnosis.likely.len() + diagnosis.meaning.len() > 0, "{mark}: no cause");
        }
    }

    // Otherwise two texts would say what a code means.
    #[test]
    fn what_names_a_code_says_what_its_page_says() {
        for listed in messages::listed() {
            let diagnosis = &listed.diagnosis;
            let Some(code) = crate::analysis::Code::from_name(diagnosis.cause) else { continue };
            let page = crate::analysis::explain::explain_code(code);
            for line in page.causes.iter().chain(page.next) {
                let lines = diagnosis.likely.iter().chain(&diagnosis.next);
                assert!(lines.into_iter().any(|own| own == line), "{}: {line}", diagnosis.cause);
            }
        }
    }
}
